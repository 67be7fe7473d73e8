//! Edits: what a person may change in a stack between two runs.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use crate::stack::generate::{Draft, can_be_retained, can_hold, draft, pick};
use crate::stack::{HomeSpec, Key, ResourceSpec, StackSpec};

/// One edit. Numbers that name resources are taken modulo their count.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// Declare another resource.
    Add(Box<Draft>),
    /// Declare a resource no longer, and what needs it neither.
    Remove(u8),
    /// Declare a removed resource again, without its label.
    Restore(u8),
    /// Change what is fixed at creation.
    Identity(u8, u8),
    /// Change what can be changed in place, or no longer give it.
    Label(u8, Option<u8>),
    Settings(u8, Option<u8>),
    Window(u8, Option<u8>),
    Password(u8, Option<u8>),
    Tags(u8, Option<u8>),
    Description(u8, Option<u8>),
    /// Stand on other objects.
    Parents(u8, Vec<u8>),
    Groups(u8, Vec<u8>),
    /// Use other outputs.
    Unlink(u8),
    /// Go on under another name.
    Rename(u8),
    /// Give the name that a resource had before to a new one.
    ReuseName(u8),
    /// Live in another account.
    Move(u8),
    /// Change options.
    Retain(u8),
    DeleteFirst(u8),
    IgnoreLabel(u8),
}

/// Any edit.
pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    let which = any::<u8>;
    let value = || weighted(0.7, 0..4_u8);
    prop_oneof![
        2 => draft().prop_map(|draft| Edit::Add(Box::new(draft))),
        3 => which().prop_map(Edit::Remove),
        2 => which().prop_map(Edit::Restore),
        3 => (which(), 0..3_u8).prop_map(|(which, value)| Edit::Identity(which, value)),
        3 => (which(), value()).prop_map(|(which, value)| Edit::Label(which, value)),
        1 => (which(), value()).prop_map(|(which, value)| Edit::Settings(which, value)),
        1 => (which(), value()).prop_map(|(which, value)| Edit::Window(which, value)),
        1 => (which(), value()).prop_map(|(which, value)| Edit::Password(which, value)),
        1 => (which(), value()).prop_map(|(which, value)| Edit::Tags(which, value)),
        1 => (which(), value()).prop_map(|(which, value)| Edit::Description(which, value)),
        2 => (which(), vec(which(), 0..3)).prop_map(|(which, parents)| Edit::Parents(which, parents)),
        2 => (which(), vec(which(), 0..3)).prop_map(|(which, groups)| Edit::Groups(which, groups)),
        1 => which().prop_map(Edit::Unlink),
        2 => which().prop_map(Edit::Rename),
        1 => which().prop_map(Edit::ReuseName),
        1 => which().prop_map(Edit::Move),
        1 => which().prop_map(Edit::Retain),
        1 => which().prop_map(Edit::DeleteFirst),
        1 => which().prop_map(Edit::IgnoreLabel),
    ]
}

impl Edit {
    /// Carries out the edit; one that does not fit changes nothing.
    pub(crate) fn apply(&self, stack: &mut StackSpec) {
        let keys: Vec<Key> = stack.resources.iter().map(|resource| resource.key).collect();
        let named = |drawn: &u8| pick(&keys, Some(*drawn));
        match self {
            Self::Add(draft) => draft.place(stack),
            Self::Remove(drawn) => {
                if let Some(key) = named(drawn) {
                    stack.remove(key);
                }
            }
            Self::Restore(drawn) => {
                let indices: Vec<usize> = (0..stack.removed()).collect();
                if let Some(index) = pick(&indices, Some(*drawn)) {
                    stack.restore(index);
                }
            }
            Self::Identity(drawn, value) => with(stack, named(drawn), |one| one.identity = *value),
            Self::Label(drawn, value) => with(stack, named(drawn), |one| one.label = *value),
            Self::Settings(drawn, value) => with(stack, named(drawn), |one| one.settings = *value),
            Self::Window(drawn, value) => with(stack, named(drawn), |one| one.window = *value),
            Self::Password(drawn, value) => with(stack, named(drawn), |one| one.password = *value),
            Self::Tags(drawn, value) => with(stack, named(drawn), |one| one.tags = *value),
            Self::Description(drawn, value) => with(stack, named(drawn), |one| one.description = *value),
            Self::Parents(drawn, parents) => {
                reattach(stack, named(drawn), parents, "parents", |one| &mut one.parents);
            }
            Self::Groups(drawn, groups) => {
                reattach(stack, named(drawn), groups, "groups", |one| &mut one.groups);
            }
            Self::Unlink(drawn) => with(stack, named(drawn), |one| {
                one.links.pop();
            }),
            Self::Rename(drawn) => with(stack, named(drawn), rename),
            Self::ReuseName(drawn) => {
                if let Some(key) = named(drawn) {
                    reuse_name(stack, key);
                }
            }
            Self::Move(drawn) => with(stack, named(drawn), |one| {
                if let HomeSpec::Account { account, .. } = &mut one.home {
                    *account = 1 - *account;
                }
            }),
            Self::Retain(drawn) => with(stack, named(drawn), |one| {
                one.options.retain_on_delete = !one.options.retain_on_delete && can_be_retained(one);
            }),
            Self::DeleteFirst(drawn) => with(stack, named(drawn), |one| {
                one.options.delete_before_replace =
                    !one.options.delete_before_replace && one.simulated_type.is_managed();
            }),
            Self::IgnoreLabel(drawn) => with(stack, named(drawn), |one| {
                one.options.ignore_label = !one.options.ignore_label;
            }),
        }
    }
}

fn with(stack: &mut StackSpec, key: Option<Key>, change: impl FnOnce(&mut ResourceSpec)) {
    if let Some(key) = key {
        change(stack.get_mut(key));
    }
}

fn rename(resource: &mut ResourceSpec) {
    let old = resource.urn();
    resource.options.aliases.push(old);
    resource.is_freshly_renamed = true;
    resource.name = format!("r{}v{}", resource.key, resource.options.aliases.len());
}

/// An alias of a resource that is still declared means nothing, so the name is free only once the
/// rename was carried out.
fn reuse_name(stack: &mut StackSpec, key: Key) {
    let old = stack.get(key).clone();
    let Some(free) = old.options.aliases.last().filter(|_| !old.is_freshly_renamed) else { return };
    if stack.resources.iter().any(|resource| resource.urn() == *free) {
        return;
    }
    let mut new = ResourceSpec::new(stack.next_key(), old.simulated_type);
    new.name = free.name().to_owned();
    new.component = free.components().next().map(str::to_owned);
    stack.resources.push(new);
}

fn reattach(
    stack: &mut StackSpec,
    key: Option<Key>,
    drawn: &[u8],
    field: &str,
    keys: impl FnOnce(&mut ResourceSpec) -> &mut Vec<Key>,
) {
    let Some(key) = key else { return };
    let resource = stack.get(key);
    let stands_alone = resource.options.retain_on_delete || matches!(resource.home, HomeSpec::Inside(_));
    if !resource.simulated_type.has_input(field) || stands_alone {
        return;
    }
    // Resources refer to earlier ones only: so there is no cycle, now or with what was before.
    let earlier: Vec<Key> = can_hold(stack).into_iter().filter(|&other| other < key).collect();
    let mut chosen: Vec<Key> = drawn.iter().filter_map(|&drawn| pick(&earlier, Some(drawn))).collect();
    chosen.sort_unstable();
    chosen.dedup();
    let resource = stack.get_mut(key);
    resource.has_held |= !chosen.is_empty();
    *keys(resource) = chosen;
}
