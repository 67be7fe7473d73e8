//! The rules of listeners. <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Rule.html>

use serde::{Deserialize, Serialize};
use winterbaume_elasticloadbalancingv2::model::{
    DeleteRuleOutput, DescribeRulesOutput, HostHeaderConditionConfig, PathPatternConditionConfig,
    Rule as RuleAnswer, RuleCondition,
};
use winterbaume_elasticloadbalancingv2::wire;

use super::answers::{invalid, no_rule, page};
use super::listener::{self, Action};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::response;
use crate::services::Tables;
use crate::services::common::tag_list::Tags;

/// A rule, kept under its ARN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// From 1; the lowest that fits counts.
    pub(crate) priority: u32,
    /// Hosts of requests that it is about; any without one.
    pub(crate) hosts: Vec<String>,
    /// Patterns of their paths; any without one.
    pub(crate) paths: Vec<String>,
    /// What becomes of them.
    pub(crate) action: Action,
    pub(crate) tags: Tags,
}

impl Rule {
    fn answer(&self, arn: &str) -> RuleAnswer {
        let mut conditions = Vec::new();
        if !self.hosts.is_empty() {
            let values = Some(self.hosts.clone().into());
            conditions.push(RuleCondition {
                field: Some("host-header".to_owned()),
                host_header_config: Some(HostHeaderConditionConfig { regex_values: None, values }),
                values: Some(self.hosts.clone().into()),
                ..RuleCondition::default()
            });
        }
        if !self.paths.is_empty() {
            let values = Some(self.paths.clone().into());
            conditions.push(RuleCondition {
                field: Some("path-pattern".to_owned()),
                path_pattern_config: Some(PathPatternConditionConfig { regex_values: None, values }),
                values: Some(self.paths.clone().into()),
                ..RuleCondition::default()
            });
        }
        RuleAnswer {
            actions: Some(vec![self.action.answer()].into()),
            conditions: Some(conditions.into()),
            is_default: Some(false),
            priority: Some(self.priority.to_string()),
            rule_arn: Some(arn.to_owned()),
            transforms: None,
        }
    }
}

/// The rules of a listener, with their ARNs.
pub(crate) fn of<'t>(
    tables: &'t Tables,
    scope: &Scope,
    listener_arn: &str,
) -> impl Iterator<Item = (&'t str, &'t Rule)> {
    let prefix = format!("{}/", listener_arn.replacen(":listener/", ":listener-rule/", 1));
    tables.elbv2.rules.within(scope, &prefix)
}

/// Makes and deletes rules until a listener has these.
pub(crate) fn set(call: &mut Call<'_>, listener_arn: &str, wanted: Vec<Rule>) {
    let known: Vec<(String, Rule)> = of(call.tables, &call.scope, listener_arn)
        .map(|(arn, rule)| (arn.to_owned(), rule.clone()))
        .collect();
    for (arn, rule) in &known {
        if !wanted.contains(rule) {
            call.tables.elbv2.rules.remove(&call.scope, arn);
        }
    }
    for rule in wanted {
        if known.iter().all(|(_, one)| *one != rule) {
            let prefix = listener_arn.replacen(":listener/", ":listener-rule/", 1);
            let arn = format!("{prefix}/{}", call.identifiers.hexadecimal(16));
            call.tables.elbv2.rules.insert(&call.scope, arn, rule);
        }
    }
}

/// The rule that stands for the default action of a listener.
fn default_rule(listener_arn: &str, action: &Action) -> RuleAnswer {
    let prefix = listener_arn.replacen(":listener/", ":listener-rule/", 1);
    RuleAnswer {
        actions: Some(vec![action.answer()].into()),
        conditions: Some(Vec::new().into()),
        is_default: Some(true),
        priority: Some("default".to_owned()),
        rule_arn: Some(format!("{prefix}/default")),
        transforms: None,
    }
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arns = params.list("RuleArns");
    let listener_arn = params.text("ListenerArn");
    let page = page(params)?;
    params.finish()?;
    let mut found = Vec::new();
    if let Some(listener_arn) = listener_arn {
        let action = &listener::find(call, listener_arn)?.settings.action;
        found.push(("~".to_owned(), default_rule(listener_arn, action)));
        for (arn, rule) in of(call.tables, &call.scope, listener_arn) {
            found.push((format!("{:06}", rule.priority), rule.answer(arn)));
        }
    } else if arns.is_empty() {
        return Err(invalid("You must specify either listener rule ARNs or a listener ARN"));
    }
    for arn in arns {
        let rule = call.tables.elbv2.rules.find(&call.scope, arn).ok_or_else(no_rule)?;
        found.push((arn.to_owned(), rule.answer(arn)));
    }
    let page = page.page(found);
    Ok(response(wire::serialize_describe_rules_response(&DescribeRulesOutput {
        next_marker: page.marker,
        rules: Some(page.items.into()),
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let arn = call.params.required("RuleArn")?;
    call.params.finish()?;
    call.tables.elbv2.rules.find(&call.scope, arn).ok_or_else(no_rule)?;
    call.tables.elbv2.rules.remove(&call.scope, arn);
    Ok(response(wire::serialize_delete_rule_response(&DeleteRuleOutput {})))
}
