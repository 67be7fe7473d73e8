//! Hosted zones. <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZone.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use winterbaume_route53::model::{
    self, CreateHostedZoneRequest, CreateHostedZoneResponse, DelegationSet, DelegationSetNameServers,
    DeleteHostedZoneResponse, GetHostedZoneResponse, HostedZoneConfig, HostedZones,
    ListHostedZonesByNameResponse, ListHostedZonesResponse, UpdateHostedZoneCommentRequest,
    UpdateHostedZoneCommentResponse, VPC, VPCs,
};
use winterbaume_route53::wire;

use super::Route53Tables;
use super::change;
use super::errors::{invalid_input, no_such_hosted_zone};
use super::names::{bare_id, normal, reversed, rows_of};
use super::record_sets::RecordSet;
use super::routes::{body, id, only};
use crate::cloud::call::{Call, Reply};
use crate::cloud::identifiers::Identifiers;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::Tables;

/// How many zones come at once, at most.
const MOST: usize = 100;

/// A hosted zone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HostedZone {
    /// Its name, with a dot at its end.
    pub(super) name: String,
    caller_reference: String,
    comment: Option<String>,
    /// The VPCs, with their regions, in which a private zone answers; a public one has none.
    vpcs: Vec<(String, String)>,
    is_private: bool,
    name_servers: Vec<String>,
    /// Its tags.
    pub(super) tags: BTreeMap<String, String>,
    /// Whether the account has had it from the beginning.
    pub(super) is_given: bool,
}

impl HostedZone {
    /// Whether the public DNS has it.
    pub(super) fn is_public(&self) -> bool {
        !self.is_private
    }
}

/// The zone of an id.
pub(super) fn find<'c>(call: &'c Call<'_>, id: &str) -> Result<&'c HostedZone, ServiceError> {
    call.tables.route53.zones.find(&call.scope.global(), id).ok_or_else(|| no_such_hosted_zone(id))
}

/// Makes sure that an account has a public zone of a name, as one that was there before anything else.
pub(crate) fn ensure(
    tables: &mut Tables,
    identifiers: &mut Identifiers,
    account: &str,
    name: &str,
) -> Result<(), ServiceError> {
    let (scope, name) = (Scope::new(account, ""), normal(name)?);
    let zones = &tables.route53.zones;
    if zones.iter(&scope).any(|(_, zone)| zone.name == name && !zone.is_private) {
        return Ok(());
    }
    let zone = HostedZone {
        caller_reference: format!("sandbox {name}"),
        comment: None,
        vpcs: Vec::new(),
        is_private: false,
        name_servers: name_servers(identifiers),
        tags: BTreeMap::new(),
        is_given: true,
        name,
    };
    insert(&mut tables.route53, identifiers, &scope, zone);
    Ok(())
}

/// Four name servers of the four top-level domains.
fn name_servers(identifiers: &mut Identifiers) -> Vec<String> {
    let bytes = identifiers.bytes();
    let domains = ["com", "net", "org", "co.uk"].iter().zip(0_u32..);
    let server = |(domain, index): (&&str, u32)| {
        let number = u32::from(bytes[usize::try_from(index).unwrap_or_default()]) * 2 + index * 512;
        format!("ns-{number}.awsdns-{:02}.{domain}", number % 64)
    };
    domains.map(server).collect()
}

/// Adds a zone with the two record sets that every zone has.
fn insert(
    tables: &mut Route53Tables,
    identifiers: &mut Identifiers,
    scope: &Scope,
    zone: HostedZone,
) -> String {
    let id = format!("Z{}", identifiers.alphanumeric(20));
    let first = zone.name_servers.first().map(String::as_str).unwrap_or_default();
    let soa = format!("{first}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400");
    let servers = zone.name_servers.iter().map(|server| format!("{server}.")).collect();
    for record in [
        RecordSet::simple(&zone.name, "NS", 172_800, servers),
        RecordSet::simple(&zone.name, "SOA", 900, vec![soa]),
    ] {
        tables.records.insert(scope, record.row_id(&id), record);
    }
    tables.zones.insert(scope, id.clone(), zone);
    id
}

pub(super) fn create_hosted_zone(call: &mut Call<'_>) -> Reply {
    let request: CreateHostedZoneRequest = body(call)?;
    if request.delegation_set_id.is_some() {
        return Err(super::errors::unknown("the element DelegationSetId of this operation"));
    }
    let name = normal(&request.name)?;
    let reference = request.caller_reference;
    if reference.is_empty() || reference.len() > 128 {
        return Err(invalid_input("CallerReference must have 1 to 128 characters."));
    }
    let scope = call.scope.global();
    if call.tables.route53.zones.iter(&scope).any(|(_, zone)| zone.caller_reference == reference) {
        return Err(ServiceError::new(
            409,
            "HostedZoneAlreadyExists",
            format!(
                "A hosted zone has already been created with the specified caller reference: {reference}"
            ),
        ));
    }
    let config = request.hosted_zone_config.unwrap_or_default();
    let vpc = request.v_p_c.map(|vpc| vpc_of(call, vpc)).transpose()?;
    if config.private_zone == Some(true) && vpc.is_none() {
        return Err(invalid_input(
            "When you're creating a private hosted zone (when you specify true for PrivateZone), you must also specify values for VPCId and VPCRegion.",
        ));
    }
    let zone = HostedZone {
        name,
        caller_reference: reference,
        comment: config.comment.filter(|comment| !comment.is_empty()),
        is_private: vpc.is_some(),
        name_servers: name_servers(call.identifiers),
        vpcs: vpc.into_iter().collect(),
        tags: BTreeMap::new(),
        is_given: false,
    };
    let id = insert(&mut call.tables.route53, call.identifiers, &scope, zone.clone());
    let change_info = change::enter(call, None);
    let answer = CreateHostedZoneResponse {
        change_info: Some(change_info),
        // A private zone has name servers too, which nobody can ask; only this answer must have them.
        delegation_set: Some(delegation_set(&zone)),
        hosted_zone: Some(answered(call, &id, &zone)),
        v_p_c: vpcs(&zone).and_then(|vpcs| vpcs.items.into_iter().next()),
    };
    let mut response = response(wire::serialize_create_hosted_zone_response(&answer));
    *response.status_mut() = http::StatusCode::CREATED;
    let location = format!("https://route53.amazonaws.com/2013-04-01/hostedzone/{id}");
    if let Ok(location) = location.parse() {
        response.headers_mut().insert(http::header::LOCATION, location);
    }
    Ok(response)
}

fn vpc_of(call: &Call<'_>, vpc: VPC) -> Result<(String, String), ServiceError> {
    let (id, region) = (vpc.v_p_c_id.unwrap_or_default(), vpc.v_p_c_region.unwrap_or_default());
    let scope = Scope::new(&call.scope.account, &region);
    if !crate::services::ec2::has_vpc(call.tables, &scope, &id) {
        let text = format!("The VPC {id} in region {region} was not found.");
        return Err(ServiceError::new(400, "InvalidVPCId", text));
    }
    Ok((region, id))
}

pub(super) fn get_hosted_zone(call: &mut Call<'_>) -> Reply {
    let id = id(call);
    only(call, &[])?;
    let zone = find(call, &id)?;
    let answer = GetHostedZoneResponse {
        delegation_set: zone.is_public().then(|| delegation_set(zone)),
        hosted_zone: Some(answered(call, &id, zone)),
        v_p_cs: vpcs(zone),
    };
    Ok(response(wire::serialize_get_hosted_zone_response(&answer)))
}

pub(super) fn update_hosted_zone_comment(call: &mut Call<'_>) -> Reply {
    let id = id(call);
    let request: UpdateHostedZoneCommentRequest = body(call)?;
    find(call, &id)?;
    let scope = call.scope.global();
    let zone = call.tables.route53.zones.get_mut(&scope, &id).ok_or_else(|| no_such_hosted_zone(&id))?;
    zone.comment = request.comment.filter(|comment| !comment.is_empty());
    let zone = zone.clone();
    let answer = UpdateHostedZoneCommentResponse { hosted_zone: Some(answered(call, &id, &zone)) };
    Ok(response(wire::serialize_update_hosted_zone_comment_response(&answer)))
}

pub(super) fn delete_hosted_zone(call: &mut Call<'_>) -> Reply {
    let id = id(call);
    only(call, &[])?;
    let apex = find(call, &id)?.name.clone();
    let scope = call.scope.global();
    let rows: Vec<(String, bool)> = call
        .tables
        .route53
        .records
        .within(&scope, &rows_of(&id))
        .map(|(row, record)| (row.to_owned(), record.is_required(&apex)))
        .collect();
    if rows.iter().any(|(_, is_required)| !is_required) {
        return Err(ServiceError::new(
            400,
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
        ));
    }
    for (row, _) in rows {
        call.tables.route53.records.remove(&scope, &row);
    }
    call.tables.route53.zones.remove(&scope, &id);
    let answer = DeleteHostedZoneResponse { change_info: Some(change::enter(call, None)) };
    Ok(response(wire::serialize_delete_hosted_zone_response(&answer)))
}

/// How many items are asked for.
pub(super) fn items(call: &Call<'_>, most: usize) -> Result<usize, ServiceError> {
    let Some(text) = call.request.query("maxitems") else { return Ok(most) };
    match text.parse::<usize>() {
        Ok(items) if items > 0 => Ok(items.min(most)),
        _ => Err(invalid_input(format!("The value {text} of MaxItems is not valid."))),
    }
}

pub(super) fn list_hosted_zones(call: &mut Call<'_>) -> Reply {
    only(call, &["marker", "maxitems"])?;
    let items = items(call, MOST)?;
    let marker = call.request.query("marker").map(str::to_owned);
    let scope = call.scope.global();
    let from = |id: &str| marker.as_deref().is_none_or(|marker| id >= bare_id(marker));
    let zones: Vec<_> = call.tables.route53.zones.iter(&scope).filter(|(id, _)| from(id)).collect();
    let next = zones.get(items).map(|(id, _)| (*id).to_owned());
    let zones = zones.into_iter().take(items).map(|(id, zone)| answered(call, id, zone)).collect();
    let answer = ListHostedZonesResponse {
        hosted_zones: Some(HostedZones { items: zones }),
        is_truncated: Some(next.is_some()),
        max_items: i32::try_from(items).ok(),
        next_marker: next,
        marker,
    };
    Ok(response(wire::serialize_list_hosted_zones_response(&answer)))
}

pub(super) fn list_hosted_zones_by_name(call: &mut Call<'_>) -> Reply {
    only(call, &["dnsname", "hostedzoneid", "maxitems"])?;
    let items = items(call, MOST)?;
    let name = call.request.query("dnsname").map(normal).transpose()?;
    let first_id = call.request.query("hostedzoneid").map(str::to_owned);
    if first_id.is_some() && name.is_none() {
        return Err(invalid_input("HostedZoneId can be given only together with DNSName."));
    }
    let from = name.as_deref().map(reversed);
    let scope = call.scope.global();
    let mut zones: Vec<_> = call.tables.route53.zones.iter(&scope).collect();
    zones.sort_by_key(|(id, zone)| (reversed(&zone.name), *id));
    zones.retain(|(id, zone)| {
        let place = reversed(&zone.name);
        match (&from, &first_id) {
            (Some(from), Some(first)) => (&place, *id) >= (from, bare_id(first)),
            (Some(from), None) => place >= *from,
            (None, _) => true,
        }
    });
    let next = zones.get(items).map(|(id, zone)| ((*id).to_owned(), zone.name.clone()));
    let zones = zones.into_iter().take(items).map(|(id, zone)| answered(call, id, zone)).collect();
    let (next_id, next_name) = next.unzip();
    let answer = ListHostedZonesByNameResponse {
        d_n_s_name: name,
        hosted_zone_id: first_id,
        hosted_zones: Some(HostedZones { items: zones }),
        is_truncated: Some(next_id.is_some()),
        max_items: i32::try_from(items).ok(),
        next_d_n_s_name: next_name,
        next_hosted_zone_id: next_id,
    };
    Ok(response(wire::serialize_list_hosted_zones_by_name_response(&answer)))
}

fn answered(call: &Call<'_>, id: &str, zone: &HostedZone) -> model::HostedZone {
    let records = call.tables.route53.records.within(&call.scope.global(), &rows_of(id)).count();
    model::HostedZone {
        caller_reference: Some(zone.caller_reference.clone()),
        config: Some(HostedZoneConfig { comment: zone.comment.clone(), private_zone: Some(zone.is_private) }),
        id: Some(format!("/hostedzone/{id}")),
        name: Some(zone.name.clone()),
        resource_record_set_count: i64::try_from(records).ok(),
        ..model::HostedZone::default()
    }
}

fn delegation_set(zone: &HostedZone) -> DelegationSet {
    let name_servers = Some(DelegationSetNameServers { items: zone.name_servers.clone() });
    DelegationSet { name_servers, ..DelegationSet::default() }
}

fn vpcs(zone: &HostedZone) -> Option<VPCs> {
    let items = zone
        .vpcs
        .iter()
        .map(|(region, id)| VPC { v_p_c_id: Some(id.clone()), v_p_c_region: Some(region.clone()) });
    zone.is_private.then(|| VPCs { items: items.collect() })
}
