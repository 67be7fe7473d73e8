//! PostgreSQL's versions: dated data, as of November 2026.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html>

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use winterbaume_rds::model::{DBEngineVersion, DBEngineVersionMessage, UpgradeTarget};
use winterbaume_rds::wire;

use super::errors::invalid_combination;
use super::fields;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// The one engine that the sandbox has.
pub(super) const ENGINE: &str = "postgres";

/// Every version, in the order of their numbers.
const VERSIONS: &[(u32, &[u32])] = &[
    (14, &[17, 18, 19, 20]),
    (15, &[12, 13, 14, 15]),
    (16, &[3, 4, 5, 6, 8, 9, 10, 11]),
    (17, &[2, 4, 5, 6, 7]),
    (18, &[1]),
];

/// The major version of instances that are made without one.
const DEFAULT_MAJOR: u32 = 17;

/// A version: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct EngineVersion {
    pub(super) major: u32,
    pub(super) minor: u32,
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl EngineVersion {
    /// The family of its parameters.
    pub(super) fn family(self) -> String {
        format!("{ENGINE}{}", self.major)
    }

    /// What an instance of it can be upgraded to.
    fn targets(self) -> impl Iterator<Item = Self> {
        all().filter(move |other| *other > self)
    }
}

fn all() -> impl Iterator<Item = EngineVersion> {
    VERSIONS
        .iter()
        .flat_map(|(major, minors)| minors.iter().map(|minor| EngineVersion { major: *major, minor: *minor }))
}

/// The version that AWS takes for a major one alone: its newest.
fn newest(major: u32) -> Option<EngineVersion> {
    all().filter(|version| version.major == major).max()
}

/// The versions that a text names: one, all of a major version, or all.
pub(super) fn matching(text: Option<&str>) -> impl Iterator<Item = EngineVersion> {
    all().filter(move |version| {
        text.is_none_or(|text| text == version.to_string() || text == version.major.to_string())
    })
}

/// Whether there is such a family of parameters.
pub(super) fn is_family(family: &str) -> bool {
    VERSIONS.iter().any(|(major, _)| family == format!("{ENGINE}{major}"))
}

/// The version that a request asks for, in full or by its major part.
pub(super) fn wanted(text: Option<&str>) -> Result<EngineVersion, ServiceError> {
    let text = text.map_or_else(|| DEFAULT_MAJOR.to_string(), str::to_owned);
    let found = match text.split_once('.') {
        None => u32::from_str(&text).ok().and_then(newest),
        Some(_) => all().find(|version| version.to_string() == text),
    };
    found.ok_or_else(|| invalid_combination(format!("Cannot find version {text} for {ENGINE}")))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let engine = params.text("Engine");
    let version = params.text("EngineVersion");
    let family = params.text("DBParameterGroupFamily");
    let is_default_only = params.parsed("DefaultOnly")?.unwrap_or(false);
    let page = fields::page(params)?;
    params.finish()?;
    let is_asked = |candidate: &EngineVersion| {
        engine.is_none_or(|engine| engine == ENGINE)
            && family.is_none_or(|family| family == candidate.family())
            && (!is_default_only
                || newest(candidate.major) == Some(*candidate)
                    && (version.is_some() || candidate.major == DEFAULT_MAJOR))
    };
    let versions = matching(version).filter(is_asked);
    // Keys in the order of the numbers.
    let keyed = versions
        .map(|version| (format!("{:03}.{:03}", version.major, version.minor), answer(version)))
        .collect();
    let page = page.page(keyed);
    Ok(response(wire::serialize_describe_d_b_engine_versions_response(&DBEngineVersionMessage {
        d_b_engine_versions: Some(page.items.into()),
        marker: page.marker,
    })))
}

fn answer(version: EngineVersion) -> DBEngineVersion {
    let targets = version.targets().map(|target| UpgradeTarget {
        auto_upgrade: Some(target.major == version.major && newest(target.major) == Some(target)),
        description: Some(format!("PostgreSQL {target}")),
        engine: Some(ENGINE.to_owned()),
        engine_version: Some(target.to_string()),
        is_major_version_upgrade: Some(target.major != version.major),
        ..UpgradeTarget::default()
    });
    DBEngineVersion {
        d_b_engine_description: Some("PostgreSQL".to_owned()),
        d_b_engine_version_description: Some(format!("PostgreSQL {version}")),
        d_b_parameter_group_family: Some(version.family()),
        engine: Some(ENGINE.to_owned()),
        engine_version: Some(version.to_string()),
        exportable_log_types: Some(super::instance::LOG_TYPES.map(str::to_owned).to_vec().into()),
        major_engine_version: Some(version.major.to_string()),
        status: Some("available".to_owned()),
        supported_c_a_certificate_identifiers: Some(
            super::instance::CA_CERTIFICATES.map(str::to_owned).to_vec().into(),
        ),
        supports_certificate_rotation_without_restart: Some(true),
        supports_log_exports_to_cloudwatch_logs: Some(true),
        supports_read_replica: Some(true),
        valid_upgrade_target: Some(targets.collect::<Vec<_>>().into()),
        ..DBEngineVersion::default()
    }
}
