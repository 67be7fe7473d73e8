//! Names of keys. <https://docs.aws.amazon.com/kms/latest/APIReference/API_AliasListEntry.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_kms::config::Builder;
use aws_sdk_kms::config::retry::RetryConfig;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::error::{During, found, not_found};
use crate::aws::kms::calls::{KeyCalls, visible};
use crate::aws::property::{self, problem};
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// A name of a key. It has no tags of its own: it is this environment's if its key is.
#[derive(Clone, Default, Inputs)]
pub struct Alias {
    /// The name, which begins with `alias/`.
    #[input(required, replace, name = 256)]
    pub name: Input<String>,
    /// The id of the key that it names.
    #[input(required)]
    pub target_key_id: Input<String>,
}

/// What an alias gives.
#[derive(Clone, Outputs)]
pub struct AliasOutputs {
    /// The name.
    pub name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

impl AliasOutputs {
    fn new(name: &str, connection: &AwsConnection) -> Self {
        Self { name: name.to_owned().into(), arn: connection.arn("kms", name).into() }
    }
}

/// The targets of all aliases by name; AWS's own may have none.
async fn all(client: &AwsClients) -> Result<BTreeMap<String, Option<String>>, ProviderError> {
    let pages = client.kms.list_aliases().into_paginator().items().send();
    let aliases = pages.try_collect().await.during("ListAliases")?.into_iter();
    Ok(aliases.filter_map(|alias| Some((alias.alias_name?, alias.target_key_id))).collect())
}

/// The id of the key that a name stands for; [`ErrorKind::NotFound`] if it stands for none.
async fn target(client: &AwsClients, name: &str) -> Result<String, ProviderError> {
    let target = all(client).await?.remove(name).flatten();
    target.ok_or_else(|| not_found(format!("the alias {name} does not exist")))
}

/// Whether a key carries the lineage of the step.
async fn is_ours(client: &AwsClients, step: &StepContext, key: &str) -> Result<bool, ProviderError> {
    let tags = visible(KeyCalls { kms: &client.kms, id: key }.tags().await)?;
    Ok(tags.is_some_and(|tags| tags::require_lineage(step, key, &tags).is_ok()))
}

#[async_trait]
impl ResourceType for Alias {
    const TYPE: &'static str = "aws:kms:Alias";
    const ID_FORM: &'static str = "its name: `alias/langsmith`";
    const SERVICE: &'static str = "kms";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = AliasOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let legal = |character: char| character.is_ascii_alphanumeric() || "/_-".contains(character);
        let Some(name) = self.name.get() else { return Vec::new() };
        let message = match name.strip_prefix("alias/") {
            None | Some("") => "an alias begins with `alias/`, and goes on",
            Some(rest) if rest.starts_with("aws/") => "names that begin with `alias/aws/` are AWS's own",
            Some(rest) if !rest.chars().all(legal) => "an alias has letters, digits and /_-",
            Some(_) => return Vec::new(),
        };
        vec![problem("name", format!("{name:?}: {message}"))]
    }

    fn predict(&self, connection: &Value) -> AliasOutputs {
        match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) => AliasOutputs::new(&name, &connection),
            _ => AliasOutputs { name: property::repeated(&self.name), ..AliasOutputs::unknown() },
        }
    }

    async fn create(&self, client: &AwsClients, _step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        client
            .kms
            .create_alias()
            .alias_name(&name)
            .set_target_key_id(self.target_key_id.get())
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("CreateAlias")?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<AliasOutputs, ProviderError> {
        let wanted = self.target_key_id.get().unwrap_or_default();
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, || target(client, id.as_str())).await?;
        if actual != wanted {
            let request = client.kms.update_alias().alias_name(id.as_str()).target_key_id(wanted);
            request.send().await.during("UpdateAlias")?;
        }
        Ok(AliasOutputs::new(id.as_str(), &client.connection))
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut aliases = all(client).await?;
        let observed = objects.iter().map(|object| {
            let name = object.id.as_str();
            let target_key_id = aliases.remove(name)??.into();
            let inputs = Self { name: name.into(), target_key_id };
            Some(Observed { inputs, outputs: AliasOutputs::new(name, &client.connection) })
        });
        Ok(observed.collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        _step: &StepContext,
        id: &PhysicalId,
        _changes: &Changes<Self>,
    ) -> Result<AliasOutputs, ProviderError> {
        // Sent whatever a read shows, which may be older than what a plan saw.
        let request = client.kms.update_alias().alias_name(id.as_str());
        let request = request.set_target_key_id(self.target_key_id.get());
        request.send().await.during("UpdateAlias")?;
        Ok(AliasOutputs::new(id.as_str(), &client.connection))
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let key = target(client, id.as_str()).await?;
            if !is_ours(client, step, &key).await? {
                let message =
                    format!("{id} names the key {key}, which is not this environment's: it is left alone");
                return Err(ProviderError::new(ErrorKind::Invalid, message));
            }
            client.kms.delete_alias().alias_name(id.as_str()).send().await.during("DeleteAlias").map(|_| ())
        })
        .await
    }

    /// An alias of that name is ours if it names the key that it shall name, and that key is.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let (Some(name), Some(wanted)) = (self.name.get(), self.target_key_id.get()) else { return Ok(None) };
        let key = found(target(client, &name).await)?.filter(|key| *key == wanted);
        match key {
            Some(key) if is_ours(client, step, &key).await? => {
                Ok(Some(Found { id: PhysicalId::new(name), failed: None }))
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_form() {
        let problems = |name: &str| Alias { name: name.into(), ..Alias::default() }.check().len();
        for name in ["app", "alias/", "alias/aws/app", "alias/a b"] {
            assert_eq!(problems(name), 1, "{name}");
        }
        assert_eq!(problems("alias/langsmith-dev"), 0);
    }
}
