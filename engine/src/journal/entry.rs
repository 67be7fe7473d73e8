//! Journal entries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::snapshot::{Generation, Object, PhysicalId, RecordedOptions};
use crate::store::StepRecord;
use crate::urn::Urn;
use crate::value::{Properties, Value};

/// What kind of operation a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Bring the environment to what the stack declares.
    Up,
    /// Delete everything.
    Destroy,
    /// Record what is observed and change nothing.
    Refresh,
    /// Take over objects that exist, and change nothing about them.
    Import,
    /// Forget resources, and leave their objects alone.
    StateRemove,
    /// Let a resource go on under another URN.
    StateMove,
    /// Put right what is unsound in what is recorded.
    StateRepair,
    /// Record what a file says.
    StatePush,
    /// Record once more what an earlier serial says.
    StateRestore,
}

impl OperationKind {
    /// The command that starts it.
    pub fn command(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Destroy => "destroy",
            Self::Refresh => "refresh",
            Self::Import => "import",
            Self::StateRemove => "state rm",
            Self::StateMove => "state mv",
            Self::StateRepair => "state repair",
            Self::StatePush => "state push",
            Self::StateRestore => "state restore",
        }
    }
}

/// Who runs which operation: the header of its journal and of its history entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationInfo {
    /// The operation's id; client tokens and fresh names derive from it.
    pub id: Uuid,
    /// What it does.
    pub kind: OperationKind,
    /// When it began.
    pub started_at: Timestamp,
    /// The user, as `name@host`.
    pub by: String,
    /// The version of the tool.
    pub tool_version: String,
    /// SHA-256 of the configuration, in hexadecimal.
    pub config_digest: String,
}

/// One fact about an operation, durable before what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// An operation began to change things.
    OperationStarted(OperationInfo),
    /// A resource goes on under another URN.
    Renamed {
        /// Its URN so far.
        from: Urn,
        /// Its URN from now on.
        to: Urn,
    },
    /// What is recorded of an object changed without an effect on the cloud.
    Recorded {
        /// The resource.
        urn: Urn,
        /// The version of the type's schema.
        schema_version: u32,
        /// The object as it is recorded from now on; replaces the one of the same generation.
        object: Arc<Object>,
    },
    /// An object is no longer there, and is dropped from the record.
    Forgotten {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
    },
    /// An object that existed before is taken over; nothing about it has changed yet.
    Imported {
        /// The resource.
        urn: Urn,
        /// The version of the type's schema.
        schema_version: u32,
        /// The object as it was read: [`Role::Current`](crate::Role), with its physical id.
        object: Arc<Object>,
    },
    /// A creation is about to be sent: the object as it is intended.
    CreateStarted {
        /// The resource.
        urn: Urn,
        /// The version of the type's schema.
        schema_version: u32,
        /// The intended object, [`Role::Incoming`](crate::Role), with its client token.
        object: Arc<Object>,
    },
    /// The physical id of an object under creation: it is there.
    Identified {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
        /// Its id.
        physical_id: PhysicalId,
    },
    /// An update is about to be sent, or an unfinished or retained object about to be completed.
    UpdateStarted {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
        /// What is about to be applied.
        change: Box<Change>,
    },
    /// A deletion is about to be sent.
    DeleteStarted {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
    },
    /// A creation, update or adoption ended well: the object is the current one, and ready.
    Succeeded {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
        /// What it gives.
        outputs: Properties,
        /// When.
        at: Timestamp,
        /// How long the step took, in seconds, 0 if the next operation's estimates must not learn from it.
        seconds: f64,
    },
    /// A deletion ended well: the object is gone.
    Deleted {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
        /// As for [`Succeeded`](Self::Succeeded).
        seconds: f64,
    },
    /// A deletion was refused and had no effect: the object is as it was.
    DeleteRefused {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
    },
    /// An object was kept on purpose when its resource was deleted.
    Retained {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
    },
    /// A creation is known to have left nothing behind.
    Cleared {
        /// The resource.
        urn: Urn,
        /// The object that is not there.
        generation: Generation,
    },
    /// The cloud gave an object up: it can only be replaced.
    CreationFailed {
        /// The resource.
        urn: Urn,
        /// The object.
        generation: Generation,
        /// The cloud's reason.
        reason: String,
    },
    /// A lookup or a run ended well; its outcome replaces the last one.
    Ran {
        /// The resource.
        urn: Urn,
        /// The version of the type's schema.
        schema_version: u32,
        /// The outcome: [`Role::Current`](crate::Role), without a physical id.
        object: Arc<Object>,
    },
    /// A step ended, well or not: for the history, should its operation not get to write that. What that means to
    /// the objects, the entries beside it say.
    StepEnded(Box<StepRecord>),
    /// Facts about the outside, gathered for this operation.
    Facts(BTreeMap<String, Value>),
    /// The stack's outputs at the end of the operation.
    Outputs(Properties),
}

impl Entry {
    /// The resource whose record it changes, if it is about one.
    pub fn urn(&self) -> Option<&Urn> {
        match self {
            Self::OperationStarted(_) | Self::StepEnded(_) | Self::Facts(_) | Self::Outputs(_) => None,
            Self::Renamed { to, .. } => Some(to),
            Self::Recorded { urn, .. }
            | Self::Forgotten { urn, .. }
            | Self::Imported { urn, .. }
            | Self::CreateStarted { urn, .. }
            | Self::Identified { urn, .. }
            | Self::UpdateStarted { urn, .. }
            | Self::DeleteStarted { urn, .. }
            | Self::Succeeded { urn, .. }
            | Self::Deleted { urn, .. }
            | Self::DeleteRefused { urn, .. }
            | Self::Retained { urn, .. }
            | Self::Cleared { urn, .. }
            | Self::CreationFailed { urn, .. }
            | Self::Ran { urn, .. } => Some(urn),
        }
    }

    /// Whether it announces a call that waits for it to be durable.
    pub fn is_beginning(&self) -> bool {
        matches!(self, Self::CreateStarted { .. } | Self::UpdateStarted { .. } | Self::DeleteStarted { .. })
    }
}

/// What an update is about to apply to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The version of the type's schema.
    pub schema_version: u32,
    /// The inputs from now on; [`Value::Null`] for those that go back to their defaults.
    pub inputs: Properties,
    /// The connection from now on.
    pub connection: Value,
    /// The dependencies from now on.
    pub dependencies: BTreeSet<Urn>,
    /// The options from now on.
    pub options: RecordedOptions,
}
