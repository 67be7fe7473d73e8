//! KMS: symmetric keys with their policies, rotation and deletion windows, and aliases. What a key encrypts is kept from
//! being read and changed by chance, not from an attacker: the sandbox's folder holds everything.
//! <https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html>

mod alias;
mod cipher;
mod create;
mod deletion;
mod describe;
mod encrypt;
mod errors;
mod key;
mod policy;
mod rotation;
mod settings;
mod tags;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub(crate) use self::key::{Unusable, check_usable};
use super::{Item, Service, Tables, by_target};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::{Scope, tables};
use crate::protocol::error::Protocol;
use crate::protocol::json::JsonService;
use crate::protocol::request::Request;

tables! {
    /// What KMS keeps.
    pub(crate) struct KmsTables {
        /// Keys by id.
        keys: key::Key = ("kms/key", Eventual),
        /// Aliases by name.
        aliases: alias::Alias = ("kms/alias", Eventual),
    }
}

/// How KMS speaks awsJson.
static WIRE: JsonService = JsonService {
    version: "1.1",
    target: "TrentService",
    namespace: "",
    invalid: "ValidationException",
    throttled: |_| ("ThrottlingException", "Rate exceeded"),
    server_error: "KMSInternalException",
};

const OPERATIONS: &[Operation] = &[
    changes("CreateKey", create::create_key),
    reads("DescribeKey", describe::describe_key),
    reads("ListKeys", describe::list_keys),
    changes("UpdateKeyDescription", settings::update_key_description),
    changes("EnableKey", settings::enable_key),
    changes("DisableKey", settings::disable_key),
    changes("EnableKeyRotation", rotation::enable_key_rotation),
    changes("DisableKeyRotation", rotation::disable_key_rotation),
    reads("GetKeyRotationStatus", rotation::get_key_rotation_status),
    reads("GetKeyPolicy", policy::get_key_policy),
    changes("PutKeyPolicy", policy::put_key_policy),
    changes("ScheduleKeyDeletion", deletion::schedule_key_deletion),
    changes("CancelKeyDeletion", deletion::cancel_key_deletion),
    changes("TagResource", tags::tag_resource),
    changes("UntagResource", tags::untag_resource),
    reads("ListResourceTags", tags::list_resource_tags),
    changes("CreateAlias", alias::create_alias),
    changes("UpdateAlias", alias::update_alias),
    changes("DeleteAlias", alias::delete_alias),
    reads("ListAliases", alias::list_aliases),
    reads("Encrypt", encrypt::encrypt),
    reads("Decrypt", encrypt::decrypt),
    reads("GenerateDataKey", encrypt::generate_data_key),
    reads("GenerateDataKeyWithoutPlaintext", encrypt::generate_data_key_without_plaintext),
];

/// The service.
pub(crate) struct Kms;

impl Service for Kms {
    fn name(&self) -> &'static str {
        "kms"
    }

    fn protocol(&self) -> Protocol {
        Protocol::Json(&WIRE)
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        by_target(OPERATIONS, &WIRE, request)
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|operation| operation.name).collect()
    }

    fn settle(&self, tables: &mut Tables, now: Timestamp) {
        deletion::settle(&mut tables.kms, now);
    }

    /// Keys, but for those in a deletion window, and aliases.
    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let item = |scope: &Scope, kind: &str, id: &str| Item {
            service: "kms".to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: Default::default(),
        };
        let keys = tables.kms.keys.all().filter(|(_, _, key)| key.deletion_due.is_none());
        let keys = keys.map(|(scope, id, key)| Item { tags: key.tags.clone(), ..item(scope, "key", id) });
        let aliases = tables.kms.aliases.all().map(|(scope, name, _)| item(scope, "alias", name));
        keys.chain(aliases).collect()
    }
}
