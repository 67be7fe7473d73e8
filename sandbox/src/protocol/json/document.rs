//! The body of an awsJson request, read member by member. It remembers what was read, so that an operation can refuse
//! what it does not know instead of dropping it, as [`Params`](crate::protocol::params::Params) does for Query.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ABSENT, JsonService};
use crate::protocol::error::ServiceError;

/// How far a member was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// With everything in it.
    Whole,
    /// As a structure or a list of structures, whose members are read one by one.
    Opened,
}

/// The body of one request.
#[derive(Debug)]
pub(crate) struct Document {
    service: &'static JsonService,
    root: Map<String, Value>,
    read: RefCell<BTreeMap<String, Reading>>,
    finished: Cell<bool>,
}

/// The members of the body, or of a structure in it.
#[derive(Debug)]
pub(crate) struct Members<'d> {
    document: &'d Document,
    /// Where they are, as AWS's errors write it: `KeySchema.1.member`; empty for the body itself.
    path: String,
    members: &'d Map<String, Value>,
}

impl Document {
    /// The document of a request that has none.
    pub(crate) fn absent() -> Self {
        Self::new(&ABSENT, Map::new())
    }

    /// Reads a body.
    pub(crate) fn parse(service: &'static JsonService, body: &[u8]) -> Result<Self, ServiceError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(root)) => Ok(Self::new(service, root)),
            Ok(_) => Err(unreadable("Start of structure or map found where not expected.")),
            Err(error) => Err(unreadable(&format!("The body is not JSON: {error}"))),
        }
    }

    /// The same with members that the request has elsewhere than in its body.
    pub(crate) fn with(mut self, members: Map<String, Value>) -> Self {
        self.root.extend(members);
        self
    }

    /// Everything that is asked for, in one form whatever the order of members.
    pub(crate) fn canonical(&self) -> String {
        let members: BTreeMap<_, _> = self.root.iter().map(|(name, value)| (name, sorted(value))).collect();
        members.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
    }

    fn new(service: &'static JsonService, root: Map<String, Value>) -> Self {
        Self { service, root, read: RefCell::default(), finished: Cell::new(false) }
    }

    /// The members of the body.
    pub(crate) fn members(&self) -> Members<'_> {
        Members { document: self, path: String::new(), members: &self.root }
    }

    /// Refuses the request if it has a member that was not read. An operation calls this after it has read its
    /// parameters and before it changes anything.
    pub(crate) fn finish(&self) -> Result<(), ServiceError> {
        self.finished.set(true);
        match self.unread("", &self.root) {
            Some(path) => Err(ServiceError::new(
                400,
                "UnknownParameter",
                format!("The sandbox does not have the parameter {path} of this operation."),
            )),
            None => Ok(()),
        }
    }

    /// Whether `finish` was called.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished.get()
    }

    fn unread(&self, path: &str, members: &Map<String, Value>) -> Option<String> {
        members.iter().filter(|(_, value)| !value.is_null()).find_map(|(name, value)| {
            let path = join(path, name);
            let reading = self.read.borrow().get(&path).copied();
            match (reading, value) {
                (Some(Reading::Whole), _) => None,
                (Some(Reading::Opened), Value::Object(members)) => self.unread(&path, members),
                (Some(Reading::Opened), Value::Array(list)) => {
                    let structures = list.iter().zip(1_usize..);
                    structures.filter_map(|(value, number)| Some((value.as_object()?, number))).find_map(
                        |(members, number)| self.unread(&format!("{path}.{number}.member"), members),
                    )
                }
                (Some(Reading::Opened) | None, _) => Some(path),
            }
        })
    }
}

impl<'d> Members<'d> {
    /// A member's path, as errors about it write it.
    pub(crate) fn path(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// A member with everything in it.
    pub(crate) fn value(&self, name: &str) -> Option<&'d Value> {
        self.read(name, Reading::Whole)
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'d str>, ServiceError> {
        self.value(name).map(|value| value.as_str().ok_or_else(|| mistyped(value, "String"))).transpose()
    }

    /// A text whose length in characters is within bounds.
    pub(crate) fn text_within(
        &self,
        name: &str,
        least: usize,
        most: usize,
    ) -> Result<Option<&'d str>, ServiceError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let length = text.chars().count();
        let rule = if length < least {
            format!("Member must have length greater than or equal to {least}")
        } else if length > most {
            format!("Member must have length less than or equal to {most}")
        } else {
            return Ok(Some(text));
        };
        Err(self.document.service.constraint(Some(text), &self.path(name), &rule))
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&'d str, ServiceError> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A truth value.
    pub(crate) fn truth(&self, name: &str) -> Result<Option<bool>, ServiceError> {
        self.value(name).map(|value| value.as_bool().ok_or_else(|| mistyped(value, "Boolean"))).transpose()
    }

    /// A whole number within bounds.
    pub(crate) fn integer(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, ServiceError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = value.as_i64().ok_or_else(|| mistyped(value, "Integer"))?;
        let rule = if number < least {
            format!("Member must have value greater than or equal to {least}")
        } else if number > most {
            format!("Member must have value less than or equal to {most}")
        } else {
            return Ok(Some(number));
        };
        Err(self.document.service.constraint(Some(&number.to_string()), &self.path(name), &rule))
    }

    /// One of a few texts.
    pub(crate) fn one_of(&self, name: &str, texts: &[&str]) -> Result<Option<&'d str>, ServiceError> {
        match self.text(name)? {
            Some(text) if !texts.contains(&text) => {
                let rule = format!("Member must satisfy enum value set: [{}]", texts.join(", "));
                Err(self.document.service.constraint(Some(text), &self.path(name), &rule))
            }
            other => Ok(other),
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<&'d str>>, ServiceError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| mistyped(value, "List"))?;
        list.iter()
            .map(|one| one.as_str().ok_or_else(|| mistyped(one, "String")))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A map, with everything in it.
    pub(crate) fn map(&self, name: &str) -> Result<Option<&'d Map<String, Value>>, ServiceError> {
        self.value(name).map(|value| value.as_object().ok_or_else(|| mistyped(value, "Map"))).transpose()
    }

    /// A structure.
    pub(crate) fn structure(&self, name: &str) -> Result<Option<Members<'d>>, ServiceError> {
        let Some(value) = self.read(name, Reading::Opened) else { return Ok(None) };
        let members = value.as_object().ok_or_else(|| mistyped(value, "structure"))?;
        Ok(Some(Members { document: self.document, path: self.path(name), members }))
    }

    /// A list of structures.
    pub(crate) fn structures(&self, name: &str) -> Result<Option<Vec<Members<'d>>>, ServiceError> {
        let Some(value) = self.read(name, Reading::Opened) else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| mistyped(value, "List"))?;
        let structures = list.iter().zip(1_usize..).map(|(value, number)| {
            let members = value.as_object().ok_or_else(|| mistyped(value, "structure"))?;
            let path = format!("{}.{number}.member", self.path(name));
            Ok(Members { document: self.document, path, members })
        });
        structures.collect::<Result<_, _>>().map(Some)
    }

    /// The refusal of a request without a member.
    pub(crate) fn missing(&self, name: &str) -> ServiceError {
        self.document.service.constraint(None, &self.path(name), "Member must not be null")
    }

    fn read(&self, name: &str, reading: Reading) -> Option<&'d Value> {
        let value = self.members.get(name).filter(|value| !value.is_null())?;
        self.document.read.borrow_mut().insert(self.path(name), reading);
        Some(value)
    }
}

/// A value with the members of every structure in it in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A request that cannot be read.
fn unreadable(text: &str) -> ServiceError {
    ServiceError::new(400, "SerializationException", text)
}

/// A member of another type than the API's model says.
pub(crate) fn mistyped(value: &Value, wanted: &str) -> ServiceError {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => {
            return unreadable("Unexpected field type: a list was found where none is expected");
        }
        Value::Object(_) => return unreadable("Start of structure or map found where not expected."),
    };
    unreadable(&format!("{found} cannot be converted to {wanted}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn document(body: &str) -> Document {
        Document::parse(&ABSENT, body.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_not_read_is_refused_by_its_path() {
        let document = document(
            r#"{"Name": "n", "None": null, "Tags": [{"Key": "k", "Value": "v"}], "Settings": {"On": true, "By": 1}}"#,
        );
        let unread = || document.finish().unwrap_err().message;
        let members = document.members();
        assert_eq!(members.required("Name").unwrap(), "n");
        assert!(unread().contains("parameter Tags of"));
        for tag in members.structures("Tags").unwrap().unwrap() {
            assert_eq!(tag.text("Key").unwrap(), Some("k"));
            assert!(unread().contains("parameter Tags.1.member.Value of"));
            tag.text("Value").unwrap();
        }
        let settings = members.structure("Settings").unwrap().unwrap();
        assert_eq!(settings.truth("On").unwrap(), Some(true));
        assert!(unread().contains("parameter Settings.By of"));
        assert_eq!(settings.integer("By", 1, 2).unwrap(), Some(1));
        document.finish().unwrap();
    }

    #[test]
    fn what_is_missing_mistyped_or_out_of_bounds_is_named() {
        let document = document(r#"{"Limit": 101, "KeySchema": [{"KeyType": "X"}], "Name": 1}"#);
        let members = document.members();
        assert_eq!(
            members.required("TableName").unwrap_err().message,
            "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null"
        );
        assert!(members.integer("Limit", 1, 100).unwrap_err().message.ends_with("less than or equal to 100"));
        assert_eq!(members.text("Name").unwrap_err().code, "SerializationException");
        let element = members.structures("KeySchema").unwrap().unwrap().remove(0);
        let error = element.one_of("KeyType", &["HASH", "RANGE"]).unwrap_err();
        assert!(error.message.contains("Value 'X' at 'keySchema.1.member.keyType'"), "{error:?}");
        assert_eq!(Document::parse(&ABSENT, b"[]").unwrap_err().code, "SerializationException");
        assert_eq!(Document::parse(&ABSENT, b"").unwrap_err().code, "SerializationException");
    }
}
