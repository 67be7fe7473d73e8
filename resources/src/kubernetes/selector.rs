//! What several kinds are made of.

use std::collections::BTreeMap;

use lsinfra_engine::Property;
use serde::{Deserialize, Serialize};

/// Objects by their labels; an empty one is all.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelSelector {
    /// The labels that they have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// What else is true of their labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

impl LabelSelector {
    /// Objects with these labels.
    pub fn labels<const N: usize>(labels: [(&str, &str); N]) -> Self {
        let labels = labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self { match_labels: labels.collect(), match_expressions: Vec::new() }
    }
}

/// Something that is true of a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct LabelSelectorRequirement {
    /// The label's key.
    pub key: String,
    /// What is true of it.
    pub operator: LabelOperator,
    /// The values that are meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// What is true of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
pub enum LabelOperator {
    /// It has one of the values.
    In,
    /// It has none of them.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
}

/// A number, or a text such as a share or the name of a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(untagged)]
pub enum IntOrString {
    /// A number.
    Int(i64),
    /// A text.
    String(String),
}
