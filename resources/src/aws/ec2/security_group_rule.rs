//! Rules of security groups, one by one.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, PrefixListId as SdkPrefixList, ResourceType as TagTarget,
    SecurityGroupRule as SdkRule, SecurityGroupRuleRequest, SecurityGroupRuleUpdate, Tag, UserIdGroupPair,
};
use ipnet::Ipv4Net;
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Property, ResourceType, StepContext,
};
use serde::{Deserialize, Serialize};

use crate::aws::ec2::object::{self, Ec2Object};
use crate::aws::ec2::security_group::check_text;
use crate::aws::ec2::{PrefixListId, SecurityGroupId, SecurityGroupRuleId, cidr};
use crate::aws::error::During;
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::until_deleted;
use crate::aws::{Arn, AwsClients, durations, tags};

/// One rule of a security group: who may reach its members, or whom they may reach.
///
/// Exactly one of `cidr_ipv4`, `prefix_list_id` and `referenced_group_id` names the other side.
#[derive(Clone, Default, Inputs)]
pub struct SecurityGroupRule {
    /// The group.
    #[input(required, replace)]
    pub group_id: Input<SecurityGroupId>,
    /// Towards its members or away from them.
    #[input(required, replace)]
    pub direction: Input<Direction>,
    /// The protocol.
    #[input(required, replace)]
    pub protocol: Input<Protocol>,
    /// The first port, or the ICMP type (-1: all).
    #[input(replace)]
    pub from_port: Input<i32>,
    /// The last port, or the ICMP code (-1: all).
    #[input(replace)]
    pub to_port: Input<i32>,
    /// The other side: an IPv4 range.
    #[input(replace)]
    pub cidr_ipv4: Input<Ipv4Net>,
    /// The other side: a prefix list, such as the one of S3 in the region.
    #[input(replace)]
    pub prefix_list_id: Input<PrefixListId>,
    /// The other side: the members of a security group.
    #[input(replace)]
    pub referenced_group_id: Input<SecurityGroupId>,
    /// What it is for.
    pub description: Input<String>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// Which way connections are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards the members of the group.
    Ingress,
    /// Away from the members of the group.
    Egress,
}

/// An IP protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP, with ports.
    Tcp,
    /// UDP, with ports.
    Udp,
    /// ICMP, with type and code.
    Icmp,
    /// Every protocol, with all ports.
    All,
}

impl Protocol {
    fn to_aws(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::All => "-1",
        }
    }

    fn from_aws(name: &str) -> Option<Self> {
        [Self::Tcp, Self::Udp, Self::Icmp, Self::All].into_iter().find(|protocol| protocol.to_aws() == name)
    }
}

/// What a rule gives.
#[derive(Clone, Outputs)]
pub struct SecurityGroupRuleOutputs {
    /// Its id.
    pub id: Output<SecurityGroupRuleId>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

impl Ec2Object for SdkRule {
    const NAME: &'static str = "security group rule";
    const ID_FILTER: &'static str = "security-group-rule-id";

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let request = ec2.describe_security_group_rules().set_filters(Some(filters));
        request.into_paginator().items().send().try_collect().await.during("DescribeSecurityGroupRules")
    }

    fn id(&self) -> &str {
        self.security_group_rule_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
}

impl SecurityGroupRule {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<SecurityGroupRuleOutputs, ProviderError> {
        let rule: SdkRule = object::tagged(&client.ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        if let Some(description) = scope.wanted("description", &self.description, String::new())
            && (scope.is_change("description") || description != rule.description().unwrap_or_default())
        {
            self.describe_anew(&client.ec2, id, description).await?;
        }
        Ok(outputs(client, &rule))
    }

    /// The call takes a whole rule: what it is not told, it resets.
    async fn describe_anew(
        &self,
        ec2: &Client,
        id: &PhysicalId,
        description: String,
    ) -> Result<(), ProviderError> {
        let rule = SecurityGroupRuleRequest::builder()
            .set_ip_protocol(self.protocol.get().map(|protocol| protocol.to_aws().to_owned()))
            .from_port(self.from_port.get().unwrap_or(-1))
            .to_port(self.to_port.get().unwrap_or(-1))
            .set_cidr_ipv4(self.cidr_ipv4.get().map(|cidr| cidr.to_string()))
            .set_prefix_list_id(self.prefix_list_id.get().map(String::from))
            .set_referenced_group_id(self.referenced_group_id.get().map(String::from))
            .set_description((!description.is_empty()).then_some(description))
            .build();
        let update =
            SecurityGroupRuleUpdate::builder().security_group_rule_id(id.as_str()).security_group_rule(rule);
        let request = ec2.modify_security_group_rules().set_group_id(self.group_id.get().map(String::from));
        let answer = request.security_group_rules(update.build()).send().await;
        answer.during("ModifySecurityGroupRules").map(|_| ())
    }

    fn permission(&self) -> IpPermission {
        let description = self.description.get();
        let cidr = self.cidr_ipv4.get().map(|cidr| {
            IpRange::builder().cidr_ip(cidr.to_string()).set_description(description.clone()).build()
        });
        let list = self.prefix_list_id.get().map(|list| {
            SdkPrefixList::builder()
                .prefix_list_id(list.as_str())
                .set_description(description.clone())
                .build()
        });
        let group = self.referenced_group_id.get().map(|group| {
            UserIdGroupPair::builder().group_id(group.as_str()).set_description(description.clone()).build()
        });
        IpPermission::builder()
            .set_ip_protocol(self.protocol.get().map(|protocol| protocol.to_aws().to_owned()))
            .set_from_port(self.from_port.get())
            .set_to_port(self.to_port.get())
            .set_ip_ranges(cidr.map(|cidr| vec![cidr]))
            .set_prefix_list_ids(list.map(|list| vec![list]))
            .set_user_id_group_pairs(group.map(|group| vec![group]))
            .build()
    }

    fn check_ports(&self) -> Vec<InputProblem> {
        let ports = [("from_port", &self.from_port), ("to_port", &self.to_port)];
        let Some(protocol) = self.protocol.get() else { return Vec::new() };
        let of_port = |(path, port): (&str, &Input<i32>)| match protocol {
            Protocol::All if port.is_given() => Some(problem(path, "a rule for all protocols has no ports")),
            Protocol::All => None,
            _ if !port.is_given() => Some(problem(path, "a rule for one protocol needs ports")),
            Protocol::Icmp => {
                let outside = !(-1..=255).contains(&port.get()?);
                outside.then(|| problem(path, "an ICMP type or code is -1 (all) to 255"))
            }
            Protocol::Tcp | Protocol::Udp => {
                let outside = !(0..=65535).contains(&port.get()?);
                outside.then(|| problem(path, "a port is 0 to 65535"))
            }
        };
        let mut problems: Vec<_> = ports.into_iter().filter_map(of_port).collect();
        if let (Protocol::Tcp | Protocol::Udp, Some(from), Some(to)) =
            (protocol, self.from_port.get(), self.to_port.get())
            && from > to
        {
            problems.push(problem("to_port", format!("{to} is below from_port, which is {from}")));
        }
        problems
    }
}

fn outputs(client: &AwsClients, rule: &SdkRule) -> SecurityGroupRuleOutputs {
    SecurityGroupRuleOutputs {
        id: SecurityGroupRuleId::new(rule.id()).into(),
        arn: client.connection.arn("ec2", &format!("security-group-rule/{}", rule.id())).into(),
    }
}

/// A port as it was observed: AWS shows -1 where a rule has none.
fn observed_port(rule: &SdkRule, port: Option<i32>) -> Input<i32> {
    let has_ports = rule.ip_protocol() != Some("-1");
    property::observed_or_absent(port.filter(|_| has_ports))
}

#[async_trait]
impl ResourceType for SecurityGroupRule {
    const TYPE: &'static str = "aws:ec2:SecurityGroupRule";
    const ID_FORM: &'static str = "the id of the rule: `sgr-0a1b`";
    const SERVICE: &'static str = "ec2";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = SecurityGroupRuleOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(self.check_ports());
        problems.extend(check_text("description", &self.description));
        let sides =
            [self.cidr_ipv4.is_given(), self.prefix_list_id.is_given(), self.referenced_group_id.is_given()];
        if sides.into_iter().filter(|given| *given).count() != 1 {
            let message = "give exactly one of cidr_ipv4, prefix_list_id and referenced_group_id";
            problems.push(problem("cidr_ipv4", message));
        }
        problems.extend(cidr::check_host_bits("cidr_ipv4", &self.cidr_ipv4));
        problems
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let group = self.group_id.get().map(String::from);
        let tags = object::tag_specification(TagTarget::SecurityGroupRule, step, &self.tags);
        let egress = self.direction.get() == Some(Direction::Egress);
        let rules = if egress {
            let call = "AuthorizeSecurityGroupEgress";
            let request = client
                .ec2
                .authorize_security_group_egress()
                .set_group_id(group.clone())
                .ip_permissions(self.permission())
                .tag_specifications(tags.clone());
            let answer = request.customize().config_override(object::sent_once()).send().await;
            answer.during(call)?.security_group_rules
        } else {
            let call = "AuthorizeSecurityGroupIngress";
            let request = client
                .ec2
                .authorize_security_group_ingress()
                .set_group_id(group.clone())
                .ip_permissions(self.permission())
                .tag_specifications(tags.clone());
            let answer = request.customize().config_override(object::sent_once()).send().await;
            answer.during(call)?.security_group_rules
        };
        let id = rules.as_deref().and_then(<[SdkRule]>::first).and_then(SdkRule::security_group_rule_id);
        object::created("AuthorizeSecurityGroup", id)
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<SecurityGroupRuleOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids = objects.iter().map(|object| &object.id);
        let rules = object::by_ids::<SdkRule>(&client.ec2, ids).await?;
        let observe = |object: &Existing<Self>| {
            let rule = rules.get(object.id.as_str())?;
            let direction =
                if rule.is_egress() == Some(true) { Direction::Egress } else { Direction::Ingress };
            let referenced = rule.referenced_group_info().and_then(|group| group.group_id());
            let inputs = Self {
                group_id: property::observed(rule.group_id().map(SecurityGroupId::new)),
                direction: direction.into(),
                protocol: property::observed_or_absent(rule.ip_protocol().and_then(Protocol::from_aws)),
                from_port: observed_port(rule, rule.from_port()),
                to_port: observed_port(rule, rule.to_port()),
                cidr_ipv4: property::observed_or_absent(cidr::parse(rule.cidr_ipv4())),
                prefix_list_id: property::observed_or_absent(rule.prefix_list_id().map(PrefixListId::new)),
                referenced_group_id: property::observed_or_absent(referenced.map(SecurityGroupId::new)),
                description: rule.description().unwrap_or_default().into(),
                tags: object::observed_tags(rule),
            };
            Some(Observed { inputs, outputs: outputs(client, rule) })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<SecurityGroupRuleOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let group = self.group_id.get().map(String::from);
            if self.direction.get() == Some(Direction::Egress) {
                let request = client.ec2.revoke_security_group_egress().set_group_id(group);
                let answer = request.security_group_rule_ids(id.as_str()).send().await;
                answer.during("RevokeSecurityGroupEgress").map(|_| ())
            } else {
                let request = client.ec2.revoke_security_group_ingress().set_group_id(group);
                let answer = request.security_group_rule_ids(id.as_str()).send().await;
                answer.during("RevokeSecurityGroupIngress").map(|_| ())
            }
        })
        .await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkRule>(&client.ec2, step).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: Protocol, from: Option<i32>, to: Option<i32>) -> SecurityGroupRule {
        SecurityGroupRule {
            protocol: protocol.into(),
            from_port: property::observed(from),
            to_port: property::observed(to),
            prefix_list_id: PrefixListId::new("pl-1").into(),
            ..SecurityGroupRule::default()
        }
    }

    #[test]
    fn ports_go_with_the_protocol() {
        for (protocol, from, to, problems) in [
            (Protocol::Tcp, Some(443), Some(443), 0),
            (Protocol::Udp, Some(0), Some(65535), 0),
            (Protocol::Icmp, Some(-1), Some(-1), 0),
            (Protocol::All, None, None, 0),
            (Protocol::Tcp, None, None, 2),
            (Protocol::Tcp, Some(443), Some(80), 1),
            (Protocol::Tcp, Some(0), Some(65536), 1),
            (Protocol::Icmp, Some(256), Some(-1), 1),
            (Protocol::All, Some(443), Some(443), 2),
        ] {
            let found = rule(protocol, from, to).check();
            assert_eq!(found.len(), problems, "{protocol:?} {from:?} to {to:?}: {found:?}");
        }
    }

    #[test]
    fn exactly_one_other_side_is_named() {
        let one = rule(Protocol::All, None, None);
        let none = SecurityGroupRule { prefix_list_id: Input::default(), ..one.clone() };
        let unknown = SecurityGroupRule { referenced_group_id: Output::unknown().into(), ..none.clone() };
        let two = SecurityGroupRule { referenced_group_id: Output::unknown().into(), ..one.clone() };
        for (rule, problems) in [(one, 0), (none, 1), (unknown, 0), (two, 1)] {
            assert_eq!(rule.check().len(), problems);
        }
    }
}
