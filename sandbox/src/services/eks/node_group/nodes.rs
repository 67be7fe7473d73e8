//! The nodes of a group, one behind each of its network interfaces.

use jiff::Timestamp;

use super::NodeGroup;
use crate::cloud::table::Scope;
use crate::kubernetes::{Capacity, Node, Taint};
use crate::services::ec2::Ec2Tables;
use crate::services::ec2::instance_type;
use crate::services::ec2::launch_template::data::Data;
use crate::services::eks::roles::LaunchTemplate;

/// The type of nodes of which nothing tells one that the sandbox knows.
const OTHERWISE: &str = "m5.large";
/// In GiB, for nodes of which nothing tells how large their disks are: as in EKS.
const DISK_OTHERWISE: i64 = 20;

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
    let template = group.settings.launch_template.as_ref().and_then(|used| template(ec2, scope, used));
    let of_template = template.and_then(|data| data.instance_type.as_ref());
    let instance_type = group.instance_types.first().or(of_template).map_or(OTHERWISE, String::as_str);
    let Some((figures, architecture)) =
        instance_type::figures(instance_type).or_else(|| instance_type::figures(OTHERWISE))
    else {
        return Vec::new();
    };
    let mut devices = template.into_iter().flat_map(|data| &data.devices);
    let of_template = devices.find_map(|device| device.volume_size).map(i64::from);
    let disk = group.disk_size.or(of_template).unwrap_or(DISK_OTHERWISE);
    let disk = u64::try_from(disk).unwrap_or_default();
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

/// What the version of a launch template says that a group uses.
fn template<'t>(ec2: &'t Ec2Tables, scope: &Scope, used: &LaunchTemplate) -> Option<&'t Data> {
    let mut templates = ec2.launch_templates.newest_within(scope, "");
    let (_, template) = templates.find(|(id, template)| *id == used.id || template.name == used.name)?;
    Some(&template.versions.get(&template.number(&used.version)?)?.data)
}
