//! Parameter groups: what databases are configured with.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBParameterGroup.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use winterbaume_rds::model::{
    self, CreateDBParameterGroupResult, DBParameterGroup, DBParameterGroupDetails,
    DBParameterGroupNameMessage, DBParameterGroupsMessage,
};
use winterbaume_rds::wire;

use super::engine_version::is_family;
use super::errors::{invalid_combination, invalid_value, parameter_group_not_found};
use super::fields;
use super::parameter::{PARAMETERS, Parameter};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::protocol::response;
use crate::services::common::quotas::Quota;
use crate::services::common::tag_list::{self, Tags};

pub(super) const PARAMETER_GROUPS: Quota = Quota {
    name: "db-parameter-groups",
    code: "DBParameterGroupQuotaExceeded",
    text: "Request would result in the user exceeding the allowed number of DB parameter groups.",
};

/// What the names of the groups that AWS itself makes begin with; the family follows.
const DEFAULT_PREFIX: &str = "default.";
/// How many parameters one call may change.
const MOST_AT_ONCE: usize = 20;

/// A parameter group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ParameterGroup {
    pub(super) family: String,
    description: String,
    /// What a user has set, by name.
    values: BTreeMap<String, UserValue>,
    pub(super) tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct UserValue {
    value: String,
    apply_method: String,
}

impl ParameterGroup {
    /// The group that AWS itself has for a family.
    fn of_aws(family: &str) -> Self {
        Self {
            family: family.to_owned(),
            description: format!("Default parameter group for {family}"),
            values: BTreeMap::new(),
            tags: Tags::new(),
        }
    }
}

/// The name of the group that AWS itself has for a family.
pub(super) fn default_name(family: &str) -> String {
    format!("{DEFAULT_PREFIX}{family}")
}

/// The group that a request names.
pub(super) fn find(call: &Call<'_>, name: &str) -> Result<ParameterGroup, ServiceError> {
    let name = name.to_ascii_lowercase();
    if let Some(family) = name.strip_prefix(DEFAULT_PREFIX).filter(|family| is_family(family)) {
        return Ok(ParameterGroup::of_aws(family));
    }
    let found = call.tables.rds.parameter_groups.find(&call.scope, &name);
    found.cloned().ok_or_else(|| parameter_group_not_found(&name))
}

fn answer(call: &Call<'_>, name: &str, group: &ParameterGroup) -> DBParameterGroup {
    DBParameterGroup {
        d_b_parameter_group_arn: Some(call.arn("rds", &format!("pg:{name}"))),
        d_b_parameter_group_family: Some(group.family.clone()),
        d_b_parameter_group_name: Some(name.to_owned()),
        description: Some(group.description.clone()),
    }
}

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = fields::identifier(params, "DBParameterGroupName", 255)?;
    let family = params.required("DBParameterGroupFamily")?;
    let description = params.required("Description")?;
    let tags = tag_list::given(params)?;
    params.finish()?;
    if !is_family(family) {
        return Err(invalid_value(format!(
            "ParameterGroupFamily {family} is not a valid parameter group family"
        )));
    }
    let groups = &call.tables.rds.parameter_groups;
    if groups.contains(&call.scope, &name) {
        let text = format!("Parameter group {name} already exists");
        return Err(ServiceError::new(400, "DBParameterGroupAlreadyExists", text));
    }
    PARAMETER_GROUPS.check(call, groups.iter(&call.scope).count())?;
    let group = ParameterGroup {
        family: family.to_owned(),
        description: description.to_owned(),
        values: BTreeMap::new(),
        tags,
    };
    let answer = answer(call, &name, &group);
    call.tables.rds.parameter_groups.insert(&call.scope, name, group);
    Ok(response(wire::serialize_create_d_b_parameter_group_response(&CreateDBParameterGroupResult {
        d_b_parameter_group: Some(answer),
    })))
}

/// A parameter that a request lists.
struct Listed<'p> {
    parameter: &'static Parameter,
    apply_method: String,
    value: Option<&'p str>,
}

/// The parameters that a request lists.
fn listed(params: &Params) -> Result<Vec<Listed<'_>>, ServiceError> {
    let mut listed = Vec::new();
    for prefix in params.structures("Parameters.Parameter") {
        let name = params.required(&format!("{prefix}.ParameterName"))?;
        let value = params.text(&format!("{prefix}.ParameterValue"));
        let method = params.required(&format!("{prefix}.ApplyMethod"))?;
        let parameter = Parameter::find(name)
            .ok_or_else(|| invalid_value(format!("Could not find parameter with name: {name}")))?;
        if !parameter.is_modifiable {
            return Err(invalid_value(format!("The parameter {name} cannot be modified.")));
        }
        match method {
            "immediate" if parameter.is_static => {
                return Err(invalid_combination("cannot use immediate apply method for static parameter"));
            }
            "immediate" | "pending-reboot" => {}
            other => return Err(invalid_value(format!("Invalid apply method: {other}"))),
        }
        listed.push(Listed { parameter, apply_method: method.to_owned(), value });
    }
    if listed.len() > MOST_AT_ONCE {
        return Err(invalid_value(format!(
            "A maximum of {MOST_AT_ONCE} parameters can be modified in a single request."
        )));
    }
    Ok(listed)
}

pub(super) fn modify(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("DBParameterGroupName")?.to_ascii_lowercase();
    let listed = listed(call.params)?;
    call.params.finish()?;
    let mut values = changeable(call, &name)?.values;
    for Listed { parameter, apply_method, value } in listed {
        let value = value.ok_or_else(|| {
            ServiceError::new(
                400,
                "MissingParameter",
                "The request must contain the parameter ParameterValue",
            )
        })?;
        if !parameter.allows(value) {
            return Err(invalid_value(format!(
                "Invalid parameter value: {value} for: {} allowed values are: {}",
                parameter.name, parameter.allowed_values
            )));
        }
        values.insert(parameter.name.to_owned(), UserValue { value: value.to_owned(), apply_method });
    }
    put(call, &name, values);
    Ok(response(wire::serialize_modify_d_b_parameter_group_response(&DBParameterGroupNameMessage {
        d_b_parameter_group_name: Some(name),
    })))
}

pub(super) fn reset(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("DBParameterGroupName")?.to_ascii_lowercase();
    let is_all = call.params.parsed("ResetAllParameters")?.unwrap_or(false);
    let listed = listed(call.params)?;
    call.params.finish()?;
    let mut values = changeable(call, &name)?.values;
    match (is_all, listed.is_empty()) {
        (true, true) => values.clear(),
        (false, false) => {
            for Listed { parameter, .. } in listed {
                values.remove(parameter.name);
            }
        }
        _ => return Err(invalid_combination("Either ResetAllParameters or Parameters must be specified.")),
    }
    put(call, &name, values);
    Ok(response(wire::serialize_reset_d_b_parameter_group_response(&DBParameterGroupNameMessage {
        d_b_parameter_group_name: Some(name),
    })))
}

/// A group that can be changed: AWS's own cannot.
fn changeable(call: &Call<'_>, name: &str) -> Result<ParameterGroup, ServiceError> {
    let group = find(call, name)?;
    if name.starts_with(DEFAULT_PREFIX) {
        return Err(invalid_value(
            "The parameter DBParameterGroupName is not a valid identifier. Default parameter groups cannot be modified or deleted.",
        ));
    }
    Ok(group)
}

/// Sets a group's values. Instances wait for a reboot with what is static or was asked to wait.
fn put(call: &mut Call<'_>, name: &str, values: BTreeMap<String, UserValue>) {
    let (rds, scope) = (&mut call.tables.rds, &call.scope);
    let Some(group) = rds.parameter_groups.get_mut(scope, name) else { return };
    let before = std::mem::replace(&mut group.values, values);
    let waits = |name: &String, value: Option<&UserValue>| {
        let is_static = Parameter::find(name).is_some_and(|parameter| parameter.is_static);
        is_static || value.is_some_and(|value| value.apply_method == "pending-reboot")
    };
    let now = &group.values;
    let text = |value: Option<&UserValue>| value.map(|value| value.value.clone());
    let needs_reboot = before.keys().chain(now.keys()).any(|name| {
        let (old, new) = (before.get(name), now.get(name));
        text(old) != text(new) && waits(name, new)
    });
    if !needs_reboot {
        return;
    }
    let instances =
        rds.instances.iter(scope).filter(|(_, instance)| instance.settings.parameter_group == name);
    let instances: Vec<String> = instances.map(|(id, _)| id.to_owned()).collect();
    for id in instances {
        if let Some(instance) = rds.instances.get_mut(scope, &id) {
            instance.waits_for_reboot = true;
        }
    }
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let name = call.params.text("DBParameterGroupName");
    let page = fields::page(call.params)?;
    call.params.finish()?;
    let groups = match name {
        Some(name) => {
            let name = name.to_ascii_lowercase();
            let answer = answer(call, &name, &find(call, &name)?);
            vec![(name, answer)]
        }
        None => {
            let groups = call.tables.rds.parameter_groups.iter(&call.scope);
            groups.map(|(name, group)| (name.to_owned(), answer(call, name, group))).collect()
        }
    };
    let page = page.page(groups);
    Ok(response(wire::serialize_describe_d_b_parameter_groups_response(&DBParameterGroupsMessage {
        d_b_parameter_groups: Some(page.items.into()),
        marker: page.marker,
    })))
}

pub(super) fn describe_parameters(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("DBParameterGroupName")?;
    let source = call.params.text("Source");
    let page = fields::page(call.params)?;
    call.params.finish()?;
    let group = find(call, name)?;
    let parameters =
        PARAMETERS.iter().map(|parameter| described(parameter, group.values.get(parameter.name)));
    let is_asked = |parameter: &model::Parameter| {
        source.is_none_or(|source| parameter.source.as_deref() == Some(source))
    };
    let parameters = parameters.filter(is_asked);
    let keyed = parameters.map(|parameter| (parameter.parameter_name.clone().unwrap_or_default(), parameter));
    let page = page.page(keyed.collect());
    Ok(response(wire::serialize_describe_d_b_parameters_response(&DBParameterGroupDetails {
        marker: page.marker,
        parameters: Some(page.items.into()),
    })))
}

fn described(parameter: &Parameter, user: Option<&UserValue>) -> model::Parameter {
    let source = match (user, parameter.default) {
        (Some(_), _) => "user",
        (None, Some(_)) => "system",
        (None, None) => "engine-default",
    };
    let value = user.map(|user| user.value.clone()).or_else(|| parameter.default.map(str::to_owned));
    model::Parameter {
        allowed_values: Some(parameter.allowed_values.to_owned()).filter(|allowed| !allowed.is_empty()),
        apply_method: Some(user.map_or("pending-reboot", |user| &user.apply_method).to_owned()),
        apply_type: Some(if parameter.is_static { "static" } else { "dynamic" }.to_owned()),
        data_type: Some(parameter.data_type.to_owned()),
        description: Some(format!("PostgreSQL's {}.", parameter.name)),
        is_modifiable: Some(parameter.is_modifiable),
        parameter_name: Some(parameter.name.to_owned()),
        parameter_value: value,
        source: Some(source.to_owned()),
        ..model::Parameter::default()
    }
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("DBParameterGroupName")?.to_ascii_lowercase();
    call.params.finish()?;
    changeable(call, &name)?;
    let mut instances = call.tables.rds.instances.iter(&call.scope);
    if instances.any(|(_, instance)| instance.settings.parameter_group == name) {
        let text = format!(
            "One or more database instances are still members of this parameter group {name}, so the group cannot be deleted"
        );
        return Err(ServiceError::new(400, "InvalidDBParameterGroupState", text));
    }
    call.tables.rds.parameter_groups.remove(&call.scope, &name);
    Ok(response(wire::serialize_delete_d_b_parameter_group_response()))
}
