//! Kinds of EC2 resources: how their ids look and what AWS says of ids that are wrong.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cloud::table::{Scope, Table};
use crate::protocol::error::ServiceError;

/// One kind of resource.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its ids' prefix without the dash.
    pub(crate) prefix: &'static str,
    /// Its name in tag specifications.
    pub(crate) tag_type: &'static str,
    not_found: &'static str,
    malformed: &'static str,
    missing: fn(&str) -> String,
    noun: &'static str,
}

pub(crate) const VPC: Kind = Kind {
    prefix: "vpc",
    tag_type: "vpc",
    not_found: "InvalidVpcID.NotFound",
    malformed: "InvalidVpcID.Malformed",
    missing: |id| format!("The vpc ID '{id}' does not exist"),
    noun: "vpc",
};
pub(crate) const SUBNET: Kind = Kind {
    prefix: "subnet",
    tag_type: "subnet",
    not_found: "InvalidSubnetID.NotFound",
    malformed: "InvalidSubnetID.Malformed",
    missing: |id| format!("The subnet ID '{id}' does not exist"),
    noun: "subnet",
};
pub(crate) const INTERNET_GATEWAY: Kind = Kind {
    prefix: "igw",
    tag_type: "internet-gateway",
    not_found: "InvalidInternetGatewayID.NotFound",
    malformed: "InvalidInternetGatewayId.Malformed",
    missing: |id| format!("The internetGateway ID '{id}' does not exist"),
    noun: "internetGateway",
};
pub(crate) const ADDRESS: Kind = Kind {
    prefix: "eipalloc",
    tag_type: "elastic-ip",
    not_found: "InvalidAllocationID.NotFound",
    malformed: "InvalidAllocationID.NotFound",
    missing: |id| format!("The allocation ID '{id}' does not exist"),
    noun: "address",
};
pub(crate) const NAT_GATEWAY: Kind = Kind {
    prefix: "nat",
    tag_type: "natgateway",
    not_found: "NatGatewayNotFound",
    malformed: "NatGatewayMalformed",
    missing: |id| format!("NatGateway {id} was not found"),
    noun: "natGateway",
};
pub(crate) const ROUTE_TABLE: Kind = Kind {
    prefix: "rtb",
    tag_type: "route-table",
    not_found: "InvalidRouteTableID.NotFound",
    malformed: "InvalidRouteTableId.Malformed",
    missing: |id| format!("The routeTable ID '{id}' does not exist"),
    noun: "routeTable",
};
pub(crate) const SECURITY_GROUP: Kind = Kind {
    prefix: "sg",
    tag_type: "security-group",
    not_found: "InvalidGroup.NotFound",
    malformed: "InvalidGroupId.Malformed",
    missing: |id| format!("The security group '{id}' does not exist"),
    noun: "security group",
};
pub(crate) const SECURITY_GROUP_RULE: Kind = Kind {
    prefix: "sgr",
    tag_type: "security-group-rule",
    not_found: "InvalidSecurityGroupRuleId.NotFound",
    malformed: "InvalidSecurityGroupRuleId.Malformed",
    missing: |id| format!("The security group rule ID '{id}' does not exist"),
    noun: "security group rule",
};
pub(crate) const VPC_ENDPOINT: Kind = Kind {
    prefix: "vpce",
    tag_type: "vpc-endpoint",
    not_found: "InvalidVpcEndpointId.NotFound",
    malformed: "InvalidVpcEndpointId.Malformed",
    missing: |id| format!("The Vpc Endpoint Id '{id}' does not exist"),
    noun: "vpcEndpoint",
};
pub(crate) const NETWORK_INTERFACE: Kind = Kind {
    prefix: "eni",
    tag_type: "network-interface",
    not_found: "InvalidNetworkInterfaceID.NotFound",
    malformed: "InvalidNetworkInterfaceId.Malformed",
    missing: |id| format!("The networkInterface ID '{id}' does not exist"),
    noun: "networkInterface",
};
pub(crate) const NETWORK_ACL: Kind = Kind {
    prefix: "acl",
    tag_type: "network-acl",
    not_found: "InvalidNetworkAclID.NotFound",
    malformed: "InvalidNetworkAclId.Malformed",
    missing: |id| format!("The networkAcl ID '{id}' does not exist"),
    noun: "networkAcl",
};
pub(crate) const LAUNCH_TEMPLATE: Kind = Kind {
    prefix: "lt",
    tag_type: "launch-template",
    not_found: "InvalidLaunchTemplateId.NotFound",
    malformed: "InvalidLaunchTemplateId.Malformed",
    missing: |id| format!("The specified launch template, with template ID {id}, does not exist."),
    noun: "launch template",
};
pub(crate) const FLOW_LOG: Kind = Kind {
    prefix: "fl",
    tag_type: "vpc-flow-log",
    not_found: "InvalidFlowLogId.NotFound",
    malformed: "InvalidFlowLogId.Malformed",
    missing: |id| format!("These flow log ids in the input list are not found: {id}"),
    noun: "flow log",
};
pub(crate) const VOLUME: Kind = Kind {
    prefix: "vol",
    tag_type: "volume",
    not_found: "InvalidVolume.NotFound",
    malformed: "InvalidParameterValue",
    missing: |id| format!("The volume '{id}' does not exist."),
    noun: "volume",
};
pub(crate) const DHCP_OPTIONS: Kind = Kind {
    prefix: "dopt",
    tag_type: "dhcp-options",
    not_found: "InvalidDhcpOptionID.NotFound",
    malformed: "InvalidDhcpOptionsId.Malformed",
    missing: |id| format!("The dhcpOption ID '{id}' does not exist"),
    noun: "dhcpOptions",
};
pub(crate) const PREFIX_LIST: Kind = Kind {
    prefix: "pl",
    tag_type: "prefix-list",
    not_found: "InvalidPrefixListId.NotFound",
    malformed: "InvalidPrefixListId.Malformed",
    missing: |id| format!("The prefix list ID '{id}' does not exist"),
    noun: "prefix list",
};

/// The kinds whose objects can be tagged.
const TAGGABLE: &[&Kind] = &[
    &VPC,
    &SUBNET,
    &INTERNET_GATEWAY,
    &ADDRESS,
    &NAT_GATEWAY,
    &ROUTE_TABLE,
    &SECURITY_GROUP,
    &SECURITY_GROUP_RULE,
    &VPC_ENDPOINT,
    &NETWORK_INTERFACE,
    &NETWORK_ACL,
    &LAUNCH_TEMPLATE,
    &FLOW_LOG,
    &VOLUME,
];

impl Kind {
    /// The kind of a taggable object by its id.
    pub(crate) fn of(id: &str) -> Option<&'static Self> {
        let (prefix, _) = id.split_once('-')?;
        TAGGABLE.iter().find(|kind| kind.prefix == prefix).copied()
    }

    /// The object is not there.
    pub(crate) fn not_found(&self, id: &str) -> ServiceError {
        ServiceError::new(400, self.not_found, (self.missing)(id))
    }

    /// The object that a request names, or the error that it is not there, which a new one may not seem to be.
    pub(crate) fn find<'a, T: Clone + Serialize + DeserializeOwned>(
        &self,
        table: &'a Table<T>,
        scope: &Scope,
        id: &str,
    ) -> Result<&'a T, ServiceError> {
        table.find(scope, id).ok_or_else(|| self.not_found(id))
    }

    /// As [`Kind::find`], to be changed.
    pub(crate) fn find_mut<'a, T: Clone + Serialize + DeserializeOwned>(
        &self,
        table: &'a mut Table<T>,
        scope: &Scope,
        id: &str,
    ) -> Result<&'a mut T, ServiceError> {
        self.find(table, scope, id)?;
        table.get_mut(scope, id).ok_or_else(|| self.not_found(id))
    }

    /// The object that the call itself made, or that its client token stands for: it is found however new it is.
    pub(crate) fn made<'a, T: Clone + Serialize + DeserializeOwned>(
        &self,
        table: &'a Table<T>,
        scope: &Scope,
        id: &str,
    ) -> Result<&'a T, ServiceError> {
        table.get(scope, id).ok_or_else(|| self.not_found(id))
    }

    /// The object is in use, so it cannot be deleted.
    pub(crate) fn has_dependencies(&self, id: &str) -> ServiceError {
        let text = match self.prefix {
            "sg" => format!("resource {id} has a dependent object"),
            _ => format!("The {} '{id}' has dependencies and cannot be deleted.", self.noun),
        };
        ServiceError::new(400, "DependencyViolation", text)
    }

    /// Refuses an id that cannot be one of this kind: the prefix, a dash, and 8 or 17 hexadecimal digits.
    pub(crate) fn check(&self, id: &str) -> Result<(), ServiceError> {
        let digits = id.strip_prefix(self.prefix).and_then(|rest| rest.strip_prefix('-'));
        let is_hexadecimal =
            |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        match digits {
            Some(digits) if [8, 17].contains(&digits.len()) && is_hexadecimal(digits) => Ok(()),
            _ => Err(ServiceError::new(
                400,
                self.malformed,
                format!("Invalid id: \"{id}\" (expecting \"{}-...\")", self.prefix),
            )),
        }
    }
}
