//! The values of attributes: how they are read and checked, how large they are, how they compare.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::number::Number;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::mistyped;
use crate::services::dynamodb::errors::{invalid, validation};

/// How deep lists and maps may nest.
const DEEPEST: usize = 32;

/// An item, or the members of a map: values by name.
pub(crate) type Attributes = BTreeMap<String, AttributeValue>;

/// Bytes, in base64 on the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Binary(pub(in crate::services::dynamodb) Vec<u8>);

impl From<Binary> for String {
    fn from(binary: Binary) -> Self {
        STANDARD.encode(binary.0)
    }
}

impl TryFrom<String> for Binary {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD.decode(text).map(Self)
    }
}

/// A value, which is written down as the wire has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AttributeValue {
    /// A text.
    #[serde(rename = "S")]
    Text(String),
    /// A number.
    #[serde(rename = "N")]
    Number(Number),
    /// Bytes.
    #[serde(rename = "B")]
    Binary(Binary),
    /// A truth value.
    #[serde(rename = "BOOL")]
    Truth(bool),
    /// Nothing; always with the value `true`.
    #[serde(rename = "NULL")]
    Null(bool),
    /// Different texts.
    #[serde(rename = "SS")]
    TextSet(BTreeSet<String>),
    /// Different numbers.
    #[serde(rename = "NS")]
    NumberSet(BTreeSet<Number>),
    /// Different bytes.
    #[serde(rename = "BS")]
    BinarySet(BTreeSet<Binary>),
    /// Values in order.
    #[serde(rename = "L")]
    List(Vec<AttributeValue>),
    /// Values by name.
    #[serde(rename = "M")]
    Map(Attributes),
}

impl AttributeValue {
    /// Every type, as `attribute_type` names it.
    pub(in crate::services::dynamodb) const TYPES: &[&str] =
        &["B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"];

    /// The type's name on the wire.
    pub(in crate::services::dynamodb) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "S",
            Self::Number(_) => "N",
            Self::Binary(_) => "B",
            Self::Truth(_) => "BOOL",
            Self::Null(_) => "NULL",
            Self::TextSet(_) => "SS",
            Self::NumberSet(_) => "NS",
            Self::BinarySet(_) => "BS",
            Self::List(_) => "L",
            Self::Map(_) => "M",
        }
    }

    /// Whether it can be a key, and be less or greater than another.
    pub(in crate::services::dynamodb) fn is_scalar(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Number(_) | Self::Binary(_))
    }

    /// The order of texts, numbers and bytes among their own.
    pub(in crate::services::dynamodb) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => Some(one.as_bytes().cmp(two.as_bytes())),
            (Self::Number(one), Self::Number(two)) => Some(one.cmp(two)),
            (Self::Binary(one), Self::Binary(two)) => Some(one.cmp(two)),
            _ => None,
        }
    }

    /// How many bytes of an item it takes.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    pub(in crate::services::dynamodb) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Number(number) => number.size(),
            Self::Binary(binary) => binary.0.len(),
            Self::Truth(_) | Self::Null(_) => 1,
            Self::TextSet(set) => set.iter().map(String::len).sum(),
            Self::NumberSet(set) => set.iter().map(Number::size).sum(),
            Self::BinarySet(set) => set.iter().map(|binary| binary.0.len()).sum(),
            Self::List(list) => 3 + list.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::Map(map) => 3 + map.len() + size(map),
        }
    }

    /// Reads a value.
    pub(in crate::services::dynamodb) fn parse(value: &Value) -> Result<Self, ServiceError> {
        Self::parse_within(value, DEEPEST)
    }

    fn parse_within(value: &Value, depth: usize) -> Result<Self, ServiceError> {
        let members = object(value)?;
        let mut members = members.iter().filter(|(_, value)| !value.is_null());
        let (name, content) = members.next().ok_or_else(|| {
            validation(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            )
        })?;
        if members.next().is_some() {
            return Err(validation(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
            ));
        }
        if matches!(name.as_str(), "L" | "M") && depth == 0 {
            return Err(validation(
                "Nesting Levels have exceeded supported limits: Attributes or Maps have nested too deeply",
            ));
        }
        Ok(match name.as_str() {
            "S" => Self::Text(text(content)?.to_owned()),
            "N" => Self::Number(number(content)?),
            "B" => Self::Binary(binary(content)?),
            "BOOL" => Self::Truth(content.as_bool().ok_or_else(|| mistyped(content, "Boolean"))?),
            "NULL" => match content.as_bool().ok_or_else(|| mistyped(content, "Boolean"))? {
                true => Self::Null(true),
                false => {
                    return Err(invalid("Null attribute value types must have the value of true"));
                }
            },
            "SS" => Self::TextSet(set(content, "string", |one| text(one).map(str::to_owned))?),
            "NS" => Self::NumberSet(set(content, "number", number)?),
            "BS" => Self::BinarySet(set(content, "binary", binary)?),
            "L" => {
                let list = content.as_array().ok_or_else(|| mistyped(content, "List"))?;
                Self::List(
                    list.iter().map(|one| Self::parse_within(one, depth - 1)).collect::<Result<_, _>>()?,
                )
            }
            "M" => Self::Map(parse_members(object(content)?, depth - 1)?),
            _ => {
                return Err(validation(
                    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
                ));
            }
        })
    }
}

/// Reads an item.
pub(in crate::services::dynamodb) fn parse_item(
    members: &Map<String, Value>,
) -> Result<Attributes, ServiceError> {
    parse_members(members, DEEPEST)
}

fn parse_members(members: &Map<String, Value>, depth: usize) -> Result<Attributes, ServiceError> {
    let parsed = members.iter().map(|(name, value)| {
        if name.is_empty() {
            return Err(invalid("Empty attribute name"));
        }
        Ok((name.clone(), AttributeValue::parse_within(value, depth)?))
    });
    parsed.collect()
}

/// How many bytes names and values take; an item may take 400 KB.
pub(in crate::services::dynamodb) fn size(attributes: &Attributes) -> usize {
    attributes.iter().map(|(name, value)| name.len() + value.size()).sum()
}

/// An item, a key or a map as answers have it.
pub(in crate::services::dynamodb) fn answered(attributes: &Attributes) -> Value {
    // Serializing fails for maps whose keys are no texts alone.
    serde_json::to_value(attributes).unwrap_or_default()
}

fn object(value: &Value) -> Result<&Map<String, Value>, ServiceError> {
    value.as_object().ok_or_else(|| mistyped(value, "AttributeValue"))
}

fn text(value: &Value) -> Result<&str, ServiceError> {
    value.as_str().ok_or_else(|| mistyped(value, "String"))
}

fn number(value: &Value) -> Result<Number, ServiceError> {
    Number::parse(text(value)?).map_err(validation)
}

fn binary(value: &Value) -> Result<Binary, ServiceError> {
    let text = text(value)?;
    Binary::try_from(text.to_owned()).map_err(|_| {
        ServiceError::new(
            400,
            "SerializationException",
            "Base64 encoded length is expected a multiple of 4 bytes",
        )
    })
}

fn set<T: Ord>(
    value: &Value,
    kind: &str,
    read: impl Fn(&Value) -> Result<T, ServiceError>,
) -> Result<BTreeSet<T>, ServiceError> {
    let list = value.as_array().ok_or_else(|| mistyped(value, "List"))?;
    if list.is_empty() {
        return Err(invalid(&format!("An {kind} set  may not be empty")));
    }
    let set: BTreeSet<T> = list.iter().map(read).collect::<Result<_, _>>()?;
    if set.len() < list.len() {
        let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        return Err(invalid(&format!("Input collection [{}] contains duplicates.", texts.join(", "))));
    }
    Ok(set)
}
