//! The deletions of a plan, and their order: an object goes after everything that stands on it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::journal::Entry;
use crate::operation::OperationError;
use crate::plan::build::Planner;
use crate::plan::{Action, Reason, Step};
use crate::provider::Observation;
use crate::snapshot::{Generation, Object, RecordedOptions, Role};
use crate::urn::Urn;

/// An object that the forward pass decided to delete.
pub(super) struct Condemned {
    /// The resource.
    pub(super) urn: Urn,
    /// The object.
    pub(super) generation: Generation,
    /// Why.
    pub(super) reasons: Vec<Reason>,
}

/// Adds all deletions with their edges, then checks protection and that no steps wait for each other.
/// Returns the resources that must be deleted before their replacements are created, if the pass did
/// not know that: then its plan is no good.
///
/// # Errors
/// [`OperationError::Protected`], [`OperationError::PlanCycle`], [`OperationError::UnknownType`].
pub(super) fn plan(planner: &mut Planner<'_>) -> Result<BTreeSet<Urn>, OperationError> {
    condemn_superseded(planner);
    condemn_undeclared(planner)?;
    let condemned = std::mem::take(&mut planner.condemned);
    let mut deletions = push_steps(planner, condemned)?;
    part_from_containers(planner, &mut deletions);
    let early = early(&deletions, &standing(&deletions));
    let forced_first = forced_first(planner, &deletions, &early);
    if !forced_first.is_empty() {
        return Ok(forced_first);
    }
    connect(planner, &deletions, &early);
    check_protection(planner)?;
    check_acyclic(&planner.steps)?;
    Ok(BTreeSet::new())
}

/// The replaced resources whose old objects stand, near or far, on one that is deleted first, while
/// their new objects wait for what replaces that.
fn forced_first(planner: &Planner<'_>, deletions: &[Deletion], early: &HashSet<usize>) -> BTreeSet<Urn> {
    deletions
        .iter()
        .filter(|deletion| early.contains(&deletion.index) && !deletion.first && !deletion.superseded)
        .filter(|deletion| {
            planner.visited.get(&deletion.urn).is_some_and(|visited| {
                visited.after_delete_first
                    && visited.main.is_some_and(|main| planner.steps[main].action == Action::Create)
            })
        })
        .map(|deletion| deletion.urn.clone())
        .collect()
}

/// Old generations that an earlier run had no time to delete.
fn condemn_superseded(planner: &mut Planner<'_>) {
    let known: HashSet<(Urn, Generation)> =
        planner.condemned.iter().map(|one| (one.urn.clone(), one.generation)).collect();
    let mut found = Vec::new();
    for (urn, record) in &planner.snapshot.resources {
        if !planner.selected(urn) {
            continue;
        }
        for object in record.superseded() {
            if !known.contains(&(urn.clone(), object.generation)) {
                found.push((urn.clone(), object.clone()));
            }
        }
    }
    for (urn, object) in found {
        condemn_unless_gone(planner, &urn, &object, Reason::Replaced);
    }
}

/// Everything recorded that the stack does not declare.
fn condemn_undeclared(planner: &mut Planner<'_>) -> Result<(), OperationError> {
    let mut found = Vec::new();
    for (urn, record) in &planner.snapshot.resources {
        if planner.question.graph.get(urn).is_some() || !planner.selected(urn) {
            continue;
        }
        for object in &record.objects {
            if matches!(object.role, Role::Current | Role::Incoming) {
                found.push((urn.clone(), object.as_ref().clone()));
            }
        }
    }
    for (urn, object) in found {
        if planner.question.providers.get(urn.resource_type()).is_none() {
            let resource_type = urn.resource_type().to_owned();
            return Err(OperationError::UnknownType { urn, resource_type });
        }
        if object.physical_id.is_none() {
            // A lookup or a run: nothing in the cloud stands behind it.
            planner.preamble.push(Entry::Forgotten { urn, generation: object.generation });
            continue;
        }
        condemn_unless_gone(planner, &urn, &object, Reason::NoLongerDeclared);
    }
    Ok(())
}

fn condemn_unless_gone(planner: &mut Planner<'_>, urn: &Urn, object: &Object, reason: Reason) {
    let generation = object.generation;
    let is_gone = planner.observation(urn, generation) == Some(&Observation::Gone);
    // A deletion that was started is seen through: what is on its way out reads as gone.
    if is_gone && !object.status.is_deleting() {
        planner.preamble.push(Entry::Forgotten { urn: urn.clone(), generation });
        if object.role == Role::Current {
            planner.note_gone(urn, object);
        }
        return;
    }
    planner.condemned.push(Condemned { urn: urn.clone(), generation, reasons: vec![reason] });
}

/// One deletion among the steps.
struct Deletion {
    index: usize,
    urn: Urn,
    dependencies: BTreeSet<Urn>,
    /// The container whose deletion takes the object with it.
    with: Option<Urn>,
    /// Whether it comes before the creation that replaces the object.
    first: bool,
    /// Whether the object never was the current one, so that nothing stands on it.
    incoming: bool,
    /// Whether an earlier run has replaced the object already.
    superseded: bool,
}

impl Deletion {
    /// The deletions of the objects that stand on this one.
    fn carries<'a>(&self, standing: &HashMap<&Urn, Vec<&'a Deletion>>) -> impl Iterator<Item = &'a Deletion> {
        let above = if self.incoming { None } else { standing.get(&self.urn) };
        above.cloned().unwrap_or_default().into_iter()
    }
}

fn push_steps(planner: &mut Planner<'_>, condemned: Vec<Condemned>) -> Result<Vec<Deletion>, OperationError> {
    let going: HashSet<(Urn, Generation)> =
        condemned.iter().map(|one| (one.urn.clone(), one.generation)).collect();
    let mut deletions = Vec::new();
    for one in condemned {
        let Some(object) = planner
            .snapshot
            .resources
            .get(&one.urn)
            .and_then(|record| record.generation(one.generation))
            .cloned()
        else {
            continue;
        };
        let Some(provider) = planner.question.providers.get(one.urn.resource_type()) else {
            return Err(OperationError::UnknownType {
                resource_type: one.urn.resource_type().to_owned(),
                urn: one.urn,
            });
        };
        let options = effective_options(planner, &one.urn, &object);
        let main = planner.visited.get(&one.urn).and_then(|visited| visited.main);
        let replaced = main.is_some_and(|main| planner.steps[main].replacement);
        let mut reasons = one.reasons;
        let is_kept = object.role != Role::Incoming && !object.status.is_deleting();
        let action = if options.retain_on_delete && is_kept {
            reasons.push(Reason::RetainOnDelete);
            Action::Retain
        } else {
            Action::Delete
        };
        // Objects that must go before the new one is made: an unfinished or failed predecessor, or
        // the current one of a type of which only one can exist.
        let first = main.is_some_and(|main| {
            planner.steps[main].action == Action::Create
                && (object.role == Role::Incoming
                    || (object.role == Role::Current
                        && planner.visited.get(&one.urn).is_some_and(|visited| visited.delete_first)))
        });
        let with = options.deleted_with.filter(|container| {
            action == Action::Delete && takes_contents_with_it(planner, container, &going, first)
        });
        if let Some(container) = &with {
            reasons.push(Reason::DeletedWith { container: container.clone() });
        }
        if action == Action::Delete && with.is_none() {
            reasons.extend(provider.leaves(&object.inputs).map(|what| Reason::Leaves { what }));
            reasons.extend(provider.awaits(&object.inputs).map(|what| Reason::Awaits { what }));
        }
        let expected_seconds = planner.seconds(provider.schema(), action);
        let index = planner.steps.len();
        planner.steps.push(Step {
            urn: one.urn.clone(),
            action,
            generation: object.generation,
            name_generation: object.name_generation,
            replacement: replaced,
            delete_first: first,
            physical_id: object.physical_id.clone(),
            reasons,
            changes: Vec::new(),
            inputs: object.inputs.clone(),
            depends_on: Vec::new(),
            expected_seconds,
            explanation: None,
            connection: object.connection.clone(),
        });
        deletions.push(Deletion {
            index,
            with,
            urn: one.urn,
            dependencies: object.dependencies,
            first,
            incoming: object.role == Role::Incoming,
            superseded: object.role == Role::Superseded,
        });
    }
    Ok(deletions)
}

/// Whether an object that lives in a container goes with it: only if no object of the container stays,
/// since nobody knows in which of them it lives.
fn takes_contents_with_it(
    planner: &Planner<'_>,
    container: &Urn,
    going: &HashSet<(Urn, Generation)>,
    content_goes_first: bool,
) -> bool {
    let Some(record) = planner.snapshot.resources.get(container) else { return false };
    let objects = || record.objects.iter().filter(|object| object.role != Role::Retained);
    let is_declared = planner.question.graph.get(container).is_some();
    // A deletion that was started goes on in any case; otherwise the contents of a replaced container
    // move before it goes.
    let goes_before_all = objects().all(|object| object.status.is_deleting());
    objects().next().is_some()
        && (goes_before_all || !is_declared && !content_goes_first)
        && objects().all(|object| {
            going.contains(&(container.clone(), object.generation))
                && !effective_options(planner, container, object).retain_on_delete
        })
}

/// What the stack says now, or what was recorded if it says nothing any more.
fn effective_options(planner: &Planner<'_>, urn: &Urn, object: &Object) -> RecordedOptions {
    match planner.visited.get(urn) {
        Some(visited) if planner.selected(urn) => visited.options.clone(),
        _ => object.options.clone(),
    }
}

/// Lets an object not go with its container if the container has to wait for it in a roundabout way:
/// because the object stands on another one that must be gone before the container.
fn part_from_containers(planner: &mut Planner<'_>, deletions: &mut [Deletion]) {
    let (by_urn, standing) = (by_urn(deletions), standing(deletions));
    let mut waited_for: HashMap<Urn, HashSet<usize>> = HashMap::new();
    for container in deletions.iter().filter_map(|deletion| deletion.with.as_ref()) {
        if waited_for.contains_key(container) {
            continue;
        }
        let of = |urn: &Urn| by_urn.get(urn).into_iter().flatten().copied();
        let mut seen = HashSet::new();
        let mut queue: Vec<&Deletion> = of(container).collect();
        while let Some(deletion) = queue.pop() {
            // The contents of another container wait for that.
            let waits_for = deletion.with.iter().flat_map(of);
            let earlier = before(deletion, &standing).chain(waits_for);
            queue.extend(earlier.filter(|earlier| seen.insert(earlier.index)));
        }
        waited_for.insert(container.clone(), seen);
    }
    for deletion in deletions {
        let roundabout = |container: &Urn| waited_for[container].contains(&deletion.index);
        if deletion.with.as_ref().is_some_and(roundabout) {
            deletion.with = None;
            planner.steps[deletion.index]
                .reasons
                .retain(|reason| !matches!(reason, Reason::DeletedWith { .. }));
        }
    }
}

/// The deletions that come before one: of what stands on its object, and of what stands on the contents
/// that go with it. The contents themselves are crossed off after it.
fn before<'a>(
    deletion: &'a Deletion,
    standing: &HashMap<&Urn, Vec<&'a Deletion>>,
) -> impl Iterator<Item = &'a Deletion> {
    let goes_with = |above: &Deletion| above.with.as_ref() == Some(&deletion.urn);
    let (contents, others): (Vec<_>, Vec<_>) = deletion.carries(standing).partition(|above| goes_with(above));
    let on_contents = contents.into_iter().flat_map(|content| content.carries(standing).collect::<Vec<_>>());
    others.into_iter().chain(on_contents.filter(move |above| !goes_with(above)))
}

/// For each resource: the deletions of its objects.
fn by_urn(deletions: &[Deletion]) -> HashMap<&Urn, Vec<&Deletion>> {
    let mut by_urn: HashMap<&Urn, Vec<&Deletion>> = HashMap::new();
    for deletion in deletions {
        by_urn.entry(&deletion.urn).or_default().push(deletion);
    }
    by_urn
}

/// For each resource: the deletions of objects that stand on it.
fn standing(deletions: &[Deletion]) -> HashMap<&Urn, Vec<&Deletion>> {
    let mut standing: HashMap<&Urn, Vec<&Deletion>> = HashMap::new();
    for deletion in deletions {
        for dependency in &deletion.dependencies {
            standing.entry(dependency).or_default().push(deletion);
        }
    }
    standing
}

/// Draws the edges between deletions, and between deletions and the steps that make or move things.
fn connect(planner: &mut Planner<'_>, deletions: &[Deletion], early: &HashSet<usize>) {
    let (by_urn, standing) = (by_urn(deletions), standing(deletions));
    // For each resource: the resources whose objects stand on it now.
    let mut dependants: HashMap<Urn, BTreeSet<Urn>> = HashMap::new();
    for (urn, record) in &planner.snapshot.resources {
        for dependency in record.objects.iter().flat_map(|object| &object.dependencies) {
            if by_urn.contains_key(dependency) && dependency != urn {
                dependants.entry(dependency.clone()).or_default().insert(urn.clone());
            }
        }
    }
    let mut edges: Vec<(usize, usize)> = Vec::new();
    for deletion in deletions {
        // An earlier run has made the new object, whether or not it is the current one yet.
        let is_replaced_already =
            |main: usize| deletion.superseded || planner.steps[main].action == Action::Adopt;
        for earlier in before(deletion, &standing).filter(|earlier| earlier.index != deletion.index) {
            edges.push((deletion.index, earlier.index));
        }
        for container in deletion.with.iter().filter_map(|container| by_urn.get(container)).flatten() {
            edges.push((deletion.index, container.index));
        }
        let main = planner.visited.get(&deletion.urn).and_then(|visited| visited.main);
        if deletion.first {
            if let Some(main) = main {
                edges.push((main, deletion.index));
            }
            // Whether the object really goes is decided by values that these steps make known.
            for dependency in planner.question.graph.dependencies(&deletion.urn) {
                if let Some(visited) = planner.visited.get(&dependency)
                    && !visited.after_delete_first
                    && let Some(step) = visited.main
                {
                    edges.push((deletion.index, step));
                }
            }
        } else if let Some(main) = main
            && !(is_replaced_already(main) && early.contains(&deletion.index))
        {
            edges.push((deletion.index, main));
        }
        if !early.contains(&deletion.index) {
            for dependant in dependants.get(&deletion.urn).into_iter().flatten() {
                if let Some(step) = planner.visited.get(dependant).and_then(|visited| visited.main) {
                    edges.push((deletion.index, step));
                }
            }
        }
    }
    for (step, waits_for) in edges {
        planner.steps[step].depends_on.push(waits_for);
    }
    for step in &mut planner.steps {
        step.depends_on.sort_unstable();
        step.depends_on.dedup();
    }
}

/// The deletions that some replacement's first half waits for: they cannot wait until the objects
/// that stand on theirs have moved off.
fn early(deletions: &[Deletion], standing: &HashMap<&Urn, Vec<&Deletion>>) -> HashSet<usize> {
    let mut early = HashSet::new();
    let mut queue: Vec<&Deletion> = deletions.iter().filter(|deletion| deletion.first).collect();
    while let Some(deletion) = queue.pop() {
        if early.insert(deletion.index) {
            queue.extend(deletion.carries(standing));
        }
    }
    early
}

fn check_protection(planner: &Planner<'_>) -> Result<(), OperationError> {
    let mut urns: Vec<Urn> = Vec::new();
    let mut forced_by = BTreeMap::new();
    let ends_it =
        |step: &&Step| step.action == Action::Delete || step.action == Action::Retain && step.replacement;
    for step in planner.steps.iter().filter(ends_it) {
        let object =
            planner.snapshot.resources.get(&step.urn).and_then(|record| record.generation(step.generation));
        let Some(object) = object.filter(|object| object.role == Role::Current) else { continue };
        if effective_options(planner, &step.urn, object).protect
            && !planner.question.unprotected.contains(&step.urn)
        {
            urns.push(step.urn.clone());
            if let Some(main) = planner.visited.get(&step.urn).and_then(|visited| visited.main) {
                let changes = planner.steps[main].changes.iter().filter(|change| change.forces_replacement);
                let paths: Vec<String> = changes.map(|change| change.path.clone()).collect();
                if !paths.is_empty() {
                    forced_by.insert(step.urn.clone(), paths);
                }
            }
        }
    }
    if urns.is_empty() { Ok(()) } else { Err(OperationError::Protected { urns, forced_by }) }
}

fn check_acyclic(steps: &[Step]) -> Result<(), OperationError> {
    let mut missing: Vec<usize> = steps.iter().map(|step| step.depends_on.len()).collect();
    let dependants = crate::schedule::dependants(steps);
    let mut ready: Vec<usize> = (0..steps.len()).filter(|&step| missing[step] == 0).collect();
    let mut done = 0;
    while let Some(step) = ready.pop() {
        done += 1;
        for &dependant in &dependants[step] {
            missing[dependant] -= 1;
            if missing[dependant] == 0 {
                ready.push(dependant);
            }
        }
    }
    if done == steps.len() {
        return Ok(());
    }
    // Follow waits among the steps that never became ready until one comes again.
    let stuck = |step: usize| missing[step] > 0;
    let mut path = Vec::new();
    let mut next = (0..steps.len()).find(|&step| stuck(step));
    while let Some(step) = next {
        if let Some(start) = path.iter().position(|&seen| seen == step) {
            path.drain(..start);
            path.push(step);
            break;
        }
        path.push(step);
        next = steps[step].depends_on.iter().copied().find(|&dependency| stuck(dependency));
    }
    let path =
        path.into_iter().map(|step| format!("{} {}", steps[step].action.name(), steps[step].urn)).collect();
    Err(OperationError::PlanCycle { path })
}
