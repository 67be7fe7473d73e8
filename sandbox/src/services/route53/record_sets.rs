//! Record sets: those that answer always alike (simple routing), with values or as an alias.
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use winterbaume_route53::model::{
    self, ChangeResourceRecordSetsRequest, ChangeResourceRecordSetsResponse, ListResourceRecordSetsResponse,
    ResourceRecord, ResourceRecordSets, ResourceRecords,
};
use winterbaume_route53::wire;

use super::change;
use super::errors::{invalid_change_batch, invalid_input, unknown};
use super::hosted_zone::{find, items};
use super::names::{normal, reversed, row_id, rows_of, zone_of_row};
use super::record_checks::{check_request, check_zone};
use super::routes::{body, id, only};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::Tables;

/// The most changes of one call, of which an UPSERT counts twice.
const MOST_CHANGES: usize = 1000;
/// How many record sets come at once, at most.
const MOST: usize = 300;

/// A record set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordSet {
    /// Its name, with a dot at its end.
    pub(super) name: String,
    /// Its type, such as `A`.
    pub(super) kind: String,
    /// For how long its values may be kept, in seconds.
    pub(super) ttl: Option<i64>,
    /// Its values, in the order in which they were given.
    pub(super) values: Vec<String>,
    /// What it stands for.
    pub(super) alias: Option<Alias>,
}

/// The target of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alias {
    zone_id: String,
    name: String,
    evaluates_health: bool,
}

impl RecordSet {
    /// One with values.
    pub(super) fn simple(name: &str, kind: &str, ttl: i64, values: Vec<String>) -> Self {
        Self { name: name.to_owned(), kind: kind.to_owned(), ttl: Some(ttl), values, alias: None }
    }

    /// The key of its row in a zone.
    pub(super) fn row_id(&self, zone: &str) -> String {
        row_id(zone, &self.name, &self.kind)
    }

    /// Whether the zone of this name cannot be without it.
    pub(super) fn is_required(&self, apex: &str) -> bool {
        self.name == apex && ["NS", "SOA"].contains(&self.kind.as_str())
    }

    /// Whether it is the same, whatever the order of values.
    fn is_same(&self, other: &Self) -> bool {
        let sorted = |record: &Self| {
            let mut record = record.clone();
            record.values.sort();
            record
        };
        sorted(self) == sorted(other)
    }

    fn of(set: model::ResourceRecordSet) -> Result<Self, ServiceError> {
        let parts = [
            ("CidrRoutingConfig", set.cidr_routing_config.is_some()),
            ("Failover", set.failover.is_some()),
            ("GeoLocation", set.geo_location.is_some()),
            ("GeoProximityLocation", set.geo_proximity_location.is_some()),
            ("HealthCheckId", set.health_check_id.is_some()),
            ("MultiValueAnswer", set.multi_value_answer.is_some()),
            ("Region", set.region.is_some()),
            ("SetIdentifier", set.set_identifier.is_some()),
            ("TrafficPolicyInstanceId", set.traffic_policy_instance_id.is_some()),
            ("Weight", set.weight.is_some()),
        ];
        if let Some((name, _)) = parts.iter().find(|(_, is_given)| *is_given) {
            return Err(unknown(&format!("the element {name} of a record set")));
        }
        let alias = set.alias_target.map(|target| {
            Ok::<_, ServiceError>(Alias {
                zone_id: target.hosted_zone_id,
                name: normal(&target.d_n_s_name)?,
                evaluates_health: target.evaluate_target_health,
            })
        });
        let records = set.resource_records.map(|records| records.items).unwrap_or_default();
        Ok(Self {
            name: normal(&set.name)?,
            kind: set.r#type,
            ttl: set.t_t_l,
            values: records.into_iter().map(|record| record.value).collect(),
            alias: alias.transpose()?,
        })
    }

    fn answered(&self) -> model::ResourceRecordSet {
        let values = self.values.iter().map(|value| ResourceRecord { value: value.clone() });
        model::ResourceRecordSet {
            name: self.name.clone(),
            r#type: self.kind.clone(),
            t_t_l: self.ttl,
            resource_records: self.alias.is_none().then(|| ResourceRecords { items: values.collect() }),
            alias_target: self.alias.as_ref().map(|alias| model::AliasTarget {
                d_n_s_name: alias.name.clone(),
                evaluate_target_health: alias.evaluates_health,
                hosted_zone_id: alias.zone_id.clone(),
            }),
            ..model::ResourceRecordSet::default()
        }
    }
}

/// Whether the public DNS has a CNAME with this value: the record of any account's public zone.
pub(crate) fn has_cname(tables: &Tables, name: &str, value: &str) -> bool {
    let is_value = |text: &String| text.trim_end_matches('.') == value.trim_end_matches('.');
    tables.route53.records.all().any(|(scope, row, record)| {
        let zone = tables.route53.zones.get(scope, zone_of_row(row));
        record.kind == "CNAME"
            && record.name == name
            && record.values.iter().all(is_value)
            && zone.is_some_and(|zone| zone.is_public())
    })
}

pub(super) fn change_resource_record_sets(call: &mut Call<'_>) -> Reply {
    let zone_id = id(call);
    let request: ChangeResourceRecordSetsRequest = body(call)?;
    let apex = find(call, &zone_id)?.name.clone();
    let batch = request.change_batch;
    let count: usize =
        batch.changes.items.iter().map(|change| if change.action == "UPSERT" { 2 } else { 1 }).sum();
    if count == 0 {
        return Err(invalid_input("1 validation error detected: Changes must not be empty"));
    }
    if count > MOST_CHANGES {
        return Err(invalid_change_batch(&[format!("Number of records limit of {MOST_CHANGES} exceeded.")]));
    }
    let mut changes = Vec::new();
    for change in batch.changes.items {
        let record = RecordSet::of(change.resource_record_set)?;
        check_request(&change.action, &record)?;
        changes.push((change.action, record));
    }
    let scope = call.scope.global();
    let rows = call.tables.route53.records.within(&scope, &rows_of(&zone_id));
    let before: BTreeMap<String, RecordSet> =
        rows.map(|(row, record)| (row.to_owned(), record.clone())).collect();
    let mut after = before.clone();
    let mut problems = Vec::new();
    for (action, record) in changes {
        if let Err(text) = apply(&mut after, &zone_id, &apex, &action, record) {
            problems.push(text);
        }
    }
    problems.extend(check_zone(&apex, &after));
    if !problems.is_empty() {
        return Err(invalid_change_batch(&problems));
    }
    let records = &mut call.tables.route53.records;
    for row in before.keys().filter(|row| !after.contains_key(*row)) {
        records.remove(&scope, row);
    }
    for (row, record) in after {
        if before.get(&row) != Some(&record) {
            records.insert(&scope, row, record);
        }
    }
    let change_info = change::enter(call, batch.comment);
    Ok(response(wire::serialize_change_resource_record_sets_response(&ChangeResourceRecordSetsResponse {
        change_info: Some(change_info),
    })))
}

/// Carries out one change on the record sets of a zone, or says why it cannot be.
fn apply(
    records: &mut BTreeMap<String, RecordSet>,
    zone_id: &str,
    apex: &str,
    action: &str,
    record: RecordSet,
) -> Result<(), String> {
    let RecordSet { name, kind, .. } = &record;
    if name != apex && !name.ends_with(&format!(".{apex}")) {
        return Err(format!("RRSet with DNS name {name} is not permitted in zone {apex}"));
    }
    let row = record.row_id(zone_id);
    let set = format!("resource record set [name='{name}', type='{kind}']");
    match (action, records.get(&row)) {
        ("CREATE", Some(_)) => Err(format!("Tried to create {set} but it already exists")),
        ("DELETE", None) => Err(format!("Tried to delete {set} but it was not found")),
        ("DELETE", Some(present)) if !present.is_same(&record) => {
            Err(format!("Tried to delete {set} but the values provided do not match the current values"))
        }
        ("DELETE", Some(_)) => {
            records.remove(&row);
            Ok(())
        }
        _ => {
            records.insert(row, record);
            Ok(())
        }
    }
}

pub(super) fn list_resource_record_sets(call: &mut Call<'_>) -> Reply {
    let zone_id = id(call);
    only(call, &["name", "type", "maxitems"])?;
    let items = items(call, MOST)?;
    find(call, &zone_id)?;
    let name = call.request.query("name").map(normal).transpose()?;
    let kind = call.request.query("type").unwrap_or_default();
    if name.is_none() && !kind.is_empty() {
        return Err(invalid_input("The input is not valid: a type is given without a name."));
    }
    let from = name.map(|name| format!("{} {kind}", reversed(&name)));
    let prefix = rows_of(&zone_id);
    let rows = call.tables.route53.records.within(&call.scope.global(), &prefix);
    let is_asked_for = |row: &str| from.as_deref().is_none_or(|from| &row[prefix.len()..] >= from);
    let rows: Vec<&RecordSet> = rows.filter(|(row, _)| is_asked_for(row)).map(|(_, record)| record).collect();
    let next = rows.get(items);
    let answer = ListResourceRecordSetsResponse {
        is_truncated: Some(next.is_some()),
        max_items: i32::try_from(items).ok(),
        next_record_identifier: None,
        next_record_name: next.map(|record| record.name.clone()),
        next_record_type: next.map(|record| record.kind.clone()),
        resource_record_sets: Some(ResourceRecordSets {
            items: rows.iter().take(items).map(|record| record.answered()).collect(),
        }),
    };
    Ok(response(wire::serialize_list_resource_record_sets_response(&answer)))
}
