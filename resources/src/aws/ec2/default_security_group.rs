//! The security group that AWS makes with each VPC.
//! <https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html>

use std::collections::BTreeMap;
use std::task::Poll;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{SecurityGroup as SdkSecurityGroup, SecurityGroupRule as SdkRule, Tag};
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext};

use crate::aws::ec2::object::{self, Ec2Object, filter, tags_of};
use crate::aws::ec2::{SecurityGroupId, VpcId};
use crate::aws::error::{During, found, not_found};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::SECONDS;
use crate::aws::{AwsClients, durations, tags};

/// A VPC's default security group, kept without rules, so that what is put into it by mistake reaches
/// nothing. It comes and goes with its VPC: creating it adopts it, deleting it lets go of it.
#[derive(Clone, Default, Inputs)]
pub struct DefaultSecurityGroup {
    /// The VPC.
    #[input(required, replace)]
    pub vpc_id: Input<VpcId>,
    /// Its rules: none. What is found beside that is shown as drift, and removed.
    #[input(required, set)]
    pub rules: Input<Vec<String>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a default security group gives.
#[derive(Clone, Outputs)]
pub struct DefaultSecurityGroupOutputs {
    /// Its id.
    pub id: Output<SecurityGroupId>,
}

async fn rules_of(
    ec2: &Client,
    groups: impl IntoIterator<Item = &PhysicalId>,
) -> Result<Vec<SdkRule>, ProviderError> {
    let groups: Vec<&str> = groups.into_iter().map(PhysicalId::as_str).collect();
    let mut rules = Vec::new();
    for chunk in groups.chunks(object::LIMIT_FILTER_VALUES) {
        rules.extend(SdkRule::describe(ec2, vec![filter("group-id", chunk.iter().copied())]).await?);
    }
    rules.retain(|rule| rule.group_id().is_some_and(|group| groups.contains(&group)));
    Ok(rules)
}

/// Revokes every rule of a group, and tells how many it saw.
async fn revoke_all(ec2: &Client, id: &PhysicalId) -> Result<usize, ProviderError> {
    let rules = rules_of(ec2, [id]).await?;
    let (egress, ingress): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| rule.is_egress() == Some(true));
    let ids = |rules: Vec<&SdkRule>| Some(rules.iter().map(|rule| rule.id().to_owned()).collect());
    if !ingress.is_empty() {
        let request = ec2.revoke_security_group_ingress().group_id(id.as_str());
        let answer = request.set_security_group_rule_ids(ids(ingress)).send().await;
        found(answer.during("RevokeSecurityGroupIngress"))?;
    }
    if !egress.is_empty() {
        let request = ec2.revoke_security_group_egress().group_id(id.as_str());
        let answer = request.set_security_group_rule_ids(ids(egress)).send().await;
        found(answer.during("RevokeSecurityGroupEgress"))?;
    }
    Ok(rules.len())
}

/// A rule as a person reads it: `ingress all from sg-0a1b`.
fn text(rule: &SdkRule) -> String {
    let egress = rule.is_egress() == Some(true);
    let protocol = match rule.ip_protocol() {
        Some("-1") | None => "all",
        Some(protocol) => protocol,
    };
    let ports = match (rule.from_port(), rule.to_port()) {
        (Some(from), Some(to)) if protocol != "all" && from == to => format!(" {from}"),
        (Some(from), Some(to)) if protocol != "all" => format!(" {from}-{to}"),
        _ => String::new(),
    };
    let group = rule.referenced_group_info().and_then(|group| group.group_id());
    let peer = rule.cidr_ipv4().or(rule.cidr_ipv6()).or(rule.prefix_list_id()).or(group).unwrap_or("?");
    if egress {
        format!("egress {protocol}{ports} to {peer}")
    } else {
        format!("ingress {protocol}{ports} from {peer}")
    }
}

impl DefaultSecurityGroup {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<DefaultSecurityGroupOutputs, ProviderError> {
        let ec2 = &client.ec2;
        object::tagged::<SdkSecurityGroup, _>(ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        if scope.wanted("rules", &self.rules, Vec::new()).is_some() {
            step.poll(SECONDS, || async {
                match revoke_all(ec2, id).await? {
                    0 => Ok((Poll::Ready(()), String::new())),
                    rules => {
                        Ok((Poll::Pending, format!("default security group {id} had {rules} rules left")))
                    }
                }
            })
            .await?;
        }
        Ok(DefaultSecurityGroupOutputs { id: SecurityGroupId::new(id.as_str()).into() })
    }

    async fn lookup(&self, client: &AwsClients) -> Result<Option<SdkSecurityGroup>, ProviderError> {
        let Some(vpc) = self.vpc_id.get() else { return Ok(None) };
        let filters = vec![filter("vpc-id", [vpc.as_str()]), filter("group-name", ["default"])];
        let groups = SdkSecurityGroup::describe(&client.ec2, filters).await?;
        let is_it = |group: &SdkSecurityGroup| {
            group.vpc_id() == Some(vpc.as_str()) && group.group_name() == Some("default")
        };
        Ok(groups.into_iter().find(is_it))
    }
}

#[async_trait]
impl ResourceType for DefaultSecurityGroup {
    const TYPE: &'static str = "aws:ec2:DefaultSecurityGroup";
    const ID_FORM: &'static str = "the id of the VPC's default security group: `sg-0a1b`";
    const SERVICE: &'static str = "ec2";
    // There is no creating call: it may be repeated as if it took a token.
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = DefaultSecurityGroupOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        if self.rules.get().is_some_and(|rules| !rules.is_empty()) {
            problems.push(problem("rules", "the default security group is kept without rules"));
        }
        problems
    }

    /// If the group is not seen yet, the engine comes again.
    async fn create(&self, client: &AwsClients, _step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let group = self.lookup(client).await?;
        let absent = || not_found("the VPC has no default security group");
        group.as_ref().map(|group| PhysicalId::new(group.id())).ok_or_else(absent)
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<DefaultSecurityGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = || objects.iter().map(|object| &object.id);
        let (groups, rules) = tokio::try_join!(
            object::by_ids::<SdkSecurityGroup>(&client.ec2, ids()),
            rules_of(&client.ec2, ids()),
        )?;
        let observe = |object: &Existing<Self>| {
            let group = groups.get(object.id.as_str())?;
            let own = rules.iter().filter(|rule| rule.group_id() == group.group_id());
            let inputs = Self {
                vpc_id: property::observed(group.vpc_id().map(VpcId::new)),
                rules: own.map(text).collect::<Vec<String>>().into(),
                tags: object::observed_tags(group),
            };
            let outputs = DefaultSecurityGroupOutputs { id: SecurityGroupId::new(group.id()).into() };
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
    ) -> Result<DefaultSecurityGroupOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    /// Takes the ownership tags off; the group goes with its VPC.
    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let tags = step.owner_tags.keys().map(|key| Tag::builder().key(key).build()).collect();
        let request = client.ec2.delete_tags().resources(id.as_str()).set_tags(Some(tags));
        found(request.send().await.during("DeleteTags")).map(|_| ())
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let owned = |group: &SdkSecurityGroup| tags::are_owned(step, &tags_of(group.tags()));
        let group = self.lookup(client).await?.filter(owned);
        Ok(group.map(|group| Found { id: PhysicalId::new(group.id()), failed: None }))
    }
}
