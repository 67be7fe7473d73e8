//! Amazon EC2: networks, and what instances are launched with.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>

mod cidr;
mod default_security_group;
mod elastic_ip;
mod existing_network;
mod flow_log;
mod ids;
mod internet_gateway;
mod launch_template;
mod launch_template_data;
mod nat_gateway;
mod object;
mod route;
mod route_table;
mod route_table_association;
mod security_group;
mod security_group_rule;
mod subnet;
mod vpc;
mod vpc_endpoint;

pub use default_security_group::{DefaultSecurityGroup, DefaultSecurityGroupOutputs};
pub use elastic_ip::{ElasticIp, ElasticIpOutputs};
pub use existing_network::{ExistingNetwork, ExistingNetworkOutputs};
pub use flow_log::{FlowLog, FlowLogOutputs, LogDestinationType, TrafficType};
pub use ids::{
    AllocationId, FlowLogId, InternetGatewayId, LaunchTemplateId, NatGatewayId, PrefixListId,
    RouteTableAssociationId, RouteTableId, SecurityGroupId, SecurityGroupRuleId, SubnetId, VpcEndpointId,
    VpcId,
};
pub use internet_gateway::{InternetGateway, InternetGatewayOutputs};
pub use launch_template::{LaunchTemplate, LaunchTemplateOutputs};
pub use launch_template_data::{
    BlockDeviceMapping, LaunchedResourceType, MetadataOptions, TagSpecification, VolumeType,
};
pub use nat_gateway::{NatGateway, NatGatewayOutputs};
pub use route::{Route, RouteOutputs};
pub use route_table::{RouteTable, RouteTableOutputs};
pub use route_table_association::{RouteTableAssociation, RouteTableAssociationOutputs};
pub use security_group::{SecurityGroup, SecurityGroupOutputs};
pub use security_group_rule::{Direction, Protocol, SecurityGroupRule, SecurityGroupRuleOutputs};
pub use subnet::{Subnet, SubnetOutputs};
pub use vpc::{Tenancy, Vpc, VpcOutputs};
pub use vpc_endpoint::{VpcEndpoint, VpcEndpointOutputs, VpcEndpointType};
