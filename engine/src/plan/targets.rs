//! Targets: which resources a plan is limited to, always with all that they need.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::journal::OperationKind;
use crate::operation::OperationError;
use crate::plan::build::Question;
use crate::urn::Urn;

/// The resources that a plan may touch.
pub(super) enum Selection {
    /// All.
    All,
    /// These.
    Only(HashSet<Urn>),
}

impl Selection {
    /// Whether a resource may be touched.
    pub(super) fn contains(&self, urn: &Urn) -> bool {
        match self {
            Self::All => true,
            Self::Only(urns) => urns.contains(urn),
        }
    }

    /// Adds resources with all that they need, and with all that has to go before they can.
    pub(super) fn extend(&mut self, question: &Question<'_>, more: BTreeSet<Urn>) {
        if let Self::Only(urns) = self {
            close(question, urns, more);
        }
    }
}

/// The targets, with what the declared ones depend on and with what depends on the ones that go; of an
/// import the targets alone.
///
/// # Errors
/// [`OperationError::UnknownTarget`].
pub(super) fn select(question: &Question<'_>) -> Result<Selection, OperationError> {
    let is_import = question.operation.kind == OperationKind::Import;
    if question.targets.is_empty() && !is_import {
        return Ok(Selection::All);
    }
    let known =
        |urn: &&Urn| question.graph.get(urn).is_some() || question.snapshot.resources.contains_key(*urn);
    // To destroy, what is not recorded is gone already, as after a run that was killed at its very end.
    let is_destroying = question.operation.kind == OperationKind::Destroy;
    if let Some(urn) = question.targets.iter().find(|urn| !known(urn) && !is_destroying) {
        return Err(OperationError::UnknownTarget { urn: urn.clone() });
    }
    if is_import {
        return Ok(Selection::Only(question.targets.iter().cloned().collect()));
    }
    let mut selected = HashSet::new();
    close(question, &mut selected, question.targets.clone());
    Ok(Selection::Only(selected))
}

fn close(question: &Question<'_>, into: &mut HashSet<Urn>, from: BTreeSet<Urn>) {
    let dependants = recorded_dependants(question);
    let mut queue: Vec<Urn> = from.into_iter().collect();
    while let Some(urn) = queue.pop() {
        if into.insert(urn.clone()) {
            if question.graph.get(&urn).is_some() {
                queue.extend(question.graph.dependencies(&urn));
            } else {
                queue.extend(dependants.get(&urn).into_iter().flatten().cloned());
            }
        }
    }
}

/// For each recorded resource: the resources whose objects stand on it.
pub(super) fn recorded_dependants<'a>(question: &Question<'a>) -> HashMap<&'a Urn, BTreeSet<Urn>> {
    let mut dependants: HashMap<&Urn, BTreeSet<Urn>> = HashMap::new();
    for (urn, record) in &question.snapshot.resources {
        for dependency in record.objects.iter().flat_map(|object| &object.dependencies) {
            dependants.entry(dependency).or_default().insert(urn.clone());
        }
    }
    dependants
}
