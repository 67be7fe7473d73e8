//! The typed values of an instance's settings, and how AWS writes them.

use std::cmp::Ordering;

use lsinfra_engine::Property;
use serde::{Deserialize, Serialize};

/// How an instance stores its data.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum StorageType {
    /// General purpose, whose performance grows with its size.
    Gp2,
    /// General purpose, whose performance can be chosen from 400 GiB on.
    Gp3,
    /// Provisioned IOPS.
    Io1,
    /// Provisioned IOPS, block express.
    Io2,
}

impl StorageType {
    const ALL: [Self; 4] = [Self::Gp2, Self::Gp3, Self::Io1, Self::Io2];

    /// AWS's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gp2 => "gp2",
            Self::Gp3 => "gp3",
            Self::Io1 => "io1",
            Self::Io2 => "io2",
        }
    }

    /// The type of AWS's name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A log that goes to CloudWatch.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Concepts.PostgreSQL.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum LogExport {
    /// What PostgreSQL logs.
    Postgresql,
    /// What upgrades of PostgreSQL log.
    Upgrade,
    /// What goes wrong with IAM authentication.
    IamDbAuthError,
}

impl LogExport {
    const ALL: [Self; 3] = [Self::Postgresql, Self::Upgrade, Self::IamDbAuthError];

    /// AWS's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Upgrade => "upgrade",
            Self::IamDbAuthError => "iam-db-auth-error",
        }
    }

    /// The log of AWS's name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// The major part of a version.
pub(super) fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

/// How two versions compare. One without a minor part is equal to all of its major version.
pub(super) fn compare_versions(left: &str, right: &str) -> Ordering {
    let number = |version: &str| major(version).parse::<u32>().unwrap_or_default();
    let minors = minor(left).zip(minor(right));
    number(left)
        .cmp(&number(right))
        .then_with(|| minors.map_or(Ordering::Equal, |(left, right)| left.cmp(&right)))
}

/// Whether an instance of the version `actual` is what `wanted` asks for: that version, any of that major version if
/// nothing more is said, or a later minor one that AWS upgraded it to.
pub(super) fn is_version(actual: &str, wanted: &str, upgrades_itself: bool) -> bool {
    if actual == wanted {
        return true;
    }
    match minor(wanted) {
        None => major(actual) == wanted,
        Some(least) => {
            upgrades_itself
                && major(actual) == major(wanted)
                && minor(actual).is_some_and(|minor| minor > least)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(compare_versions("16.9", "16.10"), Ordering::Less);
        assert_eq!(compare_versions("17.1", "16.10"), Ordering::Greater);
        assert_eq!(compare_versions("9.6", "16.1"), Ordering::Less);
        assert_eq!(compare_versions("16", "16.10"), Ordering::Equal);
    }

    #[test]
    fn a_version_stands_for_what_aws_makes_of_it() {
        assert!(is_version("16.8", "16.8", false));
        assert!(is_version("16.8", "16", false));
        assert!(is_version("16.10", "16.9", true));
        assert!(!is_version("16.10", "16.9", false));
        assert!(!is_version("16.8", "16.9", true));
        assert!(!is_version("17.6", "16", true));
        assert!(!is_version("17.6", "16.9", true));
    }
}
