//! The ids of EC2's objects, each a type of its own so that they cannot be mixed up.

use lsinfra_engine::text_property;

text_property! {
    /// The id of an allocated elastic IP address, `eipalloc-…`.
    AllocationId,
    /// The id of a flow log, `fl-…`.
    FlowLogId,
    /// The id of an internet gateway, `igw-…`.
    InternetGatewayId,
    /// The id of a launch template, `lt-…`.
    LaunchTemplateId,
    /// The id of a NAT gateway, `nat-…`.
    NatGatewayId,
    /// The id of a prefix list, `pl-…`.
    PrefixListId,
    /// The id of a route table, `rtb-…`.
    RouteTableId,
    /// The id of a route table's association with a subnet, `rtbassoc-…`.
    RouteTableAssociationId,
    /// The id of a security group, `sg-…`.
    SecurityGroupId,
    /// The id of a security group rule, `sgr-…`.
    SecurityGroupRuleId,
    /// The id of a subnet, `subnet-…`.
    SubnetId,
    /// The id of a VPC, `vpc-…`.
    VpcId,
    /// The id of a VPC endpoint, `vpce-…`.
    VpcEndpointId,
}
