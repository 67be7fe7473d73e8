//! The load balancers of an account and region.

use aws_sdk_elasticloadbalancingv2::types::LoadBalancer;
use lsinfra_engine::provider::ProviderError;

use crate::aws::error::During;
use crate::kubernetes::KubernetesClient;

/// All of them. There are filters for names and ARNs, and none for what is asked here.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html>
pub(super) async fn load_balancers(client: &KubernetesClient) -> Result<Vec<LoadBalancer>, ProviderError> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let request = client.aws.elbv2.describe_load_balancers().set_marker(marker);
        let answer = request.send().await.during("DescribeLoadBalancers")?;
        all.extend(answer.load_balancers.unwrap_or_default());
        marker = answer.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}
