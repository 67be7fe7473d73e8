//! Property values: what inputs and outputs are made of once their types are erased.
//!
//! Owns [`Value`], its unknown and secret forms, and the conversion from and to typed Rust values
//! ([`Property`]). It must not know resources, plans or files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::secret::Secret;

/// Named values of one resource: its inputs or its outputs, by field name.
pub type Properties = BTreeMap<String, Value>;

/// One value, as it is compared, planned and recorded.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// Nothing: an explicit absence inside a structure.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole or decimal number.
    Number(Number),
    /// Text.
    Text(String),
    /// An ordered list.
    List(Vec<Value>),
    /// A structure or a string-keyed map.
    Map(BTreeMap<String, Value>),
    /// A secret: compared by digest, its plain text never printed or stored.
    Secret(Secret),
    /// Known only after apply.
    Unknown,
}

impl Value {
    /// Text from anything string-like.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Whether an [`Value::Unknown`] is anywhere inside.
    pub fn has_unknown(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::List(items) => items.iter().any(Self::has_unknown),
            Self::Map(fields) => fields.values().any(Self::has_unknown),
            _ => false,
        }
    }

    /// Whether a [`Value::Secret`] is anywhere inside.
    pub fn has_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::List(items) => items.iter().any(Self::has_secret),
            Self::Map(fields) => fields.values().any(Self::has_secret),
            _ => false,
        }
    }

    /// Adds the names of the secrets inside that a person has to give.
    pub fn collect_asked<'a>(&'a self, into: &mut BTreeSet<&'a str>) {
        match self {
            Self::Secret(secret) => into.extend(secret.asked_names()),
            Self::List(items) => items.iter().for_each(|item| item.collect_asked(into)),
            Self::Map(fields) => fields.values().for_each(|field| field.collect_asked(into)),
            _ => {}
        }
    }

    /// The same value, in which the secrets that a person has to give are the given ones.
    #[must_use]
    pub(crate) fn given_from(self, given: &BTreeMap<String, Secret>) -> Self {
        match self {
            Self::Secret(secret) => Self::Secret(secret.given_from(given)),
            Self::List(items) => Self::List(items.into_iter().map(|item| item.given_from(given)).collect()),
            Self::Map(fields) => {
                let fields = fields.into_iter().map(|(name, field)| (name, field.given_from(given)));
                Self::Map(fields.collect())
            }
            other => other,
        }
    }

    /// The text, if this is [`Value::Text`].
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The map, if this is [`Value::Map`].
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::Map(fields) => Some(fields),
            _ => None,
        }
    }

    /// The name of the kind of value, for error messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Secret(_) => "a secret",
            Self::Unknown => "a value known only after apply",
        }
    }

    /// Plain JSON becomes a value; JSON has no unknowns and no secrets.
    pub fn from_plain_json(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(flag),
            serde_json::Value::Number(number) => Self::Number(number),
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(items) => {
                Self::List(items.into_iter().map(Self::from_plain_json).collect())
            }
            serde_json::Value::Object(fields) => Self::Map(
                fields.into_iter().map(|(name, value)| (name, Self::from_plain_json(value))).collect(),
            ),
        }
    }

    /// The value as plain JSON.
    ///
    /// # Errors
    /// [`ValueError`] if a secret or an unknown is inside: neither has a plain form.
    pub fn to_plain_json(&self) -> Result<serde_json::Value, ValueError> {
        Ok(match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(flag) => serde_json::Value::Bool(*flag),
            Self::Number(number) => serde_json::Value::Number(number.clone()),
            Self::Text(text) => serde_json::Value::String(text.clone()),
            Self::List(items) => {
                serde_json::Value::Array(items.iter().map(Self::to_plain_json).collect::<Result<_, _>>()?)
            }
            Self::Map(fields) => serde_json::Value::Object(
                fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), value.to_plain_json()?)))
                    .collect::<Result<_, ValueError>>()?,
            ),
            Self::Secret(_) | Self::Unknown => {
                return Err(ValueError::new(format!("{} has no plain form", self.kind())));
            }
        })
    }
}

/// JSON with two marks: `{"$unknown": true}` and `{"$secret": [parts]}`, in which a part is
/// `{"plain": …}`, `{"digest": …}`, `{"sealed": …}` with where it is stored, or `{"asked": …}`; a map
/// with a key that begins with `$` is wrapped in `{"$map": …}`.
impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Map(fields) if fields.keys().any(|key| key.starts_with('$')) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("$map", fields)?;
                map.end()
            }
            Self::Map(fields) => fields.serialize(serializer),
            Self::Secret(secret) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("$secret", secret.parts())?;
                map.end()
            }
            Self::Unknown => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("$unknown", &true)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Reads values as they come, since a snapshot holds hundreds of thousands of them.
struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| E::invalid_value(Unexpected::Float(number), &"a finite number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.starts_with('$') {
                let value = marked(&key, &mut entries)?;
                // A mark stands alone: a map with such a key is written inside `$map`.
                if !fields.is_empty() || entries.next_key::<IgnoredAny>()?.is_some() {
                    return Err(serde::de::Error::custom(format!("{key} has fields beside it")));
                }
                return Ok(value);
            }
            fields.insert(key, entries.next_value()?);
        }
        Ok(Value::Map(fields))
    }
}

fn marked<'de, A: MapAccess<'de>>(mark: &str, entries: &mut A) -> Result<Value, A::Error> {
    match mark {
        "$unknown" => entries.next_value::<bool>().map(|_| Value::Unknown),
        "$secret" => entries.next_value().map(|parts| Value::Secret(Secret::from_parts(parts))),
        "$map" => entries.next_value().map(Value::Map),
        other => Err(serde::de::Error::unknown_field(other, &["$unknown", "$secret", "$map"])),
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => write!(formatter, "null"),
            Self::Bool(flag) => write!(formatter, "{flag}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::List(items) => formatter.debug_list().entries(items).finish(),
            Self::Map(fields) => formatter.debug_map().entries(fields).finish(),
            Self::Secret(_) => write!(formatter, "(secret)"),
            Self::Unknown => write!(formatter, "(known after apply)"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

/// A value that does not have the expected shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ValueError {
    message: String,
}

impl ValueError {
    /// An error from its message: a lowercase fragment that says what is wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// A Rust type that a property can have.
///
/// Structures derive it (`#[derive(Property)]` beside serde's derives); newtypes over strings are
/// made with [`text_property!`](crate::text_property).
pub trait Property: Sized {
    /// The erased form of this value.
    fn to_value(&self) -> Value;

    /// The typed form of an erased value without unknowns.
    ///
    /// # Errors
    /// [`ValueError`] if the value does not have this type's shape.
    fn from_value(value: &Value) -> Result<Self, ValueError>;
}

/// [`Property::to_value`] for types that serde can write.
pub fn serialize_property<T: Serialize>(value: &T) -> Value {
    // A type that serde cannot express as JSON (a map with structured keys) is a mistake of its
    // author that the first test of that type shows; `Null` then fails to read back.
    serde_json::to_value(value).map_or(Value::Null, Value::from_plain_json)
}

/// [`Property::from_value`] for types that serde can read.
///
/// # Errors
/// [`ValueError`] with serde's message.
pub fn deserialize_property<T: DeserializeOwned>(value: &Value) -> Result<T, ValueError> {
    serde_json::from_value(value.to_plain_json()?).map_err(|error| ValueError::new(error.to_string()))
}

/// Implements [`Property`] through serde for the named types.
#[macro_export]
macro_rules! property_through_serde {
    ($($type:ty),+ $(,)?) => {
        $(impl $crate::Property for $type {
            fn to_value(&self) -> $crate::Value {
                $crate::value::serialize_property(self)
            }

            fn from_value(value: &$crate::Value) -> Result<Self, $crate::ValueError> {
                $crate::value::deserialize_property(value)
            }
        })+
    };
}

property_through_serde!(bool, i32, i64, u16, u32, u64, f64, IpAddr, Ipv4Addr, ipnet::Ipv4Net, ipnet::Ipv6Net);

impl Property for String {
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            other => Err(ValueError::new(format!("expected a string, got {}", other.kind()))),
        }
    }
}

impl Property for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        Ok(value.clone())
    }
}

impl Property for Secret {
    fn to_value(&self) -> Value {
        Value::Secret(self.clone())
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        match value {
            Value::Secret(secret) => Ok(secret.clone()),
            other => Err(ValueError::new(format!("expected a secret, got {}", other.kind()))),
        }
    }
}

impl<T: Property> Property for Vec<T> {
    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        match value {
            Value::List(items) => items.iter().map(T::from_value).collect(),
            other => Err(ValueError::new(format!("expected a list, got {}", other.kind()))),
        }
    }
}

impl<T: Property> Property for BTreeMap<String, T> {
    fn to_value(&self) -> Value {
        Value::Map(self.iter().map(|(key, value)| (key.clone(), value.to_value())).collect())
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        match value {
            Value::Map(fields) => {
                fields.iter().map(|(key, value)| Ok((key.clone(), T::from_value(value)?))).collect()
            }
            other => Err(ValueError::new(format!("expected a map, got {}", other.kind()))),
        }
    }
}

impl<T: Property> Property for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

macro_rules! property_for_tuples {
    ($(($($name:ident $index:tt),+) of $length:literal;)+) => {
        $(impl<$($name: Property),+> Property for ($($name,)+) {
            fn to_value(&self) -> Value {
                Value::List(vec![$(self.$index.to_value()),+])
            }

            fn from_value(value: &Value) -> Result<Self, ValueError> {
                match value {
                    Value::List(items) if items.len() == $length => {
                        Ok(($($name::from_value(&items[$index])?,)+))
                    }
                    other => Err(ValueError::new(format!(
                        "expected a list of {}, got {}", $length, other.kind()
                    ))),
                }
            }
        })+
    };
}

property_for_tuples! {
    (A 0, B 1) of 2;
    (A 0, B 1, C 2) of 3;
    (A 0, B 1, C 2, D 3) of 4;
}

/// Declares string newtypes that are properties, such as the ids of one service:
/// `text_property! { /// The id of a VPC, `vpc-…`. VpcId }`.
#[macro_export]
macro_rules! text_property {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {
        $($(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as AWS gives it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as AWS gives it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl $crate::Property for $name {
            fn to_value(&self) -> $crate::Value {
                $crate::Value::text(self.0.clone())
            }

            fn from_value(value: &$crate::Value) -> Result<Self, $crate::ValueError> {
                <String as $crate::Property>::from_value(value).map(Self)
            }
        })+
    };
}
