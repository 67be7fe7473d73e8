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

/// The services, with their lists' ids where those are well known and addresses that such a list may have.
const LISTS: &[(&str, &[(&str, &str)], &[&str])] = &[
    (
        "s3",
        &[("us-east-1", "pl-63a5400a"), ("us-west-2", "pl-68a54001"), ("eu-west-1", "pl-6da54004")],
        &["3.5.0.0/19", "52.216.0.0/15", "54.231.0.0/16"],
    ),
    (
        "dynamodb",
        &[("us-east-1", "pl-02cd2c6b"), ("us-west-2", "pl-00a54069"), ("eu-west-1", "pl-6fa54006")],
        &["3.218.180.0/22", "52.94.0.0/22"],
    ),
];

/// A managed list of a region.
#[derive(Debug)]
struct List {
    name: String,
    ranges: Vec<String>,
}

/// The id of a service's list in a region, if it has one.
pub(super) fn id(region: &str, service: &str) -> Option<String> {
    let (name, known, _) = LISTS.iter().find(|(name, ..)| *name == service)?;
    let known = known.iter().find(|(place, _)| *place == region);
    Some(known.map_or_else(
        || {
            let digest = Sha256::digest(format!("prefix-list/{region}/{name}"));
            let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            format!("pl-{digits}")
        },
        |(_, id)| (*id).to_owned(),
    ))
}

fn lists(region: &str) -> Vec<(String, List)> {
    let mut lists: Vec<_> = LISTS
        .iter()
        .filter_map(|(service, _, ranges)| {
            let name = format!("com.amazonaws.{region}.{service}");
            Some((
                id(region, service)?,
                List { name, ranges: ranges.iter().map(|&range| range.into()).collect() },
            ))
        })
        .collect();
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
