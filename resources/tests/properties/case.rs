//! A case: an object of one type, what it stands on and what stands on it, and how each of its inputs
//! changes, one after the other.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use lsinfra_engine::{Object, Resource, ResourceType, Stack, Urn};

use crate::rig::Rig;

/// What somebody does to the account behind the engine's back, with the object at hand.
pub(crate) type Hand = for<'a> fn(&'a Rig, &'a Object) -> BoxFuture<'a, ()>;

/// A case with its types erased.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) resource_type: &'static str,
    /// The fields that differ after each change.
    pub(crate) changes: Vec<Vec<&'static str>>,
    /// Inputs that cannot be taken away by themselves: AWS wants them, or others need them.
    pub(crate) needed: BTreeSet<&'static str>,
    /// Inputs that AWS changes one way only: the last change of each is made by hand.
    pub(crate) one_way: BTreeSet<&'static str>,
    /// Inputs whose change makes a new object that cannot exist beside the old one.
    pub(crate) exclusive: BTreeSet<&'static str>,
    /// What somebody does before the first change, for the changes to refer to.
    pub(crate) preparation: Option<Hand>,
    /// What somebody does that shows in an input.
    pub(crate) meddling: Vec<(&'static str, Hand)>,
    /// Whether somebody else's deletion leaves it there.
    pub(crate) is_always_there: bool,
    declare: Declare,
}

/// Declares an object as it is after so many changes, with its dependants or without.
type Declare = Box<dyn Fn(&Stack, usize, bool) -> Urn + Send>;

impl Case {
    /// Declares the object as it is after so many changes, with its dependants or without.
    pub(crate) fn declare(&self, stack: &Stack, changes: usize, with_dependants: bool) -> Urn {
        (self.declare)(stack, changes, with_dependants)
    }
}

type Change<R, G> = (Vec<&'static str>, fn(&G, &mut R));

/// What uses the object's outputs.
type Dependants<R, G> = fn(&Stack, &G, &Resource<<R as ResourceType>::Outputs>);

/// A case that is being put together. `G` is what the object stands on.
pub(crate) struct Subject<R: ResourceType, G> {
    ground: fn(&Stack) -> G,
    inputs: fn(&G) -> R,
    dependants: Option<Dependants<R, G>>,
    changes: Vec<Change<R, G>>,
    needed: BTreeSet<&'static str>,
    one_way: BTreeSet<&'static str>,
    exclusive: BTreeSet<&'static str>,
    preparation: Option<Hand>,
    meddling: Vec<(&'static str, Hand)>,
    is_always_there: bool,
}

impl<R: ResourceType, G: 'static> Subject<R, G> {
    /// An object with these inputs on this ground.
    pub(crate) fn new(ground: fn(&Stack) -> G, inputs: fn(&G) -> R) -> Self {
        Self {
            ground,
            inputs,
            dependants: None,
            changes: Vec::new(),
            needed: BTreeSet::new(),
            one_way: BTreeSet::new(),
            exclusive: BTreeSet::new(),
            preparation: None,
            meddling: Vec::new(),
            is_always_there: false,
        }
    }

    /// What uses the object's outputs.
    pub(crate) fn used_by(mut self, dependants: Dependants<R, G>) -> Self {
        self.dependants = Some(dependants);
        self
    }

    /// An input becomes another one, and stays so.
    pub(crate) fn change(self, field: &'static str, change: fn(&G, &mut R)) -> Self {
        self.change_together([field], change)
    }

    /// Inputs of which AWS takes no mixture become others.
    pub(crate) fn change_together<const N: usize>(
        mut self,
        fields: [&'static str; N],
        change: fn(&G, &mut R),
    ) -> Self {
        self.changes.push((fields.to_vec(), change));
        self
    }

    /// An optional input that cannot be taken away by itself.
    pub(crate) fn needs(mut self, field: &'static str) -> Self {
        self.needed.insert(field);
        self
    }

    /// AWS takes no change of an input back. Its last change is made by somebody else, before the stack
    /// follows.
    pub(crate) fn one_way(mut self, field: &'static str) -> Self {
        self.one_way.insert(field);
        self
    }

    /// The new object that a change of an input alone makes cannot exist beside the old one.
    pub(crate) fn exclusive(mut self, field: &'static str) -> Self {
        self.exclusive.insert(field);
        self
    }

    /// Somebody prepares the account for the changes.
    pub(crate) fn prepared_by(mut self, hand: Hand) -> Self {
        self.preparation = Some(hand);
        self
    }

    /// Somebody does something that shows in an input.
    pub(crate) fn meddled_with(mut self, field: &'static str, hand: Hand) -> Self {
        self.meddling.push((field, hand));
        self
    }

    /// Deleting the object only lets it go.
    pub(crate) fn always_there(mut self) -> Self {
        self.is_always_there = true;
        self
    }

    /// The case, with a name that says what it is a case of.
    pub(crate) fn case(self, variant: &str) -> Case {
        let name = match variant {
            "" => R::TYPE.to_owned(),
            variant => format!("{} {variant}", R::TYPE),
        };
        let Self { ground, inputs, dependants, changes, .. } = self;
        let (fields, changes): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
        let declare = move |stack: &Stack, count: usize, with_dependants: bool| {
            let ground = ground(stack);
            let mut inputs = inputs(&ground);
            for change in changes.iter().take(count) {
                change(&ground, &mut inputs);
            }
            let subject = stack.add("subject", inputs).unwrap();
            if let Some(dependants) = dependants.filter(|_| with_dependants) {
                dependants(stack, &ground, &subject);
            }
            subject.urn().clone()
        };
        Case {
            name,
            resource_type: R::TYPE,
            changes: fields,
            needed: self.needed,
            one_way: self.one_way,
            exclusive: self.exclusive,
            preparation: self.preparation,
            meddling: self.meddling,
            is_always_there: self.is_always_there,
            declare: Box::new(declare),
        }
    }
}
