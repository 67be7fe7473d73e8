//! The table of locks as Amazon DynamoDB has it.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use super::access::Clients;
use super::answers::provider_error;
use super::lock::{Held, LockRecord, LockTable, Swap, Version};

/// The table's key: bucket and environment.
pub(super) const ENVIRONMENT: &str = "environment";
const FENCING_TOKEN: &str = "fencing_token";
const RENEWAL: &str = "renewal";
const LEASE_SECONDS: &str = "lease_seconds";
const HOLDER: &str = "holder";
const PROCESS: &str = "process";

/// One table.
pub(super) struct AwsLocks {
    pub(super) clients: Clients,
    pub(super) table: String,
}

type Item = HashMap<String, AttributeValue>;

#[async_trait]
impl LockTable for AwsLocks {
    async fn read(&self, environment: &str) -> Result<Option<LockRecord>, ProviderError> {
        let request = self.clients.dynamodb.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key(ENVIRONMENT, AttributeValue::S(environment.to_owned())).send().await;
        let answer = answer.map_err(|error| provider_error("GetItem", &error))?;
        answer.item().map(from_item).transpose()
    }

    async fn swap(
        &self,
        environment: &str,
        expected: Option<Version>,
        record: &LockRecord,
    ) -> Result<Swap, ProviderError> {
        let request = self
            .clients
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(environment, record)?))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match expected {
            None => request
                .condition_expression("attribute_not_exists(#environment)")
                .expression_attribute_names("#environment", ENVIRONMENT),
            Some(Version { fencing_token, renewal }) => request
                .condition_expression("#fencing_token = :fencing_token AND #renewal = :renewal")
                .expression_attribute_names("#fencing_token", FENCING_TOKEN)
                .expression_attribute_names("#renewal", RENEWAL)
                .expression_attribute_values(":fencing_token", number(fencing_token))
                .expression_attribute_values(":renewal", number(renewal)),
        };
        match request.send().await {
            Ok(_) => Ok(Swap::Done),
            Err(error)
                if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                // The item that comes with the refusal may be missing, and is read then.
                Ok(Swap::Different(self.read(environment).await?))
            }
            Err(error) => Err(provider_error("PutItem", &error)),
        }
    }
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn to_item(environment: &str, record: &LockRecord) -> Result<Item, ProviderError> {
    let json = |text: serde_json::Result<String>| {
        text.map(AttributeValue::S).map_err(|error| ProviderError::new(ErrorKind::Invalid, error.to_string()))
    };
    let mut item = HashMap::from([
        (ENVIRONMENT.to_owned(), AttributeValue::S(environment.to_owned())),
        (FENCING_TOKEN.to_owned(), number(record.fencing_token)),
        (RENEWAL.to_owned(), number(record.renewal)),
        (LEASE_SECONDS.to_owned(), AttributeValue::N(record.lease.as_secs_f64().to_string())),
    ]);
    if let Some(held) = &record.held {
        item.insert(HOLDER.to_owned(), json(serde_json::to_string(&held.holder))?);
        if let Some(process) = &held.process {
            item.insert(PROCESS.to_owned(), json(serde_json::to_string(process))?);
        }
    }
    Ok(item)
}

fn from_item(item: &Item) -> Result<LockRecord, ProviderError> {
    let unreadable = |name: &str| {
        ProviderError::new(ErrorKind::Invalid, format!("the lock's attribute {name} cannot be read"))
    };
    let parsed = |name: &str| -> Result<u64, ProviderError> {
        let number = item.get(name).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
        number.ok_or_else(|| unreadable(name))
    };
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let lease =
        item.get(LEASE_SECONDS).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
    let held = match text(HOLDER) {
        None => None,
        Some(holder) => Some(Held {
            holder: serde_json::from_str(holder).map_err(|_| unreadable(HOLDER))?,
            // Only a process that can be read can be found dead.
            process: text(PROCESS).and_then(|process| serde_json::from_str(process).ok()),
        }),
    };
    Ok(LockRecord {
        fencing_token: parsed(FENCING_TOKEN)?,
        renewal: parsed(RENEWAL)?,
        lease: lease
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| unreadable(LEASE_SECONDS))?,
        held,
    })
}
