//! IAM policy documents: of roles, buckets and VPC endpoints.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{Input, Property};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A policy document. In state and plans it has the JSON form that AWS documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PolicyDocument {
    /// The version of the policy language.
    #[serde(default = "oldest_version")]
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What it allows and denies.
    #[serde(rename = "Statement", deserialize_with = "one_or_many")]
    statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Statement {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    effect: Effect,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_principal: Option<Principal>,
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    action: Texts,
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    not_action: Texts,
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    resource: Texts,
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    not_resource: Texts,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    condition: BTreeMap<String, BTreeMap<String, Texts>>,
}

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Effect {
    /// Allows, unless another statement denies.
    Allow,
    /// Denies, whatever other statements allow.
    Deny,
}

/// Who a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Principal {
    /// Principals by kind: `AWS`, `Service`, `Federated`.
    Named(BTreeMap<String, Texts>),
    /// Everyone: `*`.
    Everyone(Star),
}

/// The text `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Star {
    /// `*`.
    #[serde(rename = "*")]
    Star,
}

/// Texts of which neither order nor repetition matters; AWS writes a single one without a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Texts(BTreeSet<String>);

impl Texts {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Into<String>, I: IntoIterator<Item = T>> From<I> for Texts {
    fn from(texts: I) -> Self {
        Self(texts.into_iter().map(Into::into).collect())
    }
}

impl PolicyDocument {
    /// A document of these statements, in the current version of the language.
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self { version: "2012-10-17".to_owned(), id: None, statements: statements.into_iter().collect() }
    }

    /// The JSON text for AWS.
    pub(crate) fn to_json(&self) -> String {
        // Keys are texts and values are finite: there is nothing that JSON could not say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads AWS's JSON text.
    pub(crate) fn from_json(text: &str) -> Result<Self, ProviderError> {
        serde_json::from_str(text).map_err(|error| {
            ProviderError::new(ErrorKind::Invalid, format!("a policy document cannot be read: {error}"))
        })
    }

    /// Whether two documents mean the same, although they are written differently.
    pub(crate) fn is_equivalent(&self, other: &Self) -> bool {
        self.normal() == other.normal()
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    fn normal(&self) -> (&str, Vec<Statement>) {
        let mut statements: Vec<_> = self.statements.iter().map(Statement::normal).collect();
        statements.sort();
        (&self.version, statements)
    }
}

/// A document as it was observed: the recorded one as long as AWS's means the same, so that how AWS
/// writes it is no drift.
pub(crate) fn observed(
    recorded: &Input<PolicyDocument>,
    actual: Option<PolicyDocument>,
) -> Input<PolicyDocument> {
    match (recorded.get(), actual) {
        (Some(recorded), Some(actual)) if recorded.is_equivalent(&actual) => recorded.into(),
        (_, Some(actual)) => actual.into(),
        (_, None) => Input::default(),
    }
}

impl Statement {
    /// Allows `actions`.
    pub fn allow(actions: impl Into<Texts>) -> Self {
        Self::new(Effect::Allow, actions.into())
    }

    /// Denies `actions`.
    pub fn deny(actions: impl Into<Texts>) -> Self {
        Self::new(Effect::Deny, actions.into())
    }

    fn new(effect: Effect, action: Texts) -> Self {
        Self {
            sid: None,
            effect,
            principal: None,
            not_principal: None,
            action,
            not_action: Texts::default(),
            resource: Texts::default(),
            not_resource: Texts::default(),
            condition: BTreeMap::new(),
        }
    }

    /// Names the statement.
    #[must_use]
    pub fn named(self, sid: impl Into<String>) -> Self {
        Self { sid: Some(sid.into()), ..self }
    }

    /// Says whom it is about: in policies of roles' trust, buckets and endpoints.
    #[must_use]
    pub fn to(self, principal: Principal) -> Self {
        Self { principal: Some(principal), ..self }
    }

    /// Says which resources it is about, by ARN.
    #[must_use]
    pub fn on(self, resources: impl Into<Texts>) -> Self {
        Self { resource: resources.into(), ..self }
    }

    /// Says which resources it is about, if it does not say so itself.
    #[must_use]
    pub(crate) fn on_unless_named(self, resources: impl Into<Texts>) -> Self {
        if self.resource.is_empty() && self.not_resource.is_empty() { self.on(resources) } else { self }
    }

    /// Whether two statements mean the same, although they are written differently.
    pub(crate) fn is_equivalent(&self, other: &Self) -> bool {
        self.normal() == other.normal()
    }

    /// Adds a condition, such as `StringEquals`, `aws:SourceAccount`, `["123456789012"]`.
    #[must_use]
    pub fn when(mut self, operator: &str, key: &str, values: impl Into<Texts>) -> Self {
        self.condition.entry(operator.to_owned()).or_default().insert(key.to_owned(), values.into());
        self
    }

    fn normal(&self) -> Self {
        let lower = |texts: &Texts| Texts(texts.0.iter().map(|text| text.to_ascii_lowercase()).collect());
        Self {
            sid: self.sid.clone().filter(|sid| !sid.is_empty()),
            principal: self.principal.as_ref().map(Principal::normal),
            not_principal: self.not_principal.as_ref().map(Principal::normal),
            action: lower(&self.action),
            not_action: lower(&self.not_action),
            ..self.clone()
        }
    }
}

impl Principal {
    /// Everyone, with or without credentials.
    pub const EVERYONE: Self = Self::Everyone(Star::Star);

    /// An AWS service, such as `eks.amazonaws.com`.
    pub fn service(name: impl Into<String>) -> Self {
        Self::Named(BTreeMap::from([("Service".to_owned(), Texts::from([name.into()]))]))
    }

    /// Accounts, roles and users by ARN.
    pub fn aws(arns: impl Into<Texts>) -> Self {
        Self::Named(BTreeMap::from([("AWS".to_owned(), arns.into())]))
    }

    /// An identity provider by ARN, such as a cluster's.
    pub fn federated(arn: impl Into<String>) -> Self {
        Self::Named(BTreeMap::from([("Federated".to_owned(), Texts::from([arn.into()]))]))
    }

    /// AWS shows an account as its root user, and everyone in either of two forms.
    fn normal(&self) -> Self {
        match self {
            Self::Everyone(_) => Self::aws(["*"]),
            Self::Named(kinds) => {
                let normal = |texts: &Texts| {
                    let account = |text: &String| match text.strip_suffix(":root") {
                        Some(arn) => arn.rsplit(':').next().unwrap_or_default().to_owned(),
                        None => text.clone(),
                    };
                    Texts(texts.0.iter().map(account).collect())
                };
                Self::Named(kinds.iter().map(|(kind, texts)| (kind.clone(), normal(texts))).collect())
            }
        }
    }
}

fn oldest_version() -> String {
    "2008-10-17".to_owned()
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Statement>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        Many(Vec<Statement>),
        One(Box<Statement>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::Many(statements) => statements,
        OneOrMany::One(statement) => vec![*statement],
    })
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Texts;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts::from([text]))
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Texts, E> {
                Ok(Texts::from([flag.to_string()]))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Texts, E> {
                Ok(Texts::from([number.to_string()]))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Texts, E> {
                Ok(Texts::from([number.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
                let mut texts = BTreeSet::new();
                while let Some(Texts(item)) = items.next_element()? {
                    texts.extend(item);
                }
                Ok(Texts(texts))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn documents_are_compared_by_what_they_mean() {
        let ours = PolicyDocument::new([
            Statement::allow(["s3:GetObject", "s3:PutObject"])
                .to(Principal::aws(["arn:aws:iam::123456789012:root"]))
                .on(["arn:aws:s3:::bucket/*"])
                .when("Bool", "aws:SecureTransport", ["true"]),
            Statement::deny(["s3:*"]).to(Principal::EVERYONE).on(["*"]),
        ]);
        let theirs = r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"","Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"},
            {"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":["s3:putobject","s3:GetObject"],
             "Resource":"arn:aws:s3:::bucket/*","Condition":{"Bool":{"aws:SecureTransport":true}}}]}"#;
        assert!(ours.is_equivalent(&PolicyDocument::from_json(theirs).unwrap()));
        for other in [
            theirs.replace("Deny", "Allow"),
            theirs.replace("bucket/*", "other/*"),
            theirs.replace("123456789012", "210987654321"),
            theirs.replace(":true", ":false"),
        ] {
            assert!(!ours.is_equivalent(&PolicyDocument::from_json(&other).unwrap()), "{other}");
        }
    }

    #[test]
    fn a_document_survives_state_and_aws() {
        let document = PolicyDocument::new([Statement::allow(["sts:AssumeRole"])
            .named("Trust")
            .to(Principal::service("eks.amazonaws.com"))]);
        assert_eq!(PolicyDocument::from_json(&document.to_json()).unwrap(), document);
        assert_eq!(PolicyDocument::from_value(&document.to_value()).unwrap(), document);
        let single = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
        let read = PolicyDocument::from_json(single).unwrap();
        assert_eq!(read.version, "2008-10-17");
        assert_eq!(read.statements[0].principal, Some(Principal::EVERYONE));
        assert!(PolicyDocument::from_json(r#"{"Statement":[],"Statements":[]}"#).is_err());
    }
}
