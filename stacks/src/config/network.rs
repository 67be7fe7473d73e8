//! The network: one that is there, or the address plan of one that is made: its range, its zones, its subnets, its
//! way out.

use std::ops::Range;

use ipnet::Ipv4Net;

use super::document::{Document, Located};
use super::existing_network::{self, ExistingNetworkConfig};
use super::identity::{Profile, Region};
use super::stores::ClickhouseMode;
use super::subnets::{addresses, from_beginning, from_end};

/// Prefix lengths that AWS takes for a VPC.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>
const NETWORK_PREFIX_LENGTHS: std::ops::RangeInclusive<u8> = 16..=28;

/// The most zones that a region has.
const LIMIT_ZONES: u8 = 6;

/// The network of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkConfig {
    /// The environment makes its own.
    Created(CreatedNetworkConfig),
    /// It is there already, and stays.
    Existing(ExistingNetworkConfig),
}

impl NetworkConfig {
    /// In how many zones it is.
    pub fn zone_count(&self) -> usize {
        match self {
            Self::Created(created) => created.zones.count(),
            Self::Existing(existing) => existing.private_subnet_ids.len(),
        }
    }
}

/// A network that is made. Subnets are listed by index: the n-th lies in the n-th zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedNetworkConfig {
    /// The VPC's range.
    pub cidr: Ipv4Net,
    /// Which zones are used.
    pub zones: ZoneSelection,
    /// Ranges of the public subnets, one per zone.
    pub public_subnets: Vec<Ipv4Net>,
    /// Ranges of the private subnets, one per zone.
    pub private_subnets: Vec<Ipv4Net>,
    /// How private subnets reach the internet.
    pub nat: Nat,
}

/// Which zones are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneSelection {
    /// The first so many of the region's zones, in the order of their names.
    First(usize),
    /// These.
    Named(Vec<String>),
}

impl ZoneSelection {
    /// How many zones.
    pub fn count(&self) -> usize {
        match self {
            Self::First(count) => *count,
            Self::Named(names) => names.len(),
        }
    }
}

/// How private subnets reach the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nat {
    /// One NAT gateway in the first zone: cheap, and lost with that zone.
    Single,
    /// One NAT gateway in each zone.
    PerZone,
}

pub(super) fn read(
    document: &mut Document<'_>,
    profile: Profile,
    region: Option<&Region>,
) -> Option<NetworkConfig> {
    if existing_network::is_given(document) {
        return existing_network::read(document, profile).map(NetworkConfig::Existing);
    }
    let cidr = network_range(document);
    let zones = zones(document, profile, region);
    let public = Source::read(document, &PUBLIC);
    let private = Source::read(document, &PRIVATE);
    let nat = document.choice("network.nat", &[("single", Nat::Single), ("per-zone", Nat::PerZone)]);
    let (cidr, zones) = (cidr?, zones?);
    let [public_subnets, private_subnets] = subnets(document, cidr, zones.count(), public?, private?)?;
    Some(NetworkConfig::Created(CreatedNetworkConfig {
        cidr,
        zones,
        public_subnets,
        private_subnets,
        nat: nat?.value,
    }))
}

fn network_range(document: &mut Document<'_>) -> Option<Ipv4Net> {
    let path = "network.cidr";
    let text = document.text(path)?;
    let range = ipv4_range(document, &text, path)?;
    let private: [Ipv4Net; 3] = [
        Ipv4Net::new_assert([10, 0, 0, 0].into(), 8),
        Ipv4Net::new_assert([172, 16, 0, 0].into(), 12),
        Ipv4Net::new_assert([192, 168, 0, 0].into(), 16),
    ];
    if !private.iter().any(|private| private.contains(&range)) {
        let message = format!("{range} is not a private range");
        document.problem(&text, path, message, "allowed: within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16");
        return None;
    }
    if !NETWORK_PREFIX_LENGTHS.contains(&range.prefix_len()) {
        let message = format!("a VPC cannot be a /{}", range.prefix_len());
        document.problem(&text, path, message, "allowed: /16 to /28");
        return None;
    }
    Some(range)
}

/// An IPv4 range without host bits.
fn ipv4_range(document: &mut Document<'_>, text: &Located<String>, path: &str) -> Option<Ipv4Net> {
    let Ok(range) = text.value.parse::<Ipv4Net>() else {
        let message = format!("{:?} is not an IPv4 range", text.value);
        document.problem(
            text,
            path,
            message,
            "allowed: an address and a prefix length, such as \"10.0.0.0/16\"",
        );
        return None;
    };
    if range.trunc() != range {
        let message = format!("{range} has bits set beyond its prefix");
        document.problem(text, path, message, format!("did you mean \"{}\"?", range.trunc()));
        return None;
    }
    Some(range)
}

/// In how many zones an environment is at least, and why.
pub(super) fn least_zones(profile: Profile) -> (u8, &'static str) {
    match profile {
        Profile::Dev => (2, "EKS needs subnets in two"),
        Profile::Prod => (3, "the profile prod has a ClickHouse replica in each of three"),
    }
}

/// Notes that there are fewer zones than replicas of ClickHouse, of which each is to have one for itself. Fewer
/// than the profile wants are noted already.
pub(super) fn check_zones_for(
    document: &mut Document<'_>,
    network: &NetworkConfig,
    profile: Profile,
    mode: ClickhouseMode,
) {
    let (zones, replicas) = (network.zone_count(), mode.replicas());
    if zones < usize::from(least_zones(profile).0) || zones >= usize::from(replicas) {
        return;
    }
    let says = ["network.zone_count", "network.zones", "network.private_subnet_ids", "clickhouse.mode"];
    let path = says.into_iter().find(|path| document.is_given(path)).unwrap_or("clickhouse.mode");
    let at = Located { value: (), span: document.span(path) };
    let message = format!("{zones} zones are too few for {replicas} replicas of ClickHouse, one in each");
    let help = match network {
        NetworkConfig::Created(_) => format!("allowed: `network.zone_count` of {replicas} or more"),
        NetworkConfig::Existing(_) => format!("allowed: subnets in {replicas} zones or more"),
    };
    document.problem(&at, path, message, help);
}

fn zones(document: &mut Document<'_>, profile: Profile, region: Option<&Region>) -> Option<ZoneSelection> {
    let (least, reason) = least_zones(profile);
    if !document.is_given("network.zones") {
        let count =
            document.integer("network.zone_count", least..=LIMIT_ZONES, &format!("zones: {reason}"))?;
        return Some(ZoneSelection::First(usize::from(count.value)));
    }
    let whole = Located { value: (), span: document.span("network.zones") };
    if document.is_given("network.zone_count") {
        let at = Located { value: (), span: document.span("network.zone_count") };
        let help = "`network.zones` is given too: remove one of them";
        document.problem(&at, "network.zone_count", "the zones are counted and named", help);
    }
    let named = document.texts("network.zones")?;
    let mut names: Vec<String> = Vec::with_capacity(named.len());
    for (index, name) in named.iter().enumerate() {
        let path = format!("network.zones[{index}]");
        let letter = region.map(|region| name.value.strip_prefix(region.as_str()));
        if let (Some(region), Some(letter)) = (region, letter)
            && !letter.is_some_and(|letter| {
                letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_lowercase())
            })
        {
            let message = format!("{:?} is not a zone of {region}", name.value);
            document.problem(
                name,
                &path,
                message,
                format!("allowed: the region and a letter, such as \"{region}a\""),
            );
        }
        if names.contains(&name.value) {
            document.problem(
                name,
                &path,
                format!("{:?} is listed twice", name.value),
                "allowed: each zone once",
            );
        }
        names.push(name.value.clone());
    }
    if !(usize::from(least)..=usize::from(LIMIT_ZONES)).contains(&names.len()) {
        let too = if names.len() < usize::from(least) { "few" } else { "many" };
        let message = format!("too {too} zones: {}", names.len());
        let help = format!("allowed: {least} to {LIMIT_ZONES} zones: {reason}");
        document.problem(&whole, "network.zones", message, help);
    }
    Some(ZoneSelection::Named(names))
}

/// What differs between the two kinds of subnets.
struct SubnetKind {
    list_path: &'static str,
    prefix_path: &'static str,
    word: &'static str,
    least_prefix_length: u8,
    greatest_prefix_length: u8,
    reason: &'static str,
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html>
const PUBLIC: SubnetKind = SubnetKind {
    list_path: "network.public_subnets",
    prefix_path: "network.public_prefix_length",
    word: "public",
    least_prefix_length: 16,
    greatest_prefix_length: 27,
    reason: "a load balancer needs a /27",
};

const PRIVATE: SubnetKind = SubnetKind {
    list_path: "network.private_subnets",
    prefix_path: "network.private_prefix_length",
    word: "private",
    least_prefix_length: 16,
    greatest_prefix_length: 26,
    reason: "nodes, pods and data stores take their addresses here",
};

/// Where the ranges of one kind of subnets come from.
enum Source {
    PrefixLength(u8),
    Listed { ranges: Vec<Located<Ipv4Net>>, span: Option<Range<usize>> },
}

impl Source {
    fn read(document: &mut Document<'_>, kind: &SubnetKind) -> Option<Self> {
        let (least, greatest) = (kind.least_prefix_length, kind.greatest_prefix_length);
        if !document.is_given(kind.list_path) {
            let unit = format!("bits: {}", kind.reason);
            let length = document.integer(kind.prefix_path, least..=greatest, &unit)?;
            return Some(Self::PrefixLength(length.value));
        }
        if document.is_given(kind.prefix_path) {
            let at = Located { value: (), span: document.span(kind.prefix_path) };
            let help = format!("`{}` is given too: remove one of them", kind.list_path);
            document.problem(&at, kind.prefix_path, "the subnets are sized and listed", help);
        }
        let texts = document.texts(kind.list_path)?;
        let mut ranges = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let path = format!("{}[{index}]", kind.list_path);
            let Some(range) = ipv4_range(document, text, &path) else { continue };
            if !(least..=greatest).contains(&range.prefix_len()) {
                let message = format!("a {} subnet cannot be a /{}", kind.word, range.prefix_len());
                document.problem(
                    text,
                    &path,
                    message,
                    format!("allowed: /{least} to /{greatest}: {}", kind.reason),
                );
            }
            ranges.push(Located { value: range, span: text.span.clone() });
        }
        // With a bad range in it the list says nothing about fit, and the range was noted.
        (ranges.len() == texts.len()).then(|| Self::Listed { ranges, span: document.span(kind.list_path) })
    }

    /// How many addresses the ranges take that are to be placed.
    fn addresses_to_place(&self, zones: usize) -> u64 {
        match self {
            Self::PrefixLength(length) => addresses(*length) * zones as u64,
            Self::Listed { .. } => 0,
        }
    }
}

/// A subnet with the words for its problems.
struct Placed {
    name: String,
    path: String,
    range: Located<Ipv4Net>,
}

/// The ranges of the public and the private subnets, checked against the network and each other.
fn subnets(
    document: &mut Document<'_>,
    cidr: Ipv4Net,
    zones: usize,
    public: Source,
    private: Source,
) -> Option<[Vec<Ipv4Net>; 2]> {
    let needed = public.addresses_to_place(zones) + private.addresses_to_place(zones);
    let available = addresses(cidr.prefix_len());
    if needed > available {
        let message =
            format!("the subnets of {zones} zones need {needed} addresses, and {cidr} has {available}");
        let causes =
            [PRIVATE.prefix_path, PUBLIC.prefix_path, "network.cidr", "network.zone_count", "network.zones"];
        let path = causes.into_iter().find(|path| document.is_given(path)).unwrap_or("network");
        let at = Located { value: (), span: document.span(path) };
        document.problem(&at, path, message, "use a larger network, longer prefixes, or fewer zones");
        return None;
    }
    let public = place(document, &PUBLIC, cidr, zones, public, from_end)?;
    let private = place(document, &PRIVATE, cidr, zones, private, from_beginning)?;
    let all: Vec<&Placed> = public.iter().chain(&private).collect();
    for (index, one) in all.iter().enumerate() {
        for other in &all[..index] {
            if one.range.value.contains(&other.range.value) || other.range.value.contains(&one.range.value) {
                // At least one of the two is listed: placed ones do not overlap.
                let (at, with) = if one.range.span.is_some() { (one, other) } else { (other, one) };
                let message = format!(
                    "{} overlaps with {}, the subnet {}",
                    at.range.value, with.range.value, with.name
                );
                document.problem(&at.range, &at.path, message, "allowed: ranges without common addresses");
            }
        }
    }
    let ranges = |placed: Vec<Placed>| placed.into_iter().map(|placed| placed.range.value).collect();
    Some([ranges(public), ranges(private)])
}

fn place(
    document: &mut Document<'_>,
    kind: &SubnetKind,
    cidr: Ipv4Net,
    zones: usize,
    source: Source,
    rule: fn(Ipv4Net, u8, usize) -> Option<Vec<Ipv4Net>>,
) -> Option<Vec<Placed>> {
    let ranges = match source {
        Source::PrefixLength(length) => {
            rule(cidr, length, zones)?.into_iter().map(|value| Located { value, span: None }).collect()
        }
        Source::Listed { ranges, span } => {
            if ranges.len() != zones {
                let message = format!("{} {} subnets are listed for {zones} zones", ranges.len(), kind.word);
                let at = Located { value: (), span };
                document.problem(
                    &at,
                    kind.list_path,
                    message,
                    "allowed: one range for each zone, in their order",
                );
            }
            ranges
        }
    };
    let placed = ranges.into_iter().enumerate().map(|(index, range)| {
        let path = format!("{}[{index}]", kind.list_path);
        if !cidr.contains(&range.value) {
            let message = format!("{} is not within the network", range.value);
            document.problem(&range, &path, message, format!("allowed: ranges within {cidr}"));
        }
        Placed { name: format!("{}-{}", kind.word, index + 1), path, range }
    });
    Some(placed.collect())
}
