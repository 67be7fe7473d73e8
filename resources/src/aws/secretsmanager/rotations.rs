//! Which value of each generated key a secret holds: a tag on it says so, since nothing else would tell after a crash
//! whether a value was rotated already.

use std::collections::BTreeMap;

use super::generated::Generated;
use crate::aws::tags::Tags;

/// The tag, which a secret has once a key of it was rotated: `password=2 salt=1`.
pub(super) const TAG: &str = "lsinfra:rotation";

/// The rotation of each key that was rotated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rotations(BTreeMap<String, u32>);

impl Rotations {
    /// What the tags of a secret say.
    pub(super) fn of(tags: &Tags) -> Self {
        let text = tags.get(TAG).map(String::as_str).unwrap_or_default();
        let pairs = text.split(' ').filter_map(|pair| pair.split_once('='));
        let read = pairs.filter_map(|(key, number)| Some((key.to_owned(), number.parse().ok()?)));
        Self(read.collect())
    }

    /// What is declared.
    pub(super) fn declared(generated: &BTreeMap<String, Generated>) -> Self {
        let rotated = generated.iter().filter(|(_, generated)| generated.rotation > 0);
        Self(rotated.map(|(key, generated)| (key.clone(), generated.rotation)).collect())
    }

    /// The rotation of a key; 0 for the first value.
    pub(super) fn get(&self, key: &str) -> u32 {
        self.0.get(key).copied().unwrap_or_default()
    }

    /// The tag's value; `None` if there is nothing to say.
    pub(super) fn to_tag(&self) -> Option<String> {
        let pairs: Vec<String> = self.0.iter().map(|(key, number)| format!("{key}={number}")).collect();
        (!pairs.is_empty()).then(|| pairs.join(" "))
    }
}
