//! When objects expire.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html>

use std::collections::BTreeSet;

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleExpiration, LifecycleRule as SdkRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use lsinfra_engine::provider::ProviderError;
use lsinfra_engine::{Input, InputProblem, Property};
use serde::{Deserialize, Serialize};

use crate::aws::error::built;
use crate::aws::property::problem;

/// When the objects under a prefix expire. Times are whole days, at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(default, deny_unknown_fields)]
pub struct LifecycleRule {
    /// Its name, unique in the bucket.
    pub id: String,
    /// The beginning of the keys that it is for; empty: every object.
    pub prefix: String,
    /// Days from an object's creation until it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_days: Option<i32>,
    /// Days from an object's being overwritten or deleted until its old version is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noncurrent_expiration_days: Option<i32>,
    /// Days from the start of a multipart upload until it is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort_incomplete_multipart_days: Option<i32>,
    /// What was found in AWS's rule beyond these fields. Never declared: it shows as drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_besides: Option<String>,
}

impl LifecycleRule {
    /// A rule for the keys that begin with `prefix`, which does nothing yet.
    pub fn new(id: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self { id: id.into(), prefix: prefix.into(), ..Self::default() }
    }

    pub(super) fn to_sdk(&self) -> Result<SdkRule, ProviderError> {
        let expiration = self.expiration_days.map(|days| LifecycleExpiration::builder().days(days).build());
        let noncurrent = self
            .noncurrent_expiration_days
            .map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build());
        let abort = self
            .abort_incomplete_multipart_days
            .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
        let rule = SdkRule::builder()
            .id(&self.id)
            .filter(LifecycleRuleFilter::builder().prefix(&self.prefix).build())
            .status(ExpirationStatus::Enabled)
            .set_expiration(expiration)
            .set_noncurrent_version_expiration(noncurrent)
            .set_abort_incomplete_multipart_upload(abort);
        built(rule.build())
    }

    pub(super) fn from_sdk(rule: &SdkRule) -> Self {
        let filter = rule.filter();
        let expiration = rule.expiration();
        let noncurrent = rule.noncurrent_version_expiration();
        let besides = [
            ("it is disabled", *rule.status() != ExpirationStatus::Enabled),
            (
                "transitions",
                !rule.transitions().is_empty() || !rule.noncurrent_version_transitions().is_empty(),
            ),
            (
                "a filter by tag or size",
                filter.is_some_and(|filter| {
                    filter.tag().is_some()
                        || filter.and().is_some()
                        || filter.object_size_greater_than().is_some()
                        || filter.object_size_less_than().is_some()
                }),
            ),
            ("an expiration date", expiration.is_some_and(|expiration| expiration.date().is_some())),
            (
                "removal of expired delete markers",
                expiration.and_then(|expiration| expiration.expired_object_delete_marker()) == Some(true),
            ),
            (
                "a number of noncurrent versions to keep",
                noncurrent.is_some_and(|noncurrent| noncurrent.newer_noncurrent_versions().is_some()),
            ),
        ];
        let besides: Vec<&str> =
            besides.into_iter().filter(|(_, found)| *found).map(|(text, _)| text).collect();
        // The prefix beside the filter is how older rules say it.
        #[allow(deprecated)]
        let prefix = filter.and_then(|filter| filter.prefix()).or(rule.prefix());
        Self {
            id: rule.id().unwrap_or_default().to_owned(),
            prefix: prefix.unwrap_or_default().to_owned(),
            expiration_days: expiration.and_then(|expiration| expiration.days()),
            noncurrent_expiration_days: noncurrent.and_then(|noncurrent| noncurrent.noncurrent_days()),
            abort_incomplete_multipart_days: rule
                .abort_incomplete_multipart_upload()
                .and_then(|abort| abort.days_after_initiation()),
            found_besides: (!besides.is_empty()).then(|| besides.join(", ")),
        }
    }
}

/// Problems of a bucket's rules.
pub(super) fn check(rules: &Input<Vec<LifecycleRule>>) -> Vec<InputProblem> {
    const LIMIT_RULES: usize = 1000;
    const LIMIT_ID_CHARACTERS: usize = 255;
    let rules = rules.get().unwrap_or_default();
    let mut problems = Vec::new();
    if rules.len() > LIMIT_RULES {
        problems.push(problem("lifecycle_rules", format!("{} rules: at most {LIMIT_RULES}", rules.len())));
    }
    let mut ids = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let path = format!("lifecycle_rules[{index}]");
        let days =
            [rule.expiration_days, rule.noncurrent_expiration_days, rule.abort_incomplete_multipart_days];
        if rule.found_besides.is_some() {
            problems.push(problem(&path, "found_besides is what AWS says, and cannot be declared"));
        }
        if rule.id.is_empty() || rule.id.chars().count() > LIMIT_ID_CHARACTERS {
            problems.push(problem(&path, format!("an id has 1 to {LIMIT_ID_CHARACTERS} characters")));
        }
        if !ids.insert(rule.id.as_str()) {
            problems.push(problem(&path, format!("the id {:?} is taken by another rule", rule.id)));
        }
        if days.iter().flatten().any(|days| *days < 1) {
            problems.push(problem(&path, "a time is at least one day"));
        }
        if days.iter().all(Option::is_none) {
            problems.push(problem(&path, "the rule does nothing: give it at least one time"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_s3::types::{LifecycleRuleAndOperator, Transition};

    use super::*;

    fn rule() -> LifecycleRule {
        LifecycleRule {
            expiration_days: Some(14),
            noncurrent_expiration_days: Some(7),
            abort_incomplete_multipart_days: Some(1),
            ..LifecycleRule::new("short", "ttl_s/")
        }
    }

    #[test]
    fn a_rule_survives_the_way_to_aws_and_back() {
        assert_eq!(LifecycleRule::from_sdk(&rule().to_sdk().unwrap()), rule());
        assert_eq!(LifecycleRule::from_value(&rule().to_value()).unwrap(), rule());
    }

    #[test]
    fn what_is_not_managed_in_a_rule_is_drift() {
        let mut theirs = rule().to_sdk().unwrap();
        theirs.transitions = Some(vec![Transition::builder().days(30).build()]);
        assert_ne!(LifecycleRule::from_sdk(&theirs), rule());
        let mut theirs = rule().to_sdk().unwrap();
        theirs.status = ExpirationStatus::Disabled;
        assert_ne!(LifecycleRule::from_sdk(&theirs), rule());
        let mut theirs = rule().to_sdk().unwrap();
        let and = LifecycleRuleAndOperator::builder().prefix("ttl_s/").object_size_less_than(9).build();
        theirs.filter = Some(LifecycleRuleFilter::builder().and(and).build());
        assert_ne!(LifecycleRule::from_sdk(&theirs), rule());
    }

    #[test]
    fn rules_that_aws_would_refuse_are_problems() {
        let refused = [
            vec![LifecycleRule::new("idle", "")],
            vec![LifecycleRule { expiration_days: Some(0), ..rule() }],
            vec![rule(), rule()],
            vec![LifecycleRule { id: String::new(), ..rule() }],
        ];
        for rules in refused {
            assert!(!check(&rules.clone().into()).is_empty(), "{rules:?}");
        }
        assert!(check(&vec![rule()].into()).is_empty());
    }
}
