//! From text to a document, or to what is wrong with the text.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Condition, Document, Matching, Principals, Statement};

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not a JSON object.
    NotJson,
    /// A field that documents or statements do not have.
    UnknownField(String),
    /// A field that must be there.
    MissingField(&'static str),
    /// A field whose value is of the wrong kind or not one of those that there are.
    InvalidField(&'static str),
    /// Two statements with one `Sid`.
    RepeatedSid(String),
}

/// Reads a document.
pub(crate) fn parse(text: &str) -> Result<Document, Flaw> {
    let value: Value = serde_json::from_str(text).map_err(|_| Flaw::NotJson)?;
    let Value::Object(fields) = value else { return Err(Flaw::NotJson) };
    known(&fields, &["Version", "Id", "Statement"])?;
    match fields.get("Version") {
        None => {}
        Some(Value::String(version)) if ["2012-10-17", "2008-10-17"].contains(&version.as_str()) => {}
        Some(_) => return Err(Flaw::InvalidField("Version")),
    }
    if fields.get("Id").is_some_and(|id| !id.is_string()) {
        return Err(Flaw::InvalidField("Id"));
    }
    let statements = match fields.get("Statement") {
        None => return Err(Flaw::MissingField("Statement")),
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        Some(_) => return Err(Flaw::InvalidField("Statement")),
    };
    let mut sids = BTreeSet::new();
    let statements =
        statements.into_iter().map(|statement| one(statement, &mut sids)).collect::<Result<_, _>>()?;
    Ok(Document { statements })
}

fn one(value: &Value, sids: &mut BTreeSet<String>) -> Result<Statement, Flaw> {
    let fields = value.as_object().ok_or(Flaw::InvalidField("Statement"))?;
    known(
        fields,
        &[
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ],
    )?;
    match fields.get("Sid") {
        None => {}
        Some(Value::String(sid)) if sid.is_empty() || sids.insert(sid.clone()) => {}
        Some(Value::String(sid)) => return Err(Flaw::RepeatedSid(sid.clone())),
        Some(_) => return Err(Flaw::InvalidField("Sid")),
    }
    let allows = match fields.get("Effect").map(Value::as_str) {
        None => return Err(Flaw::MissingField("Effect")),
        Some(Some("Allow")) => true,
        Some(Some("Deny")) => false,
        Some(_) => return Err(Flaw::InvalidField("Effect")),
    };
    Ok(Statement {
        allows,
        principals: principals(fields)?,
        actions: matching(fields, "Action", "NotAction")?,
        resources: matching(fields, "Resource", "NotResource")?,
        conditions: conditions(fields)?,
    })
}

fn known(fields: &Map<String, Value>, names: &[&str]) -> Result<(), Flaw> {
    match fields.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(Flaw::UnknownField(name.clone())),
        None => Ok(()),
    }
}

fn matching(
    fields: &Map<String, Value>,
    name: &'static str,
    negated: &'static str,
) -> Result<Option<Matching>, Flaw> {
    match (fields.get(name), fields.get(negated)) {
        (None, None) => Ok(None),
        (Some(value), None) => Ok(Some(Matching::Any(texts(value, name)?))),
        (None, Some(value)) => Ok(Some(Matching::AllBut(texts(value, negated)?))),
        (Some(_), Some(_)) => Err(Flaw::InvalidField(negated)),
    }
}

fn principals(fields: &Map<String, Value>) -> Result<Option<Principals>, Flaw> {
    match (fields.get("Principal"), fields.get("NotPrincipal")) {
        (None, None) => Ok(None),
        (Some(value), None) => Ok(Some(Principals::These(who(value, "Principal")?))),
        (None, Some(value)) => Ok(Some(Principals::AllBut(who(value, "NotPrincipal")?))),
        (Some(_), Some(_)) => Err(Flaw::InvalidField("NotPrincipal")),
    }
}

fn who(value: &Value, field: &'static str) -> Result<Vec<(String, String)>, Flaw> {
    let kinds = match value {
        Value::String(text) if text == "*" => return Ok(vec![("AWS".to_owned(), "*".to_owned())]),
        Value::Object(kinds) if !kinds.is_empty() => kinds,
        _ => return Err(Flaw::InvalidField(field)),
    };
    let mut found = Vec::new();
    for (kind, value) in kinds {
        if !["AWS", "Service", "Federated", "CanonicalUser"].contains(&kind.as_str()) {
            return Err(Flaw::InvalidField(field));
        }
        found.extend(texts(value, field)?.into_iter().map(|who| (kind.clone(), who)));
    }
    Ok(found)
}

fn conditions(fields: &Map<String, Value>) -> Result<Vec<Condition>, Flaw> {
    let flaw = || Flaw::InvalidField("Condition");
    let Some(value) = fields.get("Condition") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (operator, keys) in value.as_object().ok_or_else(flaw)? {
        for (key, values) in keys.as_object().ok_or_else(flaw)? {
            let values = match values {
                Value::Array(values) => values.iter().map(scalar).collect::<Option<Vec<_>>>(),
                value => scalar(value).map(|value| vec![value]),
            };
            let values = values.ok_or_else(flaw)?;
            found.push(Condition { operator: operator.clone(), key: key.clone(), values });
        }
    }
    Ok(found)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A text or a list of at least one.
fn texts(value: &Value, field: &'static str) -> Result<Vec<String>, Flaw> {
    let texts: Option<Vec<String>> = match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) if !values.is_empty() => {
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    };
    texts.ok_or(Flaw::InvalidField(field))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_document_is_read_with_single_values_and_lists() {
        let document = parse(
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": ["s3:*"],
                "NotResource": "arn:aws:s3:::b", "Condition": {"Bool": {"aws:SecureTransport": false}}}}"#,
        )
        .unwrap();
        let statement = &document.statements[0];
        assert!(!statement.allows);
        assert!(statement.principals.as_ref().unwrap().is_everyone());
        assert!(statement.actions.as_ref().unwrap().covers("S3:GetObject"));
        assert!(!statement.resources.as_ref().unwrap().covers("arn:aws:s3:::b"));
        let condition = &statement.conditions[0];
        assert_eq!(
            (condition.key.as_str(), condition.values.as_slice()),
            ("aws:SecureTransport", &["false".to_owned()][..])
        );
    }

    #[test]
    fn what_breaks_the_grammar_is_named() {
        let field = |name: &str| Flaw::UnknownField(name.to_owned());
        for (text, flaw) in [
            ("{nope", Flaw::NotJson),
            ("[]", Flaw::NotJson),
            (r#"{"Statement": []}"#, Flaw::InvalidField("Statement")),
            (r#"{"Version": "2012-10-18", "Statement": []}"#, Flaw::InvalidField("Version")),
            (r#"{"Version": "2012-10-17"}"#, Flaw::MissingField("Statement")),
            (r#"{"Statements": []}"#, field("Statements")),
            (r#"{"Statement": {"Effect": "Maybe"}}"#, Flaw::InvalidField("Effect")),
            (r#"{"Statement": {"Action": "s3:*"}}"#, Flaw::MissingField("Effect")),
            (r#"{"Statement": {"Effect": "Allow", "Actions": "s3:*"}}"#, field("Actions")),
            (r#"{"Statement": {"Effect": "Allow", "Action": []}}"#, Flaw::InvalidField("Action")),
            (
                r#"{"Statement": {"Effect": "Allow", "Principal": {"Aws": "*"}}}"#,
                Flaw::InvalidField("Principal"),
            ),
            (
                r#"{"Statement": [{"Sid": "a", "Effect": "Allow"}, {"Sid": "a", "Effect": "Deny"}]}"#,
                Flaw::RepeatedSid("a".to_owned()),
            ),
        ] {
            assert_eq!(parse(text), Err(flaw), "{text}");
        }
    }
}
