//! Tags: the stack's own, and the ones that say whose an object is.
//!
//! Ownership tags (`lsinfra:…`) are put on every taggable object and never shown as inputs; tags that
//! AWS reserves (`aws:…`) are never touched.

use std::collections::{BTreeMap, BTreeSet};

use lsinfra_engine::provider::{ErrorKind, OWNER_TAG_PREFIX, ProviderError};
use lsinfra_engine::{Input, InputProblem, StepContext};

use crate::aws::scope::Scope;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The ownership tag that names the state which an object belongs to.
pub(crate) const LINEAGE: &str = "lsinfra:lineage";

const RESERVED_PREFIX: &str = "aws:";
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
const LIMIT_TAGS: usize = 50;
const LIMIT_KEY_CHARACTERS: usize = 128;
const LIMIT_VALUE_CHARACTERS: usize = 256;
const OWNERSHIP_TAGS: usize = 4;

/// The tags of a creating call.
pub(crate) fn of_creation(step: &StepContext, declared: &Input<Tags>) -> Tags {
    let mut tags = declared.get().unwrap_or_default();
    tags.extend(step.owner_tags.clone());
    tags
}

/// The tags of an object as a read shows them: all but those that AWS reserves.
pub(crate) fn observed(tags: &Tags) -> Tags {
    tags.iter()
        .filter(|(key, _)| !is_reserved(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The tags of an object that an input may declare: neither AWS's nor those that say whose it is.
pub(crate) fn declarable(tags: &Tags) -> Tags {
    let declarable = tags.iter().filter(|(key, _)| is_declarable(key));
    declarable.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Whether an object carries lineage, URN and generation of the step's object. A name or an answer to
/// a filter proves nothing: this is asked before anything is done to what was found.
pub(crate) fn are_owned(step: &StepContext, tags: &Tags) -> bool {
    identifying(step).all(|(key, value)| tags.get(key) == Some(value))
}

/// Whether an object carries the environment's lineage.
pub(crate) fn are_of_lineage(step: &StepContext, tags: &Tags) -> bool {
    is_own(step, tags, LINEAGE)
}

/// Whether an object carries lineage and URN of the step's object, whatever its generation.
pub(crate) fn are_of_resource(step: &StepContext, tags: &Tags) -> bool {
    are_of_lineage(step, tags) && is_own(step, tags, "lsinfra:urn")
}

fn is_own(step: &StepContext, tags: &Tags, key: &str) -> bool {
    tags.get(key).is_some_and(|value| step.owner_tags.get(key) == Some(value))
}

/// Refuses to touch an object of that name that another environment, or nobody, has tagged as its own;
/// an imported one that is not tagged yet is touched all the same.
pub(crate) fn require_lineage(step: &StepContext, what: &str, tags: &Tags) -> Result<(), ProviderError> {
    let lineage = tags.get(LINEAGE);
    if lineage == step.owner_tags.get(LINEAGE) || (step.tags_pending && lineage.is_none()) {
        return Ok(());
    }
    let message = format!("{what} does not carry this environment's tag {LINEAGE}: it is left alone");
    Err(ProviderError::new(ErrorKind::Invalid, message))
}

/// Whether AWS keeps keys like this to itself.
pub(crate) fn is_reserved(key: &str) -> bool {
    key.starts_with(RESERVED_PREFIX)
}

/// The ownership tags by which an object is looked for: lineage, URN and generation.
pub(crate) fn identifying(step: &StepContext) -> impl Iterator<Item = (&String, &String)> {
    step.owner_tags.iter().filter(|(key, _)| key.as_str() != "lsinfra:environment")
}

/// What has to change about an object's tags.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TagChanges {
    /// To be set.
    pub(crate) put: Tags,
    /// Keys to be taken off.
    pub(crate) remove: Vec<String>,
}

/// The calls that bring `actual` to what is wanted: always the ownership tags, and the declared ones
/// as far as `scope` covers them. `declared` takes the tags from the inputs.
pub(crate) fn changes<R>(
    step: &StepContext,
    scope: Scope<'_, R>,
    inputs: &R,
    declared: fn(&R) -> &Input<Tags>,
    actual: &Tags,
) -> TagChanges {
    let mut put = step.owner_tags.clone();
    put.retain(|key, value| actual.get(key) != Some(value));
    let mut remove = Vec::new();
    if let Some(mut tags) = scope.wanted("tags", declared(inputs), Tags::new()) {
        let before = scope.previous().and_then(|previous| declared(previous).get()).unwrap_or_default();
        let known: BTreeSet<&String> = actual.keys().chain(before.keys()).collect();
        let is_unwanted = |key: &&&String| is_declarable(key) && !tags.contains_key(**key);
        remove.extend(known.iter().filter(is_unwanted).map(|key| (*key).clone()));
        tags.retain(|key, value| scope.is_change("tags") || actual.get(key) != Some(value));
        put.extend(tags);
    }
    TagChanges { put, remove }
}

/// Problems of declared tags.
pub(crate) fn check(declared: &Input<Tags>) -> Vec<InputProblem> {
    let tags = declared.get().unwrap_or_default();
    let mut problems = Vec::new();
    if tags.len() + OWNERSHIP_TAGS > LIMIT_TAGS {
        let message =
            format!("{} tags: at most {} beside the ownership tags", tags.len(), LIMIT_TAGS - OWNERSHIP_TAGS);
        problems.push(InputProblem { path: "tags".to_owned(), message });
    }
    for (key, value) in &tags {
        let message = if !is_declarable(key) || key.to_ascii_lowercase().starts_with(RESERVED_PREFIX) {
            "keys that begin with `aws:` or `lsinfra:` are reserved".to_owned()
        } else if key.is_empty() || key.chars().count() > LIMIT_KEY_CHARACTERS {
            format!("a key has 1 to {LIMIT_KEY_CHARACTERS} characters")
        } else if value.chars().count() > LIMIT_VALUE_CHARACTERS {
            format!("a value has at most {LIMIT_VALUE_CHARACTERS} characters")
        } else {
            continue;
        };
        problems.push(InputProblem { path: format!("tags.{key}"), message });
    }
    problems
}

fn is_declarable(key: &str) -> bool {
    !key.starts_with(OWNER_TAG_PREFIX) && !is_reserved(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use lsinfra_engine::cancel::cancellation;
    use lsinfra_engine::clock::Clock;
    use lsinfra_engine::provider::Progress;
    use lsinfra_engine::{Inputs, Value};
    use lsinfra_engine::{SecretKey, Urn};

    use super::*;

    struct Silence;

    #[async_trait::async_trait]
    impl Progress for Silence {
        fn waiting(&self, _status: &str) {}
        async fn settled(&self) {}
    }

    fn step() -> StepContext {
        let clock = Clock::system();
        StepContext {
            urn: "aws:ec2:Vpc/main".parse::<Urn>().unwrap(),
            generation: 2,
            connection: Value::Null,
            owner_tags: tags(&[
                ("lsinfra:lineage", "l"),
                ("lsinfra:environment", "langsmith/dev"),
                ("lsinfra:urn", "aws:ec2:Vpc/main"),
                ("lsinfra:generation", "2"),
            ]),
            tags_pending: false,
            unprotected: false,
            client_token: String::new(),
            secret_key: SecretKey::new([7; 32]),
            deadline: clock.now(),
            clock,
            progress: Arc::new(Silence),
            cancellation: cancellation().1,
        }
    }

    fn tags(tags: &[(&str, &str)]) -> Tags {
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[derive(Clone, Default, Inputs)]
    struct Tagged {
        tags: Input<Tags>,
    }

    fn changes_of(declared: Input<Tags>, actual: &Tags) -> TagChanges {
        changes(&step(), Scope::Given, &Tagged { tags: declared }, |inputs| &inputs.tags, actual)
    }

    #[test]
    fn only_what_differs_is_sent_and_what_is_reserved_is_left() {
        let mut actual = of_creation(&step(), &tags(&[("Name", "old"), ("gone", "1"), ("same", "2")]).into());
        actual.insert("aws:cloudformation:stack-id".to_owned(), "x".to_owned());
        let found = changes_of(tags(&[("Name", "new"), ("same", "2")]).into(), &actual);
        assert_eq!(found.put, tags(&[("Name", "new")]));
        assert_eq!(found.remove, ["gone"]);
    }

    #[test]
    fn tags_that_are_not_declared_are_not_managed_but_ownership_is() {
        let found =
            changes_of(Input::default(), &tags(&[("Name", "someone's"), ("lsinfra:generation", "1")]));
        assert_eq!(found.put, step().owner_tags);
        assert!(found.remove.is_empty());
    }

    #[test]
    fn an_object_is_owned_by_lineage_urn_and_generation() {
        let owned = step().owner_tags;
        assert!(are_owned(&step(), &owned));
        for key in ["lsinfra:lineage", "lsinfra:urn", "lsinfra:generation"] {
            let mut other = owned.clone();
            other.insert(key.to_owned(), "other".to_owned());
            assert!(!are_owned(&step(), &other), "{key} differs");
            other.remove(key);
            assert!(!are_owned(&step(), &other), "{key} is missing");
        }
    }

    #[test]
    fn a_read_shows_all_but_what_aws_reserves() {
        let read = tags(&[("aws:cloudformation:stack-id", "x"), ("lsinfra:lineage", "l"), ("Name", "a")]);
        assert_eq!(observed(&read), tags(&[("lsinfra:lineage", "l"), ("Name", "a")]));
    }

    #[test]
    fn only_an_imported_object_may_lack_the_lineage_and_none_has_anothers() {
        let imported = StepContext { tags_pending: true, ..step() };
        let refused = |step: &StepContext, tags: &Tags| require_lineage(step, "it", tags).is_err();
        let (owned, anothers) = (step().owner_tags, tags(&[("lsinfra:lineage", "other")]));
        assert!(!refused(&step(), &owned) && !refused(&imported, &owned));
        assert!(refused(&step(), &Tags::new()) && !refused(&imported, &Tags::new()));
        assert!(refused(&step(), &anothers) && refused(&imported, &anothers));
    }

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        for refused in [
            tags(&[("aws:x", "1")]),
            tags(&[("AWS:x", "1")]),
            tags(&[("lsinfra:urn", "1")]),
            tags(&[("", "1")]),
            Tags::from([("x".repeat(129), String::new())]),
            Tags::from([("x".to_owned(), "y".repeat(257))]),
            (0..47).map(|index| (index.to_string(), String::new())).collect(),
        ] {
            assert_eq!(check(&refused.clone().into()).len(), 1, "{refused:?}");
        }
        assert!(check(&tags(&[("kubernetes.io/role/elb", "1")]).into()).is_empty());
    }
}
