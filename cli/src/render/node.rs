//! The steps of one plan as people see them: a resource with what happens to it.

use std::collections::HashMap;

use lsinfra_engine::Urn;
use lsinfra_engine::plan::{Action, Plan, Step};

use crate::render::Verb;

/// One resource in a plan, with the step that speaks for it.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    /// What happens.
    pub(crate) verb: Verb,
    /// The step whose reasons and changes are shown: the creating half of a replacement.
    pub(crate) step: &'a Step,
    /// The id of the object that there is today.
    pub(crate) physical_id: Option<&'a str>,
}

/// The plan's steps with the two halves of each replacement joined, in the plan's order.
pub(crate) fn nodes(plan: &Plan) -> Vec<(&Urn, Node<'_>)> {
    let mut deletions: HashMap<&Urn, &Step> = HashMap::new();
    for step in plan.steps.iter().filter(|step| step.action == Action::Delete && step.replacement) {
        deletions.entry(&step.urn).or_insert(step);
    }
    let replaced: std::collections::HashSet<&Urn> = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Create && step.replacement)
        .map(|step| &step.urn)
        .collect();
    plan.steps
        .iter()
        .filter_map(|step| {
            let id = |step: &'_ Step| step.physical_id.is_some();
            let (verb, existing) = match step.action {
                Action::Create if step.replacement => {
                    let verb = if step.delete_first { Verb::ReplaceDeleteFirst } else { Verb::Replace };
                    (verb, deletions.get(&step.urn).copied())
                }
                Action::Delete if step.replacement && replaced.contains(&step.urn) => return None,
                action => (Verb::of(action), id(step).then_some(step)),
            };
            let physical_id =
                existing.and_then(|step| step.physical_id.as_ref()).map(lsinfra_engine::PhysicalId::as_str);
            Some((&step.urn, Node { verb, step, physical_id }))
        })
        .collect()
}
