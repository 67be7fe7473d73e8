//! A VPC's attributes. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcAttribute.html>

use winterbaume_ec2_generated::model::{AttributeBooleanValue, DescribeVpcAttributeResult};
use winterbaume_ec2_generated::wire::serialize_describe_vpc_attribute_response;

use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::ec2::common::answers::{done, invalid_value};
use crate::services::ec2::common::kinds;

pub(crate) fn modify(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let id = params.required("VpcId")?;
    let support: Option<bool> = params.parsed("EnableDnsSupport.Value")?;
    let hostnames: Option<bool> = params.parsed("EnableDnsHostnames.Value")?;
    let metrics: Option<bool> = params.parsed("EnableNetworkAddressUsageMetrics.Value")?;
    params.finish()?;
    let vpc = kinds::VPC.find_mut(&mut call.tables.ec2.vpcs, &call.scope, id)?;
    match [support, hostnames, metrics].into_iter().flatten().count() {
        0 => return Err(ServiceError::new(400, "MissingParameter", "No attributes specified.")),
        1 => {}
        _ => {
            return Err(ServiceError::new(
                400,
                "InvalidParameterCombination",
                "Fields for multiple attribute types specified",
            ));
        }
    }
    vpc.enable_dns_support = support.unwrap_or(vpc.enable_dns_support);
    vpc.enable_dns_hostnames = hostnames.unwrap_or(vpc.enable_dns_hostnames);
    vpc.enable_network_address_usage_metrics = metrics.unwrap_or(vpc.enable_network_address_usage_metrics);
    done("ModifyVpcAttribute")
}

pub(crate) fn describe(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("VpcId")?;
    let attribute = call.params.required("Attribute")?;
    call.params.finish()?;
    let vpc = kinds::VPC.find(&call.tables.ec2.vpcs, &call.scope, id)?;
    let value = |value| Some(AttributeBooleanValue { value: Some(value) });
    let mut answer = DescribeVpcAttributeResult { vpc_id: Some(id.to_owned()), ..Default::default() };
    match attribute {
        "enableDnsSupport" => answer.enable_dns_support = value(vpc.enable_dns_support),
        "enableDnsHostnames" => answer.enable_dns_hostnames = value(vpc.enable_dns_hostnames),
        "enableNetworkAddressUsageMetrics" => {
            answer.enable_network_address_usage_metrics = value(vpc.enable_network_address_usage_metrics);
        }
        other => {
            let text = format!("Value ({other}) for parameter attribute is invalid. Unknown attribute.");
            return Err(invalid_value(text));
        }
    }
    Ok(response(serialize_describe_vpc_attribute_response(&answer)))
}
