//! Tables: their settings and their lifecycle. Must not know what items mean.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>

pub(super) mod backups;
pub(super) mod change;
pub(super) mod create;
pub(super) mod describe;
pub(super) mod key_schema;
pub(super) mod tags;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::key_schema::{KeyElement, KeySchema};
use super::errors::{in_use, resource_not_found, table_not_found};
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;

/// A table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Table {
    /// A UUID.
    id: String,
    /// The attributes that keys are made of.
    attributes: Vec<KeyElement>,
    /// What an item is known by.
    pub(super) keys: KeySchema,
    /// Other keys to query by.
    pub(super) indexes: Vec<Index>,
    /// The KMS key that it is encrypted with; without one, a key of DynamoDB's own is used.
    kms_key: Option<KmsKey>,
    /// Its tags.
    pub(super) tags: BTreeMap<String, String>,
    /// Whether it cannot be deleted.
    is_protected: bool,
    /// When it was made.
    created: Timestamp,
    /// Until when it is `CREATING`.
    active_at: Timestamp,
    /// Until when it is `UPDATING`.
    updated_at: Timestamp,
    /// When it will be gone, once it is being deleted.
    gone_at: Option<Timestamp>,
    /// Point-in-time recovery, if it is on.
    recovery: Option<backups::Recovery>,
}

/// A KMS key that a table is encrypted with.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KmsKey {
    arn: String,
    /// Whether AWS keeps it for the account.
    is_managed: bool,
}

/// A global secondary index, which holds whole items.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Index {
    /// Its name.
    pub(super) name: String,
    /// What items are found by.
    pub(super) keys: KeySchema,
}

/// What a table is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
        }
    }
}

impl Table {
    fn status(&self, now: Timestamp) -> Status {
        if self.gone_at.is_some() {
            Status::Deleting
        } else if now < self.active_at {
            Status::Creating
        } else if now < self.updated_at {
            Status::Updating
        } else {
            Status::Active
        }
    }

    /// Refuses a change while something is under way.
    fn check_idle(&self, name: &str, now: Timestamp) -> Result<(), ServiceError> {
        let doing = match self.status(now) {
            Status::Active => return Ok(()),
            Status::Creating => "created",
            Status::Updating => "updated",
            Status::Deleting => "deleted",
        };
        Err(in_use(format!(
            "Attempt to change a resource which is still in use: Table is being {doing}: {name}"
        )))
    }
}

/// The table that an operation on tables names, as the present call finds it.
fn find<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c Table, ServiceError> {
    call.tables.dynamodb.tables.find(&call.scope, name).ok_or_else(|| table_not_found(name))
}

/// The table that an operation on items names. Whoever keeps items knows at once which tables there are.
pub(super) fn with_items<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c Table, ServiceError> {
    let table = call.tables.dynamodb.tables.newest(&call.scope, name);
    table.filter(|table| table.status(call.now) != Status::Creating).ok_or_else(resource_not_found)
}
