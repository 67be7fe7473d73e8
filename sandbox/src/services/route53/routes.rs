//! Which operation a request asks for, by its method and path, and the parts of a request that all operations read alike.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::{unknown, unreadable};
use super::names::bare_id;
use super::{change, hosted_zone, record_sets, tags};
use crate::cloud::call::{Call, Operation, changes, reads};
use crate::protocol::error::ServiceError;
use crate::protocol::request::Request;
use crate::protocol::xml;

/// The version of the API, with which all paths begin.
const VERSION: &str = "/2013-04-01/";

/// The way to an operation: a method and a path, in which `*` is an id.
struct Route {
    method: &'static str,
    path: &'static [&'static str],
    operation: Operation,
}

const fn route(method: &'static str, path: &'static [&'static str], operation: Operation) -> Route {
    Route { method, path, operation }
}

static ROUTES: &[Route] = &[
    route("POST", &["hostedzone"], changes("CreateHostedZone", hosted_zone::create_hosted_zone)),
    route("GET", &["hostedzone"], reads("ListHostedZones", hosted_zone::list_hosted_zones)),
    route(
        "GET",
        &["hostedzonesbyname"],
        reads("ListHostedZonesByName", hosted_zone::list_hosted_zones_by_name),
    ),
    route("GET", &["hostedzone", "*"], reads("GetHostedZone", hosted_zone::get_hosted_zone)),
    route(
        "POST",
        &["hostedzone", "*"],
        changes("UpdateHostedZoneComment", hosted_zone::update_hosted_zone_comment),
    ),
    route("DELETE", &["hostedzone", "*"], changes("DeleteHostedZone", hosted_zone::delete_hosted_zone)),
    route(
        "POST",
        &["hostedzone", "*", "rrset"],
        changes("ChangeResourceRecordSets", record_sets::change_resource_record_sets),
    ),
    route(
        "GET",
        &["hostedzone", "*", "rrset"],
        reads("ListResourceRecordSets", record_sets::list_resource_record_sets),
    ),
    route("GET", &["change", "*"], reads("GetChange", change::get_change)),
    route(
        "POST",
        &["tags", "hostedzone", "*"],
        changes("ChangeTagsForResource", tags::change_tags_for_resource),
    ),
    route("GET", &["tags", "hostedzone", "*"], reads("ListTagsForResource", tags::list_tags_for_resource)),
    route("POST", &["tags", "hostedzone"], reads("ListTagsForResources", tags::list_tags_for_resources)),
];

/// The names of all operations.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|route| route.operation.name)
}

/// The operation, or the request's method and path if the sandbox does not have it.
pub(super) fn find(request: &Request) -> Result<&'static Operation, String> {
    let parts = parts(request);
    let is_it = |route: &&Route| {
        let same = |(wanted, given): (&&str, &String)| *wanted == "*" || *wanted == given;
        request.method == route.method
            && route.path.len() == parts.len()
            && route.path.iter().zip(&parts).all(same)
    };
    let found = ROUTES.iter().find(is_it).map(|route| &route.operation);
    found.ok_or_else(|| format!("{} {}", request.method, request.path))
}

fn parts(request: &Request) -> Vec<String> {
    let path = request.path.strip_prefix(VERSION).unwrap_or(&request.path);
    // Some clients send an id as an answer gave it, with its own slashes, encoded or not.
    let path = path.replace("%2F", "/").replace("%2f", "/");
    let mut parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if parts.len() > 2 && parts[0] == parts[1] {
        parts.remove(0);
    }
    parts
}

/// The id in a path.
pub(super) fn id(call: &Call<'_>) -> String {
    let parts = parts(call.request);
    let at = if parts.first().is_some_and(|part| part == "tags") { 2 } else { 1 };
    bare_id(parts.get(at).map_or("", String::as_str)).to_owned()
}

/// Refuses query parameters other than these.
pub(super) fn only(call: &Call<'_>, known: &[&str]) -> Result<(), ServiceError> {
    match call.request.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(unknown(&format!("the query parameter {name} of this operation"))),
        None => Ok(()),
    }
}

/// The body as a type of the API's model.
pub(super) fn body<T: DeserializeOwned + Serialize>(call: &Call<'_>) -> Result<T, ServiceError> {
    only(call, &[])?;
    xml::read(&call.request.body).map_err(unreadable)
}
