//! `ExpressionAttributeNames` and `ExpressionAttributeValues`. They remember what was used, since DynamoDB refuses what
//! is not.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::error::ServiceError;
use crate::protocol::json::document::{Members, mistyped};
use crate::services::dynamodb::errors::validation;
use crate::services::dynamodb::item::value::AttributeValue;

const NAMES: &str = "ExpressionAttributeNames";
const VALUES: &str = "ExpressionAttributeValues";

/// The names and values that the expressions of one request may use.
#[derive(Debug, Default)]
pub(in crate::services::dynamodb) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, AttributeValue>,
    used: RefCell<BTreeSet<String>>,
}

impl Placeholders {
    /// Reads them from a request that may have these expressions.
    pub(in crate::services::dynamodb) fn of(
        members: &Members<'_>,
        expressions: &[(&str, Option<&str>)],
    ) -> Result<Self, ServiceError> {
        let names = members.map(NAMES)?;
        let values = members.map(VALUES)?;
        if expressions.iter().all(|(_, expression)| expression.is_none()) {
            if names.is_some() {
                return Err(validation(format!("{NAMES} can only be specified when using expressions")));
            }
            if values.is_some() {
                let kinds: Vec<&str> = expressions.iter().map(|(kind, _)| *kind).collect();
                let verb = if kinds.len() == 1 { "is" } else { "are" };
                return Err(validation(format!(
                    "{VALUES} can only be specified when using expressions: {} {verb} null",
                    kinds.join(" and ")
                )));
            }
        }
        for (kind, given) in [(NAMES, names), (VALUES, values)] {
            if given.is_some_and(serde_json::Map::is_empty) {
                return Err(validation(format!("{kind} must not be empty")));
            }
        }
        let mut placeholders = Self::default();
        for (key, name) in names.into_iter().flatten() {
            check_key(NAMES, '#', key)?;
            let name = name.as_str().ok_or_else(|| mistyped(name, "String"))?;
            placeholders.names.insert(key.clone(), name.to_owned());
        }
        for (key, value) in values.into_iter().flatten() {
            check_key(VALUES, ':', key)?;
            let value = AttributeValue::parse(value).map_err(|error| match error.code.as_str() {
                "ValidationException" => {
                    validation(format!("{VALUES} contains invalid value: {} for key {key}", error.message))
                }
                _ => error,
            })?;
            placeholders.values.insert(key.clone(), value);
        }
        Ok(placeholders)
    }

    /// The attribute's name that a `#name` stands for.
    pub(super) fn name(&self, key: &str) -> Option<&str> {
        self.used.borrow_mut().insert(key.to_owned());
        self.names.get(key).map(String::as_str)
    }

    /// The value that a `:value` stands for.
    pub(super) fn value(&self, key: &str) -> Option<&AttributeValue> {
        self.used.borrow_mut().insert(key.to_owned());
        self.values.get(key)
    }

    /// Refuses what no expression has used.
    pub(in crate::services::dynamodb) fn finish(&self) -> Result<(), ServiceError> {
        let used = self.used.borrow();
        let unused = |keys: Vec<&String>| -> Vec<String> {
            keys.into_iter().filter(|key| !used.contains(*key)).cloned().collect()
        };
        for (kind, keys) in
            [(NAMES, unused(self.names.keys().collect())), (VALUES, unused(self.values.keys().collect()))]
        {
            if !keys.is_empty() {
                let keys = keys.join(", ");
                return Err(validation(format!(
                    "Value provided in {kind} unused in expressions: keys: {{{keys}}}"
                )));
            }
        }
        Ok(())
    }
}

fn check_key(kind: &str, sign: char, key: &str) -> Result<(), ServiceError> {
    let is_word = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match key.strip_prefix(sign) {
        Some(rest) if is_word(rest) => Ok(()),
        _ => Err(validation(format!("{kind} contains invalid key: Syntax error; key: \"{key}\""))),
    }
}
