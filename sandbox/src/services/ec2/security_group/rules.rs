//! Security group rules by their own ids.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html>

use winterbaume_ec2_generated::model::{self, DescribeSecurityGroupRulesResult, ReferencedSecurityGroup};
use winterbaume_ec2_generated::wire::serialize_describe_security_group_rules_response;

use super::permissions::{Rule, Source, check_description, read, read_rule};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::ec2::Ec2Tables;
use crate::services::ec2::common::answers::{done, invalid_value};
use crate::services::ec2::common::query::Query;
use crate::services::ec2::common::{kinds, tags};

/// The rules of a group.
pub(crate) fn of<'a>(
    ec2: &'a Ec2Tables,
    scope: &Scope,
    group_id: &str,
) -> impl Iterator<Item = (&'a str, &'a Rule)> {
    ec2.security_group_rules.iter(scope).filter(move |(_, rule)| rule.group_id == group_id)
}

pub(crate) fn describe(call: &mut Call<'_>) -> Reply {
    let known = ["group-id", "security-group-rule-id"];
    let query = Query::read(call.params, &kinds::SECURITY_GROUP_RULE, "SecurityGroupRuleId", &known)?;
    call.params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let rules = ec2.security_group_rules.iter(scope);
    let found = query.run(rules, &ec2.tags, scope, call.shuffle, |id, rule, name| match name {
        "group-id" => vec![rule.group_id.clone()],
        _ => vec![id.to_owned()],
    })?;
    let rules: Vec<_> = found.items.iter().map(|(id, rule)| wire(id, rule, ec2, scope)).collect();
    Ok(response(serialize_describe_security_group_rules_response(&DescribeSecurityGroupRulesResult {
        next_token: found.next_token,
        security_group_rules: Some(rules.into()),
    })))
}

pub(crate) fn modify(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let group_id = params.required("GroupId")?;
    let mut changes = Vec::new();
    for prefix in params.structures("SecurityGroupRule") {
        let id = params.required(&format!("{prefix}.SecurityGroupRuleId"))?;
        changes.push((id, read_rule(params, &format!("{prefix}.SecurityGroupRule"))?));
    }
    params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    kinds::SECURITY_GROUP.find(&ec2.security_groups, scope, group_id)?;
    for (id, wanted) in &changes {
        let rule = find(ec2, scope, group_id, id)?;
        wanted.source.check(ec2, scope, group_id)?;
        if std::mem::discriminant(&rule.source) != std::mem::discriminant(&wanted.source) {
            return Err(invalid_value(format!(
                "The source or destination type of the security group rule '{id}' cannot be changed"
            )));
        }
        let is_twin = |(other, twin): (&str, &Rule)| {
            other != *id && twin.is_egress == rule.is_egress && wanted.is(twin)
        };
        if of(ec2, scope, group_id).any(is_twin) {
            let text = format!("the specified rule \"{}\" already exists", wanted.text());
            return Err(ServiceError::new(400, "InvalidPermission.Duplicate", text));
        }
    }
    for (id, wanted) in changes {
        if let Some(rule) = ec2.security_group_rules.get_mut(scope, id) {
            rule.protocol = wanted.protocol;
            rule.ports = wanted.ports;
            rule.source = wanted.source;
            rule.description = wanted.description;
        }
    }
    done("ModifySecurityGroupRules")
}

pub(crate) fn update_ingress_descriptions(call: &mut Call<'_>) -> Reply {
    update_descriptions(call, false)?;
    done("UpdateSecurityGroupRuleDescriptionsIngress")
}

pub(crate) fn update_egress_descriptions(call: &mut Call<'_>) -> Reply {
    update_descriptions(call, true)?;
    done("UpdateSecurityGroupRuleDescriptionsEgress")
}

/// Sets descriptions of rules that are named by what they permit or by their ids.
fn update_descriptions(call: &mut Call<'_>, is_egress: bool) -> Result<(), ServiceError> {
    let params = call.params;
    let group_id = params.required("GroupId")?;
    let permissions = read(params)?;
    let mut by_id = Vec::new();
    for prefix in params.structures("SecurityGroupRuleDescription") {
        let id = params.required(&format!("{prefix}.SecurityGroupRuleId"))?.to_owned();
        let description = params.text(&format!("{prefix}.Description")).filter(|text| !text.is_empty());
        check_description(description)?;
        by_id.push((id, description.map(str::to_owned)));
    }
    params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    kinds::SECURITY_GROUP.find(&ec2.security_groups, scope, group_id)?;
    let mut changes = Vec::new();
    for wanted in permissions {
        let mut rules = of(ec2, scope, group_id);
        let rule = rules.find(|(_, rule)| rule.is_egress == is_egress && wanted.is(rule));
        let (id, _) = rule.ok_or_else(not_in_group)?;
        changes.push((id.to_owned(), wanted.description));
    }
    for (id, description) in by_id {
        find(ec2, scope, group_id, &id)?;
        changes.push((id, description));
    }
    for (id, description) in changes {
        if let Some(rule) = ec2.security_group_rules.get_mut(scope, &id) {
            rule.description = description;
        }
    }
    Ok(())
}

/// The rule of a group by its id.
pub(super) fn find<'a>(
    ec2: &'a Ec2Tables,
    scope: &Scope,
    group_id: &str,
    id: &str,
) -> Result<&'a Rule, ServiceError> {
    let rule = kinds::SECURITY_GROUP_RULE.find(&ec2.security_group_rules, scope, id)?;
    if rule.group_id == group_id { Ok(rule) } else { Err(kinds::SECURITY_GROUP_RULE.not_found(id)) }
}

/// No rule permits just this.
pub(super) fn not_in_group() -> ServiceError {
    let text = "The specified rule does not exist in this security group.";
    ServiceError::new(400, "InvalidPermission.NotFound", text)
}

/// A rule as it goes over the wire.
pub(super) fn wire(id: &str, rule: &Rule, ec2: &Ec2Tables, scope: &Scope) -> model::SecurityGroupRule {
    let mut wire = model::SecurityGroupRule {
        description: rule.description.clone(),
        from_port: Some(rule.ports.from.unwrap_or(-1)),
        group_id: Some(rule.group_id.clone()),
        group_owner_id: Some(scope.account.to_string()),
        ip_protocol: Some(rule.protocol.clone()),
        is_egress: Some(rule.is_egress),
        security_group_rule_arn: Some(format!(
            "arn:aws:ec2:{}:{}:security-group-rule/{id}",
            scope.region, scope.account
        )),
        security_group_rule_id: Some(id.to_owned()),
        tags: Some(tags::wire(ec2.tags.get(scope, id))),
        to_port: Some(rule.ports.to.unwrap_or(-1)),
        ..Default::default()
    };
    match &rule.source {
        Source::Ipv4(range) => wire.cidr_ipv4 = Some(range.to_string()),
        Source::Ipv6(range) => wire.cidr_ipv6 = Some(range.to_string()),
        Source::PrefixList(id) => wire.prefix_list_id = Some(id.clone()),
        Source::Group(id) => {
            wire.referenced_group_info = Some(ReferencedSecurityGroup {
                group_id: Some(id.clone()),
                user_id: Some(scope.account.to_string()),
                ..Default::default()
            });
        }
    }
    wire
}
