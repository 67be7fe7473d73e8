//! What requests of several kinds have in common: pages, tags and client tokens.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::errors::invalid;
use crate::cloud::call::Call;
use crate::cloud::tokens::TokenUse;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::common::pages::PageRequest;

/// The most items of a page, and how many it has unless the request says otherwise.
const MOST: i64 = 100;
/// The most tags of one resource.
const MOST_TAGS: usize = 50;

/// Values by key.
pub(super) type Tags = BTreeMap<String, String>;

/// Which page a request asks for.
pub(super) fn page_of(members: &Members<'_>) -> Result<PageRequest, ServiceError> {
    let items = members.integer("maxResults", 1, MOST)?.unwrap_or(MOST);
    let marker = members.text("nextToken")?;
    PageRequest::new(marker, usize::try_from(items).unwrap_or(usize::MAX))
        .ok_or_else(|| invalid("Invalid token."))
}

/// The answer with a page of names or of structures.
pub(super) fn page_answer(request: &PageRequest, name: &str, list: Vec<(String, Value)>) -> Value {
    let page = request.page(list);
    let mut answer = json!({ name: page.items });
    if let Some(marker) = page.marker {
        answer["nextToken"] = marker.into();
    }
    answer
}

/// The tags that a request gives.
pub(super) fn tags_of(members: &Members<'_>) -> Result<Tags, ServiceError> {
    let tags = texts_by_key(members, "tags")?.unwrap_or_default();
    check_tags(&tags)?;
    Ok(tags)
}

/// Refuses tags that no resource can have.
pub(super) fn check_tags(tags: &Tags) -> Result<(), ServiceError> {
    if tags.len() > MOST_TAGS {
        return Err(invalid(format!("Tags cannot have more than {MOST_TAGS} entries.")));
    }
    for (key, value) in tags {
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(invalid(format!(
                "The tag {key} is longer than 128 characters, or its value than 256."
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("Tag keys cannot start with the reserved prefix aws:, {key}")));
        }
    }
    Ok(())
}

/// A map of texts.
pub(super) fn texts_by_key(members: &Members<'_>, name: &str) -> Result<Option<Tags>, ServiceError> {
    let Some(map) = members.map(name)? else { return Ok(None) };
    let text = |(key, value): (&String, &Value)| match value.as_str() {
        Some(value) => Ok((key.clone(), value.to_owned())),
        None => Err(crate::protocol::json::document::mistyped(value, "String")),
    };
    map.iter().map(text).collect::<Result<_, _>>().map(Some)
}

/// A list of texts, each once and in its order.
pub(super) fn distinct(members: &Members<'_>, name: &str) -> Result<Option<Vec<String>>, ServiceError> {
    let Some(list) = members.texts(name)? else { return Ok(None) };
    let mut texts: Vec<String> = Vec::new();
    for text in list {
        if !texts.iter().any(|known| known == text) {
            texts.push(text.to_owned());
        }
    }
    Ok(Some(texts))
}

/// The client token of a request. To be read with its other members.
pub(super) fn token_of(
    call: &Call<'_>,
    members: &Members<'_>,
    operation: &str,
) -> Result<Option<TokenUse>, ServiceError> {
    let token = members.text("clientRequestToken")?;
    Ok(token.map(|token| TokenUse::new(&format!("eks:{operation}"), token, &call.document.canonical())))
}

/// A fresh UUID.
pub(super) fn uuid(call: &mut Call<'_>) -> String {
    let digits = call.identifiers.hexadecimal(32);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
