//! One physical object under a URN.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::options::{Options, Timeouts};
use crate::urn::Urn;
use crate::value::{Properties, Value};

/// The how-manieth physical object of one URN, from 1.
pub type Generation = u32;

/// The id under which the cloud knows an object, such as `vpc-0a1b…` or a role's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhysicalId(pub String);

impl PhysicalId {
    /// Wraps the cloud's id.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhysicalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One physical object.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Which of its URN's objects it is.
    pub generation: Generation,
    /// The generation that its physical name carries: 1 stands for no suffix.
    pub name_generation: Generation,
    /// What it is to its URN.
    pub role: Role,
    /// How far the last step on it got.
    pub status: Status,
    /// Its id, as soon as it is known.
    pub physical_id: Option<PhysicalId>,
    /// The inputs last applied; while an update is unfinished, the ones being applied, with
    /// [`Value::Null`] for those that go back to their defaults.
    pub inputs: Properties,
    /// The inputs as the last refresh saw them, where they could be read.
    pub observed: Option<Properties>,
    /// What it gave once it existed.
    pub outputs: Properties,
    /// The connection (account, region, cluster, ...) through which it was created.
    pub connection: Value,
    /// The resources that it was created against: they must outlive it.
    pub dependencies: BTreeSet<Urn>,
    /// The options that matter once the stack no longer declares it.
    pub options: RecordedOptions,
    /// What its ownership tags say.
    pub owner: Owner,
    /// When its creation was started.
    pub created_at: Timestamp,
    /// When the last step that made or changed it ended, or its creation was started: for a while after
    /// that, reads may still show the world before it.
    pub changed_at: Timestamp,
}

/// The options that outlive a declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedOptions {
    /// See [`Options::protect`](crate::Options).
    pub protect: bool,
    /// See [`Options::retain_on_delete`](crate::Options).
    pub retain_on_delete: bool,
    /// See [`Options::deleted_with`](crate::Options).
    pub deleted_with: Option<Urn>,
    /// See [`Options::timeouts`](crate::Options).
    pub timeouts: Timeouts,
}

impl From<&Options> for RecordedOptions {
    fn from(options: &Options) -> Self {
        Self {
            protect: options.protect,
            retain_on_delete: options.retain_on_delete,
            deleted_with: options.deleted_with.clone(),
            timeouts: options.timeouts,
        }
    }
}

/// What an object is to its URN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Under creation; becomes the current one.
    Incoming,
    /// The one that the URN means.
    Current,
    /// Replaced; waits for its deletion.
    Superseded,
    /// Kept on purpose after its resource was deleted; the next creation adopts it.
    Retained,
}

/// How far the last step on an object got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing is unfinished.
    Ready,
    /// Its creation was started and not seen to end.
    Creating,
    /// The cloud gave it up: it can only be replaced.
    CreationFailed {
        /// The cloud's reason.
        reason: String,
    },
    /// An update was started and not seen to end: it is sent again.
    Updating,
    /// Its deletion was started and not seen to end: it is sent again.
    Deleting {
        /// What it is if the deletion had no effect.
        before: Box<Status>,
    },
}

impl Status {
    /// Whether a deletion was started.
    pub fn is_deleting(&self) -> bool {
        matches!(self, Self::Deleting { .. })
    }

    /// The status that a deletion without effect leaves behind.
    pub fn but_for_deletion(&self) -> &Self {
        match self {
            Self::Deleting { before } => before,
            other => other,
        }
    }
}

/// What an object's ownership tags and client token are made from. URN and token never change for an
/// object, so that a rename of its resource does not touch the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The URN under which it was created or imported.
    pub urn: Urn,
    /// The token that makes its creating call idempotent, where the service takes one; empty for an
    /// imported object.
    pub client_token: String,
    /// Whether it was imported and does not carry the tags yet: its next update puts them on.
    pub tags_pending: bool,
}

impl Owner {
    /// The ownership tags of an object, by key.
    pub fn tags(&self, lineage: &str, environment: &str, generation: Generation) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("lsinfra:lineage".to_owned(), lineage.to_owned()),
            ("lsinfra:environment".to_owned(), environment.to_owned()),
            ("lsinfra:urn".to_owned(), self.urn.to_string()),
            ("lsinfra:generation".to_owned(), generation.to_string()),
        ])
    }
}
