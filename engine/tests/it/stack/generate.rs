//! Strategies for stacks and for sequences of edits.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use crate::cloud::catalog::{ATTACHMENT, CATALOG, CLUSTER, ENTRY, SimulatedType};
use crate::stack::edit::Edit;
use crate::stack::{HomeSpec, Key, Link, ResourceSpec, StackSpec};

/// A resource as drawn: references are numbers that are taken modulo what is there.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) simulated_type: usize,
    pub(crate) values: [Option<u8>; 6],
    pub(crate) identity: u8,
    pub(crate) parents: Vec<u8>,
    pub(crate) groups: Vec<u8>,
    pub(crate) links: Vec<(u8, u8, bool)>,
    pub(crate) depends_on: Option<u8>,
    pub(crate) container: Option<u8>,
    pub(crate) inside: Option<u8>,
    pub(crate) component: Option<u8>,
    /// One of the exclusive options: see [`Draft::place`].
    pub(crate) option: u8,
}

/// One drawn resource.
pub(crate) fn draft() -> impl Strategy<Value = Draft> {
    let value = || weighted(0.6, 0..4_u8);
    let values = [value(), value(), value(), value(), value(), value()];
    let references = (
        vec(any::<u8>(), 0..3),
        vec(any::<u8>(), 0..3),
        vec((any::<u8>(), any::<u8>(), any::<bool>()), 0..3),
        weighted(0.2, any::<u8>()),
        weighted(0.8, any::<u8>()),
        weighted(0.15, any::<u8>()),
    );
    (0..CATALOG.len(), values, 0..2_u8, references, weighted(0.3, 0..2_u8), 0..12_u8).prop_map(
        |(simulated_type, values, identity, references, component, option)| {
            let (parents, groups, links, depends_on, container, inside) = references;
            Draft {
                simulated_type,
                values,
                identity,
                parents,
                groups,
                links,
                depends_on,
                container,
                inside,
                component,
                option,
            }
        },
    )
}

/// A stack of that many resources.
pub(crate) fn stack(sizes: std::ops::Range<usize>) -> impl Strategy<Value = StackSpec> {
    vec(draft(), sizes).prop_map(|drafts| {
        let mut stack = StackSpec::default();
        for draft in &drafts {
            draft.place(&mut stack);
        }
        stack
    })
}

/// A stack and what becomes of it, edit by edit.
pub(crate) fn history(
    sizes: std::ops::Range<usize>,
    steps: std::ops::Range<usize>,
) -> impl Strategy<Value = Vec<StackSpec>> {
    let edits = vec(vec(crate::stack::edit::edit(), 1..5), steps);
    (stack(sizes), edits).prop_map(|(first, edits)| {
        let mut stacks = vec![first];
        for batch in edits {
            let mut next = stacks.last().cloned().unwrap_or_default();
            next.resources.iter_mut().for_each(|resource| resource.is_freshly_renamed = false);
            batch.iter().for_each(|edit: &Edit| edit.apply(&mut next));
            stacks.push(next);
        }
        stacks
    })
}

impl Draft {
    /// Adds the drawn resource to a stack.
    pub(crate) fn place(&self, stack: &mut StackSpec) {
        let simulated_type = CATALOG[self.simulated_type];
        let mut resource = ResourceSpec::new(0, simulated_type);
        resource.key = stack.next_key();
        resource.name = format!("r{}", resource.key);
        resource.identity = self.identity;
        [
            resource.label,
            resource.settings,
            resource.description,
            resource.window,
            resource.password,
            resource.tags,
        ] = self.values;
        resource.parents = self.references(stack, &self.parents, "parents", simulated_type);
        resource.groups = self.references(stack, &self.groups, "groups", simulated_type);
        resource.has_held = !resource.parents.is_empty() || !resource.groups.is_empty();
        if simulated_type.has_input("links") {
            resource.links = self.links(stack);
        }
        if simulated_type.has_input("container") {
            resource.container = pick(&can_hold(stack), self.container);
        }
        if let Some(cluster) = pick(&clusters(stack), self.inside)
            && simulated_type.is_managed()
            && simulated_type.schema.resource_type != CLUSTER.schema.resource_type
            && !simulated_type.has_input("container")
            && resource.parents.is_empty()
            && resource.groups.is_empty()
        {
            resource.home = HomeSpec::Inside(cluster);
        }
        resource.component = self.component.map(|component| format!("component-{component}"));
        resource.options.depends_on = pick(&keys(stack), self.depends_on).into_iter().collect();
        match self.option {
            1 => resource.options.delete_before_replace = simulated_type.is_managed(),
            2 => resource.options.retain_on_delete = can_be_retained(&resource),
            3 | 4 => resource.options.deleted_with = resource.lives_in().is_some(),
            5 => resource.options.ignore_label = true,
            6 => resource.options.replace_on_label = true,
            7 => {
                if let HomeSpec::Account { role, .. } = &mut resource.home {
                    *role = 1;
                }
            }
            _ => {}
        }
        stack.resources.push(resource);
    }

    fn references(
        &self,
        stack: &StackSpec,
        drawn: &[u8],
        field: &str,
        simulated_type: SimulatedType,
    ) -> Vec<Key> {
        if !simulated_type.has_input(field) {
            return Vec::new();
        }
        let mut keys: Vec<Key> =
            drawn.iter().filter_map(|&drawn| pick(&can_hold(stack), Some(drawn))).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn links(&self, stack: &StackSpec) -> Vec<Link> {
        let keys = keys(stack);
        self.links
            .iter()
            .filter_map(|&(drawn, output, mapped)| {
                Some(Link { to: pick(&keys, Some(drawn))?, output, mapped })
            })
            .collect()
    }
}

/// An element by a number that is taken modulo their count.
pub(crate) fn pick(keys: &[Key], drawn: Option<u8>) -> Option<Key> {
    keys.get(usize::from(drawn?).checked_rem(keys.len())?).copied()
}

fn keys(stack: &StackSpec) -> Vec<Key> {
    stack.resources.iter().map(|resource| resource.key).collect()
}

/// The resources whose objects others can stand on.
pub(crate) fn can_hold(stack: &StackSpec) -> Vec<Key> {
    let kinds = [ATTACHMENT.schema.resource_type, ENTRY.schema.resource_type];
    stack
        .resources
        .iter()
        .filter(|resource| resource.simulated_type.is_managed())
        .filter(|resource| !kinds.contains(&resource.simulated_type.schema.resource_type))
        .filter(|resource| matches!(resource.home, HomeSpec::Account { .. }))
        .map(|resource| resource.key)
        .collect()
}

fn clusters(stack: &StackSpec) -> Vec<Key> {
    stack
        .resources
        .iter()
        .filter(|resource| resource.simulated_type.schema.resource_type == CLUSTER.schema.resource_type)
        .map(|resource| resource.key)
        .collect()
}

/// Whether an object may outlive everything else: it stands on nothing.
pub(crate) fn can_be_retained(resource: &ResourceSpec) -> bool {
    resource.simulated_type.is_managed()
        && !resource.has_held
        && resource.container.is_none()
        && !resource.simulated_type.schema.singleton
        && matches!(resource.home, HomeSpec::Account { .. })
}
