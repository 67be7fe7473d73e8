//! What a rule permits: read from requests, compared, and written in the two shapes that EC2 has for it.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};

use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::services::ec2::Ec2Tables;
use crate::services::ec2::common::answers::invalid_value;
use crate::services::ec2::common::kinds;
use crate::services::ec2::prefix_list;

/// A rule of a group: one source, which is how AWS keeps them since rules have ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) group_id: String,
    pub(crate) is_egress: bool,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub(crate) protocol: String,
    pub(crate) ports: Ports,
    pub(crate) source: Source,
    pub(crate) description: Option<String>,
    /// Whether it came with the group.
    pub(crate) is_made_by_aws: bool,
}

/// The names of protocols.
pub(crate) struct Protocol;

impl Protocol {
    /// All protocols.
    pub(crate) const ALL: &'static str = "-1";

    /// The name that AWS gives back for a name or a number.
    fn normal(text: &str) -> Result<String, ServiceError> {
        let lower = text.to_ascii_lowercase();
        match lower.as_str() {
            "tcp" | "6" => Ok("tcp".to_owned()),
            "udp" | "17" => Ok("udp".to_owned()),
            "icmp" | "1" => Ok("icmp".to_owned()),
            "icmpv6" | "58" => Ok("icmpv6".to_owned()),
            Self::ALL | "all" => Ok(Self::ALL.to_owned()),
            other if other.parse::<u8>().is_ok() => Ok(other.to_owned()),
            _ => Err(invalid_value(format!("Invalid value '{text}' for IP protocol. Unknown protocol."))),
        }
    }
}

/// Ports, or type and code of ICMP; neither where they have no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) from: Option<i32>,
    pub(crate) to: Option<i32>,
}

impl Ports {
    /// No ports.
    pub(crate) const NONE: Self = Self { from: None, to: None };

    fn read(params: &Params, prefix: &str, protocol: &str) -> Result<Self, ServiceError> {
        let from: Option<i32> = params.parsed(&format!("{prefix}.FromPort"))?;
        let to: Option<i32> = params.parsed(&format!("{prefix}.ToPort"))?;
        match (protocol, from, to) {
            ("tcp" | "udp", Some(from), Some(to))
                if (0..=65_535).contains(&from) && (0..=65_535).contains(&to) =>
            {
                if from > to {
                    return Err(invalid_value(format!("Invalid TCP/UDP port range ({from}:{to})")));
                }
                Ok(Self { from: Some(from), to: Some(to) })
            }
            ("tcp" | "udp", Some(from), Some(to)) => {
                Err(invalid_value(format!("Invalid value '{from}:{to}' for portRange.")))
            }
            ("tcp" | "udp", _, _) => Err(invalid_value(
                "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
            )),
            ("icmp" | "icmpv6", from, to) => {
                Ok(Self { from: Some(from.unwrap_or(-1)), to: Some(to.unwrap_or(-1)) })
            }
            _ => Ok(Self::NONE),
        }
    }
}

/// From where, or to where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    Ipv4(Ipv4Net),
    Ipv6(Ipv6Net),
    PrefixList(String),
    Group(String),
}

impl Source {
    /// Every IPv4 address.
    pub(crate) const EVERYWHERE: Self = Self::Ipv4(Ipv4Net::new_assert(std::net::Ipv4Addr::UNSPECIFIED, 0));

    /// The IPv4 range, if it is one.
    pub(crate) fn range(&self) -> Option<String> {
        match self {
            Self::Ipv4(range) => Some(range.to_string()),
            _ => None,
        }
    }

    /// The group, if it is one.
    pub(crate) fn group(&self) -> Option<String> {
        match self {
            Self::Group(id) => Some(id.clone()),
            _ => None,
        }
    }

    pub(super) fn ipv4(text: &str) -> Result<Self, ServiceError> {
        let range: Ipv4Net =
            text.parse().map_err(|_| invalid_value(format!("CIDR block {text} is malformed")))?;
        Ok(Self::Ipv4(range.trunc()))
    }

    pub(super) fn ipv6(text: &str) -> Result<Self, ServiceError> {
        let range: Ipv6Net =
            text.parse().map_err(|_| invalid_value(format!("CIDR block {text} is malformed")))?;
        Ok(Self::Ipv6(range.trunc()))
    }

    /// Refuses a group or a prefix list that is not there.
    pub(super) fn check(&self, ec2: &Ec2Tables, scope: &Scope, group_id: &str) -> Result<(), ServiceError> {
        match self {
            Self::Group(id) => {
                let own = ec2.security_groups.get(scope, group_id);
                let other = kinds::SECURITY_GROUP.find(&ec2.security_groups, scope, id)?;
                if own.is_some_and(|own| own.vpc_id != other.vpc_id) {
                    let text = format!(
                        "You have specified two resources that belong to different networks: {group_id} and {id}."
                    );
                    return Err(ServiceError::new(400, "InvalidGroup.NotFound", text));
                }
                Ok(())
            }
            Self::PrefixList(id) if prefix_list::exists(&scope.region, id) => Ok(()),
            Self::PrefixList(id) => Err(kinds::PREFIX_LIST.not_found(id)),
            Self::Ipv4(_) | Self::Ipv6(_) => Ok(()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(range) => range.fmt(formatter),
            Self::Ipv6(range) => range.fmt(formatter),
            Self::PrefixList(id) | Self::Group(id) => id.fmt(formatter),
        }
    }
}

/// What one rule is to permit, as a request says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) protocol: String,
    pub(super) ports: Ports,
    pub(super) source: Source,
    pub(super) description: Option<String>,
}

impl Wanted {
    /// Whether a rule permits just this.
    pub(super) fn is(&self, rule: &Rule) -> bool {
        self.protocol == rule.protocol && self.ports == rule.ports && self.source == rule.source
    }

    /// The text in which AWS names a permission in errors.
    pub(super) fn text(&self) -> String {
        let protocol = match self.protocol.as_str() {
            Protocol::ALL => "ALL".to_owned(),
            other => other.to_ascii_uppercase(),
        };
        let ports = match (self.ports.from, self.ports.to) {
            (Some(from), Some(to)) => format!(", from port: {from}, to port: {to}"),
            _ => String::new(),
        };
        format!("peer: {}, {protocol}{ports}, ALLOW", self.source)
    }
}

/// Reads `IpPermissions`, one entry per source.
pub(super) fn read(params: &Params) -> Result<Vec<Wanted>, ServiceError> {
    let mut all = Vec::new();
    for prefix in params.structures("IpPermissions") {
        let protocol = Protocol::normal(params.required(&format!("{prefix}.IpProtocol"))?)?;
        let ports = Ports::read(params, &prefix, &protocol)?;
        let mut sources = Vec::new();
        let mut add = |at: String, source: Source| -> Result<(), ServiceError> {
            let description = params.text(&format!("{at}.Description")).filter(|text| !text.is_empty());
            check_description(description)?;
            sources.push((source, description.map(str::to_owned)));
            Ok(())
        };
        for at in params.structures(&format!("{prefix}.IpRanges")) {
            let source = Source::ipv4(params.required(&format!("{at}.CidrIp"))?)?;
            add(at, source)?;
        }
        for at in params.structures(&format!("{prefix}.Ipv6Ranges")) {
            let source = Source::ipv6(params.required(&format!("{at}.CidrIpv6"))?)?;
            add(at, source)?;
        }
        for at in params.structures(&format!("{prefix}.PrefixListIds")) {
            let source = Source::PrefixList(params.required(&format!("{at}.PrefixListId"))?.to_owned());
            add(at, source)?;
        }
        for at in params.structures(&format!("{prefix}.Groups")) {
            params.text(&format!("{at}.UserId"));
            params.text(&format!("{at}.VpcId"));
            let source = Source::Group(params.required(&format!("{at}.GroupId"))?.to_owned());
            add(at, source)?;
        }
        if sources.is_empty() {
            let text = "Invalid value for IP permissions: no source or destination was specified";
            return Err(invalid_value(text));
        }
        all.extend(sources.into_iter().map(|(source, description)| Wanted {
            protocol: protocol.clone(),
            ports,
            source,
            description,
        }));
    }
    Ok(all)
}

/// Reads the rule of `ModifySecurityGroupRules` at a prefix.
pub(super) fn read_rule(params: &Params, prefix: &str) -> Result<Wanted, ServiceError> {
    let protocol = Protocol::normal(params.required(&format!("{prefix}.IpProtocol"))?)?;
    let ports = Ports::read(params, prefix, &protocol)?;
    let text = |name: &str| params.text(&format!("{prefix}.{name}"));
    let mut sources = Vec::new();
    sources.extend(text("CidrIpv4").map(Source::ipv4).transpose()?);
    sources.extend(text("CidrIpv6").map(Source::ipv6).transpose()?);
    sources.extend(text("PrefixListId").map(|id| Source::PrefixList(id.to_owned())));
    sources.extend(text("ReferencedGroupId").map(|id| Source::Group(id.to_owned())));
    let description = text("Description").filter(|text| !text.is_empty());
    check_description(description)?;
    let count = sources.len();
    match (sources.pop(), count) {
        (Some(source), 1) => {
            Ok(Wanted { protocol, ports, source, description: description.map(str::to_owned) })
        }
        _ => Err(invalid_value("Exactly one source or destination of a rule must be specified")),
    }
}

/// The characters and the length that descriptions take.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html>
pub(super) fn check_description(text: Option<&str>) -> Result<(), ServiceError> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(character);
    match text {
        Some(text) if text.chars().count() > 255 || !text.chars().all(is_allowed) => Err(invalid_value(
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        )),
        _ => Ok(()),
    }
}

/// The rules of one direction as `IpPermissions`: those with the same protocol and ports in one.
pub(super) fn wire<'a>(
    rules: impl Iterator<Item = (&'a str, &'a Rule)>,
    is_egress: bool,
    scope: &Scope,
) -> Vec<IpPermission> {
    let mut grouped: BTreeMap<(&str, Ports), Vec<&Rule>> = BTreeMap::new();
    for (_, rule) in rules.filter(|(_, rule)| rule.is_egress == is_egress) {
        grouped.entry((&rule.protocol, rule.ports)).or_default().push(rule);
    }
    grouped.into_iter().map(|((protocol, ports), rules)| permission(protocol, ports, &rules, scope)).collect()
}

fn permission(protocol: &str, ports: Ports, rules: &[&Rule], scope: &Scope) -> IpPermission {
    let (mut ipv4, mut ipv6, mut lists, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for rule in rules {
        let description = rule.description.clone();
        match &rule.source {
            Source::Ipv4(range) => ipv4.push(IpRange { cidr_ip: Some(range.to_string()), description }),
            Source::Ipv6(range) => ipv6.push(Ipv6Range { cidr_ipv6: Some(range.to_string()), description }),
            Source::PrefixList(id) => {
                lists.push(PrefixListId { prefix_list_id: Some(id.clone()), description });
            }
            Source::Group(id) => groups.push(UserIdGroupPair {
                description,
                group_id: Some(id.clone()),
                user_id: Some(scope.account.to_string()),
                ..Default::default()
            }),
        }
    }
    IpPermission {
        from_port: ports.from,
        ip_protocol: Some(protocol.to_owned()),
        ip_ranges: Some(ipv4.into()),
        ipv6_ranges: Some(ipv6.into()),
        prefix_list_ids: Some(lists.into()),
        to_port: ports.to,
        user_id_group_pairs: Some(groups.into()),
    }
}
