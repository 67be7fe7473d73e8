//! Security groups.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroup.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, ResourceType as TagTarget, SecurityGroup as SdkSecurityGroup,
    SecurityGroupRule as SdkRule, Tag,
};
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::ec2::object::{self, Ec2Object, filter, tags_of};
use crate::aws::ec2::{SecurityGroupId, VpcId};
use crate::aws::error::During;
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::until_deleted;
use crate::aws::{Arn, AwsClients, durations, tags};

/// A security group without rules: each rule is a resource of its own.
#[derive(Clone, Default, Inputs)]
pub struct SecurityGroup {
    /// Its name, unique in the VPC.
    #[input(required, replace, name = 255)]
    pub name: Input<String>,
    /// What it is for.
    #[input(required, replace)]
    pub description: Input<String>,
    /// The VPC.
    #[input(required, replace)]
    pub vpc_id: Input<VpcId>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a security group gives.
#[derive(Clone, Outputs)]
pub struct SecurityGroupOutputs {
    /// Its id.
    pub id: Output<SecurityGroupId>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// Its name.
    pub name: Output<String>,
}

impl Ec2Object for SdkSecurityGroup {
    const NAME: &'static str = "security group";
    const ID_FILTER: &'static str = "group-id";

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let pages = ec2.describe_security_groups().set_filters(Some(filters)).into_paginator().items().send();
        pages.try_collect().await.during("DescribeSecurityGroups")
    }

    fn id(&self) -> &str {
        self.group_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
}

impl SecurityGroup {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<SecurityGroupOutputs, ProviderError> {
        let group: SdkSecurityGroup =
            object::tagged(&client.ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        if matches!(scope, Scope::Given) {
            remove_default_rule(&client.ec2, step, id).await?;
        }
        Ok(outputs(client, &group))
    }
}

/// Removes the rule that AWS gives to each new group: everything may leave for everywhere. The same
/// rule declared by the stack carries its tags, and stays.
async fn remove_default_rule(ec2: &Client, step: &StepContext, id: &PhysicalId) -> Result<(), ProviderError> {
    let rules: Vec<SdkRule> = SdkRule::describe(ec2, vec![filter("group-id", [id.as_str()])]).await?;
    let is_declared = |rule: &SdkRule| {
        rule.group_id() == Some(id.as_str())
            && rule.is_egress() == Some(true)
            && rule.ip_protocol() == Some("-1")
            && tags::are_of_lineage(step, &tags_of(rule.tags()))
    };
    if rules.iter().any(is_declared) {
        return Ok(());
    }
    let everything = IpPermission::builder()
        .ip_protocol("-1")
        .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build())
        .build();
    let request = ec2.revoke_security_group_egress().group_id(id.as_str()).ip_permissions(everything);
    match request.send().await.during("RevokeSecurityGroupEgress") {
        Err(error) if error.code.as_deref() == Some("InvalidPermission.NotFound") => Ok(()),
        answer => answer.map(|_| ()),
    }
}

fn outputs(client: &AwsClients, group: &SdkSecurityGroup) -> SecurityGroupOutputs {
    SecurityGroupOutputs {
        id: SecurityGroupId::new(group.id()).into(),
        arn: client.connection.arn("ec2", &format!("security-group/{}", group.id())).into(),
        name: property::told(group.group_name().map(str::to_owned)),
    }
}

/// Whether EC2 takes the text as the name or description of a group or as the description of a rule.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
pub(super) fn is_plain_text(text: &str) -> bool {
    let legal =
        |character: char| character.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(character);
    text.chars().count() <= 255 && text.chars().all(legal)
}

const PLAIN_TEXT: &str = "at most 255 of: letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*";

/// Problems of a name or description.
pub(super) fn check_text(path: &str, text: &Input<String>) -> Option<InputProblem> {
    let text = text.get()?;
    (!is_plain_text(&text)).then(|| problem(path, format!("{text:?} is not allowed: {PLAIN_TEXT}")))
}

#[async_trait]
impl ResourceType for SecurityGroup {
    const TYPE: &'static str = "aws:ec2:SecurityGroup";
    const SERVICE: &'static str = "ec2";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = SecurityGroupOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(check_text("name", &self.name));
        problems.extend(check_text("description", &self.description));
        if self.name.get().is_some_and(|name| name.starts_with("sg-") || name == "default") {
            problems.push(problem("name", "a name is not `default` and does not begin with `sg-`"));
        }
        problems
    }

    fn predict(&self, _connection: &Value) -> SecurityGroupOutputs {
        SecurityGroupOutputs { name: property::repeated(&self.name), ..SecurityGroupOutputs::unknown() }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .create_security_group()
            .set_group_name(self.name.get())
            .set_description(self.description.get())
            .set_vpc_id(self.vpc_id.get().map(String::from))
            .tag_specifications(object::tag_specification(TagTarget::SecurityGroup, step, &self.tags))
            .customize()
            .config_override(object::sent_once())
            .send()
            .await
            .during("CreateSecurityGroup")?;
        object::created("CreateSecurityGroup", answer.group_id())
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<SecurityGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = objects.iter().map(|object| &object.id);
        let groups = object::by_ids::<SdkSecurityGroup>(&client.ec2, ids).await?;
        let observe = |object: &Existing<Self>| {
            let group = groups.get(object.id.as_str())?;
            let outputs = outputs(client, group);
            let inputs = Self {
                name: outputs.name.clone().into(),
                description: property::observed(group.description().map(str::to_owned)),
                vpc_id: property::observed(group.vpc_id().map(VpcId::new)),
                tags: object::observed_tags(group),
            };
            Some(Observed { inputs, outputs })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<SecurityGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client.ec2.delete_security_group().group_id(id.as_str());
            request.send().await.during("DeleteSecurityGroup").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkSecurityGroup>(&client.ec2, step).await
    }
}
