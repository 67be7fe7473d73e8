//! The values of a secret, one per version, and the labels that say which is current.
//! <https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html>

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::errors::{exists, invalid_parameter};
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// The label of the version that is read unless another is asked for.
pub(super) const CURRENT: &str = "AWSCURRENT";
/// The label of the version that was current before.
const PREVIOUS: &str = "AWSPREVIOUS";
/// How many versions there may be before AWS removes old ones that have no label.
const KEPT: usize = 100;
/// How long a version is kept in any case.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest value, in bytes.
const LONGEST: usize = 65_536;

/// A value as it is given and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stored {
    /// `SecretString`.
    Text(String),
    /// `SecretBinary`, in Base64.
    Binary(String),
}

/// One version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    /// Its value.
    pub(super) stored: Stored,
    /// When it was made.
    pub(super) created: Timestamp,
    /// Its staging labels.
    pub(super) stages: BTreeSet<String>,
}

/// The versions of a secret by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Versions(BTreeMap<String, Version>);

/// A value with the id of the version that it is to become.
#[derive(Debug)]
pub(super) struct NewVersion {
    /// The call's client token, or a fresh UUID.
    pub(super) id: String,
    /// The value.
    pub(super) stored: Stored,
}

impl NewVersion {
    /// The value that a call gives, if it gives one.
    pub(super) fn given(call: &mut Call<'_>) -> Result<Option<Self>, ServiceError> {
        let members = call.document.members();
        let token = members.text("ClientRequestToken")?;
        if token.is_some_and(|token| !(32..=64).contains(&token.len())) {
            return Err(invalid_parameter("ClientRequestToken must be 32-64 characters long."));
        }
        let stored = match (members.text("SecretString")?, members.text("SecretBinary")?) {
            (None, None) => return Ok(None),
            (Some(text), None) => Stored::Text(text.to_owned()),
            (None, Some(base64)) => Stored::Binary(base64.to_owned()),
            (Some(_), Some(_)) => {
                return Err(invalid_parameter(
                    "You can't specify both a binary secret value and a string secret value in the same secret.",
                ));
            }
        };
        check_length(&stored, &members)?;
        let id = token.map_or_else(|| call.identifiers.uuid(), str::to_owned);
        Ok(Some(Self { id, stored }))
    }
}

/// The value itself is never part of the refusal.
fn check_length(stored: &Stored, members: &Members<'_>) -> Result<(), ServiceError> {
    let (name, length) = match stored {
        Stored::Text(text) => ("SecretString", text.len()),
        Stored::Binary(base64) => {
            let bytes = BASE64.decode(base64);
            ("SecretBinary", bytes.map_err(|_| invalid_parameter("SecretBinary is not Base64."))?.len())
        }
    };
    if (1..=LONGEST).contains(&length) {
        return Ok(());
    }
    Err(invalid_parameter(format!("{} must have a length of 1 to {LONGEST} bytes.", members.path(name))))
}

impl Versions {
    /// All versions by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Version)> {
        self.0.iter().map(|(id, version)| (id.as_str(), version))
    }

    /// The version with an id.
    pub(super) fn get(&self, id: &str) -> Option<&Version> {
        self.0.get(id)
    }

    /// The version that has a label.
    pub(super) fn staged(&self, stage: &str) -> Option<(&str, &Version)> {
        self.iter().find(|(_, version)| version.stages.contains(stage))
    }

    /// Whether a new version is there already, made by the same call; an error if its id stands for another value.
    pub(super) fn has(&self, new: &NewVersion, secret: &str) -> Result<bool, ServiceError> {
        match self.0.get(&new.id) {
            None => Ok(false),
            Some(version) if version.stored == new.stored => Ok(true),
            Some(_) => Err(exists(format!(
                "You can't use ClientRequestToken {} because that value is already in use for a version of secret {secret}.",
                new.id
            ))),
        }
    }

    /// Makes a version the current one.
    pub(super) fn put(&mut self, new: NewVersion, now: Timestamp) {
        let current = self.staged(CURRENT).map(|(id, _)| id.to_owned());
        if let Some(current) = current {
            for (id, version) in &mut self.0 {
                if *id == current {
                    version.stages.remove(CURRENT);
                    version.stages.insert(PREVIOUS.to_owned());
                } else {
                    version.stages.remove(PREVIOUS);
                }
            }
        }
        let stages = BTreeSet::from([CURRENT.to_owned()]);
        self.0.insert(new.id, Version { stored: new.stored, created: now, stages });
        self.forget_old(now);
    }

    fn forget_old(&mut self, now: Timestamp) {
        while self.0.len() > KEPT {
            let old = self
                .0
                .iter()
                .filter(|(_, version)| version.stages.is_empty() && version.created + KEPT_FOR <= now);
            let Some(oldest) = old.min_by_key(|(_, version)| version.created).map(|(id, _)| id.clone())
            else {
                return;
            };
            self.0.remove(&oldest);
        }
    }

    /// The labels of each version that has any, as answers have them.
    pub(super) fn stages(&self) -> Map<String, Value> {
        let labelled = self.iter().filter(|(_, version)| !version.stages.is_empty());
        labelled.map(|(id, version)| (id.to_owned(), json!(version.stages))).collect()
    }
}
