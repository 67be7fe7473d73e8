//! Where an instance stands: zones of its subnet group, with an interface in each.

use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::services::ec2::network_interface::{self, Specification};
use crate::services::rds::errors::invalid_combination;
use crate::services::rds::subnet_group::SubnetGroup;

/// The owner that AWS shows of an instance's interfaces.
const REQUESTER: &str = "amazon-rds";

/// The zone for an instance, or for its standby, which is in another than the instance.
pub(super) fn zone(group: &SubnetGroup, taken: Option<&str>) -> Result<String, ServiceError> {
    let mut zones = group.zones().into_iter();
    zones.find(|zone| Some(*zone) != taken).map(str::to_owned).ok_or_else(|| {
        invalid_combination("The DB subnet group doesn't have a subnet in another Availability Zone.")
    })
}

/// Makes the interface in a zone, and answers with its id.
pub(super) fn interface(
    call: &mut Call<'_>,
    group: &SubnetGroup,
    zone: &str,
    security_groups: &[String],
) -> Result<String, ServiceError> {
    let subnet = group.subnets.iter().find(|(_, of)| of == zone).map(|(id, _)| id.as_str());
    network_interface::make(
        call,
        Specification {
            subnet_id: subnet.unwrap_or_default(),
            description: "RDSNetworkInterface".to_owned(),
            groups: security_groups.to_vec(),
            private_ip: None,
            interface_type: "interface",
            requester: Some(REQUESTER),
        },
    )
}
