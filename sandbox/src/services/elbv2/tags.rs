//! Tags of everything that has an ARN.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html>

use winterbaume_elasticloadbalancingv2::model::{
    AddTagsOutput, DescribeTagsOutput, RemoveTagsOutput, Tag, TagDescription,
};
use winterbaume_elasticloadbalancingv2::wire;

use super::answers::{invalid, no_listener, no_load_balancer, no_rule, no_target_group};
use super::{listener, load_balancer, target_group};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::tag_list::{self, Tags};

/// How many resources a call can be about.
const MOST_RESOURCES: usize = 20;

fn kind(arn: &str) -> &str {
    arn.split(':').nth(5).and_then(|resource| resource.split('/').next()).unwrap_or_default()
}

fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c Tags, ServiceError> {
    match kind(arn) {
        "loadbalancer" => load_balancer::find(call, arn).map(|row| &row.tags),
        "targetgroup" => target_group::find(call, arn).map(|row| &row.tags),
        "listener" => listener::find(call, arn).map(|row| &row.tags),
        "listener-rule" => {
            call.tables.elbv2.rules.find(&call.scope, arn).map(|row| &row.tags).ok_or_else(no_rule)
        }
        _ => {
            Err(invalid(format!("'{arn}' is not a valid load balancer, target group, listener or rule ARN")))
        }
    }
}

fn put(call: &mut Call<'_>, arn: &str, tags: Tags) -> Result<(), ServiceError> {
    if !tag_list::is_within_limit(&tags) {
        let text = format!("You've reached the limit on the number of tags: {}", tag_list::MOST);
        return Err(ServiceError::new(400, "TooManyTags", text));
    }
    let (elbv2, scope) = (&mut call.tables.elbv2, &call.scope);
    let place = match kind(arn) {
        "loadbalancer" => elbv2
            .load_balancers
            .get_mut(scope, arn)
            .map(|row| &mut row.tags)
            .ok_or_else(|| no_load_balancer(arn)),
        "targetgroup" => {
            elbv2.target_groups.get_mut(scope, arn).map(|row| &mut row.tags).ok_or_else(no_target_group)
        }
        "listener" => elbv2.listeners.get_mut(scope, arn).map(|row| &mut row.tags).ok_or_else(no_listener),
        _ => elbv2.rules.get_mut(scope, arn).map(|row| &mut row.tags).ok_or_else(no_rule),
    }?;
    *place = tags;
    Ok(())
}

fn resources<'a>(call: &Call<'a>) -> Result<Vec<&'a str>, ServiceError> {
    let arns = call.params.list("ResourceArns");
    if (1..=MOST_RESOURCES).contains(&arns.len()) {
        return Ok(arns);
    }
    Err(invalid(format!("Between 1 and {MOST_RESOURCES} resource ARNs must be specified")))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let arns = resources(call)?;
    call.params.finish()?;
    let mut described = Vec::new();
    for arn in arns {
        let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: Some(value.clone()) };
        let tags: Vec<_> = find(call, arn)?.iter().map(tag).collect();
        described.push(TagDescription { resource_arn: Some(arn.to_owned()), tags: Some(tags.into()) });
    }
    Ok(response(wire::serialize_describe_tags_response(&DescribeTagsOutput {
        tag_descriptions: Some(described.into()),
    })))
}

pub(super) fn add(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let arns = resources(call)?;
    let mut given = Tags::new();
    for prefix in params.structures("Tags") {
        let key = params.required(&format!("{prefix}.Key"))?;
        let value = params.text(&format!("{prefix}.Value")).unwrap_or_default();
        if given.insert(key.to_owned(), value.to_owned()).is_some() {
            let text = format!("The tag key '{key}' was specified more than once");
            return Err(ServiceError::new(400, "DuplicateTagKeys", text));
        }
    }
    params.finish()?;
    for arn in &arns {
        find(call, arn)?;
    }
    for arn in arns {
        let mut tags = find(call, arn)?.clone();
        tags.extend(given.clone());
        put(call, arn, tags)?;
    }
    Ok(response(wire::serialize_add_tags_response(&AddTagsOutput {})))
}

pub(super) fn remove(call: &mut Call<'_>) -> Reply {
    let arns = resources(call)?;
    let keys = call.params.list("TagKeys");
    call.params.finish()?;
    for arn in arns {
        let mut tags = find(call, arn)?.clone();
        tags.retain(|key, _| !keys.contains(&key.as_str()));
        put(call, arn, tags)?;
    }
    Ok(response(wire::serialize_remove_tags_response(&RemoveTagsOutput {})))
}
