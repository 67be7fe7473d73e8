//! Topics. <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::Tag;
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::error::{During, built, found, not_found};
use crate::aws::policy::{self, PolicyDocument, Principal, Statement};
use crate::aws::property::{observed_or_absent, problem, repeated};
use crate::aws::scope::Scope;
use crate::aws::tags::Tags;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// How many topics are read at once.
const READ_AT_ONCE: usize = 4;

/// A standard topic.
#[derive(Clone, Default, Inputs)]
pub struct Topic {
    /// Its name, unique in account and region.
    #[input(required, replace, name = 256)]
    pub name: Input<String>,
    /// What e-mails and text messages show as their sender.
    pub display_name: Input<String>,
    /// The KMS key that messages are encrypted with: an id, an ARN, or an alias such as `alias/aws/sns`. AWS's services
    /// can publish only if the key's policy lets them use it, which that of `alias/aws/sns` does not.
    pub kms_key_id: Input<String>,
    /// Who may do what with it. Without one, its own account may do everything.
    pub policy: Input<PolicyDocument>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a topic gives.
#[derive(Clone, Outputs)]
pub struct TopicOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

/// The attributes of a topic, by SNS's names.
type Attributes = HashMap<String, String>;

async fn get(client: &Client, arn: &str) -> Result<Option<Attributes>, ProviderError> {
    let answer = client.get_topic_attributes().topic_arn(arn).send().await;
    Ok(found(answer.during("GetTopicAttributes"))?.map(|answer| answer.attributes.unwrap_or_default()))
}

/// The tags of a topic.
async fn tags_of(client: &Client, arn: &str) -> Result<Tags, ProviderError> {
    let answer = client.list_tags_for_resource().resource_arn(arn).send().await;
    let answer = answer.during("ListTagsForResource")?;
    Ok(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
}

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, ProviderError> {
    tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

fn outputs(arn: &str) -> TopicOutputs {
    let name = arn.rsplit(':').next().unwrap_or_default();
    TopicOutputs { name: name.to_owned().into(), arn: Arn::new(arn).into() }
}

/// The policy of a topic that was given none, which can be put back only by writing it.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html>
fn own_policy(client: &AwsClients, arn: &str) -> PolicyDocument {
    let actions = [
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
    ];
    let account = client.connection.account.as_str();
    PolicyDocument::new([Statement::allow(actions)
        .named("__default_statement_ID")
        .to(Principal::aws(["*"]))
        .on([arn])
        .when("StringEquals", "AWS:SourceOwner", [account])])
}

impl Topic {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<TopicOutputs, ProviderError> {
        let (sns, arn) = (&client.sns, id.as_str());
        let absent = || not_found(format!("the topic {arn} does not exist"));
        let look = || async { get(sns, arn).await?.ok_or_else(absent) };
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, look).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(sns, arn).await?);
        if !changes.put.is_empty() {
            let request = sns.tag_resource().resource_arn(arn).set_tags(Some(sdk_tags(&changes.put)?));
            request.send().await.during("TagResource")?;
        }
        if !changes.remove.is_empty() {
            let request = sns.untag_resource().resource_arn(arn).set_tag_keys(Some(changes.remove));
            request.send().await.during("UntagResource")?;
        }
        for (field, attribute, input) in [
            ("display_name", "DisplayName", &self.display_name),
            ("kms_key_id", "KmsMasterKeyId", &self.kms_key_id),
        ] {
            let Some(wanted) = scope.wanted(field, input, String::new()) else { continue };
            let is_there = actual.get(attribute).map_or("", String::as_str) == wanted;
            if scope.is_change(field) || !is_there {
                set(sns, arn, attribute, &wanted).await?;
            }
        }
        if let Some(wanted) = scope.wanted_or_reset("policy", &self.policy) {
            let wanted = wanted.unwrap_or_else(|| own_policy(client, arn));
            let actual = actual.get("Policy").map(|text| PolicyDocument::from_json(text)).transpose()?;
            let is_there = actual.is_some_and(|actual| actual.is_equivalent(&wanted));
            if scope.is_change("policy") || !is_there {
                set(sns, arn, "Policy", &wanted.to_json()).await?;
            }
        }
        Ok(outputs(arn))
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let arn = object.id.as_str();
        let Some(attributes) = get(&client.sns, arn).await? else { return Ok(None) };
        let Some(tags) = found(tags_of(&client.sns, arn).await)? else { return Ok(None) };
        let text = |name: &str| attributes.get(name).cloned().filter(|text| !text.is_empty());
        let recorded = &object.inputs.policy;
        let policy = match text("Policy").filter(|_| recorded.is_given()) {
            Some(text) => policy::observed(recorded, Some(PolicyDocument::from_json(&text)?)),
            None => Input::default(),
        };
        let outputs = outputs(arn);
        let inputs = Self {
            name: arn.rsplit(':').next().unwrap_or_default().into(),
            display_name: text("DisplayName").unwrap_or_default().into(),
            kms_key_id: observed_or_absent(text("KmsMasterKeyId")),
            policy,
            tags: tags::observed(&tags).into(),
        };
        Ok(Some(Observed { inputs, outputs }))
    }
}

async fn set(client: &Client, arn: &str, attribute: &str, value: &str) -> Result<(), ProviderError> {
    let request = client.set_topic_attributes().topic_arn(arn).attribute_name(attribute);
    request.attribute_value(value).send().await.during("SetTopicAttributes").map(|_| ())
}

#[async_trait]
impl ResourceType for Topic {
    const TYPE: &'static str = "aws:sns:Topic";
    const ID_FORM: &'static str = "its ARN";
    const SERVICE: &'static str = "sns";
    // The name serves as one: a topic of that name with the same tags, ownership's included, is answered with.
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = TopicOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        let legal = |one: char| one.is_ascii_alphanumeric() || "-_".contains(one);
        if let Some(name) = self.name.get()
            && (name.is_empty() || name.len() > 256 || !name.chars().all(legal))
        {
            let message = format!("{name:?}: 1 to 256 letters, digits, hyphens and underscores");
            problems.push(problem("name", message));
        }
        if self.display_name.get().is_some_and(|name| name.chars().count() > 100) {
            problems.push(problem("display_name", "a display name has at most 100 characters"));
        }
        problems
    }

    fn predict(&self, connection: &Value) -> TopicOutputs {
        let arn = match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) => connection.arn("sns", &name).into(),
            _ => Output::unknown(),
        };
        TopicOutputs { name: repeated(&self.name), arn }
    }

    /// Settings come later: a topic that is there is answered with only if nothing of it differs, and they may have
    /// changed by the time that the call is sent again.
    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .sns
            .create_topic()
            .set_name(self.name.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))?))
            .send()
            .await
            .during("CreateTopic")?;
        let arn = answer.topic_arn.map(PhysicalId::new);
        arn.ok_or_else(|| not_found("CreateTopic: the answer names no topic"))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<TopicOutputs, ProviderError> {
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
    ) -> Result<TopicOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (sns, arn) = (&client.sns, id.as_str());
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            tags::require_lineage(step, &format!("the topic {arn}"), &tags_of(sns, arn).await?)?;
            sns.delete_topic().topic_arn(arn).send().await.during("DeleteTopic").map(|_| ())
        })
        .await
    }

    /// A topic of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        let arn = client.connection.arn("sns", &name);
        let tags = found(tags_of(&client.sns, arn.as_str()).await)?;
        let owned = tags.is_some_and(|tags| tags::are_owned(step, &tags));
        Ok(owned.then(|| Found { id: PhysicalId::new(arn.as_str()), failed: None }))
    }
}
