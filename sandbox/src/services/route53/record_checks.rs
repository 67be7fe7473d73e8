//! What record sets must be, each by itself and all of a zone together.
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html>

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::errors::{invalid_change_batch, invalid_input};
use super::record_sets::RecordSet;
use crate::protocol::error::ServiceError;

const ACTIONS: &[&str] = &["CREATE", "DELETE", "UPSERT"];
const TYPES: &[&str] = &["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"];

/// Refuses a change that no zone could take.
pub(super) fn check_request(action: &str, record: &RecordSet) -> Result<(), ServiceError> {
    if !ACTIONS.contains(&action) {
        return Err(invalid_input(format!("Invalid action: {action}")));
    }
    let RecordSet { name, kind, ttl, values, alias } = record;
    if !TYPES.contains(&kind.as_str()) {
        return Err(invalid_input(format!("The sandbox does not have the record type {kind}.")));
    }
    let found = match (alias.is_some(), ttl.is_some(), !values.is_empty()) {
        (true, false, false) | (false, true, true) => None,
        (true, _, _) => Some("more than one"),
        (false, ..) => Some("none"),
    };
    if let Some(found) = found {
        return Err(invalid_input(format!(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found {found} in Change with [Action={action}, Name={name}, Type={kind}, SetIdentifier=null]"
        )));
    }
    if ttl.is_some_and(|ttl| !(0..=2_147_483_647).contains(&ttl)) {
        return Err(invalid_input("TTL must be between 0 and 2147483647."));
    }
    match values.iter().find_map(|value| check_value(kind, value)) {
        Some(text) => Err(invalid_change_batch(&[text])),
        None => Ok(()),
    }
}

fn check_value(kind: &str, value: &str) -> Option<String> {
    let problem = match kind {
        "A" if value.parse::<Ipv4Addr>().is_err() => {
            "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        }
        "AAAA" if value.parse::<Ipv6Addr>().is_err() => {
            "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
        }
        "TXT" if !(value.starts_with('"') && value.ends_with('"') && value.len() > 1) => {
            "InvalidCharacterString (Value should be enclosed in quotation marks)"
        }
        // One string of characters has at most 255 of them.
        "TXT" if value.len() > 257 && !value.contains("\" \"") => {
            "CharacterStringTooLong (Value is too long)"
        }
        _ => return None,
    };
    Some(format!("Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"))
}

/// What is wrong with the record sets of a zone together.
pub(super) fn check_zone(apex: &str, records: &BTreeMap<String, RecordSet>) -> Vec<String> {
    let mut problems = Vec::new();
    let has = |kind: &str| records.values().any(|record| record.name == apex && record.kind == kind);
    if !has("SOA") {
        problems.push("A HostedZone must contain exactly one SOA record.".to_owned());
    }
    if !has("NS") {
        problems.push("A HostedZone must contain at least one NS record for the zone itself.".to_owned());
    }
    for record in records.values().filter(|record| record.kind == "CNAME") {
        let name = &record.name;
        if name == apex {
            problems.push(format!(
                "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {apex}"
            ));
        } else if records.values().any(|other| other.name == *name && other.kind != "CNAME") {
            problems.push(format!(
                "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in zone {apex}"
            ));
        }
        if record.values.len() > 1 {
            problems.push(format!("The record set {name} of type CNAME has more than one value"));
        }
    }
    problems
}
