//! Import: reading the objects that resources are to take over, before planning.
//!
//! Whether a resource may have such an object is decided by planning, which is pure.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::graph::Graph;
use crate::journal::OperationKind;
use crate::operation::{Engine, OperationError, Request};
use crate::output::Resolve;
use crate::plan::{Observations, effective_inputs};
use crate::provider::{Observation, Provider, ReadRequest};
use crate::refresh::read;
use crate::schema::Kind;
use crate::snapshot::{PhysicalId, Record, Snapshot};
use crate::stack::Declaration;
use crate::urn::Urn;
use crate::value::{Properties, Value, ValueError};

/// An object that a resource is to take over, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Where it was looked for.
    pub connection: Value,
    /// What was seen.
    pub observation: Observation,
}

/// Why an object is not imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportProblem {
    /// There is no such object.
    #[error("there is no such object; expected {id_form}")]
    Missing {
        /// What an id of its type looks like.
        id_form: &'static str,
    },
    /// Resources of the type own no object.
    #[error("a resource of this type owns no object that could be imported")]
    OwnsNothing,
    /// The resource has another object.
    #[error("the resource already has the object {id}")]
    HasObject {
        /// That object.
        id: PhysicalId,
    },
    /// The creation of an object for the resource was begun and not seen to end.
    #[error("the creation of another object for it has not ended")]
    UnderCreation,
    /// Another resource has the object, or the resource itself keeps it in another role.
    #[error("it is recorded as an object of {urn}")]
    Recorded {
        /// The resource that has it.
        urn: Urn,
    },
    /// The same object is to be imported twice.
    #[error("{urn} imports it, too")]
    Twice {
        /// The other resource.
        urn: Urn,
    },
    /// Another environment's ownership tags are on it.
    #[error("its tags say that it belongs to {owner}")]
    OwnedElsewhere {
        /// The environment, or the lineage where the tags do not name one.
        owner: String,
    },
    /// What the stack declares could be had only by replacing it.
    #[error("what is declared differs from it in {}, and would replace it", fields.join(", "))]
    NeedsReplacement {
        /// The fields.
        fields: Vec<String>,
    },
    /// Where it lives depends on something that does not exist yet.
    #[error("where it lives is known only after apply")]
    PlaceUnknown,
}

/// The object that a declared resource still has to take over: none once it has one, or takes back that
/// very object anyway.
pub(crate) fn due<'a>(declaration: &'a Declaration, record: Option<&Record>) -> Option<&'a PhysicalId> {
    let id = declaration.options.import.as_ref()?;
    let Some(record) = record else { return Some(id) };
    let is_retained = record.retained().and_then(|object| object.physical_id.as_ref()) == Some(id);
    let has_object = record.current().is_some() || record.incoming().is_some();
    (!has_object && !is_retained).then_some(id)
}

/// Reads what is to be imported, in the order of dependencies: what one gives, the next may refer to.
///
/// # Errors
/// [`OperationError::Provider`] if a read gives no answer.
pub(crate) async fn gather_imports(
    engine: &Engine,
    graph: &Graph,
    snapshot: &Snapshot,
    observed: &Observations,
    request: &Request,
) -> Result<HashMap<Urn, Sighting>, OperationError> {
    let mut sightings = HashMap::new();
    let is_wanted = |urn: &Urn| match request.operation.kind {
        OperationKind::Up => true,
        OperationKind::Import => request.targets.contains(urn),
        _ => false,
    };
    for declaration in graph.declarations().filter(|declaration| is_wanted(&declaration.urn)) {
        let Some(id) = due(declaration, snapshot.resources.get(&declaration.urn)) else { continue };
        let Some(provider) = engine.providers.get(declaration.resource_type) else { continue };
        if provider.schema().kind != Kind::Managed {
            continue;
        }
        let known = Known { snapshot, observed, sightings: &sightings };
        // What cannot be evaluated is reported by planning, with its path.
        let Some((inputs, connection)) = evaluate(declaration, &known) else { continue };
        if connection.has_unknown() {
            continue;
        }
        let inputs = effective_inputs(provider.schema(), &inputs, 1);
        let request = ReadRequest {
            id: id.clone(),
            inputs,
            outputs: Properties::new(),
            secret_key: engine.secret_key.clone(),
        };
        let observation = look_at(engine, provider, &connection, request).await?;
        sightings.insert(declaration.urn.clone(), Sighting { connection, observation });
    }
    Ok(sightings)
}

async fn look_at(
    engine: &Engine,
    provider: &Arc<dyn Provider>,
    connection: &Value,
    request: ReadRequest,
) -> Result<Observation, OperationError> {
    let seen = read(&engine.clock, &**provider, connection, &[request], Duration::ZERO).await?;
    Ok(seen.into_iter().next().unwrap_or(Observation::Gone))
}

fn evaluate(declaration: &Declaration, resolve: &dyn Resolve) -> Option<(Properties, Value)> {
    let mut inputs = Properties::new();
    for (&name, expression) in &declaration.inputs {
        inputs.insert(name.to_owned(), expression.evaluate(resolve).ok()?);
    }
    inputs.retain(|_, value| *value != Value::Null);
    Some((inputs, declaration.connection.evaluate(resolve).ok()?))
}

/// What is known before planning: recorded objects, facts, lookups, and the objects read so far.
struct Known<'a> {
    snapshot: &'a Snapshot,
    observed: &'a Observations,
    sightings: &'a HashMap<Urn, Sighting>,
}

impl Known<'_> {
    fn outputs(&self, urn: &Urn) -> Option<&Properties> {
        if let Some(Sighting { observation: Observation::Present { outputs, .. }, .. }) =
            self.sightings.get(urn)
        {
            return Some(outputs);
        }
        let current = || self.snapshot.current(urn).map(|object| &object.outputs);
        self.observed.lookups.get(urn).or_else(current)
    }
}

impl Resolve for Known<'_> {
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
        Ok(self.outputs(urn).and_then(|outputs| outputs.get(output)).cloned().unwrap_or(Value::Unknown))
    }

    fn fact(&self, name: &str) -> Value {
        let observed = self.observed.facts.get(name);
        observed.or_else(|| self.snapshot.facts.get(name)).cloned().unwrap_or(Value::Unknown)
    }
}
