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
        let (old, new) = (label(previous), label(inputs));
        let (is_refused, can_be_overruled) =
            (new.as_deref() == Some(REFUSED_LABEL), old.as_deref() == Some(RELIED_ON_LABEL));
        if !(is_refused && old != new || can_be_overruled && (old != new || change != ChangeKind::Update)) {
            return Vec::new();
        }
        let message = format!("{old:?} cannot become {new:?} by {change:?}");
        vec![Objection {
            problem: InputProblem { path: "label".to_owned(), message },
            can_be_overruled: !is_refused,
        }]
    }

    fn connection_identity(&self, connection: &Value) -> Value {
        connection.as_map().and_then(|fields| fields.get("account")).cloned().unwrap_or_default()
    }

    fn migrate(&self, version: u32, mut recorded: Recorded) -> Result<Recorded, ValueError> {
        if version > 0 {
            return Err(ValueError::new(format!("there never was a version {version}")));
        }
        // Version 0 called the label a title.
        if let Some(title) = recorded.inputs.remove("title") {
            recorded.inputs.insert("label".to_owned(), title);
        }
        Ok(recorded)
    }

    async fn create(&self, step: &StepContext, inputs: &Properties) -> Result<PhysicalId, ProviderError> {
        let mut inputs = inputs.clone();
        if self.simulated_type.settings_apart {
            inputs.remove("settings");
        }
        let creation = Creation {
            simulated_type: self.simulated_type,
            account: account(&step.connection),
            token: self.simulated_type.schema.client_token.then(|| step.client_token.clone()),
            inputs,
            tags: step.owner_tags.clone(),
        };
        self.call(Verb::Create, step, None, move |world, now| world.create(creation, now))
            .await
            .map(PhysicalId::new)
    }

    async fn complete(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        inputs: &Properties,
    ) -> Result<Properties, ProviderError> {
        self.ready(step, id).await?;
        let present = self.fields(step, id).await?;
        let differing: BTreeMap<_, _> = inputs
            .iter()
            .filter(|(name, value)| present.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), Some(value.clone())))
            .collect();
        if !differing.is_empty() || step.tags_pending {
            self.modify(step, id, differing).await?;
        }
        self.ready(step, id).await
    }

    async fn read(
        &self,
        connection: &Value,
        objects: &[ReadRequest],
    ) -> Result<Vec<Observation>, ProviderError> {
        let account = account(connection);
        let ids: Vec<String> = objects.iter().map(|object| object.id.to_string()).collect();
        let request = Request { verb: Verb::Describe, urn: "", generation: 0, id: None };
        self.cloud
            .call(self.process, request, move |world, now| {
                world.reach(&account, now)?;
                Ok(ids.iter().map(|id| observed(world.describe(&account, id, now))).collect())
            })
            .await
    }

    async fn update(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        update: UpdateRequest<'_>,
    ) -> Result<Properties, ProviderError> {
        let fields: BTreeMap<_, _> =
            update.changed.iter().map(|name| (name.clone(), update.inputs.get(name).cloned())).collect();
        self.modify(step, id, fields).await?;
        self.ready(step, id).await
    }

    async fn delete(
        &self,
        step: &StepContext,
        id: &PhysicalId,
        _inputs: &Properties,
    ) -> Result<(), ProviderError> {
        let (account, id_text) = (account(&step.connection), id.to_string());
        let begun = self
            .call(Verb::Delete, step, Some(id), move |world, now| {
                world.reach(&account, now)?;
                world.delete(&id_text, now)
            })
            .await;
        match begun {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            begun => begun?,
        }
        step.poll(POLL, || async {
            match self.describe(step, id).await? {
                Some(view) => Ok((Poll::Pending, format!("{id} is {:?}", view.phase))),
                None => Ok((Poll::Ready(()), String::new())),
            }
        })
        .await
    }

    async fn find(&self, step: &StepContext, inputs: &Properties) -> Result<Option<Found>, ProviderError> {
        let (account, token) = (account(&step.connection), step.client_token.clone());
        let name = inputs.get("name").and_then(Value::as_text).map(str::to_owned);
        let simulated_type = self.simulated_type;
        let tags = step.owner_tags.clone();
        self.call(Verb::Find, step, None, move |world, now| {
            world.reach(&account, now)?;
            let mut views = world.list(&account, simulated_type.schema.resource_type, now);
            match simulated_type.naming {
                Naming::Token => {
                    let made = world.made_by(&token);
                    views.retain(|view| made == Some(view.id.as_str()));
                }
                Naming::Name => views.retain(|view| Some(&view.id) == name.as_ref()),
                Naming::Tags | Naming::Slot => {}
            }
            views.retain(|view| view.tags == tags && view.phase != Phase::Deleting);
            Ok(views.into_iter().next().map(|view| Found {
                id: PhysicalId::new(view.id),
                failed: (view.phase == Phase::Failed).then(|| "it was given up".to_owned()),
            }))
        })
        .await
    }

    /// From which label to which, and whether calls may be made.
    async fn explain(&self, request: ExplainRequest<'_>) -> Result<Option<Explanation>, ProviderError> {
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
