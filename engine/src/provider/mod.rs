//! Providers: the code that creates, reads, updates and deletes the objects of one type.
//!
//! Owns the interface between the engine and resource types, in two forms: [`ResourceType`] and
//! [`TaskType`], which authors implement with types, and [`Provider`], which the engine calls with
//! erased values. It must not know plans, journals or any cloud.

mod context;
mod error;
mod explain;
mod task;
mod typed;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

pub use context::{PollInterval, Progress, StepContext};
pub use error::{ErrorKind, ProviderError};
pub use explain::{ChangedPart, ExplainRequest, Explanation, PartChange};
pub use task::{TaskProvider, TaskType};
pub use typed::{Changes, Connect, Existing, Inputs, Observed, Outputs, ResourceType, TypedProvider};

use crate::schema::Schema;
use crate::secret::SecretKey;
use crate::snapshot::PhysicalId;
use crate::value::{Properties, Value, ValueError};

/// The input that holds an object's tags, in every type whose objects carry any. What a read shows there
/// under keys of [`OWNER_TAG_PREFIX`] says whose the object is, and is no input.
pub const TAGS_INPUT: &str = "tags";

/// What the keys of ownership tags begin with; see [`Owner::tags`](crate::Owner::tags).
pub const OWNER_TAG_PREFIX: &str = "lsinfra:";

/// The erased interface to one resource type. Every function but `create` is idempotent: after a
/// crash or an unclear answer the engine calls it again.
///
/// Inputs are *effective*: names carry the suffix of their generation, and nothing is unknown.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What the fields of the type mean to a diff.
    fn schema(&self) -> &Schema;

    /// Problems of inputs, as far as they are known. Pure: called at plan time.
    fn check(&self, inputs: &Properties) -> Vec<InputProblem>;

    /// The outputs that can be told before the object exists; the others are unknown. Pure.
    fn predict(&self, inputs: &Properties, connection: &Value) -> Properties;

    /// What an object's id looks like, for those who import one; see [`ResourceType::ID_FORM`].
    fn id_form(&self) -> &'static str {
        "the id that the cloud shows"
    }

    /// What speaks against turning the object of these recorded inputs into one of `inputs`, as far as
    /// they are known: in place, or by another object that takes its place. Pure: called at plan time.
    fn check_change(
        &self,
        _previous: &Properties,
        _inputs: &Properties,
        _change: ChangeKind,
    ) -> Vec<Objection> {
        Vec::new()
    }

    /// What stays of the object of these recorded inputs when it is deleted, in words. Pure.
    fn leaves(&self, _inputs: &Properties) -> Option<String> {
        None
    }

    /// What the deletion of the object of these recorded inputs waits for beside its own end, in words. Pure.
    fn awaits(&self, _inputs: &Properties) -> Option<String> {
        None
    }

    /// What a new object of these inputs begins with, in words; `None` if it begins empty. Pure.
    fn made_from(&self, _inputs: &Properties) -> Option<String> {
        None
    }

    /// Whether an object of `inputs` cannot exist beside the one of these recorded inputs that it replaces, as
    /// far as they are known: then that one is deleted first. Pure: called at plan time.
    fn excludes(&self, _previous: &Properties, _inputs: &Properties) -> bool {
        self.schema().singleton
    }

    /// Makes unknown which of an object's outputs an update in place may change, beyond the volatile
    /// ones. Pure.
    fn predict_update(&self, _previous: &Properties, _inputs: &Properties, _outputs: &mut Properties) {}

    /// The part of a connection that says where an object lives: when it changes, the object is
    /// replaced; the rest of the connection may change freely.
    fn connection_identity(&self, connection: &Value) -> Value {
        connection.clone()
    }

    /// Whether objects carry ownership tags, so that those are put onto one that is imported. By default those do that
    /// have tags as an input.
    fn carries_owner_tags(&self) -> bool {
        self.schema().input(TAGS_INPUT).is_some()
    }

    /// Brings recorded inputs and outputs from an older schema version to the present one.
    ///
    /// # Errors
    /// [`ValueError`] if the version is unknown or the values have not its shape.
    fn migrate(&self, version: u32, recorded: Recorded) -> Result<Recorded, ValueError>;

    /// Makes the one creating call and returns the id at once, without any wait.
    async fn create(&self, step: &StepContext, inputs: &Properties) -> Result<PhysicalId, ProviderError>;

    /// Brings an object that was just created, found or adopted to its inputs, waits until it is
    /// usable, and returns its outputs.
    async fn complete(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        inputs: &Properties,
    ) -> Result<Properties, ProviderError>;

    /// Reads many objects with few calls. Answers are in the order of the question.
    async fn read(
        &self,
        connection: &Value,
        objects: &[ReadRequest],
    ) -> Result<Vec<Observation>, ProviderError>;

    /// Applies changed inputs in place, waits until they have taken effect, returns the outputs.
    async fn update(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        update: UpdateRequest<'_>,
    ) -> Result<Properties, ProviderError>;

    /// Deletes the object and waits until it is gone; one that is gone already is no error.
    async fn delete(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        inputs: &Properties,
    ) -> Result<(), ProviderError>;

    /// Looks for the object that an unfinished creation may have left: by client token,
    /// deterministic name or ownership tags. What it returns carries the tags of `step`, checked.
    async fn find(&self, step: &StepContext, inputs: &Properties) -> Result<Option<Found>, ProviderError>;

    /// What a planned creation or change comes to inside the object, for whoever reviews the plan; `None` if the
    /// step's changes say it all. Changes nothing.
    ///
    /// # Errors
    /// [`ProviderError`] if it cannot be told: a note in the plan.
    async fn explain(&self, _request: ExplainRequest<'_>) -> Result<Option<Explanation>, ProviderError> {
        Ok(None)
    }

    /// Carries out a lookup or a run, for types of those kinds.
    async fn run(&self, step: &StepContext, inputs: &Properties) -> Result<Properties, ProviderError>;
}

/// Recorded values of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its inputs.
    pub inputs: Properties,
    /// Its outputs.
    pub outputs: Properties,
}

/// Which object to read, and what was last applied to it.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// Its id.
    pub id: PhysicalId,
    /// The effective inputs last applied: a provider reads what is managed.
    pub inputs: Properties,
    /// The outputs last recorded: empty for an object whose creation did not end.
    pub outputs: Properties,
    /// The environment's key for the digests of secrets.
    pub secret_key: SecretKey,
}

/// What a refresh saw of one object.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// It is not there, or on its way out: nothing can be done with it any more.
    Gone,
    /// It is there.
    Present {
        /// The effective inputs that could be read back: [`Value::Null`] for one that is not there.
        inputs: Properties,
        /// The outputs.
        outputs: Properties,
        /// The ownership tags that it carries, whoever put them there.
        owner_tags: BTreeMap<String, String>,
    },
}

/// An update: from what, to what, and where they differ.
#[derive(Clone, Copy, Debug)]
pub struct UpdateRequest<'a> {
    /// The effective inputs as they were last applied or observed; [`Value::Null`] for one that was
    /// observed not to be there.
    pub previous: &'a Properties,
    /// The effective inputs from now on.
    pub inputs: &'a Properties,
    /// The fields that differ; one that is not in `inputs` goes back to its default.
    pub changed: &'a [String],
}

/// An object that an unfinished creation left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: PhysicalId,
    /// Why it can only be replaced, if the cloud has given it up.
    pub failed: Option<String>,
}

/// An invalid input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputProblem {
    /// The path to the offending value, such as `cidr_block`.
    pub path: String,
    /// What is wrong and what is allowed: a lowercase fragment.
    pub message: String,
}

/// How an object comes to other inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// By an update in place.
    Update,
    /// By a new object that replaces it.
    Replace,
    /// By a new object, since it is gone: someone deleted it.
    Recreate,
}

/// Something that speaks against a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// What would be changed, and what is wrong with it or would break.
    pub problem: InputProblem,
    /// Whether the user may insist, by unprotecting the resource.
    pub can_be_overruled: bool,
}

/// A problem on which nobody can insist.
impl From<InputProblem> for Objection {
    fn from(problem: InputProblem) -> Self {
        Self { problem, can_be_overruled: false }
    }
}

/// The providers of a stack by resource type.
#[derive(Clone, Default)]
pub struct Providers(BTreeMap<&'static str, Arc<dyn Provider>>);

impl Providers {
    /// Adds the provider of a type; a later one for the same type wins.
    pub fn register(&mut self, provider: impl Provider + 'static) {
        self.0.insert(provider.schema().resource_type, Arc::new(provider));
    }

    /// All of them, in the order of their types.
    pub fn all(&self) -> impl Iterator<Item = &dyn Provider> {
        self.0.values().map(|provider| &**provider)
    }

    /// The provider of a type.
    pub fn get(&self, resource_type: &str) -> Option<&Arc<dyn Provider>> {
        self.0.get(resource_type)
    }
}
