//! The form of one physical object.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use lsinfra_engine::{
    Generation, Object, Owner, PhysicalId, Properties, RecordedOptions, Role, Status, Timeouts, Urn, Value,
};
use serde::{Deserialize, Serialize};

use super::stored_enum;

/// [`Object`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredObject<'a> {
    generation: Generation,
    name_generation: Generation,
    role: StoredRole,
    status: StoredStatus<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    physical_id: Option<Cow<'a, str>>,
    inputs: Cow<'a, Properties>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observed: Option<Cow<'a, Properties>>,
    outputs: Cow<'a, Properties>,
    connection: Cow<'a, Value>,
    dependencies: Cow<'a, BTreeSet<Urn>>,
    #[serde(default, skip_serializing_if = "StoredOptions::is_default")]
    options: StoredOptions,
    owner: StoredOwner<'a>,
    created_at: Timestamp,
    changed_at: Timestamp,
}

stored_enum! {
    /// [`Role`] on disk.
    StoredRole of Role { Incoming, Current, Superseded, Retained }
}

/// [`Status`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredStatus<'a> {
    Ready,
    Creating,
    CreationFailed {
        reason: Cow<'a, str>,
    },
    Updating,
    /// From [`StoredStatus::Ready`].
    Deleting,
    DeletingUnfinished {
        before: Box<StoredStatus<'a>>,
    },
}

/// [`Owner`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredOwner<'a> {
    urn: Cow<'a, Urn>,
    client_token: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_false")]
    tags_pending: bool,
}

/// [`RecordedOptions`] on disk: only what is set. Timeouts are ISO 8601 durations.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoredOptions {
    #[serde(skip_serializing_if = "is_false")]
    protect: bool,
    #[serde(skip_serializing_if = "is_false")]
    retain_on_delete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_with: Option<Urn>,
    #[serde(with = "jiff::fmt::serde::unsigned_duration::optional", skip_serializing_if = "Option::is_none")]
    create_timeout: Option<Duration>,
    #[serde(with = "jiff::fmt::serde::unsigned_duration::optional", skip_serializing_if = "Option::is_none")]
    update_timeout: Option<Duration>,
    #[serde(with = "jiff::fmt::serde::unsigned_duration::optional", skip_serializing_if = "Option::is_none")]
    delete_timeout: Option<Duration>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl StoredOptions {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl<'a> From<&'a Object> for StoredObject<'a> {
    fn from(object: &'a Object) -> Self {
        Self {
            generation: object.generation,
            name_generation: object.name_generation,
            role: object.role.into(),
            status: (&object.status).into(),
            physical_id: object.physical_id.as_ref().map(|id| id.as_str().into()),
            inputs: Cow::Borrowed(&object.inputs),
            observed: object.observed.as_ref().map(Cow::Borrowed),
            outputs: Cow::Borrowed(&object.outputs),
            connection: Cow::Borrowed(&object.connection),
            dependencies: Cow::Borrowed(&object.dependencies),
            options: (&object.options).into(),
            owner: StoredOwner {
                urn: Cow::Borrowed(&object.owner.urn),
                client_token: object.owner.client_token.as_str().into(),
                tags_pending: object.owner.tags_pending,
            },
            created_at: object.created_at,
            changed_at: object.changed_at,
        }
    }
}

impl From<StoredObject<'_>> for Object {
    fn from(stored: StoredObject<'_>) -> Self {
        Self {
            generation: stored.generation,
            name_generation: stored.name_generation,
            role: stored.role.into(),
            status: stored.status.into(),
            physical_id: stored.physical_id.map(PhysicalId::new),
            inputs: stored.inputs.into_owned(),
            observed: stored.observed.map(Cow::into_owned),
            outputs: stored.outputs.into_owned(),
            connection: stored.connection.into_owned(),
            dependencies: stored.dependencies.into_owned(),
            options: stored.options.into(),
            owner: Owner {
                urn: stored.owner.urn.into_owned(),
                client_token: stored.owner.client_token.into_owned(),
                tags_pending: stored.owner.tags_pending,
            },
            created_at: stored.created_at,
            changed_at: stored.changed_at,
        }
    }
}

impl<'a> From<&'a Status> for StoredStatus<'a> {
    fn from(status: &'a Status) -> Self {
        match status {
            Status::Ready => Self::Ready,
            Status::Creating => Self::Creating,
            Status::CreationFailed { reason } => Self::CreationFailed { reason: reason.as_str().into() },
            Status::Updating => Self::Updating,
            Status::Deleting { before } if **before == Status::Ready => Self::Deleting,
            Status::Deleting { before } => Self::DeletingUnfinished { before: Box::new((&**before).into()) },
        }
    }
}

impl From<StoredStatus<'_>> for Status {
    fn from(stored: StoredStatus<'_>) -> Self {
        match stored {
            StoredStatus::Ready => Self::Ready,
            StoredStatus::Creating => Self::Creating,
            StoredStatus::CreationFailed { reason } => Self::CreationFailed { reason: reason.into_owned() },
            StoredStatus::Updating => Self::Updating,
            StoredStatus::Deleting => Self::Deleting { before: Box::new(Self::Ready) },
            StoredStatus::DeletingUnfinished { before } => {
                Self::Deleting { before: Box::new((*before).into()) }
            }
        }
    }
}

impl From<&RecordedOptions> for StoredOptions {
    fn from(options: &RecordedOptions) -> Self {
        Self {
            protect: options.protect,
            retain_on_delete: options.retain_on_delete,
            deleted_with: options.deleted_with.clone(),
            create_timeout: options.timeouts.create,
            update_timeout: options.timeouts.update,
            delete_timeout: options.timeouts.delete,
        }
    }
}

impl From<StoredOptions> for RecordedOptions {
    fn from(stored: StoredOptions) -> Self {
        Self {
            protect: stored.protect,
            retain_on_delete: stored.retain_on_delete,
            deleted_with: stored.deleted_with,
            timeouts: Timeouts {
                create: stored.create_timeout,
                update: stored.update_timeout,
                delete: stored.delete_timeout,
            },
        }
    }
}
