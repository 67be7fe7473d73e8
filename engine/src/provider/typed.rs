//! The typed interface: one implementation reads like the AWS documentation of its type.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::output::Expression;
use crate::provider::{
    ChangeKind, ErrorKind, ExplainRequest, Explanation, Found, InputProblem, OWNER_TAG_PREFIX, Objection,
    Observation, Provider, ProviderError, ReadRequest, Recorded, StepContext, TAGS_INPUT, UpdateRequest,
};
use crate::schema::{Durations, InputField, Kind, OutputField, Schema};
use crate::secret::SecretKey;
use crate::snapshot::PhysicalId;
use crate::urn::Urn;
use crate::value::{Properties, Value, ValueError};

/// An inputs structure. Derived: `#[derive(Inputs)]`.
pub trait Inputs: Clone + Default + Send + Sync + Sized + 'static {
    /// The fields in declaration order.
    const FIELDS: &'static [InputField];

    /// The expressions of the given inputs by field name.
    fn expressions(&self) -> Vec<(&'static str, Expression)>;

    /// The structure from erased values; unknown ones become unknown outputs.
    ///
    /// # Errors
    /// The field and what is wrong with its value.
    fn from_properties(properties: &Properties) -> Result<Self, InputProblem>;
}

/// An outputs structure, whose fields are all `Output<…>`. Derived: `#[derive(Outputs)]`.
pub trait Outputs: Clone + Send + Sync + Sized + 'static {
    /// The fields in declaration order.
    const FIELDS: &'static [OutputField];

    /// References to the outputs of a declared resource.
    fn references(urn: &Urn) -> Self;

    /// All outputs unknown: the basis of a prediction.
    fn unknown() -> Self;

    /// The erased values; references count as unknown.
    fn properties(&self) -> Properties;
}

/// Inputs as plain erased values, as the engine sends and receives them.
pub(super) fn plain_properties<R: Inputs>(inputs: &R) -> Properties {
    inputs
        .expressions()
        .into_iter()
        .filter_map(|(name, expression)| match expression {
            Expression::Value(value) => Some((name.to_owned(), value)),
            _ => None,
        })
        .collect()
}

/// A resource type: its inputs structure implements this, and that is the provider.
///
/// Every function but [`create`](Self::create) must be idempotent.
#[async_trait]
pub trait ResourceType: Inputs {
    /// The type token, such as `aws:ec2:Vpc`.
    const TYPE: &'static str;
    /// The service whose rate limits it shares, such as `ec2`.
    const SERVICE: &'static str;
    /// How many steps of that service may run at once.
    const SERVICE_PARALLELISM: usize = 16;
    /// The version of the shape of inputs and outputs; raise it with [`migrate`](Self::migrate).
    const VERSION: u32 = 1;
    /// Whether only one such object can exist at a time; see [`excludes`](Self::excludes).
    const SINGLETON: bool = false;
    /// Whether the creating call takes a client token.
    const CLIENT_TOKEN: bool = false;
    /// For how long after a change reads may still show the world before it.
    const CONSISTENCY_WINDOW: Duration = Duration::from_secs(30);
    /// What the id of an object looks like to whoever imports one: as AWS shows it, or, where AWS has no
    /// id for such objects, how it is put together.
    const ID_FORM: &'static str = "the id that AWS shows";
    /// How long its steps are expected to take.
    const DURATIONS: Durations = Durations::seconds(2, 2, 2);

    /// What it gives.
    type Outputs: Outputs;
    /// What it calls the cloud with.
    type Client: Send + Sync + 'static;

    /// Problems of the inputs, as far as they are known.
    fn check(&self) -> Vec<InputProblem> {
        Vec::new()
    }

    /// The outputs that can be told before the object exists.
    fn predict(&self, _connection: &Value) -> Self::Outputs {
        Self::Outputs::unknown()
    }

    /// What speaks against turning the object of `previous` into this one. Known at plan time only as far
    /// as the inputs are.
    fn check_change(&self, _previous: &Self, _change: ChangeKind) -> Vec<Objection> {
        Vec::new()
    }

    /// What stays of it when it is deleted, in words that "stays" can follow, such as `its last snapshot`.
    fn leaves(&self) -> Option<String> {
        None
    }

    /// What its deletion waits for beside its own end, in words that "it waits until" can precede, such as `its volumes
    /// are gone`.
    fn awaits(&self) -> Option<String> {
        None
    }

    /// What a new object of these inputs begins with, in words that "it is made from" can precede, such as `the
    /// snapshot langsmith-final`; `None` if it begins empty.
    fn made_from(&self) -> Option<String> {
        None
    }

    /// Whether an object of these inputs cannot exist beside the one of `previous` that it replaces: then that
    /// one is deleted first. Known at plan time only as far as the inputs are.
    fn excludes(&self, _previous: &Self) -> bool {
        Self::SINGLETON
    }

    /// Makes unknown which outputs an update in place from `previous` may change, where that depends on
    /// what changes; what [volatile](crate::schema::OutputField::volatile) outputs become is not asked.
    fn predict_update(&self, _previous: &Self, _outputs: &mut Properties) {}

    /// The part of a connection that says where an object lives. By default that is the connection's to say.
    fn connection_identity(connect: &dyn Connect<Self::Client>, connection: &Value) -> Value {
        connect.identity(connection)
    }

    /// Brings recorded values from an older version to the present one.
    ///
    /// # Errors
    /// [`ValueError`] if there is no way.
    fn migrate(version: u32, _recorded: Recorded) -> Result<Recorded, ValueError> {
        Err(ValueError::new(format!("{} has no migration from schema version {version}", Self::TYPE)))
    }

    /// Whether objects carry ownership tags: by default those do that have [`TAGS_INPUT`].
    fn carries_owner_tags() -> bool {
        Self::FIELDS.iter().any(|field| field.name == TAGS_INPUT)
    }

    /// Takes the ownership tags out of inputs that were read: by default those in [`TAGS_INPUT`].
    fn take_owner_tags(inputs: &mut Properties) -> BTreeMap<String, String> {
        take_owner_tags(inputs)
    }

    /// Makes the one creating call, with ownership tags and client token, and returns the id at once.
    async fn create(&self, client: &Self::Client, step: &StepContext) -> Result<PhysicalId, ProviderError>;

    /// Makes the rest of the calls that bring a created, found or adopted object to its inputs, waits
    /// until it is usable, and returns its outputs.
    async fn complete(
        &self,
        client: &Self::Client,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<Self::Outputs, ProviderError>;

    /// Reads many objects with few calls; `None` for one that is not there.
    async fn read(
        client: &Self::Client,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError>;

    /// Applies changed inputs in place. By default that is [`complete`](Self::complete).
    async fn update(
        &self,
        client: &Self::Client,
        step: &StepContext,
        id: &PhysicalId,
        _changes: &Changes<Self>,
    ) -> Result<Self::Outputs, ProviderError> {
        self.complete(client, step, id).await
    }

    /// Deletes the object and waits until it is gone; one that is gone already is no error.
    async fn delete(
        &self,
        client: &Self::Client,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError>;

    /// Looks for the object that an unfinished creation may have left, and checks its tags.
    async fn find(&self, client: &Self::Client, step: &StepContext) -> Result<Option<Found>, ProviderError>;

    /// What a planned creation or change comes to inside the object, where the changed inputs do not show it. Inputs
    /// are erased, since a part of one may be unknown.
    async fn explain(
        _connect: &dyn Connect<Self::Client>,
        _request: ExplainRequest<'_>,
    ) -> Result<Option<Explanation>, ProviderError> {
        Ok(None)
    }
}

/// An object to read: its id and what was last applied to it.
#[derive(Clone, Debug)]
pub struct Existing<R> {
    /// Its id.
    pub id: PhysicalId,
    /// The effective inputs last applied.
    pub inputs: R,
    /// The outputs last recorded: empty if its creation did not end.
    pub outputs: Properties,
    /// The environment's key for the digests of secrets.
    pub secret_key: SecretKey,
}

/// An object as it is: what could be read of its inputs, and its outputs.
#[derive(Clone, Debug)]
pub struct Observed<R: ResourceType> {
    /// Its inputs; one that was not read is not given, one that is not there is [`Input::absent`]. Tags
    /// are all of the object's, but for those that AWS reserves: see [`TAGS_INPUT`].
    ///
    /// [`Input::absent`]: crate::Input::absent
    pub inputs: R,
    /// Its outputs.
    pub outputs: R::Outputs,
}

/// What an update changes.
#[derive(Clone, Debug)]
pub struct Changes<R> {
    /// The inputs as they were last applied or observed.
    pub previous: R,
    changed: BTreeSet<String>,
}

impl<R> Changes<R> {
    /// Whether no field differs: the update only has to put the ownership tags on, or to make sure that an
    /// earlier one was carried out.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// Whether the field of that name differs.
    pub fn contains(&self, field: &str) -> bool {
        self.changed.contains(field)
    }
}

/// Makes the client of a provider from a connection.
#[async_trait]
pub trait Connect<C>: Send + Sync {
    /// A client for a connection, usually out of a cache.
    async fn connect(&self, connection: &Value) -> Result<Arc<C>, ProviderError>;

    /// The part of a connection that says where an object lives: the rest may change, and it stays.
    fn identity(&self, connection: &Value) -> Value {
        connection.clone()
    }
}

/// A [`ResourceType`] as an erased [`Provider`].
pub struct TypedProvider<R: ResourceType> {
    connect: Arc<dyn Connect<R::Client>>,
    schema: Schema,
}

impl<R: ResourceType> TypedProvider<R> {
    /// The provider of `R`, with clients made by `connect`.
    pub fn new(connect: Arc<dyn Connect<R::Client>>) -> Self {
        Self {
            connect,
            schema: Schema {
                resource_type: R::TYPE,
                version: R::VERSION,
                kind: Kind::Managed,
                inputs: R::FIELDS,
                outputs: R::Outputs::FIELDS,
                singleton: R::SINGLETON,
                service: R::SERVICE,
                service_parallelism: R::SERVICE_PARALLELISM,
                client_token: R::CLIENT_TOKEN,
                consistency_window: R::CONSISTENCY_WINDOW,
                durations: R::DURATIONS,
            },
        }
    }

    async fn client(&self, step: &StepContext) -> Result<Arc<R::Client>, ProviderError> {
        self.connect.connect(&step.connection).await
    }
}

/// Takes the ownership tags out of the tags that were read.
fn take_owner_tags(inputs: &mut Properties) -> BTreeMap<String, String> {
    let Some(Value::Map(tags)) = inputs.get_mut(TAGS_INPUT) else { return BTreeMap::new() };
    let owner_tags = tags
        .extract_if(.., |key, _| key.starts_with(OWNER_TAG_PREFIX))
        .filter_map(|(key, value)| Some((key, value.as_text()?.to_owned())));
    owner_tags.collect()
}

pub(super) fn typed<R: Inputs>(inputs: &Properties) -> Result<R, ProviderError> {
    R::from_properties(inputs).map_err(|problem| {
        ProviderError::new(ErrorKind::Invalid, format!("{}: {}", problem.path, problem.message))
    })
}

#[async_trait]
impl<R: ResourceType> Provider for TypedProvider<R> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn check(&self, inputs: &Properties) -> Vec<InputProblem> {
        match R::from_properties(inputs) {
            Ok(typed) => typed.check(),
            Err(problem) => vec![problem],
        }
    }

    fn predict(&self, inputs: &Properties, connection: &Value) -> Properties {
        // Inputs that do not fit their types were reported by `check`.
        R::from_properties(inputs)
            .map_or_else(|_| R::Outputs::unknown(), |typed| typed.predict(connection))
            .properties()
    }

    fn id_form(&self) -> &'static str {
        R::ID_FORM
    }

    fn check_change(&self, previous: &Properties, inputs: &Properties, change: ChangeKind) -> Vec<Objection> {
        // Inputs that do not fit their types were reported by `check`.
        match (R::from_properties(previous), R::from_properties(inputs)) {
            (Ok(previous), Ok(typed)) => typed.check_change(&previous, change),
            _ => Vec::new(),
        }
    }

    fn leaves(&self, inputs: &Properties) -> Option<String> {
        R::from_properties(inputs).ok().and_then(|typed| typed.leaves())
    }

    fn awaits(&self, inputs: &Properties) -> Option<String> {
        R::from_properties(inputs).ok().and_then(|typed| typed.awaits())
    }

    fn made_from(&self, inputs: &Properties) -> Option<String> {
        R::from_properties(inputs).ok().and_then(|typed| typed.made_from())
    }

    fn excludes(&self, previous: &Properties, inputs: &Properties) -> bool {
        match (R::from_properties(previous), R::from_properties(inputs)) {
            (Ok(previous), Ok(typed)) => typed.excludes(&previous),
            // Inputs that do not fit their types were reported by `check`.
            _ => R::SINGLETON,
        }
    }

    fn predict_update(&self, previous: &Properties, inputs: &Properties, outputs: &mut Properties) {
        if let (Ok(previous), Ok(typed)) = (R::from_properties(previous), R::from_properties(inputs)) {
            typed.predict_update(&previous, outputs);
        }
    }

    fn connection_identity(&self, connection: &Value) -> Value {
        R::connection_identity(&*self.connect, connection)
    }

    fn carries_owner_tags(&self) -> bool {
        R::carries_owner_tags()
    }

    fn migrate(&self, version: u32, recorded: Recorded) -> Result<Recorded, ValueError> {
        R::migrate(version, recorded)
    }

    async fn create(&self, step: &StepContext, inputs: &Properties) -> Result<PhysicalId, ProviderError> {
        typed::<R>(inputs)?.create(&*self.client(step).await?, step).await
    }

    async fn complete(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        inputs: &Properties,
    ) -> Result<Properties, ProviderError> {
        let outputs = typed::<R>(inputs)?.complete(&*self.client(step).await?, step, id).await?;
        Ok(outputs.properties())
    }

    async fn read(
        &self,
        connection: &Value,
        objects: &[ReadRequest],
    ) -> Result<Vec<Observation>, ProviderError> {
        let client = self.connect.connect(connection).await?;
        let existing = objects
            .iter()
            .map(|object| {
                Ok(Existing {
                    id: object.id.clone(),
                    inputs: typed::<R>(&object.inputs)?,
                    outputs: object.outputs.clone(),
                    secret_key: object.secret_key.clone(),
                })
            })
            .collect::<Result<Vec<_>, ProviderError>>()?;
        let observed = R::read(&client, &existing).await?;
        Ok(observed
            .into_iter()
            .map(|observed| match observed {
                None => Observation::Gone,
                Some(Observed { inputs, outputs }) => {
                    let mut inputs = plain_properties(&inputs);
                    let owner_tags = R::take_owner_tags(&mut inputs);
                    Observation::Present { inputs, outputs: outputs.properties(), owner_tags }
                }
            })
            .collect())
    }

    async fn update(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        update: UpdateRequest<'_>,
    ) -> Result<Properties, ProviderError> {
        // Before a change, what is not there is what nobody gave.
        let mut previous = update.previous.clone();
        previous.retain(|_, value| *value != Value::Null);
        let changes =
            Changes { previous: typed::<R>(&previous)?, changed: update.changed.iter().cloned().collect() };
        let outputs =
            typed::<R>(update.inputs)?.update(&*self.client(step).await?, step, id, &changes).await?;
        Ok(outputs.properties())
    }

    async fn delete(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        inputs: &Properties,
    ) -> Result<(), ProviderError> {
        typed::<R>(inputs)?.delete(&*self.client(step).await?, step, id).await
    }

    async fn find(&self, step: &StepContext, inputs: &Properties) -> Result<Option<Found>, ProviderError> {
        typed::<R>(inputs)?.find(&*self.client(step).await?, step).await
    }

    async fn explain(&self, request: ExplainRequest<'_>) -> Result<Option<Explanation>, ProviderError> {
        R::explain(&*self.connect, request).await
    }

    async fn run(&self, _step: &StepContext, _inputs: &Properties) -> Result<Properties, ProviderError> {
        Err(ProviderError::new(ErrorKind::Invalid, format!("{} is no lookup and no task", R::TYPE)))
    }
}
