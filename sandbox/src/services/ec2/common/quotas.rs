//! EC2's quotas, by the names that the fault plan knows them by.

use crate::services::common::quotas::Quota;

/// VPCs in a region.
pub(crate) const VPCS: Quota =
    Quota { name: "vpcs", code: "VpcLimitExceeded", text: "The maximum number of VPCs has been reached." };
/// Internet gateways in a region.
pub(crate) const INTERNET_GATEWAYS: Quota = Quota {
    name: "internet-gateways",
    code: "InternetGatewayLimitExceeded",
    text: "The maximum number of internet gateways has been reached.",
};
/// Elastic addresses in a region.
pub(crate) const ADDRESSES: Quota = Quota {
    name: "addresses",
    code: "AddressLimitExceeded",
    text: "The maximum number of addresses has been reached.",
};
/// NAT gateways in a zone that are not deleted or failed.
pub(crate) const NAT_GATEWAYS: Quota = Quota {
    name: "nat-gateways-per-zone",
    code: "NatGatewayLimitExceeded",
    text: "The maximum number of NAT gateways in this Availability Zone has been reached.",
};
/// Subnets in a VPC.
pub(crate) const SUBNETS: Quota = Quota {
    name: "subnets-per-vpc",
    code: "SubnetLimitExceeded",
    text: "The maximum number of subnets has been reached.",
};
/// Route tables in a VPC.
pub(crate) const ROUTE_TABLES: Quota = Quota {
    name: "route-tables-per-vpc",
    code: "RouteTableLimitExceeded",
    text: "The maximum number of route tables has been reached.",
};
/// Gateway endpoints in a region, and interface endpoints in a VPC.
pub(crate) const VPC_ENDPOINTS: Quota = Quota {
    name: "vpc-endpoints",
    code: "VpcEndpointLimitExceeded",
    text: "The maximum number of VPC endpoints has been reached.",
};
/// Security groups in a region.
pub(crate) const SECURITY_GROUPS: Quota = Quota {
    name: "security-groups",
    code: "SecurityGroupLimitExceeded",
    text: "The maximum number of security groups has been reached.",
};
/// Rules in one direction of a security group.
pub(crate) const RULES: Quota = Quota {
    name: "rules-per-security-group",
    code: "RulesPerSecurityGroupLimitExceeded",
    text: "The maximum number of rules per security group has been reached.",
};

/// Every quota.
const ALL: &[&Quota] = &[
    &VPCS,
    &INTERNET_GATEWAYS,
    &ADDRESSES,
    &NAT_GATEWAYS,
    &SUBNETS,
    &ROUTE_TABLES,
    &VPC_ENDPOINTS,
    &SECURITY_GROUPS,
    &RULES,
];

/// The names of all quotas.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|quota| quota.name)
}
