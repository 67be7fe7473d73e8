//! Launch templates: what instances are launched with, in numbered versions.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-launch-template-versions.html>

pub(crate) mod data;
pub(crate) mod versions;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, CreateLaunchTemplateResult, DeleteLaunchTemplateResult, DescribeLaunchTemplatesResult,
    ModifyLaunchTemplateResult,
};
use winterbaume_ec2_generated::wire::{
    serialize_create_launch_template_response, serialize_delete_launch_template_response,
    serialize_describe_launch_templates_response, serialize_modify_launch_template_response,
};

use self::data::Data;
use self::versions::Version;
use super::common::answers::{invalid_value, time};
use super::common::query::Query;
use super::common::tags::Tags;
use super::common::{kinds, tags};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::Tables;

/// A launch template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LaunchTemplate {
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) default_version: i64,
    /// The highest number that a version was given; no number is given twice.
    pub(crate) latest_version: i64,
    pub(crate) versions: BTreeMap<i64, Version>,
}

impl LaunchTemplate {
    /// The number that a request means: digits, `$Latest` or `$Default`; `None` if there is no such version.
    pub(crate) fn number(&self, version: &str) -> Option<i64> {
        let number = match version {
            "$Latest" => *self.versions.keys().next_back()?,
            "$Default" => self.default_version,
            digits => digits.parse().ok()?,
        };
        self.versions.contains_key(&number).then_some(number)
    }

    /// As [`LaunchTemplate::number`], or AWS's error.
    pub(crate) fn require(&self, id: &str, version: &str) -> Result<i64, ServiceError> {
        self.number(version).ok_or_else(|| {
            let text = format!(
                "Could not find the specified version {version} for the launch template with ID {id}."
            );
            ServiceError::new(400, "InvalidLaunchTemplateId.VersionNotFound", text)
        })
    }
}

const FILTERS: &[&str] = &["create-time", "launch-template-name"];

pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = params.required("LaunchTemplateName")?;
    let description = params.text("VersionDescription").map(str::to_owned);
    let data = data::read(params)?;
    let given = tags::at_creation(params, &kinds::LAUNCH_TEMPLATE)?;
    let token = TokenUse::of(params, "ec2:CreateLaunchTemplate");
    params.finish()?;
    let exists = |tables: &Tables, scope: &Scope, id: &str| tables.ec2.launch_templates.contains(scope, id);
    let id = once(call, token, exists, |call| {
        let id = make(call, name, description, data)?;
        tags::put(call, &id, given);
        Ok(id)
    })?;
    let template = kinds::LAUNCH_TEMPLATE.made(&call.tables.ec2.launch_templates, &call.scope, &id)?;
    let answer = wire(&id, template, call.tables.ec2.tags.get(&call.scope, &id));
    Ok(response(serialize_create_launch_template_response(&CreateLaunchTemplateResult {
        launch_template: Some(answer),
        warning: None,
    })))
}

fn make(
    call: &mut Call<'_>,
    name: &str,
    description: Option<String>,
    data: Data,
) -> Result<String, ServiceError> {
    let is_legal = |character: char| character.is_ascii_alphanumeric() || "().-/_".contains(character);
    if !(3..=128).contains(&name.len()) || !name.chars().all(is_legal) {
        let text = format!(
            "Invalid launch template name: {name}. A name has 3 to 128 characters: letters, digits and ().-/_"
        );
        return Err(ServiceError::new(400, "InvalidLaunchTemplateName.MalformedException", text));
    }
    if call.tables.ec2.launch_templates.iter(&call.scope).any(|(_, template)| template.name == name) {
        let text = "Launch template name already in use.";
        return Err(ServiceError::new(400, "InvalidLaunchTemplateName.AlreadyExistsException", text));
    }
    let id = call.identifiers.ec2(kinds::LAUNCH_TEMPLATE.prefix);
    let version = Version { created_at: call.now, created_by: call.principal.arn.clone(), description, data };
    let template = LaunchTemplate {
        name: name.to_owned(),
        created_at: call.now,
        created_by: call.principal.arn.clone(),
        default_version: 1,
        latest_version: 1,
        versions: BTreeMap::from([(1, version)]),
    };
    call.tables.ec2.launch_templates.insert(&call.scope, &id, template);
    Ok(id)
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let names = params.list("LaunchTemplateName");
    let query = Query::read(params, &kinds::LAUNCH_TEMPLATE, "LaunchTemplateId", FILTERS)?;
    params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let has = |name: &str| ec2.launch_templates.iter(scope).any(|(_, template)| template.name == name);
    if names.iter().any(|name| !has(name)) {
        return Err(no_such_name(
            "At least one of the launch templates specified in the request does not exist.",
        ));
    }
    let named = ec2
        .launch_templates
        .iter(scope)
        .filter(|(_, template)| names.is_empty() || names.contains(&template.name.as_str()));
    let found = query.run(named, &ec2.tags, scope, call.shuffle, |_, template, filter| {
        vec![match filter {
            "create-time" => time(template.created_at),
            _ => template.name.clone(),
        }]
    })?;
    let templates: Vec<_> =
        found.items.iter().map(|(id, template)| wire(id, template, ec2.tags.get(scope, id))).collect();
    Ok(response(serialize_describe_launch_templates_response(&DescribeLaunchTemplatesResult {
        launch_templates: Some(templates.into()),
        next_token: found.next_token,
    })))
}

pub(super) fn modify(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let template = asked_for(call)?;
    let version = params.text("SetDefaultVersion");
    // The call is idempotent without it.
    params.text("ClientToken");
    params.finish()?;
    let id = find(call, template)?;
    if let Some(version) = version {
        let row = kinds::LAUNCH_TEMPLATE.find_mut(&mut call.tables.ec2.launch_templates, &call.scope, &id)?;
        row.default_version = row.require(&id, version)?;
    }
    let row = kinds::LAUNCH_TEMPLATE.made(&call.tables.ec2.launch_templates, &call.scope, &id)?;
    let answer = wire(&id, row, call.tables.ec2.tags.get(&call.scope, &id));
    Ok(response(serialize_modify_launch_template_response(&ModifyLaunchTemplateResult {
        launch_template: Some(answer),
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let template = asked_for(call)?;
    call.params.finish()?;
    let id = find(call, template)?;
    let row = kinds::LAUNCH_TEMPLATE.find(&call.tables.ec2.launch_templates, &call.scope, &id)?;
    let answer = wire(&id, row, call.tables.ec2.tags.get(&call.scope, &id));
    call.tables.ec2.launch_templates.remove(&call.scope, &id);
    call.tables.ec2.tags.remove(&call.scope, &id);
    Ok(response(serialize_delete_launch_template_response(&DeleteLaunchTemplateResult {
        launch_template: Some(answer),
    })))
}

/// How a request names its template.
#[derive(Debug, Clone, Copy)]
enum Asked<'a> {
    Id(&'a str),
    Name(&'a str),
}

/// The template that a request names, if it names one.
fn named<'a>(call: &Call<'a>) -> Result<Option<Asked<'a>>, ServiceError> {
    match (call.params.text("LaunchTemplateId"), call.params.text("LaunchTemplateName")) {
        (Some(id), None) => {
            kinds::LAUNCH_TEMPLATE.check(id)?;
            Ok(Some(Asked::Id(id)))
        }
        (None, Some(name)) => Ok(Some(Asked::Name(name))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(invalid_value(
            "You must specify either launch template ID or launch template name, but not both.",
        )),
    }
}

/// The template that a request must name.
fn asked_for<'a>(call: &Call<'a>) -> Result<Asked<'a>, ServiceError> {
    named(call)?.ok_or_else(|| {
        let text = "The request must contain the parameter launch template ID or launch template name";
        ServiceError::new(400, "MissingParameter", text)
    })
}

/// The id of a template that must be there.
fn find(call: &Call<'_>, asked: Asked<'_>) -> Result<String, ServiceError> {
    let (table, scope) = (&call.tables.ec2.launch_templates, &call.scope);
    match asked {
        Asked::Id(id) => kinds::LAUNCH_TEMPLATE.find(table, scope, id).map(|_| id.to_owned()),
        Asked::Name(name) => {
            let found = table.iter(scope).find(|(_, template)| template.name == name);
            found.map(|(id, _)| id.to_owned()).ok_or_else(|| {
                no_such_name(&format!(
                    "The specified launch template, with template name {name}, does not exist."
                ))
            })
        }
    }
}

fn no_such_name(text: &str) -> ServiceError {
    ServiceError::new(400, "InvalidLaunchTemplateName.NotFoundException", text)
}

fn wire(id: &str, template: &LaunchTemplate, tags: Option<&Tags>) -> model::LaunchTemplate {
    model::LaunchTemplate {
        create_time: Some(time(template.created_at)),
        created_by: Some(template.created_by.clone()),
        default_version_number: Some(template.default_version),
        latest_version_number: Some(template.latest_version),
        launch_template_id: Some(id.to_owned()),
        launch_template_name: Some(template.name.clone()),
        operator: None,
        tags: Some(tags::wire(tags)),
    }
}
