//! How people reach LangSmith, and who is told when something is wrong.

use super::document::{Document, Located};
use super::identity::Profile;

/// The name under which LangSmith is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeConfig {
    /// The host name, such as `langsmith.example.com`.
    pub hostname: String,
    /// Where its records are kept.
    pub zone: Zone,
}

impl EdgeConfig {
    /// The zone that an account usually has for the host name: the one of the name above it, such as
    /// `example.com`, or of the name itself where the one above it is a top-level domain.
    pub fn usual_zone(&self) -> &str {
        let above = self.hostname.split_once('.').map(|(_, above)| above);
        above.filter(|above| above.contains('.')).unwrap_or(&self.hostname)
    }
}

/// The hosted zone that has the records of a host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The account's public zone that the name is in: of several, the longest one.
    Existing,
    /// One of this name, which the environment makes. Whoever has the zone above it must delegate it.
    Created(String),
}

/// Who can reach LangSmith's load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Everybody.
    Public,
    /// Who is in the VPC, or comes into it by a VPN or a peering.
    Private,
}

/// The load balancer in front of LangSmith.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngressConfig {
    /// Who can reach it.
    pub exposure: Exposure,
    /// The largest body of a request, in MiB: traces with their payloads.
    pub max_body_size_mebibytes: u16,
    /// How long a request may take, in seconds.
    pub request_timeout_seconds: u16,
}

/// What AWS watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmsConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// The addresses that are told.
    pub emails: Vec<String>,
}

/// The host name, without which there is no edge: for dev only.
pub(super) fn edge(document: &mut Document<'_>, profile: Profile) -> Option<Option<EdgeConfig>> {
    let path = "edge.hostname";
    if !document.is_given(path) {
        if profile == Profile::Prod {
            document.missing(path);
            return None;
        }
        if document.is_given("edge.created_zone") {
            document.missing(path);
            return None;
        }
        return Some(None);
    }
    let hostname = document.text(path)?;
    if !is_domain(&hostname.value) {
        let message = format!("{:?} is no host name", hostname.value);
        document.problem(&hostname, path, message, "allowed: such as \"langsmith.example.com\"");
        return None;
    }
    let path = "edge.created_zone";
    if !document.is_given(path) {
        return Some(Some(EdgeConfig { hostname: hostname.value, zone: Zone::Existing }));
    }
    let zone = document.text(path)?;
    let is_within = hostname.value == zone.value || hostname.value.ends_with(&format!(".{}", zone.value));
    if !is_domain(&zone.value) || !is_within {
        let message = format!("{:?} is no zone that {} can be in", zone.value, hostname.value);
        document.problem(&zone, path, message, "allowed: the end of the host name, such as \"example.com\"");
        return None;
    }
    Some(Some(EdgeConfig { hostname: hostname.value, zone: Zone::Created(zone.value) }))
}

/// The load balancer. Without a host name there is no certificate, so that passwords would be seen on their way.
pub(super) fn ingress(
    document: &mut Document<'_>,
    edge: Option<&Option<EdgeConfig>>,
) -> Option<IngressConfig> {
    let path = "edge.exposure";
    let choices = [("public", Exposure::Public), ("private", Exposure::Private)];
    let exposure: Option<Located<Exposure>> = document.choice(path, &choices);
    let body = document.integer("edge.max_body_size_mebibytes", 1..=1024, "MiB");
    let timeout = document.integer("edge.request_timeout_seconds", 30..=3600, "seconds");
    let exposure = exposure?;
    if exposure.value == Exposure::Public && edge.is_some_and(Option::is_none) {
        let message =
            "without a host name there is no certificate, and everybody could read what people type";
        document.problem(&exposure, path, message, "add edge.hostname, or take \"private\"");
        return None;
    }
    Some(IngressConfig {
        exposure: exposure.value,
        max_body_size_mebibytes: body?.value,
        request_timeout_seconds: timeout?.value,
    })
}

pub(super) fn alarms(document: &mut Document<'_>) -> Option<AlarmsConfig> {
    let enabled = document.boolean("alarms.enabled");
    let path = "alarms.emails";
    let emails = document.texts(path)?;
    let wrong: Vec<_> = emails.iter().filter(|email| !is_email(&email.value)).collect();
    for email in &wrong {
        let message = format!("{:?} is no address", email.value);
        document.problem(email, path, message, "allowed: such as \"oncall@example.com\"");
    }
    let emails: Vec<String> = if wrong.is_empty() {
        emails.into_iter().map(|email| email.value).collect()
    } else {
        return None;
    };
    Some(AlarmsConfig { enabled: enabled?.value, emails })
}

/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>
fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_legal)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(is_label)
}

/// Whether that can be a mail address.
pub(super) fn is_email(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let is_legal = |byte: u8| byte.is_ascii_graphic() && !b"\"(),:;<>[]\\@".contains(&byte);
    !local.is_empty() && local.bytes().all(is_legal) && is_domain(&domain.to_ascii_lowercase())
}
