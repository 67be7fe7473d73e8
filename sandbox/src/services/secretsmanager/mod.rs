//! Secrets Manager: secrets, their versions with the staging labels `AWSCURRENT` and `AWSPREVIOUS`, and deletion with a
//! recovery window. Values are kept as they are given: whoever can read the sandbox's folder can read them.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html>

mod create;
mod delete;
mod describe;
mod errors;
mod filters;
mod read_as;
mod secret;
mod tags;
#[cfg(test)]
mod tests;
mod update;
mod value;
mod version;

use jiff::Timestamp;

pub(crate) use read_as::read;

use super::{Item, Service, Tables, by_target};
use crate::cloud::call::{Operation, changes, reads};
use crate::cloud::table::tables;
use crate::protocol::error::Protocol;
use crate::protocol::json::JsonService;
use crate::protocol::request::Request;

tables! {
    /// What Secrets Manager keeps.
    pub(crate) struct SecretsManagerTables {
        /// Secrets by name.
        secrets: secret::Secret = ("secretsmanager/secret", Eventual),
    }
}

/// How Secrets Manager speaks awsJson.
static WIRE: JsonService = JsonService {
    version: "1.1",
    target: "secretsmanager",
    namespace: "",
    invalid: "ValidationException",
    throttled: |_| ("ThrottlingException", "Rate exceeded"),
    server_error: "InternalServiceError",
};

const OPERATIONS: &[Operation] = &[
    changes("CreateSecret", create::create_secret),
    reads("DescribeSecret", describe::describe_secret),
    reads("ListSecrets", describe::list_secrets),
    reads("ListSecretVersionIds", describe::list_secret_version_ids),
    reads("GetSecretValue", value::get_secret_value),
    reads("BatchGetSecretValue", value::batch_get_secret_value),
    changes("PutSecretValue", update::put_secret_value),
    changes("UpdateSecret", update::update_secret),
    changes("DeleteSecret", delete::delete_secret),
    changes("RestoreSecret", delete::restore_secret),
    changes("TagResource", tags::tag_resource),
    changes("UntagResource", tags::untag_resource),
];

/// The service.
pub(crate) struct SecretsManager;

impl Service for SecretsManager {
    fn name(&self) -> &'static str {
        "secretsmanager"
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
        delete::settle(&mut tables.secretsmanager, now);
    }

    /// Secrets, but for those that are marked for deletion.
    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let secrets = tables.secretsmanager.secrets.all().filter(|(_, _, secret)| secret.deletion.is_none());
        let items = secrets.map(|(scope, _, secret)| Item {
            service: "secretsmanager".to_owned(),
            kind: "secret".to_owned(),
            id: secret.arn.clone(),
            account: scope.account.to_string(),
            region: scope.region.to_string(),
            tags: secret.tags.clone(),
        });
        items.collect()
    }
}
