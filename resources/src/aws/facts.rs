//! Facts about a region that a stack is planned with.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{AvailabilityZone, Filter, InstanceTypeInfo, LocationType};
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

/// What an instance type has, as far as it matters to Kubernetes and to volumes.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceTypeInfo.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceType {
    /// Its name, such as `m7i.2xlarge`.
    pub name: String,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Memory as AWS sells it, in MiB.
    pub memory_mib: u32,
    /// The bandwidth to volumes that it can always give, in megabits per second; 0 if AWS gives none.
    pub ebs_baseline_megabits_per_second: u32,
    /// The most network interfaces.
    pub network_interfaces: u32,
    /// The most IPv4 addresses of each.
    pub ipv4_addresses_per_interface: u32,
}

/// The most names of one call.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html>
const LIMIT_INSTANCE_TYPES: usize = 100;

/// What the instance types of these names have, those that the region knows, sorted by name.
///
/// # Errors
/// Those of the call.
pub async fn instance_types(
    connector: &AwsConnector,
    connection: &AwsConnection,
    names: &[String],
) -> Result<Vec<InstanceType>, ProviderError> {
    let clients = connector.clients(connection).await;
    let mut types = Vec::new();
    for chunk in names.chunks(LIMIT_INSTANCE_TYPES) {
        // By filter: one that the region does not know would fail the question for all.
        let filter = Filter::builder().name("instance-type").set_values(Some(chunk.to_vec())).build();
        let pages = clients.ec2.describe_instance_types().filters(filter).into_paginator().items().send();
        let page: Vec<InstanceTypeInfo> = pages.try_collect().await.during("DescribeInstanceTypes")?;
        types.extend(page.iter().filter_map(figures));
    }
    types.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(types)
}

fn figures(info: &InstanceTypeInfo) -> Option<InstanceType> {
    let count = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    let network = info.network_info()?;
    let ebs = info.ebs_info().and_then(|ebs| ebs.ebs_optimized_info());
    Some(InstanceType {
        name: info.instance_type()?.as_str().to_owned(),
        vcpus: count(info.v_cpu_info()?.default_v_cpus())?,
        memory_mib: u32::try_from(info.memory_info()?.size_in_mib()?).ok()?,
        ebs_baseline_megabits_per_second: count(ebs.and_then(|ebs| ebs.baseline_bandwidth_in_mbps()))
            .unwrap_or_default(),
        network_interfaces: count(network.maximum_network_interfaces())?,
        ipv4_addresses_per_interface: count(network.ipv4_addresses_per_interface())?,
    })
}

/// The names of the availability zones that offer each of these instance types; a type that the region does not offer
/// is not among them.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html>
///
/// # Errors
/// Those of the call.
pub async fn instance_type_offerings(
    connector: &AwsConnector,
    connection: &AwsConnection,
    names: &[String],
) -> Result<BTreeMap<String, BTreeSet<String>>, ProviderError> {
    let clients = connector.clients(connection).await;
    let mut zones: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for chunk in names.chunks(LIMIT_INSTANCE_TYPES) {
        let filter = Filter::builder().name("instance-type").set_values(Some(chunk.to_vec())).build();
        let request = clients.ec2.describe_instance_type_offerings().filters(filter);
        let request = request.location_type(LocationType::AvailabilityZone);
        let offerings = request.into_paginator().items().send().try_collect().await;
        for offering in offerings.during("DescribeInstanceTypeOfferings")? {
            let (Some(name), Some(zone)) = (offering.instance_type, offering.location) else { continue };
            zones.entry(name.as_str().to_owned()).or_default().insert(zone);
        }
    }
    Ok(zones)
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
