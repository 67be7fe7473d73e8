//! Environment files: what scenarios vary of them, and nothing else.

use std::collections::BTreeMap;
use std::fmt;

/// The contents of `environments/NAME.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentFile {
    /// `dev` or `prod`.
    pub profile: &'static str,
    /// The account, 12 digits.
    pub account: String,
    /// The region.
    pub region: &'static str,
    /// Whether what holds data is protected; `None` leaves it to the profile.
    pub protect: Option<bool>,
    /// Tags on every resource.
    pub tags: BTreeMap<String, String>,
    /// The VPC's range.
    pub cidr: &'static str,
    /// In how many zones it is; `None` leaves it to the profile.
    pub zone_count: Option<u8>,
    /// The name under which it is reached.
    pub hostname: Option<&'static str>,
    /// The zone that is made for it, if it is not in one that is there.
    pub created_zone: Option<&'static str>,
    /// Lines put at the end as they are, from `[section]` headers on.
    pub more: String,
}

impl EnvironmentFile {
    /// A development environment.
    pub fn dev() -> Self {
        Self {
            profile: "dev",
            account: "111122223333".to_owned(),
            region: "us-west-2",
            protect: None,
            tags: BTreeMap::from([("owner".to_owned(), "platform".to_owned())]),
            cidr: "10.10.0.0/16",
            zone_count: None,
            hostname: None,
            created_zone: None,
            more: String::new(),
        }
    }

    /// A production environment.
    pub fn prod() -> Self {
        Self { profile: "prod", hostname: Some("langsmith.example.com"), ..Self::dev() }
    }
}

impl fmt::Display for EnvironmentFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "profile = {:?}", self.profile)?;
        writeln!(f, "account = {:?}", self.account)?;
        writeln!(f, "region = {:?}", self.region)?;
        if let Some(protect) = self.protect {
            writeln!(f, "protect = {protect}")?;
        }
        writeln!(f, "\n[tags]")?;
        for (key, value) in &self.tags {
            writeln!(f, "{key:?} = {value:?}")?;
        }
        writeln!(f, "\n[network]\ncidr = {:?}", self.cidr)?;
        if let Some(count) = self.zone_count {
            writeln!(f, "zone_count = {count}")?;
        }
        if let Some(hostname) = self.hostname {
            writeln!(f, "\n[edge]\nhostname = {hostname:?}")?;
            if let Some(zone) = self.created_zone {
                writeln!(f, "created_zone = {zone:?}")?;
            }
        }
        if self.profile == "prod" {
            writeln!(f, "\n[auth]\nadmin_email = \"platform@example.com\"")?;
        }
        write!(f, "{}", self.more)
    }
}
