//! A network that is there already, by the ids of its parts.
//!
//! Owns what can be told of it without asking AWS; what it is like is looked up when planning.

use super::document::{Document, Located};
use super::identity::Profile;
use super::network::least_zones;

const VPC: &str = "network.vpc_id";
const PUBLIC: &str = "network.public_subnet_ids";
const PRIVATE: &str = "network.private_subnet_ids";

/// What is said of a network that is made.
const OF_CREATED: [&str; 8] = [
    "network.cidr",
    "network.zone_count",
    "network.zones",
    "network.public_prefix_length",
    "network.private_prefix_length",
    "network.public_subnets",
    "network.private_subnets",
    "network.nat",
];

/// A VPC and its subnets, in the order of the file: the n-th of each kind is that of the n-th zone in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingNetworkConfig {
    /// The VPC, `vpc-…`.
    pub vpc_id: String,
    /// Subnets for load balancers, one in each zone.
    pub public_subnet_ids: Vec<String>,
    /// Subnets for nodes, pods and data stores, one in each zone.
    pub private_subnet_ids: Vec<String>,
}

/// Whether the file names anything of an existing network.
pub(super) fn is_given(document: &Document<'_>) -> bool {
    [VPC, PUBLIC, PRIVATE].into_iter().any(|path| document.is_given(path))
}

pub(super) fn read(document: &mut Document<'_>, profile: Profile) -> Option<ExistingNetworkConfig> {
    for path in OF_CREATED.into_iter().filter(|path| document.is_given(path)).collect::<Vec<_>>() {
        let at = Located { value: (), span: document.span(path) };
        let message = "it describes a network that is made, and ids name one that is there";
        let help = format!("remove it, or `{VPC}`, `{PUBLIC}` and `{PRIVATE}`");
        document.problem(&at, path, message, help);
    }
    let paths = [VPC, PUBLIC, PRIVATE];
    let given = paths.into_iter().find(|path| document.is_given(path)).unwrap_or(VPC);
    let missing: Vec<&str> = paths.into_iter().filter(|path| !document.is_given(path)).collect();
    for path in &missing {
        let at = Located { value: (), span: document.span(given) };
        let message = format!("`{path}` is missing: a network that is there is named as a whole");
        document.problem(&at, given, message, "allowed: the VPC, its public and its private subnets");
    }
    if !missing.is_empty() {
        return None;
    }
    let vpc_id = document.text(VPC);
    if let Some(vpc_id) = &vpc_id {
        check_id(document, vpc_id, VPC, "vpc");
    }
    let public = subnets(document, PUBLIC, profile, &[]);
    let private = subnets(document, PRIVATE, profile, public.as_deref().unwrap_or_default());
    let (vpc_id, public, private) = (vpc_id?.value, public?, private?);
    if public.len() != private.len() {
        let at = Located { value: (), span: document.span(PRIVATE) };
        let message = format!("{} private subnets beside {} public ones", private.len(), public.len());
        document.problem(&at, PRIVATE, message, "allowed: one of each in every zone, in the same order");
    }
    Some(ExistingNetworkConfig { vpc_id, public_subnet_ids: public, private_subnet_ids: private })
}

/// The ids of one kind of subnets, none of which is among `others`.
fn subnets(
    document: &mut Document<'_>,
    path: &str,
    profile: Profile,
    others: &[String],
) -> Option<Vec<String>> {
    let listed = document.texts(path)?;
    let mut ids: Vec<String> = Vec::with_capacity(listed.len());
    for (index, id) in listed.into_iter().enumerate() {
        let element = format!("{path}[{index}]");
        check_id(document, &id, &element, "subnet");
        if ids.contains(&id.value) || others.contains(&id.value) {
            let message = format!("{:?} is listed twice", id.value);
            document.problem(
                &id,
                &element,
                message,
                "allowed: each subnet once, as a public or a private one",
            );
        }
        ids.push(id.value);
    }
    let (least, reason) = least_zones(profile);
    if ids.len() < usize::from(least) {
        let at = Located { value: (), span: document.span(path) };
        let message = format!("too few subnets: {}", ids.len());
        document.problem(
            &at,
            path,
            message,
            format!("allowed: one in each of {least} zones or more: {reason}"),
        );
    }
    Some(ids)
}

fn check_id(document: &mut Document<'_>, id: &Located<String>, path: &str, prefix: &str) {
    let digits = id.value.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
    let is_legal = |digits: &str| {
        [8, 17].contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    if !digits.is_some_and(is_legal) {
        let message =
            format!("{:?} is no id of a {}", id.value, if prefix == "vpc" { "VPC" } else { prefix });
        let help = format!("allowed: such as \"{prefix}-0a1b2c3d4e5f60718\"");
        document.problem(id, path, message, help);
    }
}
