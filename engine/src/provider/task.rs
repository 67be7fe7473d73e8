//! Tasks: lookups and runs, the two kinds of resources that own no object.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::provider::typed::typed;
use crate::provider::{
    Connect, ErrorKind, Found, InputProblem, Inputs, Observation, Outputs, Provider, ProviderError,
    ReadRequest, Recorded, StepContext, UpdateRequest,
};
use crate::schema::{Durations, Kind, Schema};
use crate::snapshot::PhysicalId;
use crate::value::{Properties, Value, ValueError};

/// A lookup of something that the stack does not own, or a check or task whose outcome is recorded.
#[async_trait]
pub trait TaskType: Inputs {
    /// The type token, such as `aws:ec2:InstanceTypes`.
    const TYPE: &'static str;
    /// [`Kind::Lookup`] or [`Kind::Run`].
    const KIND: Kind;
    /// The service whose rate limits it shares.
    const SERVICE: &'static str;
    /// How long it is expected to take, in seconds.
    const SECONDS: u64 = 2;

    /// What it finds: for a run, its evidence.
    type Outputs: Outputs;
    /// What it calls with.
    type Client: Send + Sync + 'static;

    /// Problems of the inputs, as far as they are known.
    fn check(&self) -> Vec<InputProblem> {
        Vec::new()
    }

    /// Looks up or runs. A check that does not pass is [`ErrorKind::CheckFailed`].
    async fn run(&self, client: &Self::Client, step: &StepContext) -> Result<Self::Outputs, ProviderError>;
}

/// A [`TaskType`] as an erased [`Provider`].
pub struct TaskProvider<T: TaskType> {
    connect: Arc<dyn Connect<T::Client>>,
    schema: Schema,
}

impl<T: TaskType> TaskProvider<T> {
    /// The provider of `T`, with clients made by `connect`.
    pub fn new(connect: Arc<dyn Connect<T::Client>>) -> Self {
        Self {
            connect,
            schema: Schema {
                resource_type: T::TYPE,
                version: 1,
                kind: T::KIND,
                inputs: T::FIELDS,
                outputs: T::Outputs::FIELDS,
                singleton: false,
                service: T::SERVICE,
                service_parallelism: 16,
                client_token: false,
                consistency_window: Duration::ZERO,
                durations: Durations::seconds(T::SECONDS, T::SECONDS, 0),
            },
        }
    }
}

fn owns_nothing<V>(resource_type: &str) -> Result<V, ProviderError> {
    Err(ProviderError::new(ErrorKind::Invalid, format!("{resource_type} owns no object")))
}

#[async_trait]
impl<T: TaskType> Provider for TaskProvider<T> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn check(&self, inputs: &Properties) -> Vec<InputProblem> {
        match T::from_properties(inputs) {
            Ok(typed) => typed.check(),
            Err(problem) => vec![problem],
        }
    }

    fn predict(&self, _inputs: &Properties, _connection: &Value) -> Properties {
        T::Outputs::unknown().properties()
    }

    fn migrate(&self, _version: u32, recorded: Recorded) -> Result<Recorded, ValueError> {
        // What a task found is found again; nothing of an older version is worth translating.
        Ok(recorded)
    }

    async fn create(&self, _: &StepContext, _: &Properties) -> Result<PhysicalId, ProviderError> {
        owns_nothing(T::TYPE)
    }

    async fn complete(
        &self,
        _: &StepContext,
        _: &PhysicalId,
        _: &Properties,
    ) -> Result<Properties, ProviderError> {
        owns_nothing(T::TYPE)
    }

    async fn read(&self, _: &Value, _: &[ReadRequest]) -> Result<Vec<Observation>, ProviderError> {
        owns_nothing(T::TYPE)
    }

    async fn update(
        &self,
        _: &StepContext,
        _: &PhysicalId,
        _: UpdateRequest<'_>,
    ) -> Result<Properties, ProviderError> {
        owns_nothing(T::TYPE)
    }

    async fn delete(&self, _: &StepContext, _: &PhysicalId, _: &Properties) -> Result<(), ProviderError> {
        owns_nothing(T::TYPE)
    }

    async fn find(&self, _: &StepContext, _: &Properties) -> Result<Option<Found>, ProviderError> {
        owns_nothing(T::TYPE)
    }

    async fn run(&self, step: &StepContext, inputs: &Properties) -> Result<Properties, ProviderError> {
        let client = self.connect.connect(&step.connection).await?;
        Ok(typed::<T>(inputs)?.run(&client, step).await?.properties())
    }
}
