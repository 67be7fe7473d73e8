//! The tags that the user puts on every resource, within what every AWS service takes.

use std::collections::BTreeMap;

use super::document::Document;

/// The longest key and value.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
const KEY_LIMIT_CHARACTERS: usize = 128;
const VALUE_LIMIT_CHARACTERS: usize = 256;

/// What keys and values are made of.
const CHARACTERS: &str = "letters, digits, spaces and _ . : / = + - @";

/// How many tags the user may have: of the 50 of a resource, 10 are kept for `Name`, the four of
/// ownership, and those that Kubernetes controllers look for.
const LIMIT_TAGS: usize = 40;

/// Prefixes of keys that AWS or this tool set, compared without case.
const RESERVED_PREFIXES: [&str; 4] = ["aws:", "lsinfra:", "kubernetes.io/", "k8s.io/"];

pub(super) fn read(document: &mut Document<'_>) -> BTreeMap<String, String> {
    let entries = document.text_table("tags");
    if let Some((key, _)) = entries.get(LIMIT_TAGS) {
        let message = format!("{} tags are too many", entries.len());
        let help = format!(
            "allowed: at most {LIMIT_TAGS}; AWS takes 50, and 10 are for this tool and for Kubernetes"
        );
        document.problem(key, "tags", message, help);
    }
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in entries {
        let path = format!("tags.{}", key.value);
        if let Some((message, help)) = key_problem(&key.value, &tags) {
            document.problem(&key, &path, message, help);
        }
        if let Some(message) = value_problem(&value.value) {
            let help = format!("allowed: at most {VALUE_LIMIT_CHARACTERS} {CHARACTERS}");
            document.problem(&value, &path, message, help);
        }
        tags.insert(key.value, value.value);
    }
    tags
}

/// What is wrong with a key, and what is allowed.
fn key_problem(key: &str, others: &BTreeMap<String, String>) -> Option<(String, String)> {
    let lowercase = key.to_lowercase();
    if lowercase == "name" || RESERVED_PREFIXES.iter().any(|prefix| lowercase.starts_with(prefix)) {
        let message = format!("the tag key {key:?} is reserved");
        let help = format!("not allowed: Name, and keys that begin with {}", RESERVED_PREFIXES.join(" "));
        return Some((message, help));
    }
    // IAM compares tag keys without case: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>
    if let Some(other) = others.keys().find(|other| other.to_lowercase() == lowercase) {
        let message = format!("the tag keys {other:?} and {key:?} differ in case only");
        return Some((message, "remove one of them: IAM takes them for one".to_owned()));
    }
    let message = match key {
        "" => "a tag key is empty".to_owned(),
        key => too_long_or_illegal(key, "tag key", KEY_LIMIT_CHARACTERS)?,
    };
    Some((message, format!("allowed: 1 to {KEY_LIMIT_CHARACTERS} {CHARACTERS}")))
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
