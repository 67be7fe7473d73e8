//! The account against the state: promises 1 and 2, seen from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lsinfra_sandbox::Item;

use crate::recorded::Recorded;

/// Types whose objects are no items of an account: they are parts of others, or AWS made them.
const NO_ITEMS: &[&str] = &[
    "aws:ec2:DefaultSecurityGroup",
    "aws:ec2:Route",
    "aws:ec2:RouteTableAssociation",
    "aws:acm:CertificateValidation",
    "aws:route53:FindHostedZone",
    "aws:rds:FindFinalSnapshot",
    "lsinfra:langsmith:Choices",
];

/// Kinds of items that have no tags, at first or ever, and the types whose objects they are. While one is being created it
/// is found by other means: its token, the record beside it, or what it is made of.
const UNTAGGED: &[(&str, &str)] = &[
    ("alias", "aws:kms:Alias"),
    ("hostedzone", "aws:route53:HostedZone"),
    ("recordset", "aws:route53:RecordSet"),
    ("subscription", "aws:sns:Subscription"),
];

/// Whether AWS takes an item away by itself, and lets nobody delete it: a subscription that nobody has confirmed.
fn is_taken_away(item: &Item) -> bool {
    item.kind == "pending-subscription"
}

/// Whether an item is what a deleted database leaves, as its plan said: it is in the account alone, where the next `up`
/// looks for it.
fn is_left_on_purpose(item: &Item) -> bool {
    (item.service.as_str(), item.kind.as_str()) == ("rds", "snapshot") && item.id.contains("-final-")
}

/// The type of the object that an item without tags is.
fn untagged_type(item: &Item) -> Option<&'static str> {
    let kind = UNTAGGED.iter().find(|(kind, _)| item.kind == *kind && item.tags.is_empty());
    kind.map(|(_, resource_type)| *resource_type)
}

/// The id of the record set beside which this one stands to say whose it is.
fn owned_record_set(item: &Item) -> Option<String> {
    let (zone, rest) = item.id.split_once('/').filter(|_| item.kind == "recordset")?;
    let (kind, name) = rest.strip_suffix("/TXT")?.strip_prefix("_lsinfra-")?.split_once('.')?;
    Some(match kind.strip_suffix("-wildcard") {
        Some(kind) => format!("{zone}/*.{name}/{}", kind.to_ascii_uppercase()),
        None => format!("{zone}/{name}/{}", kind.to_ascii_uppercase()),
    })
}

/// Where account and state disagree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What is in the account and not in the state.
    pub orphans: Vec<String>,
    /// What is in the state and not in the account.
    pub missing: Vec<String>,
    /// What is in the account twice, for one generation of one resource.
    pub doubles: Vec<String>,
}

impl Difference {
    /// Whether they agree.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("orphans", &self.orphans), ("missing", &self.missing), ("doubles", &self.doubles)];
        for (what, names) in parts.iter().filter(|(_, names)| !names.is_empty()) {
            writeln!(f, "{what}:\n  {}", names.join("\n  "))?;
        }
        Ok(())
    }
}

/// Promise 1 while something is unfinished: what exists and is neither in the snapshot nor in the journal by its id,
/// nor, since it was just being created, by its resource and generation, under which the next run finds it.
pub fn forgotten<'a>(items: &'a [Item], recorded: &Recorded) -> Vec<&'a Item> {
    let ids = recorded.ids();
    let creating: BTreeSet<(&str, String)> = recorded
        .objects
        .iter()
        .filter(|object| object.physical_id.is_none())
        .map(|object| (object.urn.as_str(), object.generation.to_string()))
        .collect();
    let tag = |item: &'a Item, name: &str| item.tags.get(name).map_or("", String::as_str);
    let is_known = |item: &&Item| ids.contains(item.id.as_str());
    let is_creating = |item: &&'a Item| {
        creating.contains(&(tag(item, "lsinfra:urn"), tag(item, "lsinfra:generation").to_owned()))
    };
    // What has no tags yet, or never, is found by other means.
    let is_of_type_being_created = |item: &&Item| {
        untagged_type(item).is_some_and(|resource_type| {
            let mut objects = recorded.objects.iter();
            objects.any(|object| object.resource_type == resource_type && object.physical_id.is_none())
        })
    };
    let is_beside_known =
        |item: &&Item| owned_record_set(item).is_some_and(|record| ids.contains(record.as_str()));
    items
        .iter()
        .filter(|item| {
            !is_known(item)
                && !is_creating(item)
                && !is_of_type_being_created(item)
                && !is_beside_known(item)
                && !is_taken_away(item)
                && !is_left_on_purpose(item)
        })
        .collect()
}

/// Compares an account that only one environment uses with that environment's state.
pub fn compare(items: &[Item], recorded: &Recorded) -> Difference {
    let known = recorded.ids();
    let there: BTreeSet<&str> = items.iter().map(|item| item.id.as_str()).collect();
    let mut by_generation: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for item in items.iter().filter(|item| !is_left_on_purpose(item)) {
        let tag = |name: &str| item.tags.get(name).map_or("", String::as_str);
        let key = (tag("lsinfra:urn"), tag("lsinfra:generation"));
        if key != ("", "") {
            by_generation.entry(key).or_default().push(&item.id);
        }
    }
    let is_known = |item: &&Item| {
        known.contains(item.id.as_str())
            || is_taken_away(item)
            || is_left_on_purpose(item)
            || owned_record_set(item).is_some_and(|record| known.contains(record.as_str()))
    };
    let describe = |item: &Item| format!("{} {} {:?}", item.kind, item.id, item.tags.get("lsinfra:urn"));
    Difference {
        orphans: items.iter().filter(|item| !is_known(item)).map(describe).collect(),
        missing: recorded
            .objects
            .iter()
            .filter(|object| !NO_ITEMS.contains(&object.resource_type.as_str()))
            .filter(|object| !object.physical_id.as_deref().is_some_and(|id| there.contains(id)))
            .map(|object| format!("{} {:?}", object.urn, object.physical_id))
            .collect(),
        doubles: by_generation
            .into_iter()
            .filter(|(_, ids)| ids.len() > 1)
            .map(|((urn, generation), ids)| format!("{urn} generation {generation}: {}", ids.join(", ")))
            .collect(),
    }
}
