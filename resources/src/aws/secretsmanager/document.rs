//! The value of a secret: a JSON object of texts.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// The members of a secret's value by key.
#[derive(Clone, Default)]
pub(super) struct Document(BTreeMap<String, SecretString>);

impl Document {
    /// Reads a value. One that is no JSON object, which somebody put there by hand, has no members.
    pub(super) fn parse(text: &str) -> Self {
        let Ok(Value::Object(members)) = serde_json::from_str(text) else { return Self::default() };
        let members = members.into_iter().map(|(key, value)| match value {
            Value::String(text) => (key, SecretString::from(text)),
            other => (key, SecretString::from(other.to_string())),
        });
        Self(members.collect())
    }

    /// The value as it is stored.
    pub(super) fn to_text(&self) -> SecretString {
        let members = self.0.iter().map(|(key, text)| (key.clone(), text.expose_secret().into()));
        SecretString::from(Value::Object(members.collect::<Map<_, _>>()).to_string())
    }

    pub(super) fn get(&self, key: &str) -> Option<&SecretString> {
        self.0.get(key)
    }

    pub(super) fn insert(&mut self, key: &str, text: SecretString) {
        self.0.insert(key.to_owned(), text);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &SecretString)> {
        self.0.iter()
    }

    /// Whether both hold the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let members = |document: &Self| -> BTreeMap<String, String> {
            let members = document.0.iter();
            members.map(|(key, text)| (key.clone(), text.expose_secret().to_owned())).collect()
        };
        members(self) == members(other)
    }
}
