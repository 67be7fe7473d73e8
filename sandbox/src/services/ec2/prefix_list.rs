//! The prefix lists that AWS manages for the services of gateway endpoints.
//! <https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html>

use sha2::{Digest, Sha256};
use winterbaume_ec2_generated::model::{
    DescribeManagedPrefixListsResult, DescribePrefixListsResult, ManagedPrefixList, PrefixList,
};
use winterbaume_ec2_generated::wire::{
    serialize_describe_managed_prefix_lists_response, serialize_describe_prefix_lists_response,
};

use super::common::answers::texts;
use super::common::kinds;
use super::common::query::Query;
use crate::cloud::call::{Call, Reply};
use crate::protocol::response;

/// A service that has lists.
struct KnownService {
    name: &'static str,
    /// The lists' ids by region, where those are well known.
    ids: &'static [(&'static str, &'static str)],
    /// Addresses that such a list may have.
    ranges: &'static [&'static str],
}

const SERVICES: &[KnownService] = &[
    KnownService {
        name: "s3",
        ids: &[("us-east-1", "pl-63a5400a"), ("us-west-2", "pl-68a54001"), ("eu-west-1", "pl-6da54004")],
        ranges: &["3.5.0.0/19", "52.216.0.0/15", "54.231.0.0/16"],
    },
    KnownService {
        name: "dynamodb",
        ids: &[("us-east-1", "pl-02cd2c6b"), ("us-west-2", "pl-00a54069"), ("eu-west-1", "pl-6fa54006")],
        ranges: &["3.218.180.0/22", "52.94.0.0/22"],
    },
];

/// A managed list of a region.
#[derive(Debug)]
struct List {
    name: String,
    ranges: Vec<String>,
}

/// The id of a service's list in a region, if it has one.
pub(super) fn id(region: &str, service: &str) -> Option<String> {
    SERVICES.iter().find(|known| known.name == service).map(|known| id_of(known, region))
}

/// The well-known id, or one that follows from region and service.
fn id_of(service: &KnownService, region: &str) -> String {
    match service.ids.iter().find(|(place, _)| *place == region) {
        Some((_, id)) => (*id).to_owned(),
        None => {
            let digest = Sha256::digest(format!("prefix-list/{region}/{}", service.name));
            let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            format!("pl-{digits}")
        }
    }
}

/// Whether a region has a list of this id.
pub(super) fn exists(region: &str, id: &str) -> bool {
    SERVICES.iter().any(|service| id_of(service, region) == id)
}

fn lists(region: &str) -> Vec<(String, List)> {
    let list = |service: &KnownService| List {
        name: format!("com.amazonaws.{region}.{}", service.name),
        ranges: service.ranges.iter().map(|&range| range.to_owned()).collect(),
    };
    let mut lists: Vec<_> = SERVICES.iter().map(|service| (id_of(service, region), list(service))).collect();
    lists.sort_by(|(left, _), (right, _)| left.cmp(right));
    lists
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let known = ["prefix-list-id", "prefix-list-name"];
    let query = Query::read(call.params, &kinds::PREFIX_LIST, "PrefixListId", &known)?;
    call.params.finish()?;
    let lists = lists(&call.scope.region);
    let rows = lists.iter().map(|(id, list)| (id.as_str(), list));
    let found =
        query.run(rows, &call.tables.ec2.tags, &call.scope, call.shuffle, |id, list, name| match name {
            "prefix-list-name" => vec![list.name.clone()],
            _ => vec![id.to_owned()],
        })?;
    let lists: Vec<_> = found
        .items
        .iter()
        .map(|(id, list)| PrefixList {
            cidrs: Some(texts(&list.ranges)),
            prefix_list_id: Some((*id).to_owned()),
            prefix_list_name: Some(list.name.clone()),
        })
        .collect();
    Ok(response(serialize_describe_prefix_lists_response(&DescribePrefixListsResult {
        next_token: found.next_token,
        prefix_lists: Some(lists.into()),
    })))
}

pub(super) fn describe_managed(call: &mut Call<'_>) -> Reply {
    let known = ["owner-id", "prefix-list-id", "prefix-list-name"];
    let query = Query::read(call.params, &kinds::PREFIX_LIST, "PrefixListId", &known)?;
    call.params.finish()?;
    let region = call.scope.region.to_string();
    let lists = lists(&region);
    let rows = lists.iter().map(|(id, list)| (id.as_str(), list));
    let found =
        query.run(rows, &call.tables.ec2.tags, &call.scope, call.shuffle, |id, list, name| match name {
            "owner-id" => vec!["AWS".to_owned()],
            "prefix-list-name" => vec![list.name.clone()],
            _ => vec![id.to_owned()],
        })?;
    let lists: Vec<_> = found
        .items
        .iter()
        .map(|(id, list)| ManagedPrefixList {
            address_family: Some("IPv4".to_owned()),
            owner_id: Some("AWS".to_owned()),
            prefix_list_arn: Some(format!("arn:aws:ec2:{region}:aws:prefix-list/{id}")),
            prefix_list_id: Some((*id).to_owned()),
            prefix_list_name: Some(list.name.clone()),
            state: Some("create-complete".to_owned()),
            ..Default::default()
        })
        .collect();
    Ok(response(serialize_describe_managed_prefix_lists_response(&DescribeManagedPrefixListsResult {
        next_token: found.next_token,
        prefix_lists: Some(lists.into()),
    })))
}
