//! Regions and their zones. On AWS the letters of zones differ from account to account; here they follow the ids.
//! <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html>

use winterbaume_ec2_generated::model::{
    AvailabilityZone, DescribeAvailabilityZonesResult, DescribeRegionsResult, Region,
};
use winterbaume_ec2_generated::wire::{
    serialize_describe_availability_zones_response, serialize_describe_regions_response,
};

use super::common::answers::invalid_value;
use super::common::filters::Filters;
use super::common::query::mix;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// Regions that are on by default: name, what zone ids begin with, and zones as letter and number of the zone id.
const REGIONS: &[(&str, &str, &[(char, u8)])] = &[
    ("ap-northeast-1", "apne1", &[('a', 4), ('c', 1), ('d', 2)]),
    ("ap-northeast-2", "apne2", &[('a', 1), ('b', 2), ('c', 3), ('d', 4)]),
    ("ap-northeast-3", "apne3", &[('a', 3), ('b', 1), ('c', 2)]),
    ("ap-south-1", "aps1", &[('a', 1), ('b', 3), ('c', 2)]),
    ("ap-southeast-1", "apse1", &[('a', 1), ('b', 2), ('c', 3)]),
    ("ap-southeast-2", "apse2", &[('a', 1), ('b', 3), ('c', 2)]),
    ("ca-central-1", "cac1", &[('a', 1), ('b', 2), ('d', 4)]),
    ("eu-central-1", "euc1", &[('a', 2), ('b', 3), ('c', 1)]),
    ("eu-north-1", "eun1", &[('a', 1), ('b', 2), ('c', 3)]),
    ("eu-west-1", "euw1", &[('a', 1), ('b', 2), ('c', 3)]),
    ("eu-west-2", "euw2", &[('a', 2), ('b', 3), ('c', 1)]),
    ("eu-west-3", "euw3", &[('a', 1), ('b', 2), ('c', 3)]),
    ("sa-east-1", "sae1", &[('a', 1), ('b', 2), ('c', 3)]),
    ("us-east-1", "use1", &[('a', 1), ('b', 2), ('c', 4), ('d', 6), ('e', 3), ('f', 5)]),
    ("us-east-2", "use2", &[('a', 1), ('b', 2), ('c', 3)]),
    ("us-west-1", "usw1", &[('a', 1), ('b', 3)]),
    ("us-west-2", "usw2", &[('a', 1), ('b', 2), ('c', 3), ('d', 4)]),
];

const FILTERS: &[&str] =
    &["group-name", "opt-in-status", "region-name", "state", "zone-id", "zone-name", "zone-type"];

/// A zone's name and id.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) id: String,
}

/// The zones of a region in the order of their letters; none for a region that the sandbox does not know.
pub(super) fn zones(region: &str) -> Vec<Zone> {
    let known = REGIONS.iter().find(|(name, ..)| *name == region);
    let zones = known.map(|(_, short, zones)| (short, zones.iter())).into_iter();
    zones
        .flat_map(|(short, zones)| {
            zones.map(move |(letter, number)| Zone {
                name: format!("{region}{letter}"),
                id: format!("{short}-az{number}"),
            })
        })
        .collect()
}

/// The zone id of a zone's name.
pub(super) fn zone_id(region: &str, name: &str) -> Option<String> {
    zones(region).into_iter().find(|zone| zone.name == name).map(|zone| zone.id)
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let names = params.list("ZoneName");
    let ids = params.list("ZoneId");
    // There are no zones that are not available, so that asking for all of them asks for the same.
    params.text("AllAvailabilityZones");
    let filters = Filters::read(params, FILTERS)?;
    params.finish()?;
    let region = call.scope.region.to_string();
    let mut zones = zones(&region);
    for wanted in names.iter().filter(|wanted| !zones.iter().any(|zone| zone.name == **wanted)) {
        return Err(invalid_value(format!("Invalid availability zone: [{wanted}]")));
    }
    for wanted in ids.iter().filter(|wanted| !zones.iter().any(|zone| zone.id == **wanted)) {
        return Err(invalid_value(format!("Invalid availability zone-id: [{wanted}]")));
    }
    zones.retain(|zone| {
        (names.is_empty() || names.contains(&zone.name.as_str()))
            && (ids.is_empty() || ids.contains(&zone.id.as_str()))
            && filters.select(None, |name| {
                vec![match name {
                    "group-name" => format!("{region}-zg-1"),
                    "opt-in-status" => "opt-in-not-required".to_owned(),
                    "region-name" => region.clone(),
                    "state" => "available".to_owned(),
                    "zone-id" => zone.id.clone(),
                    "zone-type" => "availability-zone".to_owned(),
                    _ => zone.name.clone(),
                }]
            })
    });
    mix(&mut zones, call.shuffle, |zone| &zone.name);
    let zones: Vec<_> = zones
        .into_iter()
        .map(|zone| AvailabilityZone {
            group_name: Some(format!("{region}-zg-1")),
            network_border_group: Some(region.clone()),
            opt_in_status: Some("opt-in-not-required".to_owned()),
            region_name: Some(region.clone()),
            state: Some("available".to_owned()),
            zone_id: Some(zone.id),
            zone_name: Some(zone.name),
            zone_type: Some("availability-zone".to_owned()),
            ..Default::default()
        })
        .collect();
    Ok(response(serialize_describe_availability_zones_response(&DescribeAvailabilityZonesResult {
        availability_zones: Some(zones.into()),
    })))
}

pub(super) fn describe_regions(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let names = params.list("RegionName");
    params.text("AllRegions");
    let filters = Filters::read(params, &["endpoint", "opt-in-status", "region-name"])?;
    params.finish()?;
    let is_known = |wanted: &&&str| REGIONS.iter().any(|(name, ..)| name == *wanted);
    if let Some(unknown) = names.iter().find(|wanted| !is_known(wanted)) {
        let text = format!("Invalid region name: [{unknown}]");
        return Err(ServiceError::new(400, "InvalidParameterValue", text));
    }
    let endpoint = |name: &str| format!("ec2.{name}.amazonaws.com");
    let mut regions: Vec<&str> = REGIONS
        .iter()
        .map(|(name, ..)| *name)
        .filter(|region| names.is_empty() || names.contains(region))
        .filter(|region| {
            filters.select(None, |name| {
                vec![match name {
                    "endpoint" => endpoint(region),
                    "opt-in-status" => "opt-in-not-required".to_owned(),
                    _ => (*region).to_owned(),
                }]
            })
        })
        .collect();
    mix(&mut regions, call.shuffle, |region| region);
    let regions: Vec<_> = regions
        .into_iter()
        .map(|name| Region {
            endpoint: Some(endpoint(name)),
            opt_in_status: Some("opt-in-not-required".to_owned()),
            region_name: Some(name.to_owned()),
            ..Default::default()
        })
        .collect();
    Ok(response(serialize_describe_regions_response(&DescribeRegionsResult {
        regions: Some(regions.into()),
    })))
}
