//! DHCP options: the default set, which every region has and every VPC uses.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DhcpOptions.html>

use sha2::{Digest, Sha256};
use winterbaume_ec2_generated::model::{
    AttributeValue, DescribeDhcpOptionsResult, DhcpConfiguration, DhcpOptions,
};
use winterbaume_ec2_generated::wire::serialize_describe_dhcp_options_response;

use super::common::kinds;
use super::common::query::Query;
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::response;

/// The id of a region's default set, which follows from account and region.
pub(super) fn default_id(scope: &Scope) -> String {
    let digest = Sha256::digest(format!("dhcp-options/{}/{}", scope.account, scope.region));
    let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("dopt-0{digits}")
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let query =
        Query::read(call.params, &kinds::DHCP_OPTIONS, "DhcpOptionsId", &["dhcp-options-id", "owner-id"])?;
    call.params.finish()?;
    let id = default_id(&call.scope);
    let found = query.run(
        std::iter::once((id.as_str(), &())),
        &call.tables.ec2.tags,
        &call.scope,
        call.shuffle,
        |id, (), name| match name {
            "owner-id" => vec![call.scope.account.to_string()],
            _ => vec![id.to_owned()],
        },
    )?;
    let domain = match &*call.scope.region {
        "us-east-1" => "ec2.internal".to_owned(),
        region => format!("{region}.compute.internal"),
    };
    let configuration = |key: &str, value: &str| DhcpConfiguration {
        key: Some(key.to_owned()),
        values: Some(vec![AttributeValue { value: Some(value.to_owned()) }].into()),
    };
    let sets: Vec<_> = found
        .items
        .iter()
        .map(|(id, ())| DhcpOptions {
            dhcp_configurations: Some(
                vec![
                    configuration("domain-name", &domain),
                    configuration("domain-name-servers", "AmazonProvidedDNS"),
                ]
                .into(),
            ),
            dhcp_options_id: Some((*id).to_owned()),
            owner_id: Some(call.scope.account.to_string()),
            tags: None,
        })
        .collect();
    Ok(response(serialize_describe_dhcp_options_response(&DescribeDhcpOptionsResult {
        dhcp_options: Some(sets.into()),
        next_token: found.next_token,
    })))
}
