//! The provider of one simulated type, written as a provider of a real cloud would be: from calls.

use std::collections::BTreeMap;
use std::task::Poll;

use async_trait::async_trait;
use lsinfra_engine::provider::{
    ChangeKind, ErrorKind, ExplainRequest, Explanation, Found, InputProblem, Objection, Observation,
    PollInterval, Provider, ProviderError, Providers, ReadRequest, Recorded, StepContext, UpdateRequest,
};
use lsinfra_engine::schema::Schema;
use lsinfra_engine::{PhysicalId, Properties, Value, ValueError};

use crate::cloud::catalog::{CATALOG, Naming, SimulatedType};
use crate::cloud::log::Verb;
use crate::cloud::object::{Phase, View, arn};
use crate::cloud::world::{Answer, Creation, World, refuse};
use crate::cloud::{Cloud, Request};
use crate::moments::ProcessNumber;

const POLL: PollInterval = PollInterval::seconds(4, 120);

/// Serves one type for one process.
pub(crate) struct SimulatedProvider {
    cloud: Cloud,
    process: ProcessNumber,
    simulated_type: SimulatedType,
}

/// The providers of all types for one process.
pub(crate) fn providers(cloud: &Cloud, process: ProcessNumber) -> Providers {
    let mut providers = Providers::default();
    for simulated_type in CATALOG {
        providers.register(SimulatedProvider { cloud: cloud.clone(), process, simulated_type });
    }
    providers
}

/// The account that a connection leads to.
pub(crate) fn account(connection: &Value) -> String {
    let account = connection.as_map().and_then(|fields| fields.get("account")).and_then(Value::as_text);
    account.unwrap_or_default().to_owned()
}

impl SimulatedProvider {
    async fn call<T: Send + 'static>(
        &self,
        verb: Verb,
        step: &StepContext,
        id: Option<&PhysicalId>,
        rule: impl FnOnce(&mut World, tokio::time::Instant) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let request = Request {
            verb,
            urn: step.urn.as_str(),
            generation: step.generation,
            id: id.map(PhysicalId::as_str),
        };
        self.cloud.call(self.process, request, rule).await
    }

    async fn describe(&self, step: &StepContext, id: &PhysicalId) -> Answer<Option<View>> {
        let (account, id_text) = (account(&step.connection), id.to_string());
        self.call(Verb::Describe, step, Some(id), move |world, now| {
            world.reach(&account, now)?;
            Ok(world.describe(&account, &id_text, now))
        })
        .await
    }

    async fn modify(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        fields: BTreeMap<String, Option<Value>>,
    ) -> Answer<()> {
        let (account, id_text) = (account(&step.connection), id.to_string());
        let tags = self.simulated_type.has_input("tags").then(|| step.owner_tags.clone());
        self.call(Verb::Modify, step, Some(id), move |world, now| {
            world.reach(&account, now)?;
            world.modify(&id_text, &fields, now)?;
            if let (Some(tags), Some(object)) = (tags, world.objects.get_mut(&id_text)) {
                object.tags = tags;
            }
            Ok(())
        })
        .await
    }

    /// Waits until an object is ready, and returns its outputs.
    async fn ready(&self, step: &StepContext, id: &PhysicalId) -> Answer<Properties> {
        let patience = step.clock.now() + self.simulated_type.schema.consistency_window;
        step.poll(POLL, || async {
            let Some(view) = self.describe(step, id).await? else {
                if step.clock.now() > patience {
                    return refuse(ErrorKind::NotFound, format!("there is no {id}"));
                }
                return Ok((Poll::Pending, format!("{id} does not show yet")));
            };
            match view.phase {
                Phase::Ready => Ok((Poll::Ready(view.outputs), String::new())),
                Phase::Failed => refuse(ErrorKind::CreationFailed, format!("{id} was given up")),
                phase => Ok((Poll::Pending, format!("{id} is {phase:?}"))),
            }
        })
        .await
    }

    /// The fields as they are set, by a consistent read.
    async fn fields(&self, step: &StepContext, id: &PhysicalId) -> Answer<Properties> {
        let id_text = id.to_string();
        self.call(Verb::Describe, step, Some(id), move |world, now| {
            match world.objects.get(&id_text).and_then(|object| object.view(now, true).map(|_| object)) {
                Some(object) => Ok(object.inputs.clone()),
                None => refuse(ErrorKind::NotFound, format!("there is no {id_text}")),
            }
        })
        .await
    }
}

/// The label whose change cannot be explained.
pub(crate) const UNEXPLAINED_LABEL: &str = "label-249";
/// The label that no object can be changed to.
pub(crate) const REFUSED_LABEL: &str = "label-250";
/// The label that other things rely on.
pub(crate) const RELIED_ON_LABEL: &str = "label-251";

#[async_trait]
impl Provider for SimulatedProvider {
    fn schema(&self) -> &Schema {
        &self.simulated_type.schema
    }

    fn check(&self, inputs: &Properties) -> Vec<InputProblem> {
        inputs
            .iter()
            .filter(|(_, value)| value.as_text() == Some("invalid"))
            .map(|(name, _)| InputProblem { path: name.clone(), message: "must not be invalid".to_owned() })
            .collect()
    }

    fn predict(&self, inputs: &Properties, connection: &Value) -> Properties {
        let name = inputs.get("name").and_then(Value::as_text);
        let account = account(connection);
        self.simulated_type
            .schema
            .outputs
            .iter()
            .map(|field| {
                let value = match (field.name, name) {
                    ("id", Some(name)) => Value::text(name),
                    ("arn", Some(name)) if !connection.has_unknown() => Value::text(arn(&account, name)),
                    _ => Value::Unknown,
                };
                (field.name.to_owned(), value)
            })
            .collect()
    }

    fn check_change(&self, previous: &Properties, inputs: &Properties, change: ChangeKind) -> Vec<Objection> {
        let label = |inputs: &Properties| inputs.get("label").and_then(Value::as_text).map(str::to_owned);
        let Some(to) = label(request.inputs) else { return Ok(None) };
        if to == UNEXPLAINED_LABEL {
            return refuse(ErrorKind::Denied, "nobody may know");
        }
        let from = request.previous.and_then(|previous| label(&previous.inputs));
        let from = from.unwrap_or_else(|| "nothing".to_owned());
        Ok(Some(Explanation {
            compared_with: Some(format!("{} {from} -> {to}", account(request.connection))),
            notes: vec![format!("may call: {}", request.may_call)],
            ..Explanation::default()
        }))
    }

    async fn run(&self, step: &StepContext, inputs: &Properties) -> Result<Properties, ProviderError> {
        let inputs = inputs.clone();
        let verb = if self.simulated_type.schema.resource_type == "sim:run:Check" {
            Verb::Run
        } else {
            Verb::Lookup
        };
        self.call(verb, step, None, move |world, _| {
            let subject = inputs.get("subject").and_then(Value::as_text).unwrap_or_default();
            if world.failing_subjects.contains(subject) {
                return refuse(ErrorKind::CheckFailed, format!("{subject} does not pass"));
            }
            let query = inputs.get("query").and_then(Value::as_text).unwrap_or_default();
            Ok(match verb {
                Verb::Run => Properties::from([("evidence".to_owned(), evidence(&inputs))]),
                _ => Properties::from([("answer".to_owned(), answer(query, &world.answers))]),
            })
        })
        .await
    }
}

fn observed(view: Option<View>) -> Observation {
    match view {
        Some(View {
            phase: Phase::Pending | Phase::Ready | Phase::Failed, inputs, outputs, tags, ..
        }) => Observation::Present { inputs, outputs, owner_tags: tags },
        Some(_) | None => Observation::Gone,
    }
}

/// What a check of those inputs gives.
pub(crate) fn evidence(inputs: &Properties) -> Value {
    Value::text(format!("passed with {inputs:?}"))
}

/// What a lookup of that query gives.
pub(crate) fn answer(query: &str, answers: &str) -> Value {
    Value::text(format!("{answers} answer to {query}"))
}
