//! Route 53: hosted zones and the record sets in them. A global service: its rows have no region. Nothing of it lags, since
//! what is listed includes changes that are not in all name servers yet; only `GetChange` tells of those.
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/Welcome.html>

mod change;
mod errors;
mod hosted_zone;
mod names;
mod record_checks;
mod record_sets;
mod routes;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(crate) use self::hosted_zone::ensure;
pub(crate) use self::record_sets::has_cname;
use super::{Item, Service, Tables};
use crate::cloud::call::Operation;
use crate::cloud::table::tables;
use crate::protocol::error::Protocol;
use crate::protocol::request::Request;

tables! {
    /// What Route 53 keeps.
    pub(crate) struct Route53Tables {
        /// Hosted zones by id.
        zones: hosted_zone::HostedZone = ("route53/hosted-zone", Strong),
        /// Record sets; see [`names::row_id`].
        records: record_sets::RecordSet = ("route53/record-set", Strong),
        /// Changes by id.
        changes: change::Change = ("route53/change", Strong),
    }
}

/// The service.
pub(crate) struct Route53;

impl Service for Route53 {
    fn name(&self) -> &'static str {
        "route53"
    }

    fn protocol(&self) -> Protocol {
        Protocol::RestXml
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        routes::find(request)
    }

    fn operations(&self) -> Vec<&'static str> {
        routes::names().collect()
    }

    /// Hosted zones but those that the account has had from the beginning, and record sets but those that every zone has.
    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let zones = tables.route53.zones.all().filter(|(_, _, zone)| !zone.is_given);
        let items = zones.map(|(scope, id, zone)| Item {
            service: "route53".to_owned(),
            kind: "hostedzone".to_owned(),
            id: id.to_owned(),
            account: scope.account.to_string(),
            region: String::new(),
            tags: zone.tags.clone(),
        });
        let records = tables.route53.records.all().filter(|(scope, id, record)| {
            let zone = tables.route53.zones.get(scope, names::zone_of_row(id));
            zone.is_some_and(|zone| !record.is_required(&zone.name))
        });
        let records = records.map(|(scope, id, record)| {
            let name = record.name.trim_end_matches('.').replace("\\052", "*");
            Item {
                service: "route53".to_owned(),
                kind: "recordset".to_owned(),
                id: format!("{}/{name}/{}", names::zone_of_row(id), record.kind),
                account: scope.account.to_string(),
                region: String::new(),
                tags: BTreeMap::new(),
            }
        });
        items.chain(records).collect()
    }
}
