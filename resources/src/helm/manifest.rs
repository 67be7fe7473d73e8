//! Manifests: what a chart renders to, as objects that can be compared.
//!
//! Owns their normal form: objects by kind and name, members in the order of their names, and digests in the place of
//! secret data, so that a manifest can be recorded and shown. Must not know where a manifest comes from.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lsinfra_engine::Value;
use lsinfra_engine::secret::{Secret, SecretKey, SecretPart};
use secrecy::SecretString;

use crate::helm::HelmError;

/// How much of a digest is shown: enough to tell two values apart.
const DIGEST_CHARACTERS: usize = 16;
/// The annotation that makes an object a hook, which helm runs beside the others.
/// <https://helm.sh/docs/topics/charts_hooks/>
const HOOK: &str = "helm.sh/hook";

/// What tells an object from the others of a manifest. The namespace is the one that the object itself names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectKey {
    pub(crate) kind: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) api_version: String,
}

impl ObjectKey {
    fn of(object: &Value) -> Option<Self> {
        let text = |path: &[&str]| at(object, path).and_then(Value::as_text).map(str::to_owned);
        Some(Self {
            kind: text(&["kind"])?,
            namespace: text(&["metadata", "namespace"]),
            name: text(&["metadata", "name"])?,
            api_version: text(&["apiVersion"])?,
        })
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ", self.api_version, self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(formatter, "{namespace}/")?;
        }
        formatter.write_str(&self.name)
    }
}

/// The key under which a map has the maps that it begins with.
const MERGE_KEY: &str = "<<";

/// Takes in what merge keys name. Plain ones are gone by now; these have a tag (`!!merge <<`), as the definitions of the
/// ClickHouse operator have them. <https://yaml.org/type/merge.html>
fn merged(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value::{Array, Object};
    match json {
        Array(items) => Array(items.into_iter().map(merged).collect()),
        Object(fields) => {
            let mut fields: serde_json::Map<_, _> =
                fields.into_iter().map(|(key, value)| (key, merged(value))).collect();
            let sources = match fields.remove(MERGE_KEY) {
                Some(Array(sources)) => sources,
                one => one.into_iter().collect(),
            };
            for source in sources {
                if let Object(source) = source {
                    for (key, value) in source {
                        fields.entry(key).or_insert(value);
                    }
                }
            }
            Object(fields)
        }
        scalar => scalar,
    }
}

/// The objects that a chart renders to. Their order, which helm chooses itself, is no part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) objects: BTreeMap<ObjectKey, Value>,
}

impl Manifest {
    /// Reads what helm renders or keeps, secret data and all.
    ///
    /// # Errors
    /// [`HelmError::Manifest`] if that is no YAML, or an object without kind or name.
    pub(crate) fn parse(text: &str) -> Result<Self, HelmError> {
        // A name such as `n` is a name.
        let options = serde_saphyr::options! { strict_booleans: true };
        let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple_with_options(text, options)
            .map_err(|error| HelmError::Manifest { problem: first_line(&error.to_string()) })?;
        let mut manifest = Self::default();
        for document in documents {
            manifest.add(Value::from_plain_json(merged(document)))?;
        }
        Ok(manifest)
    }

    fn add(&mut self, object: Value) -> Result<(), HelmError> {
        // A template of which nothing is left is a comment.
        if object == Value::Null {
            return Ok(());
        }
        if let (Some(kind), Some(Value::List(items))) =
            (at(&object, &["kind"]).and_then(Value::as_text), at(&object, &["items"]))
            && kind.ends_with("List")
        {
            return items.iter().try_for_each(|item| self.add(item.clone()));
        }
        let Some(key) = ObjectKey::of(&object) else {
            return Err(HelmError::Manifest { problem: "an object has no kind or no name".to_owned() });
        };
        self.objects.insert(key, object);
        Ok(())
    }

    /// The objects of both.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.objects.extend(other.objects);
        self
    }

    /// The same manifest with digests in the place of secret data.
    #[must_use]
    pub(crate) fn digested(mut self, key: &SecretKey) -> Self {
        for (object_key, object) in &mut self.objects {
            if object_key.kind == "Secret" && object_key.api_version == "v1" {
                digest_data(object, key);
            }
        }
        self
    }

    /// As text that [`Manifest::parse`] reads back. Only of a digested one may it leave memory.
    pub(crate) fn to_text(&self) -> String {
        self.objects.values().map(|object| format!("---\n{}", to_yaml(object))).collect()
    }

    /// The objects that helm runs as hooks.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = (&ObjectKey, &Value)> {
        self.objects.iter().filter(|(_, object)| is_hook(object))
    }

    /// The objects that helm applies and keeps.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (&ObjectKey, &Value)> {
        self.objects.iter().filter(|(_, object)| !is_hook(object))
    }
}

/// Whether helm runs the object as a hook.
pub(crate) fn is_hook(object: &Value) -> bool {
    at(object, &["metadata", "annotations", HOOK]).is_some()
}

/// A member of a member … of an object.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.as_map()?.get(*name))
}

/// An object as YAML, its members in the order of their names.
pub(crate) fn to_yaml(object: &Value) -> String {
    let plain = object.to_plain_json().unwrap_or_default();
    // Folding would make a change of one word one of many lines.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let text = serde_saphyr::to_string_with_options(&plain, options).unwrap_or_default();
    if text.ends_with('\n') { text } else { text + "\n" }
}

/// Puts digests in the place of a secret's values, which may be given as base64 or as they are.
fn digest_data(object: &mut Value, key: &SecretKey) {
    let Value::Map(members) = object else { return };
    let mut digests = BTreeMap::new();
    if let Some(Value::Map(data)) = members.remove("data") {
        for (name, value) in data {
            let text = value.as_text().unwrap_or_default();
            let plain = STANDARD.decode(text).ok().and_then(|plain| String::from_utf8(plain).ok());
            digests.insert(name, digest(plain.unwrap_or_else(|| text.to_owned()), key));
        }
    }
    // What is given as it is goes before the other, as in the API.
    if let Some(Value::Map(data)) = members.remove("stringData") {
        for (name, value) in data {
            digests.insert(name, digest(value.as_text().unwrap_or_default().to_owned(), key));
        }
    }
    if !digests.is_empty() {
        members.insert("data".to_owned(), Value::Map(digests));
    }
}

fn digest(plain: String, key: &SecretKey) -> Value {
    let secret = Secret::given(key, SecretString::from(plain));
    let digest = secret.parts().iter().find_map(|part| match part {
        SecretPart::Sealed { digest, .. } => digest.get(..DIGEST_CHARACTERS),
        _ => None,
    });
    Value::text(format!("(digest {})", digest.unwrap_or_default()))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key() -> SecretKey {
        SecretKey::new([7; 32])
    }

    #[test]
    fn a_map_takes_in_what_its_merge_keys_name() {
        let of = |key: &str| {
            let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n";
            let text = format!("{head}  one: &one {{x: a, y: b}}\n  two:\n    {key}: *one\n    y: c\n");
            Manifest::parse(&text).unwrap()
        };
        let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n";
        let plain = format!("{head}  one: {{x: a, y: b}}\n  two: {{x: a, y: c}}\n");
        let plain = Manifest::parse(&plain).unwrap();
        assert_eq!(of("!!merge <<"), plain);
        assert_eq!(of("<<"), plain);
    }

    #[test]
    fn order_comments_and_empty_documents_are_no_part_of_it() {
        let one = "---\n# Source: a.yaml\nkind: A\napiVersion: v1\nmetadata: {name: a, labels: {y: 1, x: 2}}\n---\n# nothing\n\
                   ---\napiVersion: v1\nkind: B\nmetadata:\n  name: b\n";
        let two = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: B, metadata: {name: b}}\n\
                   - metadata:\n    labels: {x: 2, y: 1}\n    name: a\n  apiVersion: v1\n  kind: A\n";
        let (one, two) = (Manifest::parse(one).unwrap(), Manifest::parse(two).unwrap());
        assert_eq!(one.objects.len(), 2);
        assert_eq!(one, two);
        assert_eq!(one.to_text(), two.to_text());
        assert_eq!(Manifest::parse(&one.to_text()).unwrap(), one);
    }

    #[test]
    fn names_are_names_whatever_else_they_may_mean() {
        let text = "apiVersion: v1\nkind: A\nmetadata: {name: on, namespace: n}\nspec: {on: true, yes: no}\n";
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.objects.keys().next().unwrap().to_string(), "v1 A n/on");
        assert_eq!(Manifest::parse(&manifest.to_text()).unwrap(), manifest);
    }

    #[test]
    fn what_is_no_manifest_is_refused_without_being_repeated() {
        for text in ["kind: A\n  b: hunter2", "just words", "apiVersion: v1\nkind: A\nmetadata: {}"] {
            let error = Manifest::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn secret_data_is_there_as_digests() {
        let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: aHVudGVyMg==, b: bm90}\n\
                    stringData: {c: hunter2, b: hunter2}\n";
        let manifest = Manifest::parse(text).unwrap().digested(&key());
        let shown = manifest.to_text();
        assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"), "{shown}");
        let data = at(manifest.objects.values().next().unwrap(), &["data"]).unwrap().as_map().unwrap();
        assert_eq!(data["a"], data["c"], "however it is given, it is the same value");
        assert_eq!(data["b"], data["c"]);
        let other = Manifest::parse(text).unwrap().digested(&SecretKey::new([8; 32]));
        assert_ne!(other, manifest, "digests are keyed");
    }

    #[test]
    fn texts_of_many_lines_stay_lines() {
        let long = "word ".repeat(40);
        let text = format!(
            "apiVersion: v1\nkind: A\nmetadata: {{name: a}}\ndata: {{f: \"one\\ntwo\\n\", g: {long}}}\n"
        );
        let shown = Manifest::parse(&text).unwrap().to_text();
        assert!(shown.contains("  f: |\n    one\n    two\n"), "{shown}");
        assert!(shown.lines().any(|line| line.contains(long.trim())), "{shown}");
    }
}
