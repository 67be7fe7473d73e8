//! The typed values of a cluster's settings, and how the SDK writes them.

use aws_sdk_eks::types::{
    AuthenticationMode as SdkMode, LogSetup, LogType as SdkLogType, Logging, SupportType as SdkSupportType,
};
use lsinfra_engine::Property;
use serde::{Deserialize, Serialize};

/// Where a cluster looks for who may use it.
/// <https://docs.aws.amazon.com/eks/latest/userguide/setting-up-access-entries.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMode {
    /// In the `aws-auth` ConfigMap alone: AWS's default.
    ConfigMap,
    /// In access entries and in the ConfigMap.
    ApiAndConfigMap,
    /// In access entries alone.
    Api,
}

impl AuthenticationMode {
    pub(super) fn to_sdk(self) -> SdkMode {
        match self {
            Self::ConfigMap => SdkMode::ConfigMap,
            Self::ApiAndConfigMap => SdkMode::ApiAndConfigMap,
            Self::Api => SdkMode::Api,
        }
    }

    pub(super) fn from_sdk(mode: &SdkMode) -> Option<Self> {
        match mode {
            SdkMode::ConfigMap => Some(Self::ConfigMap),
            SdkMode::ApiAndConfigMap => Some(Self::ApiAndConfigMap),
            SdkMode::Api => Some(Self::Api),
            _ => None,
        }
    }

    /// AWS's name of it.
    pub(super) fn name(self) -> String {
        self.to_sdk().as_str().to_owned()
    }
}

/// A kind of control-plane log.
/// <https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum LogType {
    /// Of the API server.
    Api,
    /// Who did what.
    Audit,
    /// Of the authentication through IAM.
    Authenticator,
    /// Of the controller manager.
    ControllerManager,
    /// Of the scheduler.
    Scheduler,
}

impl LogType {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Api, Self::Audit, Self::Authenticator, Self::ControllerManager, Self::Scheduler];

    fn to_sdk(self) -> SdkLogType {
        match self {
            Self::Api => SdkLogType::Api,
            Self::Audit => SdkLogType::Audit,
            Self::Authenticator => SdkLogType::Authenticator,
            Self::ControllerManager => SdkLogType::ControllerManager,
            Self::Scheduler => SdkLogType::Scheduler,
        }
    }
}

/// The setup in which these logs are on and all others are off.
pub(super) fn logging(on: &[LogType]) -> Logging {
    let setup = |is_on: bool| {
        let kinds: Vec<SdkLogType> =
            LogType::ALL.into_iter().filter(|kind| on.contains(kind) == is_on).map(LogType::to_sdk).collect();
        (!kinds.is_empty()).then(|| LogSetup::builder().set_types(Some(kinds)).enabled(is_on).build())
    };
    let setups: Vec<LogSetup> = [true, false].into_iter().filter_map(setup).collect();
    Logging::builder().set_cluster_logging(Some(setups)).build()
}

/// The logs that are on.
pub(super) fn logs_on(logging: Option<&Logging>) -> Vec<LogType> {
    let setups = logging.map(Logging::cluster_logging).unwrap_or_default();
    let on = setups.iter().filter(|setup| setup.enabled() == Some(true)).flat_map(LogSetup::types);
    let on: Vec<&SdkLogType> = on.collect();
    LogType::ALL.into_iter().filter(|kind| on.contains(&&kind.to_sdk())).collect()
}

/// What becomes of a cluster when the standard support of its version ends.
/// <https://docs.aws.amazon.com/eks/latest/userguide/view-upgrade-policy.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum SupportType {
    /// AWS upgrades it.
    Standard,
    /// It stays where it is, at a higher price: AWS's default.
    Extended,
}

impl SupportType {
    pub(super) fn to_sdk(self) -> SdkSupportType {
        match self {
            Self::Standard => SdkSupportType::Standard,
            Self::Extended => SdkSupportType::Extended,
        }
    }

    pub(super) fn from_sdk(support_type: &SdkSupportType) -> Option<Self> {
        match support_type {
            SdkSupportType::Standard => Some(Self::Standard),
            SdkSupportType::Extended => Some(Self::Extended),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_way_to_aws_and_back() {
        for mode in
            [AuthenticationMode::ConfigMap, AuthenticationMode::ApiAndConfigMap, AuthenticationMode::Api]
        {
            assert_eq!(AuthenticationMode::from_sdk(&mode.to_sdk()), Some(mode));
        }
        for support_type in [SupportType::Standard, SupportType::Extended] {
            assert_eq!(SupportType::from_sdk(&support_type.to_sdk()), Some(support_type));
        }
        for on in [&LogType::ALL[..], &LogType::ALL[1..3], &[]] {
            assert_eq!(logs_on(Some(&logging(on))), on);
        }
    }
}
