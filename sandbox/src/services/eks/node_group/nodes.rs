//! The nodes of a group, one behind each of its network interfaces.

use jiff::Timestamp;

use super::NodeGroup;
use crate::cloud::table::Scope;
use crate::kubernetes::{Capacity, Node, Taint};
use crate::services::ec2::Ec2Tables;
use crate::services::ec2::instance_type;

/// The type of nodes of which only a launch template could tell.
const OTHERWISE: &str = "m5.large";
/// In GiB, for nodes whose disks are the launch template's.
const DISK_OF_TEMPLATES: i64 = 100;

/// The nodes that a group has by now.
pub(in crate::services::eks) fn nodes(
    ec2: &Ec2Tables,
    scope: &Scope,
    group: &NodeGroup,
    now: Timestamp,
) -> Vec<Node> {
    if !group.is_up(now) {
        return Vec::new();
    }
    let instance_type = group.instance_types.first().map_or(OTHERWISE, String::as_str);
    let Some((figures, architecture)) =
        instance_type::figures(instance_type).or_else(|| instance_type::figures(OTHERWISE))
    else {
        return Vec::new();
    };
    let disk = u64::try_from(group.disk_size.unwrap_or(DISK_OF_TEMPLATES)).unwrap_or_default();
    let settings = &group.settings;
    let taints = settings.taints.iter().map(|taint| Taint {
        key: taint.key.clone(),
        value: taint.value.clone(),
        effect: taint.effect.clone(),
    });
    let taints: Vec<Taint> = taints.collect();
    let interfaces = group.interfaces.iter();
    let found = interfaces.filter_map(|id| Some((id, ec2.network_interfaces.newest(scope, id)?)));
    found
        .map(|(id, interface)| Node {
            group: group.name.clone(),
            instance_id: id.replacen("eni-", "i-", 1),
            instance_type: instance_type.to_owned(),
            architecture,
            capacity_type: group.capacity_type.clone(),
            zone: interface.zone.clone(),
            region: scope.region.to_string(),
            private_ip: interface.private_ip,
            version: settings.version.clone(),
            capacity: Capacity::of(figures, disk),
            labels: settings.labels.clone(),
            taints: taints.clone(),
        })
        .collect()
}
