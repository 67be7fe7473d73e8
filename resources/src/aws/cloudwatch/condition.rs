//! The words of an alarm's condition.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html>

use aws_sdk_cloudwatch::types::{ComparisonOperator as SdkComparison, Statistic as SdkStatistic};
use lsinfra_engine::Property;
use serde::{Deserialize, Serialize};

/// What is made of the values of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
pub enum Statistic {
    /// Their mean.
    Average,
    /// The greatest.
    Maximum,
    /// The least.
    Minimum,
    /// How many there are.
    SampleCount,
    /// Their sum.
    Sum,
}

impl Statistic {
    pub(super) fn to_sdk(self) -> SdkStatistic {
        match self {
            Self::Average => SdkStatistic::Average,
            Self::Maximum => SdkStatistic::Maximum,
            Self::Minimum => SdkStatistic::Minimum,
            Self::SampleCount => SdkStatistic::SampleCount,
            Self::Sum => SdkStatistic::Sum,
        }
    }

    pub(super) fn from_sdk(statistic: &SdkStatistic) -> Option<Self> {
        let all = [Self::Average, Self::Maximum, Self::Minimum, Self::SampleCount, Self::Sum];
        all.into_iter().find(|other| other.to_sdk() == *statistic)
    }
}

/// Which values are beyond the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
pub enum ComparisonOperator {
    /// `>`.
    GreaterThanThreshold,
    /// `>=`.
    GreaterThanOrEqualToThreshold,
    /// `<`.
    LessThanThreshold,
    /// `<=`.
    LessThanOrEqualToThreshold,
}

impl ComparisonOperator {
    pub(super) fn to_sdk(self) -> SdkComparison {
        match self {
            Self::GreaterThanThreshold => SdkComparison::GreaterThanThreshold,
            Self::GreaterThanOrEqualToThreshold => SdkComparison::GreaterThanOrEqualToThreshold,
            Self::LessThanThreshold => SdkComparison::LessThanThreshold,
            Self::LessThanOrEqualToThreshold => SdkComparison::LessThanOrEqualToThreshold,
        }
    }

    pub(super) fn from_sdk(comparison: &SdkComparison) -> Option<Self> {
        let all = [
            Self::GreaterThanThreshold,
            Self::GreaterThanOrEqualToThreshold,
            Self::LessThanThreshold,
            Self::LessThanOrEqualToThreshold,
        ];
        all.into_iter().find(|other| other.to_sdk() == *comparison)
    }
}

/// What a period without data counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "camelCase")]
pub enum MissingData {
    /// Beyond the threshold.
    Breaching,
    /// Within the threshold.
    NotBreaching,
    /// Nothing: the state stays.
    Ignore,
    /// Missing: without enough other periods the state is `INSUFFICIENT_DATA`. AWS's default.
    Missing,
}

impl MissingData {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
            Self::Ignore => "ignore",
            Self::Missing => "missing",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [Self::Breaching, Self::NotBreaching, Self::Ignore, Self::Missing];
        all.into_iter().find(|other| other.name() == name)
    }
}
