//! Facts about a region that a stack is planned with.

use aws_sdk_ec2::types::{AvailabilityZone, Filter};
use lsinfra_engine::provider::ProviderError;

use crate::aws::error::During;
use crate::aws::{AwsConnection, AwsConnector};

/// The zones, by their ids, in which EKS puts no control plane: it refuses clusters with subnets there.
/// <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html#network-requirements-subnets>
const ZONES_WITHOUT_EKS: [&str; 3] = ["use1-az3", "usw1-az2", "cac1-az3"];

/// The names of the availability zones that a cluster of the account can use now, sorted: local zones,
/// wavelength zones, zones that are impaired and zones without EKS control planes are left out.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html>
///
/// # Errors
/// Those of the call.
pub async fn availability_zones(
    connector: &AwsConnector,
    connection: &AwsConnection,
) -> Result<Vec<String>, ProviderError> {
    let answer = connector
        .clients(connection)
        .await
        .ec2
        .describe_availability_zones()
        .filters(Filter::builder().name("zone-type").values("availability-zone").build())
        .filters(Filter::builder().name("state").values("available").build())
        .send()
        .await
        .during("DescribeAvailabilityZones")?;
    Ok(names(answer.availability_zones.unwrap_or_default()))
}

fn names(zones: Vec<AvailabilityZone>) -> Vec<String> {
    // Which name goes with which id differs from account to account.
    let has_eks = |zone: &AvailabilityZone| !zone.zone_id().is_some_and(|id| ZONES_WITHOUT_EKS.contains(&id));
    let mut names: Vec<String> =
        zones.into_iter().filter(has_eks).filter_map(|zone| zone.zone_name).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_without_eks_are_left_out_by_their_ids() {
        let zone = |(name, id): (&str, &str)| AvailabilityZone::builder().zone_name(name).zone_id(id).build();
        let region = |zones: [(&str, &str); 3]| names(zones.into_iter().map(zone).collect());
        assert_eq!(
            region([("us-east-1c", "use1-az1"), ("us-east-1b", "use1-az3"), ("us-east-1a", "use1-az6")]),
            ["us-east-1a", "us-east-1c"]
        );
        assert_eq!(
            region([("us-west-2a", "usw2-az3"), ("us-west-2b", "usw2-az2"), ("us-west-2c", "usw2-az1")]),
            ["us-west-2a", "us-west-2b", "us-west-2c"]
        );
    }
}
