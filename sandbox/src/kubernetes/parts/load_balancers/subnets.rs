//! The subnets of a load balancer that names none.
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/subnet_discovery/>

use std::collections::BTreeMap;

use crate::cloud::call::Call;
use crate::services::ec2::route_table;
use crate::services::elbv2::load_balancer::{INTERNET_FACING, Kind};

/// What a tag begins with that names a cluster.
const CLUSTER_TAG: &str = "kubernetes.io/cluster/";

/// One subnet of each zone of a VPC: of those with the tag of their role, or, where none has one, of those that are as public
/// as the load balancer is to be. An error says why there are not enough.
pub(super) fn discover(
    call: &Call<'_>,
    cluster: &str,
    vpc_id: &str,
    scheme: &str,
    kind: Kind,
) -> Result<Vec<String>, String> {
    let role =
        if scheme == INTERNET_FACING { "kubernetes.io/role/elb" } else { "kubernetes.io/role/internal-elb" };
    let ec2 = &call.tables.ec2;
    let tags = |id: &str| ec2.tags.get(&call.scope, id);
    let all = || ec2.subnets.iter(&call.scope).filter(|(_, subnet)| subnet.vpc_id == vpc_id);
    let has_role = |id: &str| {
        tags(id).and_then(|tags| tags.get(role)).is_some_and(|value| value.is_empty() || value == "1")
    };
    let is_tagged = all().any(|(id, _)| has_role(id));
    let is_anothers = |id: &str| {
        let clusters = tags(id).into_iter().flatten().filter_map(|(key, _)| key.strip_prefix(CLUSTER_TAG));
        let clusters: Vec<&str> = clusters.collect();
        !clusters.is_empty() && !clusters.contains(&cluster)
    };
    let (mut evaluated, mut of_others) = (0, 0);
    let mut by_zone: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, subnet) in all() {
        let is_candidate = if is_tagged {
            has_role(id)
        } else {
            route_table::is_public(ec2, &call.scope, vpc_id, id) == (scheme == INTERNET_FACING)
        };
        if !is_candidate {
            continue;
        }
        evaluated += 1;
        if is_anothers(id) {
            of_others += 1;
        } else {
            // The first by id is the one that is taken.
            by_zone.entry(&subnet.zone).or_insert(id);
        }
    }
    let least = match kind {
        Kind::Application => 2,
        Kind::Network => 1,
    };
    if by_zone.len() >= least {
        return Ok(by_zone.into_values().map(str::to_owned).collect());
    }
    if evaluated == 0 {
        let text = "couldn't auto-discover subnets: unable to resolve at least one subnet";
        return Err(format!("{text} (0 match VPC and tags: [{role}])"));
    }
    Err(format!(
        "couldn't auto-discover subnets: unable to resolve at least {least} subnets in different Availability Zones. Evaluated {evaluated} subnets: {of_others} are tagged for other clusters"
    ))
}
