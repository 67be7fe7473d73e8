//! Targets: which resources a plan is limited to, always with all that they need.

use std::collections::{BTreeSet, HashMap, HashSet};

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

    /// Adds resources with all that they need.
    pub(super) fn extend(&mut self, question: &Question<'_>, more: BTreeSet<Urn>) {
        if let Self::Only(urns) = self {
            close(urns, more, |urn| question.graph.dependencies(urn));
        }
    }
}

/// The targets, with what the declared ones depend on and with what depends on the ones that go.
///
/// # Errors
/// [`OperationError::UnknownTarget`].
pub(super) fn select(question: &Question<'_>) -> Result<Selection, OperationError> {
    if question.targets.is_empty() {
        return Ok(Selection::All);
    }
    let mut dependants: HashMap<&Urn, BTreeSet<Urn>> = HashMap::new();
    for (urn, record) in &question.snapshot.resources {
        for dependency in record.objects.iter().flat_map(|object| &object.dependencies) {
            dependants.entry(dependency).or_default().insert(urn.clone());
        }
    }
    let mut selected = HashSet::new();
    for urn in question.targets {
        let one = BTreeSet::from([urn.clone()]);
        if question.graph.get(urn).is_some() {
            close(&mut selected, one, |urn| question.graph.dependencies(urn));
        } else if question.snapshot.resources.contains_key(urn) {
            close(&mut selected, one, |urn| dependants.get(urn).cloned().unwrap_or_default());
        } else {
            return Err(OperationError::UnknownTarget { urn: urn.clone() });
        }
    }
    Ok(Selection::Only(selected))
}

fn close(into: &mut HashSet<Urn>, from: BTreeSet<Urn>, next: impl Fn(&Urn) -> BTreeSet<Urn>) {
    let mut queue: Vec<Urn> = from.into_iter().collect();
    while let Some(urn) = queue.pop() {
        if into.insert(urn.clone()) {
            queue.extend(next(&urn));
        }
    }
}
