//! Adding and removing rules.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html>

use winterbaume_ec2_generated::model::{
    AuthorizeSecurityGroupEgressResult, AuthorizeSecurityGroupIngressResult, RevokeSecurityGroupEgressResult,
    RevokeSecurityGroupIngressResult, RevokedSecurityGroupRule, SecurityGroupRule,
};
use winterbaume_ec2_generated::wire::{
    serialize_authorize_security_group_egress_response, serialize_authorize_security_group_ingress_response,
    serialize_revoke_security_group_egress_response, serialize_revoke_security_group_ingress_response,
};

use super::permissions::{Rule, Source, read};
use super::rules::{self, find, not_in_group, wire};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::ec2::common::{kinds, quotas, tags};

pub(crate) fn ingress(call: &mut Call<'_>) -> Reply {
    let rules = authorize(call, false)?;
    Ok(response(serialize_authorize_security_group_ingress_response(&AuthorizeSecurityGroupIngressResult {
        r#return: Some(true),
        security_group_rules: Some(rules.into()),
    })))
}

pub(crate) fn egress(call: &mut Call<'_>) -> Reply {
    let rules = authorize(call, true)?;
    Ok(response(serialize_authorize_security_group_egress_response(&AuthorizeSecurityGroupEgressResult {
        r#return: Some(true),
        security_group_rules: Some(rules.into()),
    })))
}

pub(crate) fn revoke_ingress(call: &mut Call<'_>) -> Reply {
    let revoked = revoke(call, false)?;
    Ok(response(serialize_revoke_security_group_ingress_response(&RevokeSecurityGroupIngressResult {
        r#return: Some(true),
        revoked_security_group_rules: Some(revoked.into()),
        ..Default::default()
    })))
}

pub(crate) fn revoke_egress(call: &mut Call<'_>) -> Reply {
    let revoked = revoke(call, true)?;
    Ok(response(serialize_revoke_security_group_egress_response(&RevokeSecurityGroupEgressResult {
        r#return: Some(true),
        revoked_security_group_rules: Some(revoked.into()),
        ..Default::default()
    })))
}

/// Adds all rules of a request, or none.
fn authorize(call: &mut Call<'_>, is_egress: bool) -> Result<Vec<SecurityGroupRule>, ServiceError> {
    let params = call.params;
    let group_id = params.required("GroupId")?;
    let wanted = read(params)?;
    let given = tags::at_creation(params, &kinds::SECURITY_GROUP_RULE)?;
    params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    kinds::SECURITY_GROUP.find(&ec2.security_groups, scope, group_id)?;
    if wanted.is_empty() {
        return Err(ServiceError::new(
            400,
            "MissingParameter",
            "The request must contain the parameter IpPermissions",
        ));
    }
    for (index, permission) in wanted.iter().enumerate() {
        permission.source.check(ec2, scope, group_id)?;
        let exists = rules::of(ec2, scope, group_id)
            .any(|(_, rule)| rule.is_egress == is_egress && permission.is(rule));
        if exists {
            let text = format!("the specified rule \"{}\" already exists", permission.text());
            return Err(ServiceError::new(400, "InvalidPermission.Duplicate", text));
        }
        let is_same = |other: &super::permissions::Wanted| {
            other.protocol == permission.protocol
                && other.ports == permission.ports
                && other.source == permission.source
        };
        if wanted[..index].iter().any(is_same) {
            let text = "The same permission must not appear multiple times";
            return Err(ServiceError::new(400, "InvalidParameterValue", text));
        }
    }
    let existing = rules::of(ec2, scope, group_id).filter(|(_, rule)| rule.is_egress == is_egress).count();
    quotas::RULES.check(call, existing + wanted.len() - 1)?;
    let mut made = Vec::new();
    for permission in wanted {
        let id = call.identifiers.ec2(kinds::SECURITY_GROUP_RULE.prefix);
        let rule = Rule {
            group_id: group_id.to_owned(),
            is_egress,
            protocol: permission.protocol,
            ports: permission.ports,
            source: permission.source,
            description: permission.description,
            is_made_by_aws: false,
        };
        call.tables.ec2.security_group_rules.insert(&call.scope, &id, rule.clone());
        tags::put(call, &id, given.clone());
        made.push(wire(&id, &rule, &call.tables.ec2, &call.scope));
    }
    Ok(made)
}

/// Removes all rules of a request, or none.
fn revoke(call: &mut Call<'_>, is_egress: bool) -> Result<Vec<RevokedSecurityGroupRule>, ServiceError> {
    let params = call.params;
    let group_id = params.required("GroupId")?;
    let wanted = read(params)?;
    let mut ids: Vec<String> = params.list("SecurityGroupRuleId").into_iter().map(str::to_owned).collect();
    params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    kinds::SECURITY_GROUP.find(&ec2.security_groups, scope, group_id)?;
    if wanted.is_empty() && ids.is_empty() {
        return Err(ServiceError::new(
            400,
            "MissingParameter",
            "The request must contain the parameter IpPermissions",
        ));
    }
    for id in &ids {
        if find(ec2, scope, group_id, id)?.is_egress != is_egress {
            return Err(kinds::SECURITY_GROUP_RULE.not_found(id));
        }
    }
    for permission in &wanted {
        let mut rules = rules::of(ec2, scope, group_id);
        let rule = rules.find(|(_, rule)| rule.is_egress == is_egress && permission.is(rule));
        ids.push(rule.ok_or_else(not_in_group)?.0.to_owned());
    }
    let mut revoked = Vec::new();
    for id in ids {
        ec2.tags.remove(scope, &id);
        if let Some(rule) = ec2.security_group_rules.remove(scope, &id) {
            revoked.push(wire_revoked(&id, &rule));
        }
    }
    Ok(revoked)
}

fn wire_revoked(id: &str, rule: &Rule) -> RevokedSecurityGroupRule {
    let mut wire = RevokedSecurityGroupRule {
        description: rule.description.clone(),
        from_port: Some(rule.ports.from.unwrap_or(-1)),
        group_id: Some(rule.group_id.clone()),
        ip_protocol: Some(rule.protocol.clone()),
        is_egress: Some(rule.is_egress),
        security_group_rule_id: Some(id.to_owned()),
        to_port: Some(rule.ports.to.unwrap_or(-1)),
        ..Default::default()
    };
    match &rule.source {
        Source::Ipv4(range) => wire.cidr_ipv4 = Some(range.to_string()),
        Source::Ipv6(range) => wire.cidr_ipv6 = Some(range.to_string()),
        Source::PrefixList(id) => wire.prefix_list_id = Some(id.clone()),
        Source::Group(id) => wire.referenced_group_id = Some(id.clone()),
    }
    wire
}
