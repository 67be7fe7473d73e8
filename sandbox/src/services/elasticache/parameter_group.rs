//! Parameter groups: what nodes are configured with.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheParameterGroup.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use winterbaume_elasticache::model::{
    self, CacheParameterGroup, CacheParameterGroupDetails, CacheParameterGroupNameMessage,
    CacheParameterGroupsMessage, CreateCacheParameterGroupResult,
};
use winterbaume_elasticache::wire;

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
    name: "cache-parameter-groups",
    code: "CacheParameterGroupQuotaExceeded",
    text: "The request would result in the user exceeding the allowed number of cache parameter groups.",
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
    values: BTreeMap<String, String>,
    pub(super) tags: Tags,
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

    fn answer(&self, call: &Call<'_>, name: &str) -> CacheParameterGroup {
        CacheParameterGroup {
            a_r_n: Some(call.arn("elasticache", &format!("parametergroup:{name}"))),
            cache_parameter_group_family: Some(self.family.clone()),
            cache_parameter_group_name: Some(name.to_owned()),
            description: Some(self.description.clone()),
            is_global: Some(false),
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
    let found = call.tables.elasticache.parameter_groups.find(&call.scope, &name);
    found.cloned().ok_or_else(|| parameter_group_not_found(&name))
}

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = fields::identifier(params, "CacheParameterGroupName", 255)?;
    let family = params.required("CacheParameterGroupFamily")?;
    let description = params.required("Description")?;
    let tags = tag_list::given(params)?;
    params.finish()?;
    if !is_family(family) {
        return Err(invalid_value(format!(
            "CacheParameterGroupFamily {family} is not a valid parameter group family."
        )));
    }
    let groups = &call.tables.elasticache.parameter_groups;
    if groups.contains(&call.scope, &name) {
        let text = format!("Parameter group {name} already exists");
        return Err(ServiceError::new(400, "CacheParameterGroupAlreadyExists", text));
    }
    PARAMETER_GROUPS.check(call, groups.iter(&call.scope).count())?;
    let group = ParameterGroup {
        family: family.to_owned(),
        description: description.to_owned(),
        values: BTreeMap::new(),
        tags,
    };
    let answer = group.answer(call, &name);
    call.tables.elasticache.parameter_groups.insert(&call.scope, name, group);
    Ok(response(wire::serialize_create_cache_parameter_group_response(&CreateCacheParameterGroupResult {
        cache_parameter_group: Some(answer),
    })))
}

/// The parameters that a request lists, each with its value.
fn listed(params: &Params) -> Result<Vec<(&'static Parameter, Option<&str>)>, ServiceError> {
    let mut listed = Vec::new();
    for prefix in params.structures("ParameterNameValues.ParameterNameValue") {
        let name = params.required(&format!("{prefix}.ParameterName"))?;
        let value = params.text(&format!("{prefix}.ParameterValue"));
        let parameter = Parameter::find(name).ok_or_else(|| {
            invalid_value(format!("The parameter {name} is not a valid parameter of the family."))
        })?;
        if !parameter.is_modifiable {
            return Err(invalid_value(format!("The parameter {name} cannot be modified.")));
        }
        listed.push((parameter, value));
    }
    if listed.len() > MOST_AT_ONCE {
        return Err(invalid_value(format!(
            "A maximum of {MOST_AT_ONCE} parameters can be modified in a single request."
        )));
    }
    Ok(listed)
}

pub(super) fn modify(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("CacheParameterGroupName")?.to_ascii_lowercase();
    let listed = listed(call.params)?;
    call.params.finish()?;
    let mut group = changeable(call, &name)?;
    for (parameter, value) in listed {
        let value = value.unwrap_or_default();
        if !parameter.allows(value) {
            return Err(invalid_value(format!(
                "The parameter {} has an invalid value: {value}. Allowed values are: {}",
                parameter.name, parameter.allowed_values
            )));
        }
        group.values.insert(parameter.name.to_owned(), value.to_owned());
    }
    call.tables.elasticache.parameter_groups.insert(&call.scope, &name, group);
    Ok(response(wire::serialize_modify_cache_parameter_group_response(&CacheParameterGroupNameMessage {
        cache_parameter_group_name: Some(name),
    })))
}

pub(super) fn reset(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("CacheParameterGroupName")?.to_ascii_lowercase();
    let is_all = call.params.parsed("ResetAllParameters")?.unwrap_or(false);
    let listed = listed(call.params)?;
    call.params.finish()?;
    let mut group = changeable(call, &name)?;
    match (is_all, listed.is_empty()) {
        (true, true) => group.values.clear(),
        (false, false) => {
            for (parameter, _) in listed {
                group.values.remove(parameter.name);
            }
        }
        _ => {
            let text = "Either ResetAllParameters or ParameterNameValues must be specified.";
            return Err(invalid_combination(text));
        }
    }
    call.tables.elasticache.parameter_groups.insert(&call.scope, &name, group);
    Ok(response(wire::serialize_reset_cache_parameter_group_response(&CacheParameterGroupNameMessage {
        cache_parameter_group_name: Some(name),
    })))
}

/// A group that can be changed: AWS's own cannot.
fn changeable(call: &Call<'_>, name: &str) -> Result<ParameterGroup, ServiceError> {
    let group = find(call, name)?;
    if name.starts_with(DEFAULT_PREFIX) {
        return Err(invalid_value("Default parameter groups cannot be modified or deleted."));
    }
    Ok(group)
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let name = call.params.text("CacheParameterGroupName").map(str::to_ascii_lowercase);
    let page = fields::page(call.params)?;
    call.params.finish()?;
    let groups = match name {
        Some(name) => {
            let answer = find(call, &name)?.answer(call, &name);
            vec![(name, answer)]
        }
        None => {
            let groups = call.tables.elasticache.parameter_groups.iter(&call.scope);
            groups.map(|(name, group)| (name.to_owned(), group.answer(call, name))).collect()
        }
    };
    let page = page.page(groups);
    Ok(response(wire::serialize_describe_cache_parameter_groups_response(&CacheParameterGroupsMessage {
        cache_parameter_groups: Some(page.items.into()),
        marker: page.marker,
    })))
}

pub(super) fn describe_parameters(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("CacheParameterGroupName")?;
    let source = call.params.text("Source");
    let page = fields::page(call.params)?;
    call.params.finish()?;
    let group = find(call, name)?;
    let described = |parameter: &Parameter| {
        let user = group.values.get(parameter.name);
        let of = if user.is_some() { "user" } else { "system" };
        model::Parameter {
            allowed_values: Some(parameter.allowed_values.to_owned()),
            change_type: Some(if parameter.is_static { "requires-reboot" } else { "immediate" }.to_owned()),
            data_type: Some(parameter.data_type.to_owned()),
            description: Some(format!("The engine's {}.", parameter.name)),
            is_modifiable: Some(parameter.is_modifiable),
            parameter_name: Some(parameter.name.to_owned()),
            parameter_value: Some(user.cloned().unwrap_or_else(|| parameter.default.to_owned())),
            source: Some(of.to_owned()),
            ..model::Parameter::default()
        }
    };
    let parameters = PARAMETERS.iter().map(|parameter| (parameter.name.to_owned(), described(parameter)));
    let is_asked = |parameter: &model::Parameter| {
        source.is_none_or(|source| parameter.source.as_deref() == Some(source))
    };
    let page = page.page(parameters.filter(|(_, parameter)| is_asked(parameter)).collect());
    Ok(response(wire::serialize_describe_cache_parameters_response(&CacheParameterGroupDetails {
        cache_node_type_specific_parameters: None,
        marker: page.marker,
        parameters: Some(page.items.into()),
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.params.required("CacheParameterGroupName")?.to_ascii_lowercase();
    call.params.finish()?;
    changeable(call, &name)?;
    let mut groups = call.tables.elasticache.replication_groups.iter(&call.scope);
    if groups.any(|(_, group)| group.settings.parameter_group == name) {
        let text = format!(
            "One or more cache clusters are still members of this parameter group {name}, so the group cannot be deleted."
        );
        return Err(ServiceError::new(400, "InvalidCacheParameterGroupState", text));
    }
    call.tables.elasticache.parameter_groups.remove(&call.scope, &name);
    Ok(response(wire::serialize_delete_cache_parameter_group_response()))
}
