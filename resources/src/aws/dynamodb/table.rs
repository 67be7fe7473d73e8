//! Tables that are paid per request.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, SseSpecification,
    SseType, TableDescription, TableStatus,
};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext, Value,
};
use serde::{Deserialize, Serialize};

use crate::aws::dynamodb::calls::{TableCalls, sdk_tags};
use crate::aws::error::{During, built};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::until_deleted;
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// A table that is paid per request.
#[derive(Clone, Default, Inputs)]
pub struct Table {
    /// Its name, unique in account and region: 3 to 255 letters, digits and `_.-`.
    #[input(required, replace, name = 255)]
    pub name: Input<String>,
    /// The attribute by which items are spread over partitions.
    #[input(required, replace)]
    pub hash_key: Input<KeyAttribute>,
    /// The attribute by which the items of a partition are sorted.
    #[input(replace)]
    pub range_key: Input<KeyAttribute>,
    /// Whether it can be restored to any second of the last 35 days.
    pub point_in_time_recovery: Input<bool>,
    /// Whether AWS refuses to delete it.
    pub deletion_protection: Input<bool>,
    /// The KMS key that it is encrypted with; without one, a key of DynamoDB's own is used.
    pub kms_key_arn: Input<Arn>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// An attribute that items are known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct KeyAttribute {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub attribute_type: AttributeType,
}

/// What the values of an attribute are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Texts: `S`.
    String,
    /// Numbers: `N`.
    Number,
    /// Bytes: `B`.
    Binary,
}

impl AttributeType {
    fn to_sdk(self) -> ScalarAttributeType {
        match self {
            Self::String => ScalarAttributeType::S,
            Self::Number => ScalarAttributeType::N,
            Self::Binary => ScalarAttributeType::B,
        }
    }

    fn from_sdk(kind: &ScalarAttributeType) -> Option<Self> {
        match kind {
            ScalarAttributeType::S => Some(Self::String),
            ScalarAttributeType::N => Some(Self::Number),
            ScalarAttributeType::B => Some(Self::Binary),
            _ => None,
        }
    }
}

/// What a table gives, once it is active.
#[derive(Clone, Outputs)]
pub struct TableOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

fn outputs(client: &AwsClients, name: &str) -> TableOutputs {
    TableOutputs { name: name.to_owned().into(), arn: arn(&client.connection, name).into() }
}

fn arn(connection: &AwsConnection, name: &str) -> Arn {
    connection.arn("dynamodb", &format!("table/{name}"))
}

fn key_attribute(table: &TableDescription, key_type: &KeyType) -> Option<KeyAttribute> {
    let element = table.key_schema().iter().find(|element| element.key_type() == key_type)?;
    let name = element.attribute_name();
    let mut definitions = table.attribute_definitions().iter();
    let definition = definitions.find(|definition| definition.attribute_name() == name)?;
    let attribute_type = AttributeType::from_sdk(definition.attribute_type())?;
    Some(KeyAttribute { name: name.to_owned(), attribute_type })
}

fn kms_key(table: &TableDescription) -> Option<Arn> {
    table.sse_description().and_then(|encryption| encryption.kms_master_key_arn()).map(Arn::new)
}

/// A table that is on its way out is there no more.
fn exists(table: &TableDescription) -> bool {
    table.table_status() != Some(&TableStatus::Deleting)
}

impl Table {
    fn keys(&self) -> impl Iterator<Item = (KeyAttribute, KeyType)> {
        let hash = self.hash_key.get().map(|key| (key, KeyType::Hash));
        hash.into_iter().chain(self.range_key.get().map(|key| (key, KeyType::Range)))
    }

    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<TableOutputs, ProviderError> {
        let calls = TableCalls { dynamodb: &client.dynamodb, name: id.as_str() };
        let arn = arn(&client.connection, id.as_str());
        let table = calls.active(step, Self::CONSISTENCY_WINDOW).await?;
        let actual = calls.tags(arn.as_str()).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        calls.change_tags(arn.as_str(), changes).await?;
        let field = "point_in_time_recovery";
        if let Some(wanted) = scope.wanted(field, &self.point_in_time_recovery, false)
            && (scope.is_change(field) || calls.point_in_time_recovery().await? != Some(wanted))
        {
            calls.put_point_in_time_recovery(wanted).await?;
        }
        self.converge_encryption(&calls, step, scope, &table).await?;
        let field = "deletion_protection";
        if let Some(wanted) = scope.wanted(field, &self.deletion_protection, false)
            && (scope.is_change(field) || table.deletion_protection_enabled().unwrap_or(false) != wanted)
        {
            let request = client.dynamodb.update_table().table_name(calls.name);
            let answer = request.deletion_protection_enabled(wanted).send().await;
            answer.during("UpdateTable")?;
            calls.active(step, Self::CONSISTENCY_WINDOW).await?;
        }
        Ok(outputs(client, calls.name))
    }

    async fn converge_encryption(
        &self,
        calls: &TableCalls<'_>,
        step: &StepContext,
        scope: Scope<'_, Self>,
        table: &TableDescription,
    ) -> Result<(), ProviderError> {
        let Some(wanted) = scope.wanted_or_reset("kms_key_arn", &self.kms_key_arn) else { return Ok(()) };
        if wanted == kms_key(table) && !scope.is_change("kms_key_arn") {
            return Ok(());
        }
        let specification = SseSpecification::builder().enabled(wanted.is_some());
        let specification = match wanted {
            Some(key) => specification.sse_type(SseType::Kms).kms_master_key_id(key.as_str()),
            None => specification,
        };
        let request = calls.dynamodb.update_table().table_name(calls.name);
        request.sse_specification(specification.build()).send().await.during("UpdateTable")?;
        calls.active(step, Self::CONSISTENCY_WINDOW).await.map(|_| ())
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let calls = TableCalls { dynamodb: &client.dynamodb, name: object.id.as_str() };
        let Some(table) = calls.get().await?.filter(exists) else { return Ok(None) };
        let arn = arn(&client.connection, calls.name);
        let inputs = Self {
            name: calls.name.into(),
            hash_key: property::observed(key_attribute(&table, &KeyType::Hash)),
            range_key: property::observed_or_absent(key_attribute(&table, &KeyType::Range)),
            point_in_time_recovery: property::observed(calls.point_in_time_recovery().await?),
            deletion_protection: table.deletion_protection_enabled().unwrap_or(false).into(),
            kms_key_arn: property::observed_or_absent(kms_key(&table)),
            tags: tags::observed(&calls.tags(arn.as_str()).await?).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(client, calls.name) }))
    }
}

#[async_trait]
impl ResourceType for Table {
    const TYPE: &'static str = "aws:dynamodb:Table";
    const ID_FORM: &'static str = "its name";
    const SERVICE: &'static str = "dynamodb";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = TableOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        let legal = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
        if let Some(name) = self.name.get()
            && !((3..=255).contains(&name.len()) && name.chars().all(legal))
        {
            problems.push(problem("name", format!("{name:?}: 3 to 255 letters, digits and _.-")));
        }
        let (hash, range) = (self.hash_key.get(), self.range_key.get());
        if let (Some(hash), Some(range)) = (hash, range)
            && hash.name == range.name
        {
            problems.push(problem("range_key", "the two keys are two attributes"));
        }
        problems
    }

    fn predict(&self, connection: &Value) -> TableOutputs {
        let arn = match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) => arn(&connection, &name).into(),
            _ => Output::unknown(),
        };
        TableOutputs { name: property::repeated(&self.name), arn }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        let mut request = client.dynamodb.create_table().table_name(&name);
        for (key, key_type) in self.keys() {
            let element = KeySchemaElement::builder().attribute_name(&key.name).key_type(key_type);
            let definition = AttributeDefinition::builder().attribute_name(&key.name);
            let definition = definition.attribute_type(key.attribute_type.to_sdk());
            request =
                request.key_schema(built(element.build())?).attribute_definitions(built(definition.build())?);
        }
        request
            .billing_mode(BillingMode::PayPerRequest)
            .set_sse_specification(self.kms_key_arn.get().map(|key| {
                let specification = SseSpecification::builder().enabled(true).sse_type(SseType::Kms);
                specification.kms_master_key_id(key.as_str()).build()
            }))
            .set_deletion_protection_enabled(self.deletion_protection.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))?))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("CreateTable")?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<TableOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    /// DynamoDB has no call that reads many tables.
    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        try_join_all(objects.iter().map(|object| Self::observe(client, object))).await
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<TableOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let calls = TableCalls { dynamodb: &client.dynamodb, name: id.as_str() };
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            if !exists(&calls.require().await?) {
                return Ok(());
            }
            let actual = calls.tags(arn(&client.connection, calls.name).as_str()).await?;
            tags::require_lineage(step, &format!("the table {id}"), &actual)?;
            client
                .dynamodb
                .delete_table()
                .table_name(calls.name)
                .send()
                .await
                .during("DeleteTable")
                .map(|_| ())
        })
        .await?;
        calls.gone(step).await
    }

    /// A table of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        let calls = TableCalls { dynamodb: &client.dynamodb, name: &name };
        if !calls.get().await?.is_some_and(|table| exists(&table)) {
            return Ok(None);
        }
        let actual = match calls.tags(arn(&client.connection, &name).as_str()).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            answer => answer?,
        };
        let owned = tags::are_owned(step, &actual);
        Ok(owned.then(|| Found { id: PhysicalId::new(name), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        let key = |name: &str| KeyAttribute { name: name.to_owned(), attribute_type: AttributeType::String };
        let table = Table { name: "locks".into(), hash_key: key("id").into(), ..Table::default() };
        assert!(Table { range_key: key("at").into(), ..table.clone() }.check().is_empty());
        assert_eq!(Table { range_key: key("id").into(), ..table.clone() }.check().len(), 1);
        assert_eq!(Table { name: "a b".into(), ..table.clone() }.check().len(), 1);
        assert_eq!(Table { name: "ab".into(), ..table }.check().len(), 1);
    }
}
