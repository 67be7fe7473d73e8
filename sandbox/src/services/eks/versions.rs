//! The versions of Kubernetes that there are.
//! <https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html>

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::WIRE;
use super::errors::invalid;
use super::requests::{page_answer, page_of};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::json::seconds;

/// A minor version; its dates are those of AWS's calendar, read in November 2026.
#[derive(Debug)]
pub(super) struct Version {
    /// Such as `1.36`.
    pub(super) name: &'static str,
    /// The patch version and the platform version of new clusters.
    patch: &'static str,
    pub(super) platform: &'static str,
    released: Date,
    standard_end: Date,
    extended_end: Date,
    /// On the day on which the dates were read: what can be had does not depend on the day of a trial.
    is_standard: bool,
}

const fn version(
    (name, patch, platform): (&'static str, &'static str, &'static str),
    released: Date,
    standard_end: Date,
    extended_end: Date,
    is_standard: bool,
) -> Version {
    Version { name, patch, platform, released, standard_end, extended_end, is_standard }
}

/// Oldest first.
const VERSIONS: &[Version] = &[
    version(("1.32", "1.32.13", "eks.40"), date(2025, 1, 23), date(2026, 3, 23), date(2027, 3, 23), false),
    version(("1.33", "1.33.11", "eks.33"), date(2025, 5, 29), date(2026, 7, 29), date(2027, 7, 29), false),
    version(("1.34", "1.34.8", "eks.24"), date(2025, 10, 2), date(2026, 12, 2), date(2027, 12, 2), true),
    version(("1.35", "1.35.5", "eks.14"), date(2026, 1, 27), date(2027, 3, 27), date(2028, 3, 27), true),
    version(("1.36", "1.36.3", "eks.13"), date(2026, 6, 2), date(2027, 8, 2), date(2028, 8, 2), true),
];

/// The version of clusters that name none.
pub(super) const DEFAULT: &str = "1.36";

/// A version by its name.
pub(super) fn find(name: &str) -> Option<&'static Version> {
    VERSIONS.iter().find(|version| version.name == name)
}

/// The names of all versions, newest first.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VERSIONS.iter().rev().map(|version| version.name)
}

/// How many minor versions `to` is above `from`.
pub(super) fn steps(from: &str, to: &str) -> Option<i32> {
    let minor = |name: &str| name.strip_prefix("1.")?.parse::<i32>().ok();
    Some(minor(to)? - minor(from)?)
}

pub(super) fn describe_cluster_versions(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let request = page_of(&members)?;
    let kind = members.text("clusterType")?.unwrap_or("eks");
    let is_default_only = members.truth("defaultOnly")?.unwrap_or(false);
    // Versions that can no longer be had are not known here.
    members.truth("includeAll")?;
    let names = members.texts("clusterVersions")?;
    let status = status_of(members.text("status")?, members.text("versionStatus")?)?;
    call.document.finish()?;
    if kind != "eks" {
        return Err(invalid(format!("Invalid cluster type: {kind}")));
    }
    let wanted = |version: &&Version| {
        names.as_ref().is_none_or(|names| names.contains(&version.name))
            && (!is_default_only || version.name == DEFAULT)
            && status.is_none_or(|is_standard| is_standard == version.is_standard)
    };
    let found = VERSIONS.iter().rev().filter(wanted).enumerate();
    let list = found.map(|(index, version)| (format!("{index:03}"), answer(version))).collect();
    Ok(WIRE.json.answer(&page_answer(&request, "clusterVersions", list)))
}

fn status_of(old: Option<&str>, new: Option<&str>) -> Result<Option<bool>, ServiceError> {
    match new.or(old) {
        None => Ok(None),
        Some("STANDARD_SUPPORT" | "standard-support") => Ok(Some(true)),
        Some("EXTENDED_SUPPORT" | "extended-support") => Ok(Some(false)),
        Some(other) => Err(invalid(format!("Invalid version status: {other}"))),
    }
}

fn answer(version: &Version) -> Value {
    let day = |date: Date| date.to_zoned(TimeZone::UTC).map(|midnight| seconds(midnight.timestamp())).ok();
    let (status, version_status) = if version.is_standard {
        ("standard-support", "STANDARD_SUPPORT")
    } else {
        ("extended-support", "EXTENDED_SUPPORT")
    };
    json!({
        "clusterVersion": version.name,
        "clusterType": "eks",
        "defaultPlatformVersion": version.platform,
        "defaultVersion": version.name == DEFAULT,
        "releaseDate": day(version.released),
        "endOfStandardSupportDate": day(version.standard_end),
        "endOfExtendedSupportDate": day(version.extended_end),
        "status": status,
        "versionStatus": version_status,
        "kubernetesPatchVersion": version.patch,
    })
}
