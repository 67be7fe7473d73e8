//! Public hosted zones. <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZone.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::Builder;
use aws_sdk_route53::config::retry::RetryConfig;
use aws_sdk_route53::operation::get_hosted_zone::GetHostedZoneOutput;
use aws_sdk_route53::types::{HostedZone as SdkHostedZone, HostedZoneConfig, Tag, TagResourceType};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Connect, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::error::{During, found, not_found};
use crate::aws::property::{problem, told};
use crate::aws::route53::HostedZoneId;
use crate::aws::route53::names::{bare_id, normal, problem_of};
use crate::aws::scope::Scope;
use crate::aws::tags::Tags;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// How many zones are read at once: Route 53 takes five calls a second.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests>
const READ_AT_ONCE: usize = 4;
/// The most tags that one call adds or takes off.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html>
const TAGS_AT_ONCE: usize = 10;
const LIMIT_COMMENT_CHARACTERS: usize = 256;

/// A public hosted zone. It answers once its parent zone names its name servers.
#[derive(Clone, Default, Inputs)]
pub struct HostedZone {
    /// Its domain name, such as `example.com`.
    #[input(required, replace, case_insensitive)]
    pub name: Input<String>,
    /// What it is for.
    pub comment: Input<String>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a hosted zone gives.
#[derive(Clone, Outputs)]
pub struct HostedZoneOutputs {
    /// Its id.
    pub id: Output<HostedZoneId>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// Its domain name, without a dot at its end.
    pub name: Output<String>,
    /// The servers that its parent zone must name.
    pub name_servers: Output<Vec<String>>,
}

fn outputs(client: &AwsClients, answer: &GetHostedZoneOutput) -> HostedZoneOutputs {
    let zone = answer.hosted_zone();
    let id = zone.map(|zone| bare_id(zone.id())).unwrap_or_default();
    let servers = answer.delegation_set().map(|set| set.name_servers().to_vec());
    let partition = &client.connection.partition;
    HostedZoneOutputs {
        id: HostedZoneId::new(id).into(),
        arn: Arn::new(format!("arn:{partition}:route53:::hostedzone/{id}")).into(),
        name: told(zone.map(|zone| normal(zone.name()))),
        name_servers: told(servers),
    }
}

fn is_public(zone: &SdkHostedZone) -> bool {
    !zone.config().is_some_and(|config| config.private_zone())
}

/// The zone of an id; `None` if there is none.
async fn get(client: &Client, id: &str) -> Result<Option<GetHostedZoneOutput>, ProviderError> {
    found(client.get_hosted_zone().id(id).send().await.during("GetHostedZone"))
}

/// The tags of a zone.
async fn tags_of(client: &Client, id: &str) -> Result<Tags, ProviderError> {
    let request = client.list_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(id);
    let answer = request.send().await.during("ListTagsForResource")?;
    Ok(read_tags(answer.resource_tag_set().map(|set| set.tags()).unwrap_or_default()))
}

fn read_tags(tags: &[Tag]) -> Tags {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    tags.iter().map(|tag| (text(tag.key()), text(tag.value()))).collect()
}

impl HostedZone {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<HostedZoneOutputs, ProviderError> {
        let (route53, id) = (&client.route53, id.as_str());
        let absent = || not_found(format!("the hosted zone {id} does not exist"));
        let look = || async { get(route53, id).await?.ok_or_else(absent) };
        let answer = until_seen(step, Self::CONSISTENCY_WINDOW, look).await?;
        let actual = tags_of(route53, id).await?;
        put_tags(route53, id, tags::changes(step, scope, self, |inputs| &inputs.tags, &actual)).await?;
        if let Some(comment) = scope.wanted("comment", &self.comment, String::new()) {
            let config = answer.hosted_zone().and_then(SdkHostedZone::config);
            let actual = config.and_then(HostedZoneConfig::comment).unwrap_or_default();
            if scope.is_change("comment") || actual != comment {
                let request = route53.update_hosted_zone_comment().id(id).comment(comment);
                request.send().await.during("UpdateHostedZoneComment")?;
            }
        }
        Ok(outputs(client, &answer))
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let (route53, id) = (&client.route53, object.id.as_str());
        let Some(answer) = get(route53, id).await? else { return Ok(None) };
        let Some(tags) = found(tags_of(route53, id).await)? else { return Ok(None) };
        let zone = answer.hosted_zone();
        let name = zone.map(|zone| normal(zone.name())).unwrap_or_default();
        let recorded = object.inputs.name.get().filter(|recorded| normal(recorded) == name);
        let config = zone.and_then(SdkHostedZone::config);
        let inputs = Self {
            name: recorded.unwrap_or(name).into(),
            comment: config.and_then(HostedZoneConfig::comment).unwrap_or_default().into(),
            tags: tags::observed(&tags).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(client, &answer) }))
    }
}

/// Sends as many calls as the tags need.
async fn put_tags(client: &Client, id: &str, changes: tags::TagChanges) -> Result<(), ProviderError> {
    let request =
        || client.change_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(id);
    let put: Vec<Tag> =
        changes.put.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    for tags in put.chunks(TAGS_AT_ONCE) {
        request().set_add_tags(Some(tags.to_vec())).send().await.during("ChangeTagsForResource")?;
    }
    for keys in changes.remove.chunks(TAGS_AT_ONCE) {
        request().set_remove_tag_keys(Some(keys.to_vec())).send().await.during("ChangeTagsForResource")?;
    }
    Ok(())
}

#[async_trait]
impl ResourceType for HostedZone {
    const TYPE: &'static str = "aws:route53:HostedZone";
    const SERVICE: &'static str = "route53";
    const SERVICE_PARALLELISM: usize = 4;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = HostedZoneOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        if let Some(name) = self.name.get() {
            problems.extend(problem_of(&name).map(|text| problem("name", text)));
        }
        if self.comment.get().is_some_and(|text| text.chars().count() > LIMIT_COMMENT_CHARACTERS) {
            let message = format!("a comment has at most {LIMIT_COMMENT_CHARACTERS} characters");
            problems.push(problem("comment", message));
        }
        problems
    }

    fn predict(&self, _connection: &Value) -> HostedZoneOutputs {
        match self.name.get() {
            Some(name) => HostedZoneOutputs { name: normal(&name).into(), ..HostedZoneOutputs::unknown() },
            None => HostedZoneOutputs::unknown(),
        }
    }

    fn connection_identity(_connect: &dyn Connect<AwsClients>, connection: &Value) -> Value {
        AwsConnection::global_identity(connection)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let comment = self.comment.get();
        let config = comment.map(|comment| HostedZoneConfig::builder().comment(comment).build());
        let answer = client
            .route53
            .create_hosted_zone()
            .set_name(self.name.get())
            .caller_reference(&step.client_token)
            .set_hosted_zone_config(config)
            .customize()
            // A call that is sent again is not answered as the first time, but refused: see `find`.
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("CreateHostedZone")?;
        let id = answer.hosted_zone().map(|zone| bare_id(zone.id()).to_owned());
        id.map(PhysicalId::new).ok_or_else(|| not_found("CreateHostedZone: the answer names no zone"))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<HostedZoneOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut observed = Vec::with_capacity(objects.len());
        for chunk in objects.chunks(READ_AT_ONCE) {
            observed.extend(try_join_all(chunk.iter().map(|object| Self::observe(client, object))).await?);
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<HostedZoneOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let route53 = &client.route53;
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let tags = tags_of(route53, id.as_str()).await?;
            tags::require_lineage(step, &format!("the hosted zone {id}"), &tags)?;
            route53.delete_hosted_zone().id(id.as_str()).send().await.during("DeleteHostedZone").map(|_| ())
        })
        .await
    }

    /// A zone has no tags at its creation, but keeps the token that it was created with; later its tags count.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get().map(|name| normal(&name)) else { return Ok(None) };
        let request = client.route53.list_hosted_zones_by_name().dns_name(&name);
        let answer = request.send().await.during("ListHostedZonesByName")?;
        let zones = answer.hosted_zones();
        for zone in zones.iter().filter(|zone| normal(zone.name()) == name && is_public(zone)) {
            let id = bare_id(zone.id());
            if zone.caller_reference() == step.client_token
                || tags::are_owned(step, &tags_of(&client.route53, id).await?)
            {
                return Ok(Some(Found { id: PhysicalId::new(id), failed: None }));
            }
        }
        Ok(None)
    }
}
