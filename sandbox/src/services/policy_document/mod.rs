//! Policy documents: their grammar, in so far as AWS refuses what breaks it, and what a statement covers. Owns nothing
//! of any service's own rules: which fields a service asks for and how it words a refusal is the service's business.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

mod condition;
mod parse;
mod pattern;

pub(crate) use condition::Circumstances;
pub(crate) use parse::{Flaw, parse};
pub(crate) use pattern::{matches, matches_exactly};

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// At least one.
    pub(crate) statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Whether its effect is `Allow`.
    pub(crate) allows: bool,
    /// Whom it is about; `None` if the document does not say.
    pub(crate) principals: Option<Principals>,
    /// `Action` or `NotAction`.
    pub(crate) actions: Option<Matching>,
    /// `Resource` or `NotResource`.
    pub(crate) resources: Option<Matching>,
    /// All of them must hold.
    pub(crate) conditions: Vec<Condition>,
}

/// Patterns that take something in, or leave it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Matching {
    /// What any of the patterns matches.
    Any(Vec<String>),
    /// What none of the patterns matches.
    AllBut(Vec<String>),
}

impl Matching {
    /// The patterns, whatever they mean.
    pub(crate) fn patterns(&self) -> &[String] {
        match self {
            Self::Any(patterns) | Self::AllBut(patterns) => patterns,
        }
    }

    /// Whether a text is taken in; `*` and `?` are wildcards, upper and lower case are the same.
    pub(crate) fn covers(&self, text: &str) -> bool {
        match self {
            Self::Any(patterns) => patterns.iter().any(|pattern| matches(pattern, text)),
            Self::AllBut(patterns) => !patterns.iter().any(|pattern| matches(pattern, text)),
        }
    }
}

/// Whom a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principals {
    /// `Principal`: kinds (`AWS`, `Service`, `Federated`, `CanonicalUser`) and who; `"*"` is everyone as `AWS`.
    These(Vec<(String, String)>),
    /// `NotPrincipal`.
    AllBut(Vec<(String, String)>),
}

impl Principals {
    /// Whether it names everyone.
    pub(crate) fn is_everyone(&self) -> bool {
        match self {
            Self::These(principals) => principals.iter().any(|(kind, who)| kind == "AWS" && who == "*"),
            Self::AllBut(_) => true,
        }
    }
}

/// One key of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Such as `StringEquals`.
    pub(crate) operator: String,
    /// Such as `aws:SecureTransport`.
    pub(crate) key: String,
    /// What the key is held against.
    pub(crate) values: Vec<String>,
}
