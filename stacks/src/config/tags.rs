//! The tags that the user puts on every resource, within what every AWS service takes.

use std::collections::BTreeMap;

use super::document::Document;

/// The longest key and value.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
const KEY_LIMIT_CHARACTERS: usize = 128;
const VALUE_LIMIT_CHARACTERS: usize = 256;

/// How many tags the user may have: of the 50 of a resource, 10 are kept for `Name`, the four of
/// ownership, and those that Kubernetes controllers look for.
const LIMIT_TAGS: usize = 40;

/// Prefixes of keys that AWS or this tool set, compared without case.
const RESERVED_PREFIXES: [&str; 4] = ["aws:", "lsinfra:", "kubernetes.io/", "k8s.io/"];

pub(super) fn read(document: &mut Document<'_>) -> BTreeMap<String, String> {
    let entries = document.text_table("tags");
    if let Some((key, _)) = entries.get(LIMIT_TAGS) {
        let message = format!("{} tags are too many", entries.len());
        document.problem(key, "tags", message, format!("allowed: at most {LIMIT_TAGS}; AWS takes 50, and 10 of them are needed by this tool and by Kubernetes"));
    }
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in entries {
        let path = format!("tags.{}", key.value);
        if let Some(message) = key_problem(&key.value, &tags) {
            let help = format!(
                "allowed: 1 to {KEY_LIMIT_CHARACTERS} letters, digits, spaces and _ . : / = + - @, not beginning \
                 with {}, and not Name",
                RESERVED_PREFIXES.join(" ")
            );
            document.problem(&key, &path, message, help);
        }
        if let Some(message) = value_problem(&value.value) {
            let help = format!(
                "allowed: at most {VALUE_LIMIT_CHARACTERS} letters, digits, spaces and _ . : / = + - @"
            );
            document.problem(&value, &path, message, help);
        }
        tags.insert(key.value, value.value);
    }
    tags
}

fn key_problem(key: &str, others: &BTreeMap<String, String>) -> Option<String> {
    let lowercase = key.to_lowercase();
    if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| lowercase.starts_with(**prefix)) {
        return Some(format!("tag keys that begin with {prefix:?} are reserved"));
    }
    if lowercase == "name" {
        return Some("the tag `Name` is set by this tool".to_owned());
    }
    // IAM compares tag keys without case: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>
    if let Some(other) = others.keys().find(|other| other.to_lowercase() == lowercase) {
        return Some(format!(
            "the tags {other:?} and {key:?} differ in case only, and IAM takes just one of them"
        ));
    }
    if key.is_empty() {
        return Some("a tag key is empty".to_owned());
    }
    too_long_or_illegal(key, "tag key", KEY_LIMIT_CHARACTERS)
}

fn value_problem(value: &str) -> Option<String> {
    too_long_or_illegal(value, "tag value", VALUE_LIMIT_CHARACTERS)
}

fn too_long_or_illegal(text: &str, what: &str, limit_characters: usize) -> Option<String> {
    let length = text.chars().count();
    if length > limit_characters {
        return Some(format!("the {what} has {length} characters"));
    }
    let illegal = text.chars().find(|&character| {
        !character.is_alphanumeric() && character != ' ' && !"_.:/=+-@".contains(character)
    })?;
    Some(format!("the {what} contains {illegal:?}"))
}
