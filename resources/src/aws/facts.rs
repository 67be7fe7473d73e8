//! Facts about a region that a stack is planned with.

use aws_sdk_ec2::types::Filter;
use lsinfra_engine::provider::ProviderError;

use crate::aws::error::During;
use crate::aws::{AwsConnection, AwsConnector};

/// The names of the availability zones that the account can use now, sorted: local zones, wavelength
/// zones and zones that are impaired are left out.
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
    let mut names: Vec<String> =
        answer.availability_zones.unwrap_or_default().into_iter().filter_map(|zone| zone.zone_name).collect();
    names.sort();
    Ok(names)
}
