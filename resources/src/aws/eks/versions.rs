//! The versions of Kubernetes, and until when AWS supports them. Owns dated facts; must not know what day it is.
//! <https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html>

use std::fmt;

use aws_smithy_types::DateTime;
use jiff::civil::{Date, date};
use jiff::{Span, Timestamp, tz::TimeZone};
use lsinfra_engine::provider::ProviderError;

use crate::aws::eks::calls::minor;
use crate::aws::error::During;
use crate::aws::{AwsConnection, AwsConnector};

/// How long before the end of a version's support there is a warning.
const WARNING_DAYS: i32 = 90;

/// A minor version of Kubernetes, with the days (UTC) that matter to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesVersion {
    /// Such as `1.36`.
    pub version: String,
    /// When EKS began to offer it.
    pub released: Date,
    /// When it begins to cost more, and clusters with standard support are upgraded by AWS.
    pub end_of_standard_support: Date,
    /// When AWS upgrades all clusters that still have it.
    pub end_of_extended_support: Date,
}

/// One row of [`KUBERNETES_VERSIONS`].
type Row = (&'static str, Date, Date, Date);

/// The versions that can be had, oldest first: name, release, end of standard and of extended support. Read on
/// 26 November 2026; [`kubernetes_versions`] asks AWS.
pub const KUBERNETES_VERSIONS: [Row; 5] = [
    ("1.32", date(2025, 1, 23), date(2026, 3, 23), date(2027, 3, 23)),
    ("1.33", date(2025, 5, 29), date(2026, 7, 29), date(2027, 7, 29)),
    ("1.34", date(2025, 10, 2), date(2026, 12, 2), date(2027, 12, 2)),
    ("1.35", date(2026, 1, 27), date(2027, 3, 27), date(2028, 3, 27)),
    ("1.36", date(2026, 6, 2), date(2027, 8, 2), date(2028, 8, 2)),
];

/// The newest version in [`KUBERNETES_VERSIONS`].
pub const fn newest_kubernetes_version() -> &'static str {
    KUBERNETES_VERSIONS[KUBERNETES_VERSIONS.len() - 1].0
}

/// What there is to say about the support of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupportWarning {
    /// Standard support ends within 90 days.
    StandardEnds {
        /// The version.
        version: String,
        /// The day on which it ends.
        on: Date,
    },
    /// Standard support has ended, extended support not yet.
    StandardEnded {
        /// The version.
        version: String,
        /// The day on which extended support ends.
        until: Date,
    },
    /// There is no support any more.
    Ended {
        /// The version.
        version: String,
        /// The day on which it ended.
        on: Date,
    },
    /// The version is older than all that are known.
    TooOld {
        /// The version.
        version: String,
    },
}

impl fmt::Display for SupportWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardEnds { version, on } => write!(
                formatter,
                "standard support of Kubernetes {version} on EKS ends on {on}: upgrade before, or pay for extended support"
            ),
            Self::StandardEnded { version, until } => write!(
                formatter,
                "Kubernetes {version} on EKS is in extended support, at a higher price, until {until}: upgrade"
            ),
            Self::Ended { version, on } => {
                write!(
                    formatter,
                    "support of Kubernetes {version} on EKS ended on {on}: AWS upgrades such clusters"
                )
            }
            Self::TooOld { version } => {
                write!(
                    formatter,
                    "Kubernetes {version} is no longer supported on EKS: AWS upgrades such clusters"
                )
            }
        }
    }
}

/// What there is to say about a version's support on a day: nothing while its standard support lasts for more than 90
/// days, and nothing of a version that is newer than all that are known.
pub fn support_warning(version: &str, today: Date) -> Option<SupportWarning> {
    let named = || version.to_owned();
    let Some((_, _, standard, extended)) = KUBERNETES_VERSIONS.iter().find(|(name, ..)| *name == version)
    else {
        let oldest = KUBERNETES_VERSIONS.first().and_then(|(name, ..)| minor(name))?;
        return (minor(version)? < oldest).then(|| SupportWarning::TooOld { version: named() });
    };
    let (standard, extended) = (*standard, *extended);
    let soon = standard.saturating_sub(Span::new().days(WARNING_DAYS));
    if today >= extended {
        Some(SupportWarning::Ended { version: named(), on: extended })
    } else if today >= standard {
        Some(SupportWarning::StandardEnded { version: named(), until: extended })
    } else if today >= soon {
        Some(SupportWarning::StandardEnds { version: named(), on: standard })
    } else {
        None
    }
}

/// The versions that AWS offers now, oldest first.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeClusterVersions.html>
///
/// # Errors
/// Those of the call.
pub async fn kubernetes_versions(
    connector: &AwsConnector,
    connection: &AwsConnection,
) -> Result<Vec<KubernetesVersion>, ProviderError> {
    let clients = connector.clients(connection).await;
    let pages = clients.eks.describe_cluster_versions().into_paginator().items().send();
    let found = pages.try_collect().await.during("DescribeClusterVersions")?;
    let mut versions: Vec<KubernetesVersion> = found
        .iter()
        .filter_map(|found| {
            Some(KubernetesVersion {
                version: found.cluster_version()?.to_owned(),
                released: day(found.release_date()?)?,
                end_of_standard_support: day(found.end_of_standard_support_date()?)?,
                end_of_extended_support: day(found.end_of_extended_support_date()?)?,
            })
        })
        .collect();
    versions.sort_by_key(|found| minor(&found.version));
    Ok(versions)
}

/// The day of a time, in UTC.
fn day(time: &DateTime) -> Option<Date> {
    Timestamp::from_second(time.secs()).ok().map(|time| time.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_comes_ninety_days_before_the_end() {
        let on = |day: Date| support_warning("1.36", day);
        let ends = date(2027, 8, 2);
        assert_eq!(on(date(2027, 5, 3)), None);
        let version = || "1.36".to_owned();
        let ending = Some(SupportWarning::StandardEnds { version: version(), on: ends });
        assert_eq!(on(date(2027, 5, 4)), ending);
        assert_eq!(on(date(2027, 8, 1)), ending);
        let until = date(2028, 8, 2);
        assert_eq!(on(ends), Some(SupportWarning::StandardEnded { version: version(), until }));
        assert_eq!(on(until), Some(SupportWarning::Ended { version: version(), on: until }));
    }

    #[test]
    fn versions_that_are_not_known_are_old_or_new() {
        let today = date(2026, 11, 26);
        assert_eq!(support_warning("1.99", today), None);
        assert!(matches!(support_warning("1.29", today), Some(SupportWarning::TooOld { .. })));
        assert_eq!(support_warning("nonsense", today), None);
    }

    #[test]
    fn the_table_is_in_order_and_each_version_lasts_as_long_as_aws_says() {
        assert!(KUBERNETES_VERSIONS.is_sorted_by_key(|(name, ..)| minor(name)));
        assert_eq!(newest_kubernetes_version(), "1.36");
        for (name, released, standard, extended) in KUBERNETES_VERSIONS {
            // 14 months, and a year more.
            let months = released.saturating_add(Span::new().months(14));
            assert_eq!((months.year(), months.month()), (standard.year(), standard.month()), "{name}");
            assert_eq!(standard.saturating_add(Span::new().years(1)), extended, "{name}");
        }
    }
}
