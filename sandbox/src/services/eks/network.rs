//! What EKS has in the VPC: the cluster's security group, and the network interfaces of the control plane and of nodes.
//! <https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html>

use std::collections::{BTreeMap, BTreeSet};

use super::errors::invalid;
use crate::cloud::call::Call;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::services::Tables;
use crate::services::ec2::network_interface::{self, Specification};
use crate::services::ec2::{availability_zone, security_group};

/// The most interfaces that a control plane has.
/// <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>
const MOST_INTERFACES: usize = 4;
/// Zones in which EKS puts no control plane, by their ids.
/// <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html#network-requirements-subnets>
const WITHOUT_CONTROL_PLANE: &[&str] = &["use1-az3", "usw1-az2", "cac1-az3"];
/// The owner that is shown of interfaces that EKS makes.
const REQUESTER: &str = "amazon-eks";

/// Where a cluster stands.
#[derive(Debug)]
pub(super) struct Place {
    /// Its VPC.
    pub(super) vpc_id: String,
    /// The zones of its subnets, by name.
    pub(super) zones: BTreeSet<String>,
}

/// The place of subnets; refuses some that are not there or not of one VPC.
pub(super) fn place(call: &Call<'_>, subnets: &[String]) -> Result<Place, ServiceError> {
    let (mut vpcs, mut zones) = (BTreeSet::new(), BTreeSet::new());
    for id in subnets {
        let subnet = call.tables.ec2.subnets.find(&call.scope, id).ok_or_else(|| {
            invalid(format!("The subnet ID '{id}' does not exist (Service: AmazonEC2; Status Code: 400; Error Code: InvalidSubnetID.NotFound)"))
        })?;
        vpcs.insert(subnet.vpc_id.clone());
        zones.insert(subnet.zone.clone());
    }
    match (vpcs.pop_first(), vpcs.is_empty()) {
        (Some(vpc_id), true) => Ok(Place { vpc_id, zones }),
        (None, _) => Err(invalid("Subnets cannot be empty")),
        (Some(_), false) => Err(invalid("Subnets must all be in the same VPC")),
    }
}

/// The place of a cluster's subnets: two zones at least, and none in which there are no control planes.
pub(super) fn cluster_place(call: &Call<'_>, name: &str, subnets: &[String]) -> Result<Place, ServiceError> {
    let place = place(call, subnets)?;
    let is_without = |zone: &&String| {
        availability_zone::zone_id(&call.scope.region, zone)
            .is_some_and(|id| WITHOUT_CONTROL_PLANE.contains(&id.as_str()))
    };
    if let Some(zone) = place.zones.iter().find(is_without) {
        let others: Vec<&String> = place.zones.iter().filter(|zone| !is_without(zone)).collect();
        let text = format!(
            "Cannot create cluster '{name}' because {zone}, the targeted availability zone, does not currently have sufficient capacity to support the cluster. Retry and choose from these availability zones: {others:?}"
        );
        return Err(ServiceError::new(400, "UnsupportedAvailabilityZoneException", text)
            .with("clusterName", name)
            .with("validZones", others.into_iter().cloned().collect::<Vec<_>>()));
    }
    if place.zones.len() < 2 {
        return Err(invalid("Subnets specified must be in at least two different AZs"));
    }
    Ok(place)
}

/// Refuses security groups that are not there, or in another VPC.
pub(super) fn check_groups(call: &Call<'_>, vpc_id: &str, groups: &[String]) -> Result<(), ServiceError> {
    let is_there = |id: &&String| {
        call.tables.ec2.security_groups.find(&call.scope, id).is_some_and(|group| group.vpc_id == vpc_id)
    };
    match groups.iter().find(|id| !is_there(id)) {
        Some(id) => Err(invalid(format!(
            "The security group '{id}' does not exist in VPC '{vpc_id}' (Service: AmazonEC2; Status Code: 400; Error Code: InvalidGroup.NotFound)"
        ))),
        None => Ok(()),
    }
}

/// Makes the security group that EKS gives a cluster and its nodes: it lets everything in that comes from itself.
pub(super) fn make_group(call: &mut Call<'_>, cluster: &str, vpc_id: &str) -> String {
    let name = format!("eks-cluster-sg-{cluster}-{}", call.identifiers.hexadecimal(10));
    let tags = BTreeMap::from([
        ("Name".to_owned(), name.clone()),
        (format!("kubernetes.io/cluster/{cluster}"), "owned".to_owned()),
        ("aws:eks:cluster-name".to_owned(), cluster.to_owned()),
    ]);
    let description = "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.";
    security_group::make_for_service(call, vpc_id, &name, description, tags)
}

/// Makes the control plane's interfaces, one in each of the first subnets.
pub(super) fn make_control_plane(
    call: &mut Call<'_>,
    cluster: &str,
    subnets: &[String],
    groups: &[String],
) -> Result<Vec<String>, ServiceError> {
    make(call, &format!("Amazon EKS {cluster}"), subnets.iter().take(MOST_INTERFACES), groups)
}

/// Makes the interfaces of this many nodes, spread over subnets.
pub(super) fn make_nodes(
    call: &mut Call<'_>,
    subnets: &[String],
    nodes: usize,
    groups: &[String],
) -> Result<Vec<String>, ServiceError> {
    make(call, "", subnets.iter().cycle().take(nodes), groups)
}

fn make<'a>(
    call: &mut Call<'_>,
    description: &str,
    subnets: impl Iterator<Item = &'a String>,
    groups: &[String],
) -> Result<Vec<String>, ServiceError> {
    let mut made = Vec::new();
    for subnet_id in subnets {
        let specification = Specification {
            subnet_id,
            description: description.to_owned(),
            groups: groups.to_vec(),
            private_ip: None,
            interface_type: "interface",
            requester: Some(REQUESTER),
        };
        match network_interface::make(call, specification) {
            Ok(id) => made.push(id),
            Err(error) => {
                let scope = call.scope.clone();
                unmake(call.tables, &scope, &made);
                return Err(invalid(format!(
                    "{} (Service: AmazonEC2; Status Code: 400; Error Code: {})",
                    error.message, error.code
                )));
            }
        }
    }
    Ok(made)
}

/// Removes interfaces.
pub(super) fn unmake(tables: &mut Tables, scope: &Scope, interfaces: &[String]) {
    for id in interfaces {
        network_interface::unmake(&mut tables.ec2, scope, id);
    }
}
