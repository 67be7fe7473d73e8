//! Tags of hosted zones, which come after their creation.
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html>

use std::collections::BTreeMap;

use winterbaume_route53::model::{
    ChangeTagsForResourceRequest, ListTagsForResourceResponse, ListTagsForResourcesRequest,
    ListTagsForResourcesResponse, ResourceTagSet, ResourceTagSetList, Tag, TagList,
};
use winterbaume_route53::wire;

use super::errors::{invalid_input, no_such_hosted_zone};
use super::hosted_zone::find;
use super::names::bare_id;
use super::routes::{body, id, only};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// The most tags of a zone that one call adds or takes off.
const MOST_AT_ONCE: usize = 10;
/// The most tags of a zone.
const MOST: usize = 50;
/// The most zones whose tags are listed at once.
const MOST_ZONES: usize = 10;

pub(super) fn change_tags_for_resource(call: &mut Call<'_>) -> Reply {
    let id = id(call);
    let request: ChangeTagsForResourceRequest = body(call)?;
    let add = request.add_tags.map(|tags| tags.items).unwrap_or_default();
    let remove = request.remove_tag_keys.map(|keys| keys.items).unwrap_or_default();
    if add.is_empty() && remove.is_empty() {
        return Err(invalid_input("Either AddTags or RemoveTagKeys must be specified."));
    }
    if add.len() > MOST_AT_ONCE || remove.len() > MOST_AT_ONCE {
        return Err(invalid_input(format!(
            "At most {MOST_AT_ONCE} tags can be added or removed with one call."
        )));
    }
    let mut tags = find(call, &id)?.tags.clone();
    for Tag { key, value } in add {
        let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid_input(format!("Tag {key} is too long or has no key.")));
        }
        tags.insert(key, value);
    }
    tags.retain(|key, _| !remove.contains(key));
    if tags.len() > MOST {
        return Err(invalid_input(format!("A resource can have at most {MOST} tags.")));
    }
    let zones = &mut call.tables.route53.zones;
    zones.get_mut(&call.scope.global(), &id).ok_or_else(|| no_such_hosted_zone(&id))?.tags = tags;
    Ok(response(wire::serialize_change_tags_for_resource_response()))
}

pub(super) fn list_tags_for_resource(call: &mut Call<'_>) -> Reply {
    let id = id(call);
    only(call, &[])?;
    let answer = ListTagsForResourceResponse { resource_tag_set: Some(tag_set(call, &id)?) };
    Ok(response(wire::serialize_list_tags_for_resource_response(&answer)))
}

pub(super) fn list_tags_for_resources(call: &mut Call<'_>) -> Reply {
    let request: ListTagsForResourcesRequest = body(call)?;
    let ids = request.resource_ids.items;
    if ids.is_empty() || ids.len() > MOST_ZONES {
        return Err(invalid_input(format!("1 to {MOST_ZONES} resources must be given.")));
    }
    let sets = ids.iter().map(|id| tag_set(call, bare_id(id))).collect::<Result<Vec<_>, _>>()?;
    let answer = ListTagsForResourcesResponse { resource_tag_sets: Some(ResourceTagSetList { items: sets }) };
    Ok(response(wire::serialize_list_tags_for_resources_response(&answer)))
}

fn tag_set(call: &Call<'_>, id: &str) -> Result<ResourceTagSet, ServiceError> {
    Ok(ResourceTagSet {
        resource_id: Some(id.to_owned()),
        resource_type: Some("hostedzone".to_owned()),
        tags: Some(answered(&find(call, id)?.tags)),
    })
}

fn answered(tags: &BTreeMap<String, String>) -> TagList {
    let items = tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) });
    TagList { items: items.collect() }
}
