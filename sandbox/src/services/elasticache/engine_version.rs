//! The engines and their versions: dated data, as of November 2026.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html>

use serde::{Deserialize, Serialize};
use winterbaume_elasticache::model::{CacheEngineVersion, CacheEngineVersionMessage};
use winterbaume_elasticache::wire;

use super::errors::{invalid_combination, invalid_value};
use super::fields;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Engine {
    Redis,
    /// What Redis can be upgraded to.
    Valkey,
}

impl Engine {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }

    /// The engine of a name.
    pub(super) fn parse(name: &str) -> Result<Self, ServiceError> {
        [Self::Redis, Self::Valkey]
            .into_iter()
            .find(|engine| engine.name() == name)
            .ok_or_else(|| invalid_value(format!("Invalid cache engine: {name}")))
    }
}

/// Each version with the family of its parameters; upgrades go down the list.
const VERSIONS: &[(Engine, &str, &str)] = &[
    (Engine::Redis, "6.2.6", "redis6.x"),
    (Engine::Redis, "7.0.7", "redis7"),
    (Engine::Redis, "7.1.0", "redis7"),
    (Engine::Valkey, "7.2.6", "valkey7"),
    (Engine::Valkey, "8.0.1", "valkey8"),
    (Engine::Valkey, "8.1.0", "valkey8"),
];

/// A version: its place in the list of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct EngineVersion(usize);

impl EngineVersion {
    fn row(self) -> (Engine, &'static str, &'static str) {
        VERSIONS.get(self.0).copied().unwrap_or(VERSIONS[0])
    }

    /// Its engine.
    pub(super) fn engine(self) -> Engine {
        self.row().0
    }

    /// Its number in full.
    pub(super) fn number(self) -> &'static str {
        self.row().1
    }

    /// The family of its parameters.
    pub(super) fn family(self) -> &'static str {
        self.row().2
    }
}

fn all() -> impl Iterator<Item = EngineVersion> {
    (0..VERSIONS.len()).map(EngineVersion)
}

/// Whether there is such a family of parameters.
pub(super) fn is_family(family: &str) -> bool {
    all().any(|version| version.family() == family)
}

/// Whether a number or its beginning is a version's.
fn is_number(version: EngineVersion, text: &str) -> bool {
    let rest = version.number().strip_prefix(text);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The newest version of an engine that a request asks for by its number or the beginning of it.
pub(super) fn wanted(engine: Engine, text: Option<&str>) -> Result<EngineVersion, ServiceError> {
    let versions = all().filter(|version| version.engine() == engine);
    versions.filter(|version| text.is_none_or(|text| is_number(*version, text))).max().ok_or_else(|| {
        invalid_combination(format!("Cannot find version {} for {}", text.unwrap_or_default(), engine.name()))
    })
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let engine = params.text("Engine");
    let number = params.text("EngineVersion");
    let family = params.text("CacheParameterGroupFamily");
    let is_default_only = params.parsed("DefaultOnly")?.unwrap_or(false);
    let page = fields::page(params)?;
    params.finish()?;
    let is_asked = |version: &EngineVersion| {
        engine.is_none_or(|engine| engine == version.engine().name())
            && number.is_none_or(|number| is_number(*version, number))
            && family.is_none_or(|family| family == version.family())
            && (!is_default_only || wanted(version.engine(), None).is_ok_and(|newest| newest == *version))
    };
    let answer = |version: EngineVersion| CacheEngineVersion {
        cache_engine_description: Some(version.engine().name().to_owned()),
        cache_engine_version_description: Some(format!(
            "{} version {}",
            version.engine().name(),
            version.number()
        )),
        cache_parameter_group_family: Some(version.family().to_owned()),
        engine: Some(version.engine().name().to_owned()),
        engine_version: Some(version.number().to_owned()),
    };
    let keyed = all().filter(is_asked).map(|version| (format!("{:03}", version.0), answer(version)));
    let page = page.page(keyed.collect());
    Ok(response(wire::serialize_describe_cache_engine_versions_response(&CacheEngineVersionMessage {
        cache_engine_versions: Some(page.items.into()),
        marker: page.marker,
    })))
}
