//! The keys and values that an ExternalSecret asks for, out of what its store has.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Failure;
use crate::protocol::error::ServiceError;

const SHORT: &str = "could not get secret data from provider";

/// The data of the secret; `read` reads a key of the store at a version.
pub(super) fn of(
    spec: &Value,
    mut read: impl FnMut(&str, Option<&str>) -> Result<Vec<u8>, ServiceError>,
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut data = BTreeMap::new();
    // What `data` says counts more than what `dataFrom` brings.
    for (index, source) in items(&spec["dataFrom"]).enumerate() {
        let place = format!("spec.dataFrom[{index}]");
        let Some(extract) = source.get("extract").filter(|_| source.get("rewrite").is_none()) else {
            let full = format!("{place}: the sandbox plays extract alone, without rewrite");
            return Err(Failure::new(SHORT, full));
        };
        match parsed(&found(extract, &place, &mut read)?) {
            Some(Value::Object(members)) => {
                data.extend(members.into_iter().map(|(key, value)| (key, bytes(&value))));
            }
            _ => {
                let key = extract["key"].as_str().unwrap_or_default();
                return Err(Failure::new(SHORT, format!("{place} (key: {key}): unable to unmarshal secret")));
            }
        }
    }
    for (index, entry) in items(&spec["data"]).enumerate() {
        let key = entry["secretKey"].as_str().unwrap_or_default();
        let value = found(&entry["remoteRef"], &format!("spec.data[{index}]"), &mut read)?;
        data.insert(key.to_owned(), value);
    }
    Ok(data)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// What a reference means: a whole value, or a property of one that is JSON.
fn found(
    reference: &Value,
    place: &str,
    read: &mut impl FnMut(&str, Option<&str>) -> Result<Vec<u8>, ServiceError>,
) -> Result<Vec<u8>, Failure> {
    let key = reference["key"].as_str().unwrap_or_default();
    let failed = |reason: String| Failure::new(SHORT, format!("{place} (key: {key}): {reason}"));
    let value = read(key, reference["version"].as_str())
        .map_err(|error| failed(format!("{}: {}", error.code, error.message)))?;
    let Some(property) = reference["property"].as_str().filter(|property| !property.is_empty()) else {
        return Ok(value);
    };
    let document = parsed(&value).unwrap_or(Value::Null);
    let member = document.get(property);
    let member = member.or_else(|| {
        property.split('.').try_fold(&document, |value, part| match value {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            other => other.get(part),
        })
    });
    member.map(bytes).ok_or_else(|| failed(format!("key {property} does not exist in secret {key}")))
}

fn parsed(value: &[u8]) -> Option<Value> {
    serde_json::from_slice(value).ok()
}

/// A string as it is, anything else as JSON.
fn bytes(value: &Value) -> Vec<u8> {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn asked(spec: &Value) -> Result<BTreeMap<String, String>, String> {
        let data = of(spec, |key, version| match (key, version) {
            ("plain", None) => Ok(b"word".to_vec()),
            ("plain", Some("AWSPREVIOUS")) => Ok(b"old".to_vec()),
            ("json", None) => Ok(br#"{"a": "1", "b.c": "2", "d": {"e": [3]}}"#.to_vec()),
            _ => Err(ServiceError::new(400, "AccessDenied", "no")),
        });
        let text = |(key, value)| (key, String::from_utf8(value).unwrap());
        data.map(|data| data.into_iter().map(text).collect()).map_err(|failure| failure.full)
    }

    #[test]
    fn whole_values_properties_and_all_of_a_document_are_found() {
        let entry = |key: &str, remote: Value| json!({"secretKey": key, "remoteRef": remote});
        let data = asked(&json!({
            "dataFrom": [{"extract": {"key": "json"}}],
            "data": [
                entry("whole", json!({"key": "plain"})),
                entry("before", json!({"key": "plain", "version": "AWSPREVIOUS"})),
                entry("literal", json!({"key": "json", "property": "b.c"})),
                entry("path", json!({"key": "json", "property": "d.e.0"})),
                entry("a", json!({"key": "plain"})),
            ],
        }));
        let expected = [
            ("a", "word"),
            ("b.c", "2"),
            ("before", "old"),
            ("d", r#"{"e":[3]}"#),
            ("literal", "2"),
            ("path", "3"),
            ("whole", "word"),
        ];
        assert_eq!(data.unwrap(), expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn what_is_not_found_is_said_with_its_place() {
        let of =
            |remote: Value| asked(&json!({"data": [{"secretKey": "k", "remoteRef": remote}]})).unwrap_err();
        assert_eq!(of(json!({"key": "other"})), "spec.data[0] (key: other): AccessDenied: no");
        assert_eq!(
            of(json!({"key": "json", "property": "z"})),
            "spec.data[0] (key: json): key z does not exist in secret json"
        );
        let extract = asked(&json!({"dataFrom": [{"extract": {"key": "plain"}}]})).unwrap_err();
        assert!(extract.contains("unmarshal"), "{extract}");
    }
}
