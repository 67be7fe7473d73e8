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

/// A region that is on by default.
struct KnownRegion {
    name: &'static str,
    /// What its zone ids begin with.
    short: &'static str,
    /// Its zones' letters, each with the number of its zone id.
    zones: &'static [(char, u8)],
}

const REGIONS: &[KnownRegion] = &[
    KnownRegion { name: "ap-northeast-1", short: "apne1", zones: &[('a', 4), ('c', 1), ('d', 2)] },
    KnownRegion { name: "ap-northeast-2", short: "apne2", zones: &[('a', 1), ('b', 2), ('c', 3), ('d', 4)] },
    KnownRegion { name: "ap-northeast-3", short: "apne3", zones: &[('a', 3), ('b', 1), ('c', 2)] },
    KnownRegion { name: "ap-south-1", short: "aps1", zones: &[('a', 1), ('b', 3), ('c', 2)] },
    KnownRegion { name: "ap-southeast-1", short: "apse1", zones: &[('a', 1), ('b', 2), ('c', 3)] },
    KnownRegion { name: "ap-southeast-2", short: "apse2", zones: &[('a', 1), ('b', 3), ('c', 2)] },
    KnownRegion { name: "ca-central-1", short: "cac1", zones: &[('a', 1), ('b', 2), ('d', 4)] },
    KnownRegion { name: "eu-central-1", short: "euc1", zones: &[('a', 2), ('b', 3), ('c', 1)] },
    KnownRegion { name: "eu-north-1", short: "eun1", zones: &[('a', 1), ('b', 2), ('c', 3)] },
    KnownRegion { name: "eu-west-1", short: "euw1", zones: &[('a', 1), ('b', 2), ('c', 3)] },
    KnownRegion { name: "eu-west-2", short: "euw2", zones: &[('a', 2), ('b', 3), ('c', 1)] },
    KnownRegion { name: "eu-west-3", short: "euw3", zones: &[('a', 1), ('b', 2), ('c', 3)] },
    KnownRegion { name: "sa-east-1", short: "sae1", zones: &[('a', 1), ('b', 2), ('c', 3)] },
    KnownRegion {
        name: "us-east-1",
        short: "use1",
        zones: &[('a', 1), ('b', 2), ('c', 4), ('d', 6), ('e', 3), ('f', 5)],
    },
    KnownRegion { name: "us-east-2", short: "use2", zones: &[('a', 1), ('b', 2), ('c', 3)] },
    KnownRegion { name: "us-west-1", short: "usw1", zones: &[('a', 1), ('b', 3)] },
    KnownRegion { name: "us-west-2", short: "usw2", zones: &[('a', 1), ('b', 2), ('c', 3), ('d', 4)] },
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
    let known = REGIONS.iter().find(|known| known.name == region);
    let zone = |short: &str, letter: char, number: u8| Zone {
        name: format!("{region}{letter}"),
        id: format!("{short}-az{number}"),
    };
    let zones = known.into_iter().flat_map(|known| known.zones.iter().map(|zone| (known.short, zone)));
    zones.map(|(short, (letter, number))| zone(short, *letter, *number)).collect()
}

/// The zone id of a zone's name.
pub(crate) fn zone_id(region: &str, name: &str) -> Option<String> {
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
    if let Some(wanted) = names.iter().find(|wanted| !zones.iter().any(|zone| zone.name == **wanted)) {
        return Err(invalid_value(format!("Invalid availability zone: [{wanted}]")));
    }
    if let Some(wanted) = ids.iter().find(|wanted| !zones.iter().any(|zone| zone.id == **wanted)) {
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
    let is_known = |wanted: &str| REGIONS.iter().any(|known| known.name == wanted);
    if let Some(unknown) = names.iter().find(|wanted| !is_known(wanted)) {
        let text = format!("Invalid region name: [{unknown}]");
        return Err(ServiceError::new(400, "InvalidParameterValue", text));
    }
    let endpoint = |name: &str| format!("ec2.{name}.amazonaws.com");
    let mut regions: Vec<&str> = REGIONS
        .iter()
        .map(|known| known.name)
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
