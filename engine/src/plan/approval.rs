//! Approval: whether a plan does no more than one that was approved.
//!
//! An approved plan is compared with a plan made from the same state later: after a crash the rest of it, or the whole
//! of it from a configuration that may have changed since.

use std::collections::HashMap;

use crate::plan::{Action, Plan, Reason, Step};
use crate::snapshot::{Generation, PhysicalId};
use crate::urn::Urn;
use crate::value::Value;

/// The first thing that a plan does beyond the approved one: the resource, and what would be done to
/// it, such as `delete` or `change tags.owner`. Deleting what an interrupted run left is never beyond.
pub(crate) fn excess<'a>(
    plan: &'a Plan,
    approved: &Plan,
    is_left_over: impl Fn(&Step) -> bool,
) -> Option<(&'a Urn, String)> {
    let mut allowed: HashMap<&Urn, Vec<&Step>> = HashMap::new();
    for step in &approved.steps {
        allowed.entry(&step.urn).or_default().push(step);
    }
    let mut to_check = plan.steps.iter().filter(|step| step.action != Action::Delete || !is_left_over(step));
    to_check.find_map(|step| {
        let candidates = allowed.get(&step.urn).map_or(&[][..], Vec::as_slice);
        let mut excess = Some(step.action.name().to_owned());
        for approved in candidates.iter().filter(|approved| covers_action(approved, step)) {
            excess = excess_of_values(step, approved);
            if excess.is_none() {
                break;
            }
        }
        excess.map(|excess| (&step.urn, excess))
    })
}

/// Whether whoever approved a step has approved such an action on that resource.
fn covers_action(approved: &Step, step: &Step) -> bool {
    match step.action {
        // Finishing what was to be created is no more than creating it.
        Action::Update => matches!(approved.action, Action::Update | Action::Create | Action::Adopt),
        Action::Adopt => matches!(approved.action, Action::Adopt | Action::Create),
        Action::Retain => matches!(approved.action, Action::Retain | Action::Delete),
        // What was created under the approval may have failed, and be replaced.
        Action::Read | Action::Run | Action::Create | Action::Delete => approved.action == step.action,
    }
}

/// What a step does to values that the approved step does not.
fn excess_of_values(step: &Step, approved: &Step) -> Option<String> {
    if matches!(step.action, Action::Delete | Action::Retain) {
        return None;
    }
    if let Some(id) = other_import(step, approved) {
        return Some(format!("adopt {id}"));
    }
    if let Some(field) = other_input(step, approved) {
        return Some(format!("take another {field}"));
    }
    if approved.action != Action::Update {
        return None;
    }
    let is_approved = |path: &str| approved.changes.iter().any(|change| is_within(path, &change.path));
    step.changes
        .iter()
        .find(|change| !is_approved(&change.path))
        .map(|change| format!("change {}", change.path))
}

/// The object that is imported, if it is not the one whose import was approved.
fn other_import<'a>(step: &'a Step, approved: &Step) -> Option<&'a PhysicalId> {
    // An update that was approved is one of an object that had been imported before.
    let is_import = step.reasons.contains(&Reason::Imported) && approved.action != Action::Update;
    step.physical_id.as_ref().filter(|_| is_import && step.physical_id != approved.physical_id)
}

/// The first input that is not as it was approved. A name may have another generation: that of an
/// object that stands for one whose creation failed.
fn other_input<'a>(step: &'a Step, approved: &'a Step) -> Option<&'a str> {
    let is_as_approved = |name: &String| match (step.inputs.get(name), approved.inputs.get(name)) {
        (Some(Value::Text(text)), Some(Value::Text(approved_text))) => {
            text == approved_text
                || base_name(text, step.name_generation) == base_name(approved_text, approved.name_generation)
        }
        (Some(value), Some(approved)) => covers_value(approved, value),
        (None, None) => true,
        _ => false,
    };
    step.inputs.keys().chain(approved.inputs.keys()).find(|name| !is_as_approved(name)).map(String::as_str)
}

/// A name without its generation.
fn base_name(name: &str, generation: Generation) -> &str {
    if generation < 2 { name } else { name.strip_suffix(&format!("-{generation}")).unwrap_or(name) }
}

/// Whether a value is the approved one, or fills in what was not known then.
pub(crate) fn covers_value(approved: &Value, value: &Value) -> bool {
    match (approved, value) {
        (Value::Unknown, _) => true,
        // A secret that was asked for when the plan was made, and given since.
        (Value::Secret(approved), Value::Secret(secret)) => {
            approved == secret || approved.filled_from(secret).is_some()
        }
        (Value::List(approved), Value::List(items)) => {
            approved.len() == items.len()
                && approved.iter().zip(items).all(|(approved, item)| covers_value(approved, item))
        }
        (Value::Map(approved), Value::Map(fields)) => {
            approved.len() == fields.len()
                && approved.iter().all(|(name, approved)| {
                    fields.get(name).is_some_and(|value| covers_value(approved, value))
                })
        }
        _ => approved == value,
    }
}

/// Whether a path is another or lies below it.
fn is_within(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;
    use crate::journal::{OperationInfo, OperationKind};
    use crate::plan::{PLAN_VERSION, PropertyChange};

    fn step(urn: &str, action: Action, inputs: &[(&str, Value)], changes: &[&str]) -> Step {
        let changes = changes.iter().map(|path| PropertyChange {
            path: (*path).to_owned(),
            old: None,
            new: None,
            forces_replacement: false,
            drift: false,
            caused_by: Default::default(),
        });
        Step {
            urn: urn.parse().unwrap(),
            action,
            generation: 1,
            name_generation: 1,
            replacement: false,
            delete_first: false,
            physical_id: None,
            reasons: Vec::new(),
            changes: changes.collect(),
            inputs: inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            depends_on: Vec::new(),
            expected_seconds: 0.0,
            explanation: None,
            connection: Value::Null,
        }
    }

    fn plan(steps: Vec<Step>) -> Plan {
        let operation = OperationInfo {
            id: uuid::Uuid::nil(),
            kind: OperationKind::Up,
            started_at: jiff::Timestamp::UNIX_EPOCH,
            by: String::new(),
            tool_version: String::new(),
            config_digest: String::new(),
        };
        Plan {
            version: PLAN_VERSION,
            operation,
            environment: "langsmith/dev".to_owned(),
            home: Default::default(),
            lineage: uuid::Uuid::nil(),
            serial: 1,
            refreshed: true,
            targets: BTreeSet::new(),
            unprotected: BTreeSet::new(),
            steps,
            drift: Vec::new(),
            renames: Vec::new(),
            unchanged: 0,
            preamble: Vec::new(),
        }
    }

    /// What is in excess when `step` is to be done where `approved` was approved.
    fn excess_of(step: Step, approved: Step) -> Option<String> {
        excess(&plan(vec![step]), &plan(vec![approved]), |_| false).map(|(_, excess)| excess)
    }

    const VPC: &str = "network/aws:ec2:Vpc/main";

    #[test]
    fn the_rest_of_an_approved_plan_is_approved() {
        let approved = plan(vec![
            step(VPC, Action::Create, &[("cidr_block", "10.0.0.0/16".into())], &[]),
            step("data/aws:s3:Bucket/blobs", Action::Delete, &[], &[]),
        ]);
        let rest = plan(vec![step(VPC, Action::Update, &[("cidr_block", "10.0.0.0/16".into())], &["tags"])]);
        assert_eq!(excess(&approved, &approved, |_| false), None);
        assert_eq!(excess(&rest, &approved, |_| false), None);
        let left_over = plan(vec![step(VPC, Action::Delete, &[], &[])]);
        assert_eq!(excess(&left_over, &approved, |_| true), None);
        assert_eq!(
            excess(&left_over, &approved, |_| false),
            Some((&left_over.steps[0].urn, "delete".to_owned()))
        );
    }

    #[test]
    fn another_resource_or_action_is_not() {
        let update = || step(VPC, Action::Update, &[], &[]);
        for action in [Action::Create, Action::Adopt, Action::Delete, Action::Retain] {
            assert_eq!(excess_of(step(VPC, action, &[], &[]), update()), Some(action.name().to_owned()));
        }
        let other = step("network/aws:ec2:Vpc/other", Action::Update, &[], &[]);
        assert_eq!(excess_of(other, update()), Some("update".to_owned()));
        // Keeping may stand for deleting, never the other way round.
        let (delete, retain) = (step(VPC, Action::Delete, &[], &[]), step(VPC, Action::Retain, &[], &[]));
        assert_eq!(excess_of(retain.clone(), delete.clone()), None);
        assert_eq!(excess_of(delete, retain), Some("delete".to_owned()));
    }

    #[test]
    fn other_values_are_not_but_what_was_unknown_may_become_known() {
        let tags = |owner: Value| Value::Map([("owner".to_owned(), owner)].into());
        let create = |tags: Value| step(VPC, Action::Create, &[("tags", tags)], &[]);
        assert_eq!(
            excess_of(create(tags("b".into())), create(tags("a".into()))),
            Some("take another tags".to_owned())
        );
        assert_eq!(excess_of(create(tags("b".into())), create(tags(Value::Unknown))), None);
        assert_eq!(
            excess_of(create(tags(Value::Unknown)), create(tags("a".into()))),
            Some("take another tags".to_owned())
        );
        let bare = step(VPC, Action::Create, &[], &[]);
        assert_eq!(excess_of(bare.clone(), create(tags("a".into()))), Some("take another tags".to_owned()));
        assert_eq!(excess_of(create(tags("a".into())), bare), Some("take another tags".to_owned()));
    }

    #[test]
    fn only_the_approved_object_is_imported() {
        let import = |action, id: &str| Step {
            physical_id: Some(PhysicalId::new(id)),
            reasons: vec![Reason::Imported],
            ..step(VPC, action, &[], &[])
        };
        assert_eq!(excess_of(import(Action::Adopt, "vpc-1"), import(Action::Adopt, "vpc-1")), None);
        assert_eq!(excess_of(import(Action::Update, "vpc-1"), import(Action::Adopt, "vpc-1")), None);
        assert_eq!(excess_of(import(Action::Update, "vpc-1"), import(Action::Update, "vpc-1")), None);
        let other = Some("adopt vpc-2".to_owned());
        for approved in [import(Action::Adopt, "vpc-1"), step(VPC, Action::Create, &[], &[])] {
            assert_eq!(excess_of(import(Action::Adopt, "vpc-2"), approved), other);
        }
    }

    #[test]
    fn a_name_may_have_another_generation() {
        let named = |name: &str, name_generation| Step {
            name_generation,
            ..step(VPC, Action::Create, &[("name", name.into())], &[])
        };
        assert_eq!(excess_of(named("blobs-2", 2), named("blobs", 1)), None);
        assert_eq!(excess_of(named("blobs-3", 3), named("blobs-2", 2)), None);
        assert_eq!(excess_of(named("other-2", 2), named("blobs", 1)), Some("take another name".to_owned()));
        assert_eq!(excess_of(named("blobs-2", 1), named("blobs", 1)), Some("take another name".to_owned()));
    }

    #[test]
    fn an_update_of_more_than_was_approved_is_not() {
        let update = |paths: &[&str]| step(VPC, Action::Update, &[], paths);
        assert_eq!(excess_of(update(&["tags.owner"]), update(&["tags.owner", "cidr_block"])), None);
        assert_eq!(excess_of(update(&["tags.owner"]), update(&["tags"])), None);
        assert_eq!(excess_of(update(&["tags_all"]), update(&["tags"])), Some("change tags_all".to_owned()));
        assert_eq!(
            excess_of(update(&["tags.owner"]), update(&["cidr_block"])),
            Some("change tags.owner".to_owned())
        );
    }
}
