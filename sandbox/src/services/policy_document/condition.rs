//! Whether the conditions of a statement hold, for the operators and forms in use.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use std::collections::BTreeMap;

use super::{Condition, matches_exactly};

/// What is known about a call: keys in lower case, such as `aws:requesttag/name`, and the value of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Circumstances(BTreeMap<String, String>);

impl Circumstances {
    /// The same with the value of one more key.
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(key.to_lowercase(), value.into());
        self
    }

    /// The same with the tags that a call gives to what it makes.
    pub(crate) fn tagging<'t>(self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let tag = |all: Self, (key, value): (&str, &str)| all.with(&format!("aws:RequestTag/{key}"), value);
        tags.into_iter().fold(self, tag)
    }

    /// The same with the tags of what a call is about.
    pub(crate) fn tagged<'t>(self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let tag = |all: Self, (key, value): (&str, &str)| all.with(&format!("aws:ResourceTag/{key}"), value);
        tags.into_iter().fold(self, tag)
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(&key.to_lowercase()).map(String::as_str)
    }
}

impl Condition {
    /// Whether it holds; `None` for an operator that the sandbox cannot evaluate.
    pub(crate) fn holds(&self, circumstances: &Circumstances) -> Option<bool> {
        let given = circumstances.get(&self.key);
        let (operator, if_exists) = match self.operator.strip_suffix("IfExists") {
            Some(operator) => (operator, true),
            None => (self.operator.as_str(), false),
        };
        if if_exists && given.is_none() {
            return Some(true);
        }
        let any = |is: fn(&str, &str) -> bool| {
            given.is_some_and(|given| self.values.iter().any(|value| is(value, given)))
        };
        Some(match operator {
            "StringEquals" | "ArnEquals" => any(|value, given| value == given),
            "StringEqualsIgnoreCase" | "Bool" => any(|value, given| value.eq_ignore_ascii_case(given)),
            "StringNotEquals" => !any(|value, given| value == given),
            "StringLike" | "ArnLike" => any(matches_exactly),
            "StringNotLike" | "ArnNotLike" => !any(matches_exactly),
            "Null" => self.values.iter().any(|value| value == if given.is_none() { "true" } else { "false" }),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_held_against_what_is_known() {
        let known = Circumstances::default()
            .tagging([("elbv2.k8s.aws/cluster", "c")])
            .with("aws:PrincipalAccount", "1");
        for (operator, key, value, expected) in [
            ("StringEquals", "aws:requesttag/elbv2.k8s.aws/cluster", "c", Some(true)),
            ("StringEquals", "aws:RequestTag/elbv2.k8s.aws/cluster", "d", Some(false)),
            ("StringLike", "aws:RequestTag/elbv2.k8s.aws/cluster", "?", Some(true)),
            ("StringNotEquals", "aws:RequestTag/other", "c", Some(true)),
            ("StringEquals", "aws:RequestTag/other", "c", Some(false)),
            ("StringEqualsIfExists", "aws:RequestTag/other", "c", Some(true)),
            ("Null", "aws:RequestTag/elbv2.k8s.aws/cluster", "false", Some(true)),
            ("Null", "aws:RequestTag/other", "false", Some(false)),
            ("Null", "aws:RequestTag/other", "true", Some(true)),
            ("DateLessThan", "aws:CurrentTime", "2026", None),
        ] {
            let condition = Condition {
                operator: operator.to_owned(),
                key: key.to_owned(),
                values: vec![value.to_owned()],
            };
            assert_eq!(condition.holds(&known), expected, "{condition:?}");
        }
    }
}
