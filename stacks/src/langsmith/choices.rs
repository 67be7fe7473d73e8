//! Choices that cannot be changed later, on record, so that a change is refused when it is planned.
//!
//! The record is a resource like any other, but one without an object in the cloud.

use std::sync::Arc;

use async_trait::async_trait;
use lsinfra_engine::provider::{
    ChangeKind, Changes, Connect, Existing, Found, Objection, Observed, ProviderError, Providers,
    TypedProvider,
};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, Stack, StepContext, Value,
};

use super::{Environment, StackError};

/// What was chosen.
#[derive(Clone, Default, Inputs)]
pub struct Choices {
    /// How people log in: a value of `auth.mode`.
    #[input(required)]
    pub auth_mode: Input<String>,
    /// Where ClickHouse is: a value of `clickhouse.mode`.
    #[input(required)]
    pub clickhouse_mode: Input<String>,
}

/// What the record gives.
#[derive(Clone, Outputs)]
pub struct ChoicesOutputs {
    /// How people log in.
    #[output(volatile)]
    pub auth_mode: Output<String>,
    /// Where ClickHouse is.
    #[output(volatile)]
    pub clickhouse_mode: Output<String>,
}

/// Declares the record. It stays as long as any data: what was chosen for that still binds.
pub(super) fn declare(stack: &Stack, environment: &Environment<'_>) -> Result<(), StackError> {
    let config = environment.config;
    let choices = stack.add(
        "main",
        Choices {
            auth_mode: config.auth.mode.as_str().into(),
            clickhouse_mode: config.clickhouse.mode.as_str().into(),
        },
    )?;
    let _ = choices.retain_on_delete(config.keeps_data());
    Ok(())
}

/// Adds the provider.
pub fn register(providers: &mut Providers) {
    providers.register(TypedProvider::<Choices>::new(Arc::new(NoCloud)));
}

struct NoCloud;

#[async_trait]
impl Connect<()> for NoCloud {
    async fn connect(&self, _connection: &Value) -> Result<Arc<()>, ProviderError> {
        Ok(Arc::new(()))
    }
}

impl Choices {
    fn outputs(&self) -> ChoicesOutputs {
        let known = |input: &Input<String>| Output::known(&input.get().unwrap_or_default());
        ChoicesOutputs { auth_mode: known(&self.auth_mode), clickhouse_mode: known(&self.clickhouse_mode) }
    }
}

/// What another way to log in means; `None` where LangSmith has a way from one to the other.
/// <https://docs.langchain.com/langsmith/self-host-sso>
fn auth_problem(old: &str, new: &str) -> Option<String> {
    (old == "oidc" && new != old).then(|| {
        format!(
            "it is {old:?}, and LangSmith knows no way back to {new:?}: nobody could log in any more. Put it \
             back, or make another environment"
        )
    })
}

/// What another place for ClickHouse means.
fn clickhouse_problem(old: &str, new: &str) -> Option<String> {
    (new != old).then(|| {
        format!(
            "it is {old:?}, and a schema of that kind cannot become one of {new:?}: LangSmith would begin \
             with an empty ClickHouse, without all traces so far. Put it back, or make another environment \
             and move the traces to it"
        )
    })
}

#[async_trait]
impl ResourceType for Choices {
    const TYPE: &'static str = "lsinfra:langsmith:Choices";
    const ID_FORM: &'static str = "none: it has no object";
    const SERVICE: &'static str = "lsinfra";
    const CLIENT_TOKEN: bool = true;
    const CONSISTENCY_WINDOW: std::time::Duration = std::time::Duration::ZERO;
    const DURATIONS: Durations = Durations::seconds(0, 0, 0);

    type Outputs = ChoicesOutputs;
    type Client = ();

    fn predict(&self, _connection: &Value) -> ChoicesOutputs {
        self.outputs()
    }

    fn check_change(&self, previous: &Self, change: ChangeKind) -> Vec<Objection> {
        if change != ChangeKind::Update {
            return Vec::new();
        }
        let about = |path: &str, old: &Input<String>, new: &Input<String>, problem: fn(&str, &str) -> _| {
            let message: Option<String> = problem(&old.get()?, &new.get()?);
            let problem = InputProblem { path: path.to_owned(), message: message? };
            Some(Objection { problem, can_be_overruled: true })
        };
        let auth = about("auth.mode", &previous.auth_mode, &self.auth_mode, auth_problem);
        let clickhouse =
            about("clickhouse.mode", &previous.clickhouse_mode, &self.clickhouse_mode, clickhouse_problem);
        auth.into_iter().chain(clickhouse).collect()
    }

    async fn create(&self, _client: &(), step: &StepContext) -> Result<PhysicalId, ProviderError> {
        Ok(PhysicalId::new(step.urn.name()))
    }

    async fn complete(
        &self,
        _client: &(),
        _step: &StepContext,
        _id: &PhysicalId,
    ) -> Result<ChoicesOutputs, ProviderError> {
        Ok(self.outputs())
    }

    async fn read(
        _client: &(),
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let as_recorded = |object: &Existing<Self>| {
            let inputs = object.inputs.clone();
            Some(Observed { outputs: inputs.outputs(), inputs })
        };
        Ok(objects.iter().map(as_recorded).collect())
    }

    async fn update(
        &self,
        _client: &(),
        _step: &StepContext,
        _id: &PhysicalId,
        _changes: &Changes<Self>,
    ) -> Result<ChoicesOutputs, ProviderError> {
        Ok(self.outputs())
    }

    async fn delete(&self, _client: &(), _step: &StepContext, _id: &PhysicalId) -> Result<(), ProviderError> {
        Ok(())
    }

    /// It is wherever it is recorded.
    async fn find(&self, _client: &(), step: &StepContext) -> Result<Option<Found>, ProviderError> {
        Ok(Some(Found { id: PhysicalId::new(step.urn.name()), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn objections(old: (&str, &str), new: (&str, &str)) -> Vec<String> {
        let choices = |(auth, clickhouse): (&str, &str)| Choices {
            auth_mode: auth.into(),
            clickhouse_mode: clickhouse.into(),
        };
        let found = choices(new).check_change(&choices(old), ChangeKind::Update);
        assert!(found.iter().all(|objection| objection.can_be_overruled));
        found.into_iter().map(|objection| objection.problem.path).collect()
    }

    #[test]
    fn only_what_has_no_way_back_is_objected_to() {
        assert_eq!(objections(("basic", "single"), ("basic", "single")), [""; 0]);
        assert_eq!(objections(("basic", "single"), ("oidc", "single")), [""; 0]);
        assert_eq!(objections(("oidc", "single"), ("basic", "single")), ["auth.mode"]);
        for (old, new) in [("single", "replicated"), ("replicated", "single"), ("external", "replicated")] {
            assert_eq!(objections(("basic", old), ("basic", new)), ["clickhouse.mode"]);
        }
        assert_eq!(objections(("oidc", "single"), ("basic", "external")), ["auth.mode", "clickhouse.mode"]);
    }
}
