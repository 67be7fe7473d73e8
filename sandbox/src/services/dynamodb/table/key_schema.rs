//! What an item is known by: a partition key, and maybe a sort key.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.CoreComponents.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::protocol::error::ServiceError;
use crate::services::dynamodb::errors::{invalid, validation};
use crate::services::dynamodb::item::value::{AttributeValue, Attributes};

/// The longest partition key, in bytes.
const LONGEST_HASH: usize = 2048;
/// The longest sort key, in bytes.
const LONGEST_RANGE: usize = 1024;

/// An attribute that is part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::dynamodb) struct KeyElement {
    /// The attribute's name.
    pub(in crate::services::dynamodb) name: String,
    /// Its type: `S`, `N` or `B`.
    pub(in crate::services::dynamodb) kind: String,
}

/// The attributes of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::dynamodb) struct KeySchema {
    /// The partition key.
    pub(in crate::services::dynamodb) hash: KeyElement,
    /// The sort key.
    pub(in crate::services::dynamodb) range: Option<KeyElement>,
}

impl KeySchema {
    /// The attributes, the partition key first.
    pub(in crate::services::dynamodb) fn elements(&self) -> impl Iterator<Item = &KeyElement> {
        std::iter::once(&self.hash).chain(&self.range)
    }

    /// Whether an attribute is part of the key.
    pub(in crate::services::dynamodb) fn has(&self, attribute: &str) -> bool {
        self.elements().any(|element| element.name == attribute)
    }

    /// The key's attributes of an item.
    pub(in crate::services::dynamodb) fn of(&self, item: &Attributes) -> Attributes {
        self.elements()
            .filter_map(|element| item.get_key_value(&element.name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Where a table's row of an item is: the table's name, `/`, and the key's values as JSON. No table's name has a `/`.
    pub(in crate::services::dynamodb) fn row_id(&self, table: &str, item: &Attributes) -> String {
        let values: Vec<Option<&AttributeValue>> =
            self.elements().map(|element| item.get(&element.name)).collect();
        format!("{}{}", rows_of(table), json!(values))
    }

    /// Checks the key within an item that is to be written.
    pub(in crate::services::dynamodb) fn check_item(&self, item: &Attributes) -> Result<(), ServiceError> {
        for element in self.elements() {
            let name = &element.name;
            let Some(value) = item.get(name) else {
                return Err(invalid(&format!("Missing the key {name} in the item")));
            };
            if value.type_name() != element.kind {
                return Err(invalid(&format!(
                    "Type mismatch for key {name} expected: {} actual: {}",
                    element.kind,
                    value.type_name()
                )));
            }
        }
        self.check_sizes(item)
    }

    /// Checks a key that is given alone.
    pub(in crate::services::dynamodb) fn check_key(&self, key: &Attributes) -> Result<(), ServiceError> {
        let fits = |element: &KeyElement| {
            key.get(&element.name).is_some_and(|value| value.type_name() == element.kind)
        };
        if key.len() != self.elements().count() || !self.elements().all(fits) {
            return Err(validation("The provided key element does not match the schema"));
        }
        self.check_sizes(key)
    }

    fn check_sizes(&self, key: &Attributes) -> Result<(), ServiceError> {
        for element in self.elements() {
            let Some(value) = key.get(&element.name) else { continue };
            if let Some(kind) = emptiness(value) {
                return Err(validation(format!(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {}",
                    element.name
                )));
            }
            let is_hash = element.name == self.hash.name;
            if is_hash && value.size() > LONGEST_HASH {
                return Err(invalid(&format!(
                    "Size of hashkey has exceeded the maximum size limit of{LONGEST_HASH} bytes"
                )));
            }
            if !is_hash && value.size() > LONGEST_RANGE {
                return Err(invalid(&format!(
                    "Aggregated size of all range keys has exceeded the size limit of {LONGEST_RANGE} bytes"
                )));
            }
        }
        Ok(())
    }

    /// Checks what an item that is to be written has of an index's key; it need not have any.
    pub(in crate::services::dynamodb) fn check_indexed(
        &self,
        index: &str,
        item: &Attributes,
    ) -> Result<(), ServiceError> {
        for element in self.elements() {
            let name = &element.name;
            let Some(value) = item.get(name) else { continue };
            if value.type_name() != element.kind {
                return Err(invalid(&format!(
                    "Type mismatch for Index Key {name} Expected: {} Actual: {} IndexName: {index}",
                    element.kind,
                    value.type_name()
                )));
            }
            if let Some(kind) = emptiness(value) {
                return Err(validation(format!(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: {index}, IndexKey: {name}"
                )));
            }
        }
        Ok(())
    }

    /// As answers have it.
    pub(super) fn answered(&self) -> Value {
        let element =
            |element: &KeyElement, kind: &str| json!({"AttributeName": element.name, "KeyType": kind});
        let hash = element(&self.hash, "HASH");
        let range = self.range.iter().map(|range| element(range, "RANGE"));
        std::iter::once(hash).chain(range).collect()
    }
}

/// What the ids of all rows of a table's items begin with.
pub(in crate::services::dynamodb) fn rows_of(table: &str) -> String {
    format!("{table}/")
}

fn emptiness(value: &AttributeValue) -> Option<&'static str> {
    match value {
        AttributeValue::Text(text) if text.is_empty() => Some("string"),
        AttributeValue::Binary(binary) if binary.0.is_empty() => Some("binary"),
        _ => None,
    }
}
