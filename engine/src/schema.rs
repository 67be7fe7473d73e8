//! Schemas: what the fields of a resource type mean to a diff.
//!
//! Derive macros fill them in; planning reads them. They hold no behaviour.

use std::time::Duration;

/// Everything that planning must know about a resource type.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The type token, such as `aws:ec2:Vpc`.
    pub resource_type: &'static str,
    /// The version of the shape of inputs and outputs in state; raised with a migration.
    pub version: u32,
    /// What a resource of this type is to the engine.
    pub kind: Kind,
    /// Input fields in declaration order.
    pub inputs: &'static [InputField],
    /// Output fields in declaration order.
    pub outputs: &'static [OutputField],
    /// Whether only one such object can exist at a time, so that a replacement deletes first.
    pub singleton: bool,
    /// The service whose rate limits bound how many steps run at once, such as `ec2`.
    pub service: &'static str,
    /// How many steps of that service may run at once.
    pub service_parallelism: usize,
    /// Whether the creating call takes a client token, so that it may be sent again.
    pub client_token: bool,
    /// For how long after a change reads may still show the world before it.
    pub consistency_window: Duration,
    /// How long steps are expected to take until history knows better.
    pub durations: Durations,
}

/// What a resource is to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object that the stack owns: created, updated, replaced, deleted.
    Managed,
    /// Something that the stack does not own and looks up: a *read* step.
    Lookup,
    /// A check or a task whose outcome is recorded: a *run* step, run again when its inputs change.
    Run,
}

/// Expected durations of the steps of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// From the creating call until the object is usable.
    pub create: Duration,
    /// Until an update has taken effect.
    pub update: Duration,
    /// Until the object is gone.
    pub delete: Duration,
}

impl Durations {
    /// From whole seconds.
    pub const fn seconds(create: u64, update: u64, delete: u64) -> Self {
        Self {
            create: Duration::from_secs(create),
            update: Duration::from_secs(update),
            delete: Duration::from_secs(delete),
        }
    }
}

/// One input field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputField {
    /// Its name in state, plans and messages: the Rust field's name.
    pub name: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// Whether a change needs a new object.
    pub replace: bool,
    /// Whether it can be put back in place when someone else took it away, although a change from one
    /// value to another needs a new object.
    pub restorable: bool,
    /// How two values are compared.
    pub compare: Compare,
    /// Whether AWS chooses a value when none is given and keeps it: no longer giving it is no change.
    pub computed: bool,
    /// For a field that holds the object's physical name: its longest length in characters. The
    /// name of a replacement takes the suffix `-2`, `-3`, ... .
    pub name_limit_characters: Option<usize>,
}

impl InputField {
    /// A field with no special behaviour.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            required: false,
            replace: false,
            restorable: false,
            compare: Compare::Exact,
            computed: false,
            name_limit_characters: None,
        }
    }
}

/// How two values of a field are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Equal values.
    Exact,
    /// Lists in which order and repetition do not matter.
    Set,
    /// Text in which case does not matter.
    CaseInsensitive,
}

/// One output field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputField {
    /// Its name.
    pub name: &'static str,
    /// Whether an update in place may change it; one that may not keeps its value in a preview.
    pub volatile: bool,
}

impl OutputField {
    /// An output that keeps its value for the life of the object.
    pub const fn new(name: &'static str) -> Self {
        Self { name, volatile: false }
    }
}

impl Schema {
    /// The input field of that name.
    pub fn input(&self, name: &str) -> Option<&'static InputField> {
        self.inputs.iter().find(|field| field.name == name)
    }
}
