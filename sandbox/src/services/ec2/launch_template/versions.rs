//! The versions of launch templates.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    CreateLaunchTemplateVersionResult, DeleteLaunchTemplateVersionsResponseErrorItem,
    DeleteLaunchTemplateVersionsResponseSuccessItem, DeleteLaunchTemplateVersionsResult,
    DescribeLaunchTemplateVersionsResult, LaunchTemplateVersion, ResponseError,
};
use winterbaume_ec2_generated::wire::{
    serialize_create_launch_template_version_response, serialize_delete_launch_template_versions_response,
    serialize_describe_launch_template_versions_response,
};

use super::data::{self, Data};
use super::{LaunchTemplate, asked_for, find, named};
use crate::cloud::call::{Call, Reply};
use crate::cloud::table::Scope;
use crate::cloud::tokens::{TokenUse, once};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::Tables;
use crate::services::common::pages::{Page, PageRequest};
use crate::services::ec2::common::answers::{invalid_value, time};
use crate::services::ec2::common::filters::Filters;
use crate::services::ec2::common::kinds;

/// The most versions in one answer, and of one deletion.
const LARGEST_PAGE: usize = 200;
const FILTERS: &[&str] = &["create-time", "image-id", "instance-type", "is-default-version"];

/// One version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) description: Option<String>,
    pub(crate) data: Data,
}

pub(crate) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let template = asked_for(call)?;
    let source = params.text("SourceVersion");
    let description = params.text("VersionDescription").map(str::to_owned);
    let data = data::read(params)?;
    let token = TokenUse::of(params, "ec2:CreateLaunchTemplateVersion");
    params.finish()?;
    let id = find(call, template)?;
    let exists = |tables: &Tables, scope: &Scope, number: &str| {
        tables.ec2.launch_templates.get(scope, &id).is_some_and(|row| row.number(number).is_some())
    };
    let number = once(call, token, exists, |call| {
        let version =
            Version { created_at: call.now, created_by: call.principal.arn.clone(), description, data };
        make(call, &id, source, version)
    })?;
    let template = kinds::LAUNCH_TEMPLATE.made(&call.tables.ec2.launch_templates, &call.scope, &id)?;
    let answer = wire(&id, template, template.require(&id, &number)?);
    Ok(response(serialize_create_launch_template_version_response(&CreateLaunchTemplateVersionResult {
        launch_template_version: answer,
        warning: None,
    })))
}

fn make(
    call: &mut Call<'_>,
    id: &str,
    source: Option<&str>,
    version: Version,
) -> Result<String, ServiceError> {
    let template = kinds::LAUNCH_TEMPLATE.find_mut(&mut call.tables.ec2.launch_templates, &call.scope, id)?;
    let data = match source {
        Some(source) => {
            let number = template.require(id, source)?;
            match template.versions.get(&number) {
                Some(source) => version.data.over(&source.data),
                None => version.data,
            }
        }
        None => version.data,
    };
    template.latest_version += 1;
    let number = template.latest_version;
    template.versions.insert(number, Version { data, ..version });
    Ok(number.to_string())
}

pub(crate) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let template = named(call)?;
    let wanted = params.list("LaunchTemplateVersion");
    let lowest: Option<i64> = params.parsed("MinVersion")?;
    let highest: Option<i64> = params.parsed("MaxVersion")?;
    let filters = Filters::read(params, FILTERS)?;
    let page: usize = params.parsed("MaxResults")?.unwrap_or(LARGEST_PAGE);
    let request = PageRequest::new(params.text("NextToken"), page)
        .ok_or_else(|| ServiceError::new(400, "InvalidNextToken", "The token is invalid"))?;
    params.finish()?;
    if !(1..=LARGEST_PAGE).contains(&page) {
        return Err(invalid_value(format!(
            "Value ( {page} ) for parameter maxResults is invalid. Expecting a value between 1 and {LARGEST_PAGE}."
        )));
    }
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let mut list = Vec::new();
    match template {
        Some(template) => {
            let id = find(call, template)?;
            let row = kinds::LAUNCH_TEMPLATE.made(&ec2.launch_templates, scope, &id)?;
            let numbers: Vec<i64> = if wanted.is_empty() {
                row.versions.keys().copied().collect()
            } else {
                wanted.iter().map(|version| row.require(&id, version)).collect::<Result<_, _>>()?
            };
            list.extend(numbers.into_iter().map(|number| (id.clone(), row, number)));
        }
        // Across all templates only the versions that each of them has can be asked for.
        None if !wanted.is_empty() && wanted.iter().all(|version| version.starts_with('$')) => {
            for (id, row) in ec2.launch_templates.iter(scope) {
                let numbers = wanted.iter().filter_map(|version| row.number(version));
                list.extend(numbers.map(|number| (id.to_owned(), row, number)));
            }
        }
        None => {
            let text = "The request must contain the parameter launch template ID or launch template name";
            return Err(ServiceError::new(400, "MissingParameter", text));
        }
    }
    list.retain(|(_, _, number)| {
        lowest.is_none_or(|lowest| *number >= lowest) && highest.is_none_or(|highest| *number <= highest)
    });
    let mut versions: Vec<_> = list
        .into_iter()
        .filter(|(_, row, number)| {
            let version = row.versions.get(number);
            filters.select(None, |name| match name {
                "is-default-version" => vec![(row.default_version == *number).to_string()],
                "create-time" => version.map(|version| time(version.created_at)).into_iter().collect(),
                "image-id" => version.and_then(|version| version.data.image_id.clone()).into_iter().collect(),
                _ => version.and_then(|version| version.data.instance_type.clone()).into_iter().collect(),
            })
        })
        // The newest come first.
        .filter_map(|(id, row, number)| {
            Some((format!("{id} {:020}", i64::MAX - number), wire(&id, row, number)?))
        })
        .collect();
    versions.dedup_by(|(one, _), (other, _)| one == other);
    let Page { items, marker } = request.page(versions);
    Ok(response(serialize_describe_launch_template_versions_response(
        &DescribeLaunchTemplateVersionsResult {
            launch_template_versions: Some(items.into()),
            next_token: marker,
        },
    )))
}

pub(crate) fn delete(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let template = asked_for(call)?;
    let versions = params.list("LaunchTemplateVersion");
    params.finish()?;
    if versions.is_empty() || versions.len() > LARGEST_PAGE {
        return Err(invalid_value(format!(
            "Specify 1 to {LARGEST_PAGE} launch template versions to delete."
        )));
    }
    let id = find(call, template)?;
    let row = kinds::LAUNCH_TEMPLATE.find_mut(&mut call.tables.ec2.launch_templates, &call.scope, &id)?;
    let (mut deleted, mut left) = (Vec::new(), Vec::new());
    for version in versions {
        let number = row.number(version);
        let refusal = match number {
            Some(number) if number == row.default_version => Some((
                "unexpectedError",
                format!(
                    "The version {number} is the default version of the launch template, which cannot be deleted."
                ),
            )),
            Some(_) => None,
            None => Some((
                "launchTemplateVersionDoesNotExist",
                format!("The version {version} of the launch template {id} does not exist."),
            )),
        };
        match refusal {
            Some((code, text)) => left.push(DeleteLaunchTemplateVersionsResponseErrorItem {
                launch_template_id: Some(id.clone()),
                launch_template_name: Some(row.name.clone()),
                response_error: Some(ResponseError { code: Some(code.to_owned()), message: Some(text) }),
                version_number: number.or_else(|| version.parse().ok()),
            }),
            None => {
                if let Some(number) = number {
                    row.versions.remove(&number);
                }
                deleted.push(DeleteLaunchTemplateVersionsResponseSuccessItem {
                    launch_template_id: Some(id.clone()),
                    launch_template_name: Some(row.name.clone()),
                    version_number: number,
                });
            }
        }
    }
    Ok(response(serialize_delete_launch_template_versions_response(&DeleteLaunchTemplateVersionsResult {
        successfully_deleted_launch_template_versions: Some(deleted.into()),
        unsuccessfully_deleted_launch_template_versions: Some(left.into()),
    })))
}

fn wire(id: &str, template: &LaunchTemplate, number: i64) -> Option<LaunchTemplateVersion> {
    let version = template.versions.get(&number)?;
    Some(LaunchTemplateVersion {
        create_time: Some(time(version.created_at)),
        created_by: Some(version.created_by.clone()),
        default_version: Some(template.default_version == number),
        launch_template_data: Some(version.data.wire()),
        launch_template_id: Some(id.to_owned()),
        launch_template_name: Some(template.name.clone()),
        operator: None,
        version_description: version.description.clone(),
        version_number: Some(number),
    })
}
