//! Whose an object is: the ownership tags of the engine as annotations, and the lineage as a label too, by which all that
//! an environment has in a cluster can be listed.
//!
//! Keys of annotations have no colon, values of labels no slash and at most 63 characters:
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/>

use lsinfra_engine::StepContext;
use lsinfra_engine::provider::OWNER_TAG_PREFIX;
use serde_json::{Map, Value as Json};

use crate::aws::tags::Tags;

/// What the keys of ownership begin with.
pub(super) const PREFIX: &str = "lsinfra.dev/";
/// The label that names the lineage.
const LINEAGE_LABEL: &str = "lsinfra.dev/lineage";

/// Puts the step's ownership onto an object.
pub(super) fn put(step: &StepContext, object: &mut Json) {
    let annotations =
        step.owner_tags.iter().filter_map(|(key, value)| Some((annotation(key)?, value.clone())));
    let label = step.owner_tags.get(crate::aws::tags::LINEAGE);
    let label = label.map(|lineage| (LINEAGE_LABEL.to_owned(), lineage.clone()));
    insert(object, "annotations", annotations);
    insert(object, "labels", label);
}

fn insert(object: &mut Json, field: &str, entries: impl IntoIterator<Item = (String, String)>) {
    let metadata = child(object, "metadata");
    let map = child(metadata, field);
    if let Json::Object(map) = map {
        map.extend(entries.into_iter().map(|(key, value)| (key, Json::String(value))));
    }
}

/// A member of an object that is one itself, made if it is not there.
fn child<'a>(object: &'a mut Json, name: &str) -> &'a mut Json {
    if !object[name].is_object() {
        object[name] = Json::Object(Map::new());
    }
    &mut object[name]
}

/// The ownership tags that an object carries.
pub(super) fn tags(object: &Json) -> Tags {
    let annotations = object["metadata"]["annotations"].as_object().into_iter().flatten();
    annotations.filter_map(|(key, value)| Some((tag(key)?, value.as_str()?.to_owned()))).collect()
}

/// The ownership tag that an annotation is.
pub(super) fn tag(annotation: &str) -> Option<String> {
    annotation.strip_prefix(PREFIX).map(|name| format!("{OWNER_TAG_PREFIX}{name}"))
}

/// The annotation that an ownership tag is.
pub(super) fn annotation(tag: &str) -> Option<String> {
    tag.strip_prefix(OWNER_TAG_PREFIX).map(|name| format!("{PREFIX}{name}"))
}
