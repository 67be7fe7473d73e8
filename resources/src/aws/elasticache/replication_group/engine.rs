//! The engines of replication groups, and their versions.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html>

use lsinfra_engine::Property;
use serde::{Deserialize, Serialize};

/// The engine of a replication group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Redis OSS, up to version 7.1.
    Redis,
    /// Valkey, from version 7.2 on.
    Valkey,
}

impl Engine {
    /// AWS's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }

    /// The engine of AWS's name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Redis, Self::Valkey].into_iter().find(|engine| engine.name() == name)
    }

    /// The engine that has this version.
    pub(super) fn of_version(version: &str) -> Self {
        if numbers(version) >= [7, 2] { Self::Valkey } else { Self::Redis }
    }

    /// The family of the parameters of a version, such as `redis7` of `7.1`.
    pub fn family(self, version: &str) -> String {
        let major = numbers(version)[0];
        // <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html>
        let suffix = if self == Self::Redis && major == 6 { ".x" } else { "" };
        format!("{}{major}{suffix}", self.name())
    }
}

/// Major and minor part of a version.
pub(super) fn numbers(version: &str) -> [u32; 2] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or_default());
    [parts.next().unwrap_or_default(), parts.next().unwrap_or_default()]
}

/// A version as it is declared: patches are AWS's own.
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html>
pub(super) fn minor_version(version: &str) -> String {
    let [major, minor] = numbers(version);
    format!("{major}.{minor}")
}

/// Whether a version is the wanted one, or one of those that this stands for: 7.1.0 is what AWS makes of 7.1.
pub(super) fn is_version(actual: &str, wanted: &str) -> bool {
    actual.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_tell_engine_and_family() {
        assert_eq!(Engine::of_version("7.1.0"), Engine::Redis);
        assert_eq!(Engine::of_version("7.2"), Engine::Valkey);
        assert_eq!(Engine::of_version("8.0.1"), Engine::Valkey);
        assert_eq!(Engine::Redis.family("6.2"), "redis6.x");
        assert_eq!(Engine::Redis.family("7.1"), "redis7");
        assert_eq!(Engine::Valkey.family("8.1"), "valkey8");
    }

    #[test]
    fn a_version_stands_for_what_aws_makes_of_it() {
        assert!(is_version("7.1.0", "7.1"));
        assert!(is_version("7.1.0", "7"));
        assert!(is_version("7.1.0", "7.1.0"));
        assert!(!is_version("7.10.0", "7.1"));
        assert!(!is_version("7.0.7", "7.1"));
    }
}
