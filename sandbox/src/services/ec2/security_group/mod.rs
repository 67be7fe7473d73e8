//! Security groups. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroup.html>

pub(super) mod authorize;
pub(crate) mod permissions;
pub(super) mod rules;

use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, CreateSecurityGroupResult, DeleteSecurityGroupResult, DescribeSecurityGroupsResult,
};
use winterbaume_ec2_generated::wire::{
    serialize_create_security_group_response, serialize_delete_security_group_response,
    serialize_describe_security_groups_response,
};

use self::permissions::{Ports, Protocol, Rule, Source};
use super::Ec2Tables;
use super::common::answers::invalid_value;
use super::common::query::Query;
use super::common::tags::Tags;
use super::common::{kinds, quotas, tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// A security group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SecurityGroup {
    pub(crate) vpc_id: String,
    pub(crate) name: String,
    pub(crate) description: String,
}

/// The name of the group that AWS makes in each VPC, which no other can have.
const DEFAULT: &str = "default";
/// The longest name and description, in characters.
const LONGEST: usize = 255;

impl SecurityGroup {
    /// Whether AWS made it with its VPC.
    pub(crate) fn is_default(&self) -> bool {
        self.name == DEFAULT
    }
}

const FILTERS: &[&str] = &[
    "description",
    "egress.ip-permission.cidr",
    "egress.ip-permission.group-id",
    "group-id",
    "group-name",
    "ip-permission.cidr",
    "ip-permission.from-port",
    "ip-permission.group-id",
    "ip-permission.protocol",
    "ip-permission.to-port",
    "owner-id",
    "vpc-id",
];

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.required("GroupName")?;
    let description = params.required("GroupDescription")?;
    let vpc_id = params.required("VpcId")?;
    let given = tags::at_creation(params, &kinds::SECURITY_GROUP)?;
    params.finish()?;
    kinds::VPC.find(&call.tables.ec2.vpcs, &call.scope, vpc_id)?;
    check_text("groupName", name)?;
    check_text("groupDescription", description)?;
    if name.starts_with("sg-") {
        return Err(invalid_value("Invalid security group name. Group names may not be in the format sg-*."));
    }
    if name == DEFAULT {
        let text = format!("Cannot use reserved security group name: {DEFAULT}");
        return Err(invalid_value(text));
    }
    check_name(call, vpc_id, name)?;
    quotas::SECURITY_GROUPS.check(call, call.tables.ec2.security_groups.iter(&call.scope).count())?;
    let id = make(call, vpc_id, name, description);
    let answer = CreateSecurityGroupResult {
        group_id: Some(id.clone()),
        security_group_arn: Some(arn(&call.scope, &id)),
        tags: Some(tags::wire(Some(&given))),
    };
    tags::put(call, &id, given);
    Ok(response(serialize_create_security_group_response(&answer)))
}

/// Refuses a name that another group of the VPC has.
fn check_name(call: &Call<'_>, vpc_id: &str, name: &str) -> Result<(), ServiceError> {
    let is_taken =
        |(_, group): (&str, &SecurityGroup)| group.vpc_id == vpc_id && group.name.eq_ignore_ascii_case(name);
    if call.tables.ec2.security_groups.iter(&call.scope).any(is_taken) {
        let text = format!("The security group '{name}' already exists for VPC '{vpc_id}'");
        return Err(ServiceError::new(400, "InvalidGroup.Duplicate", text));
    }
    Ok(())
}

/// Characters that names and descriptions take.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
fn check_text(parameter: &str, text: &str) -> Result<(), ServiceError> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(character);
    if text.chars().count() > LONGEST || !text.chars().all(is_allowed) {
        return Err(invalid_value(format!(
            "Value ({text}) for parameter {parameter} is invalid. Character sets beyond ASCII are not supported, nor are more than {LONGEST} characters."
        )));
    }
    Ok(())
}

/// A group that lets everything out, as every new one does.
fn make(call: &mut Call<'_>, vpc_id: &str, name: &str, description: &str) -> String {
    let id = call.identifiers.ec2(kinds::SECURITY_GROUP.prefix);
    let group = SecurityGroup {
        vpc_id: vpc_id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
    };
    call.tables.ec2.security_groups.insert(&call.scope, &id, group);
    add_rule(call, &id, true, Source::EVERYWHERE);
    id
}

/// Adds a rule of AWS's own for all traffic.
fn add_rule(call: &mut Call<'_>, group_id: &str, is_egress: bool, source: Source) {
    let id = call.identifiers.ec2(kinds::SECURITY_GROUP_RULE.prefix);
    let rule = Rule {
        group_id: group_id.to_owned(),
        is_egress,
        protocol: Protocol::ALL.to_owned(),
        ports: Ports::NONE,
        source,
        description: None,
        is_made_by_aws: true,
    };
    call.tables.ec2.security_group_rules.insert(&call.scope, id, rule);
}

/// Makes the group of a new VPC that its interfaces get when nothing else is said.
pub(super) fn make_default(call: &mut Call<'_>, vpc_id: &str) {
    let id = make(call, vpc_id, DEFAULT, "default VPC security group");
    add_rule(call, &id, false, Source::Group(id.clone()));
}

/// Removes the default group of a deleted VPC.
pub(super) fn unmake_default(call: &mut Call<'_>, vpc_id: &str) {
    if let Some(id) = default_of(&call.tables.ec2, &call.scope, vpc_id) {
        remove(&mut call.tables.ec2, &call.scope, &id);
    }
}

/// The id of a VPC's default group.
pub(super) fn default_of(ec2: &Ec2Tables, scope: &Scope, vpc_id: &str) -> Option<String> {
    let mut groups = ec2.security_groups.iter(scope);
    groups.find(|(_, group)| group.vpc_id == vpc_id && group.is_default()).map(|(id, _)| id.to_owned())
}

/// Makes a group of a service's own, which lets in what comes from itself.
pub(crate) fn make_for_service(
    call: &mut Call<'_>,
    vpc_id: &str,
    name: &str,
    description: &str,
    given: Tags,
) -> String {
    let id = make(call, vpc_id, name, description);
    add_rule(call, &id, false, Source::Group(id.clone()));
    tags::put(call, &id, given);
    id
}

/// Removes a service's group; one that something else still uses is left behind, as it is by AWS.
pub(crate) fn unmake_for_service(ec2: &mut Ec2Tables, scope: &Scope, id: &str) {
    if !is_used(ec2, scope, id) {
        remove(ec2, scope, id);
    }
}

/// Makes a group for a controller of a cluster, as anybody makes one.
///
/// # Errors
/// `InvalidGroup.Duplicate`.
pub(crate) fn make_for_controller(
    call: &mut Call<'_>,
    vpc_id: &str,
    name: &str,
    description: &str,
    given: Tags,
) -> Result<String, ServiceError> {
    check_name(call, vpc_id, name)?;
    let id = make(call, vpc_id, name, description);
    tags::put(call, &id, given);
    Ok(id)
}

/// Makes and removes rules of a controller's until what a group lets in, of the rules that `is_own` is true of, is this: a
/// range of TCP ports, from where, and a description.
pub(crate) fn let_in(
    call: &mut Call<'_>,
    group_id: &str,
    wanted: &[(u16, u16, Source, &str)],
    is_own: impl Fn(&Rule) -> bool,
) {
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let rule = |(from, to, source, description): &(u16, u16, Source, &str)| Rule {
        group_id: group_id.to_owned(),
        is_egress: false,
        protocol: "tcp".to_owned(),
        ports: Ports { from: Some(i32::from(*from)), to: Some(i32::from(*to)) },
        source: source.clone(),
        description: Some((*description).to_owned()).filter(|text| !text.is_empty()),
        is_made_by_aws: false,
    };
    let mut missing: Vec<Rule> = wanted.iter().map(rule).collect();
    let known = rules::of(ec2, scope, group_id).filter(|(_, rule)| !rule.is_egress && is_own(rule));
    let known: Vec<(String, Rule)> = known.map(|(id, rule)| (id.to_owned(), rule.clone())).collect();
    for (id, rule) in known {
        match missing.iter().position(|one| *one == rule) {
            Some(index) => drop(missing.swap_remove(index)),
            None => drop(ec2.security_group_rules.remove(scope, &id)),
        }
    }
    for rule in missing {
        let id = call.identifiers.ec2(kinds::SECURITY_GROUP_RULE.prefix);
        call.tables.ec2.security_group_rules.insert(&call.scope, id, rule);
    }
}

/// Removes a controller's group. One that is gone already is gone.
///
/// # Errors
/// `DependencyViolation` while something uses it.
pub(crate) fn unmake_for_controller(call: &mut Call<'_>, id: &str) -> Result<(), ServiceError> {
    if is_used(&call.tables.ec2, &call.scope, id) {
        return Err(kinds::SECURITY_GROUP.has_dependencies(id));
    }
    remove(&mut call.tables.ec2, &call.scope, id);
    Ok(())
}

/// Whether an interface, or a rule of another group, has a group.
fn is_used(ec2: &Ec2Tables, scope: &Scope, id: &str) -> bool {
    let mut interfaces = ec2.network_interfaces.iter(scope);
    let mut rules = ec2.security_group_rules.iter(scope);
    interfaces.any(|(_, interface)| interface.groups.iter().any(|group| group == id))
        || rules.any(|(_, rule)| {
            rule.group_id != id && matches!(&rule.source, Source::Group(group) if group == id)
        })
}

fn remove(ec2: &mut Ec2Tables, scope: &Scope, id: &str) {
    let rules: Vec<_> = rules::of(ec2, scope, id).map(|(rule, _)| rule.to_owned()).collect();
    for rule in rules {
        ec2.security_group_rules.remove(scope, &rule);
        ec2.tags.remove(scope, &rule);
    }
    ec2.security_groups.remove(scope, id);
    ec2.tags.remove(scope, id);
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let names = call.params.list("GroupName");
    let query = Query::read(call.params, &kinds::SECURITY_GROUP, "GroupId", FILTERS)?;
    call.params.finish()?;
    if !names.is_empty() {
        // Names stand for groups of the default VPC alone, and there is none.
        let text = "Group names are only supported for EC2-Classic and default VPC";
        return Err(ServiceError::new(400, "InvalidParameterValue", text));
    }
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let groups = ec2.security_groups.iter(scope);
    let found = query.run(groups, &ec2.tags, scope, call.shuffle, |id, group, name| {
        let rules = |is_egress| {
            rules::of(ec2, scope, id).map(|(_, rule)| rule).filter(move |rule| rule.is_egress == is_egress)
        };
        match name {
            "description" => vec![group.description.clone()],
            "egress.ip-permission.cidr" => rules(true).filter_map(|rule| rule.source.range()).collect(),
            "egress.ip-permission.group-id" => rules(true).filter_map(|rule| rule.source.group()).collect(),
            "group-name" => vec![group.name.clone()],
            "ip-permission.cidr" => rules(false).filter_map(|rule| rule.source.range()).collect(),
            "ip-permission.from-port" => {
                rules(false).filter_map(|rule| rule.ports.from).map(|port| port.to_string()).collect()
            }
            "ip-permission.group-id" => rules(false).filter_map(|rule| rule.source.group()).collect(),
            "ip-permission.protocol" => rules(false).map(|rule| rule.protocol.clone()).collect(),
            "ip-permission.to-port" => {
                rules(false).filter_map(|rule| rule.ports.to).map(|port| port.to_string()).collect()
            }
            "owner-id" => vec![scope.account.to_string()],
            "vpc-id" => vec![group.vpc_id.clone()],
            _ => vec![id.to_owned()],
        }
    })?;
    let groups: Vec<_> = found
        .items
        .iter()
        .map(|(id, group)| model::SecurityGroup {
            description: Some(group.description.clone()),
            group_id: Some((*id).to_owned()),
            group_name: Some(group.name.clone()),
            ip_permissions: Some(permissions::wire(rules::of(ec2, scope, id), false, scope).into()),
            ip_permissions_egress: Some(permissions::wire(rules::of(ec2, scope, id), true, scope).into()),
            owner_id: Some(scope.account.to_string()),
            security_group_arn: Some(arn(scope, id)),
            tags: Some(tags::wire(ec2.tags.get(scope, id))),
            vpc_id: Some(group.vpc_id.clone()),
        })
        .collect();
    Ok(response(serialize_describe_security_groups_response(&DescribeSecurityGroupsResult {
        next_token: found.next_token,
        security_groups: Some(groups.into()),
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let id = call.params.required("GroupId")?;
    call.params.finish()?;
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let group = kinds::SECURITY_GROUP.find(&ec2.security_groups, scope, id)?;
    if group.is_default() {
        let text = format!("the specified group: \"{id}\" name: \"{DEFAULT}\" cannot be deleted by a user");
        return Err(ServiceError::new(400, "CannotDelete", text));
    }
    if is_used(ec2, scope, id) {
        return Err(kinds::SECURITY_GROUP.has_dependencies(id));
    }
    remove(ec2, scope, id);
    Ok(response(serialize_delete_security_group_response(&DeleteSecurityGroupResult {
        group_id: Some(id.to_owned()),
        r#return: Some(true),
    })))
}

fn arn(scope: &Scope, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:security-group/{id}", scope.region, scope.account)
}
