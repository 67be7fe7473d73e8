//! Elastic Compute Cloud: the network that everything else stands in.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html>

mod address;
pub(crate) mod availability_zone;
mod common;
mod dhcp_options;
mod flow_log;
pub(crate) mod instance_type;
mod internet_gateway;
mod inventory;
pub(crate) mod launch_template;
mod nat_gateway;
mod network_acl;
pub(crate) mod network_interface;
mod prefix_list;
pub(crate) mod route_table;
pub(crate) mod security_group;
pub(crate) mod subnet;
mod tag;
pub(crate) mod volume;
mod vpc;
mod vpc_endpoint;

use jiff::Timestamp;

use super::{Item, Service, Tables, by_action};
use crate::cloud::call::{Call, Operation, changes, reads};
use crate::cloud::table::{Scope, tables};
use crate::protocol::error::{Protocol, ServiceError};
use crate::protocol::request::Request;

tables! {
    /// What EC2 keeps, by resource id within account and region.
    pub(crate) struct Ec2Tables {
        vpcs: vpc::Vpc = ("ec2/vpc", Eventual),
        subnets: subnet::Subnet = ("ec2/subnet", Eventual),
        internet_gateways: internet_gateway::InternetGateway = ("ec2/internet-gateway", Eventual),
        addresses: address::Address = ("ec2/elastic-ip", Eventual),
        nat_gateways: nat_gateway::NatGateway = ("ec2/natgateway", Eventual),
        route_tables: route_table::RouteTable = ("ec2/route-table", Eventual),
        security_groups: security_group::SecurityGroup = ("ec2/security-group", Eventual),
        security_group_rules: security_group::permissions::Rule = ("ec2/security-group-rule", Eventual),
        vpc_endpoints: vpc_endpoint::VpcEndpoint = ("ec2/vpc-endpoint", Eventual),
        network_interfaces: network_interface::NetworkInterface = ("ec2/network-interface", Eventual),
        launch_templates: launch_template::LaunchTemplate = ("ec2/launch-template", Eventual),
        flow_logs: flow_log::FlowLog = ("ec2/vpc-flow-log", Eventual),
        volumes: volume::Volume = ("ec2/volume", Eventual),
        network_acls: network_acl::NetworkAcl = ("ec2/network-acl", Eventual),
        /// The tags of all of them, which may become visible later than what they are on.
        tags: common::tags::Tags = ("ec2/tag", Eventual),
    }
}

const OPERATIONS: &[Operation] = &[
    changes("AllocateAddress", address::allocate),
    changes("AssociateRouteTable", route_table::associations::associate),
    changes("AssociateVpcCidrBlock", vpc::cidr_blocks::associate),
    changes("AttachInternetGateway", internet_gateway::attach),
    changes("AuthorizeSecurityGroupEgress", security_group::authorize::egress),
    changes("AuthorizeSecurityGroupIngress", security_group::authorize::ingress),
    changes("CreateFlowLogs", flow_log::create),
    changes("CreateInternetGateway", internet_gateway::create),
    changes("CreateLaunchTemplate", launch_template::create),
    changes("CreateLaunchTemplateVersion", launch_template::versions::create),
    changes("CreateNatGateway", nat_gateway::create),
    changes("CreateNetworkInterface", network_interface::create),
    changes("CreateRoute", route_table::routes::create),
    changes("CreateRouteTable", route_table::create),
    changes("CreateSecurityGroup", security_group::create),
    changes("CreateSubnet", subnet::create),
    changes("CreateTags", tag::create),
    changes("CreateVpc", vpc::create),
    changes("CreateVpcEndpoint", vpc_endpoint::create::create),
    changes("DeleteFlowLogs", flow_log::delete),
    changes("DeleteInternetGateway", internet_gateway::delete),
    changes("DeleteLaunchTemplate", launch_template::delete),
    changes("DeleteLaunchTemplateVersions", launch_template::versions::delete),
    changes("DeleteNatGateway", nat_gateway::delete),
    changes("DeleteNetworkInterface", network_interface::delete),
    changes("DeleteRoute", route_table::routes::delete),
    changes("DeleteRouteTable", route_table::delete),
    changes("DeleteSecurityGroup", security_group::delete),
    changes("DeleteSubnet", subnet::delete),
    changes("DeleteTags", tag::delete),
    changes("DeleteVolume", volume::delete),
    changes("DeleteVpc", vpc::delete),
    changes("DeleteVpcEndpoints", vpc_endpoint::delete),
    reads("DescribeAddresses", address::describe),
    reads("DescribeAvailabilityZones", availability_zone::describe),
    reads("DescribeDhcpOptions", dhcp_options::describe),
    reads("DescribeFlowLogs", flow_log::describe),
    reads("DescribeInstanceTypeOfferings", instance_type::describe_offerings),
    reads("DescribeInstanceTypes", instance_type::describe),
    reads("DescribeInternetGateways", internet_gateway::describe),
    reads("DescribeLaunchTemplateVersions", launch_template::versions::describe),
    reads("DescribeLaunchTemplates", launch_template::describe),
    reads("DescribeManagedPrefixLists", prefix_list::describe_managed),
    reads("DescribeNatGateways", nat_gateway::describe),
    reads("DescribeNetworkAcls", network_acl::describe),
    reads("DescribeNetworkInterfaces", network_interface::describe),
    reads("DescribePrefixLists", prefix_list::describe),
    reads("DescribeRegions", availability_zone::describe_regions),
    reads("DescribeRouteTables", route_table::describe),
    reads("DescribeSecurityGroupRules", security_group::rules::describe),
    reads("DescribeSecurityGroups", security_group::describe),
    reads("DescribeSubnets", subnet::describe),
    reads("DescribeTags", tag::describe),
    reads("DescribeVolumes", volume::describe),
    reads("DescribeVpcAttribute", vpc::attributes::describe),
    reads("DescribeVpcEndpointServices", vpc_endpoint::services::describe),
    reads("DescribeVpcEndpoints", vpc_endpoint::describe),
    reads("DescribeVpcs", vpc::describe),
    changes("DetachInternetGateway", internet_gateway::detach),
    changes("DisassociateRouteTable", route_table::associations::disassociate),
    changes("DisassociateVpcCidrBlock", vpc::cidr_blocks::disassociate),
    changes("ModifyLaunchTemplate", launch_template::modify),
    changes("ModifySecurityGroupRules", security_group::rules::modify),
    changes("ModifySubnetAttribute", subnet::modify_attribute),
    changes("ModifyVpcAttribute", vpc::attributes::modify),
    changes("ModifyVpcEndpoint", vpc_endpoint::modify::modify),
    changes("ReleaseAddress", address::release),
    changes("ReplaceRoute", route_table::routes::replace),
    changes("ReplaceRouteTableAssociation", route_table::associations::replace),
    changes("RevokeSecurityGroupEgress", security_group::authorize::revoke_egress),
    changes("RevokeSecurityGroupIngress", security_group::authorize::revoke_ingress),
    changes("UpdateSecurityGroupRuleDescriptionsEgress", security_group::rules::update_egress_descriptions),
    changes("UpdateSecurityGroupRuleDescriptionsIngress", security_group::rules::update_ingress_descriptions),
];

/// The names of its quotas.
pub(crate) fn quotas() -> impl Iterator<Item = &'static str> {
    common::quotas::names()
}

/// Whether there is a VPC.
pub(crate) fn has_vpc(tables: &Tables, scope: &Scope, id: &str) -> bool {
    tables.ec2.vpcs.contains(scope, id)
}

/// The service.
pub(crate) struct Ec2;

impl Service for Ec2 {
    fn name(&self) -> &'static str {
        "ec2"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Ec2Query
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_action(OPERATIONS, request)
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    /// A dry run is answered before anything else is looked at: AWS checks permissions only.
    fn guard(&self, call: &Call<'_>) -> Result<(), ServiceError> {
        if call.params.parsed("DryRun")? == Some(true) {
            let text = "Request would have succeeded, but DryRun flag is set.";
            return Err(ServiceError::new(412, "DryRunOperation", text));
        }
        Ok(())
    }

    fn settle(&self, tables: &mut Tables, now: Timestamp) {
        nat_gateway::settle(&mut tables.ec2, now);
        vpc_endpoint::settle(&mut tables.ec2, now);
        volume::settle(&mut tables.ec2);
    }

    fn inventory(&self, tables: &Tables, now: Timestamp) -> Vec<Item> {
        inventory::items(tables, now)
    }
}

#[cfg(test)]
mod tests;
