//! Amazon EC2: networks.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>

mod cidr;
mod ids;
mod object;
mod route_table;
mod security_group;
mod security_group_rule;
mod subnet;
mod vpc;

pub use ids::{
    AllocationId, InternetGatewayId, NatGatewayId, NetworkInterfaceId, PrefixListId, RouteTableId,
    SecurityGroupId, SecurityGroupRuleId, SubnetId, VpcEndpointId, VpcId,
};
pub use route_table::{RouteTable, RouteTableOutputs};
pub use security_group::{SecurityGroup, SecurityGroupOutputs};
pub use security_group_rule::{Direction, Protocol, SecurityGroupRule, SecurityGroupRuleOutputs};
pub use subnet::{Subnet, SubnetOutputs};
pub use vpc::{Tenancy, Vpc, VpcOutputs};
