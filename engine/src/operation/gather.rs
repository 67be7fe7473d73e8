//! Gathering what planning needs from outside: facts, and lookups whose inputs are known.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::apply::{StepIdentity, retrying, step_context};
use crate::cancel::Cancellation;
use crate::graph::Graph;
use crate::journal::OperationKind;
use crate::operation::{Engine, OperationError};
use crate::output::{Expression, Resolve};
use crate::provider::ProviderError;
use crate::recover::Unwatched;
use crate::schema::Kind;
use crate::snapshot::{Owner, Snapshot};
use crate::urn::Urn;
use crate::value::{Properties, Value, ValueError};

/// A lookup may take this long.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Gathers facts about the outside that the stack refers to and that are not recorded yet.
#[async_trait]
pub trait FactSource: Send + Sync {
    /// The fact of that name, `None` if it cannot be told now: it stays unknown in a preview.
    async fn gather(&self, name: &str) -> Result<Option<Value>, ProviderError>;
}

/// The facts that the graph refers to and that are not recorded yet. Recorded ones are reused as
/// they are until a `refresh`: a list that comes back in another order must not reshuffle what was
/// made from it.
///
/// # Errors
/// [`OperationError::Provider`].
pub(super) async fn gather_facts(
    graph: &Graph,
    snapshot: &Snapshot,
    kind: OperationKind,
    source: &dyn FactSource,
) -> Result<BTreeMap<String, Value>, OperationError> {
    let mut names = BTreeSet::new();
    for declaration in graph.declarations() {
        for expression in declaration.inputs.values().chain([&declaration.connection]) {
            collect_facts(expression, &mut names);
        }
    }
    let mut facts = BTreeMap::new();
    graph.outputs().values().for_each(|expression| collect_facts(expression, &mut names));
    let is_due = |name: &&str| kind == OperationKind::Refresh || !snapshot.facts.contains_key(*name);
    for name in names.into_iter().filter(is_due) {
        let gathered = source
            .gather(name)
            .await
            .map_err(|source| OperationError::Provider { doing: format!("look up {name}"), source })?;
        if let Some(value) = gathered {
            facts.insert(name.to_owned(), value);
        }
    }
    Ok(facts)
}

fn collect_facts<'a>(expression: &'a Expression, into: &mut BTreeSet<&'a str>) {
    if let Expression::Fact(name) = expression {
        into.insert(name);
    }
    expression.parts().for_each(|part| collect_facts(part, into));
}

/// The outcomes of the lookups whose inputs do not depend on anything that a step may change.
///
/// # Errors
/// [`OperationError::Provider`].
pub(super) async fn gather_lookups(
    engine: &Engine,
    graph: &Graph,
    snapshot: &Snapshot,
    facts: &BTreeMap<String, Value>,
    cancellation: &Cancellation,
) -> Result<HashMap<Urn, Properties>, OperationError> {
    let mut known = Known { snapshot, facts, lookups: HashMap::new() };
    for declaration in graph.declarations() {
        let Some(provider) = engine.providers.get(declaration.resource_type) else { continue };
        // What waits for a resource is looked up when that is there.
        let is_certain = graph
            .dependencies(&declaration.urn)
            .iter()
            .all(|dependency| known.lookups.contains_key(dependency));
        if provider.schema().kind != Kind::Lookup || !is_certain {
            continue;
        }
        let evaluated: Result<Properties, ValueError> = declaration
            .inputs
            .iter()
            .map(|(&name, expression)| Ok((name.to_owned(), expression.evaluate(&known)?)))
            .collect();
        // What cannot be evaluated is reported by planning, with its path.
        let evaluated = evaluated.map(|mut inputs| {
            inputs.retain(|_, value| *value != Value::Null);
            inputs
        });
        let (Ok(inputs), Ok(connection)) = (evaluated, declaration.connection.evaluate(&known)) else {
            continue;
        };
        let known_now = !connection.has_unknown() && !inputs.values().any(Value::has_unknown);
        if !known_now || !provider.check(&inputs).is_empty() {
            continue;
        }
        let owner = Owner { urn: declaration.urn.clone(), client_token: String::new(), tags_pending: false };
        let identity = StepIdentity {
            urn: &declaration.urn,
            generation: 1,
            owner: &owner,
            connection: &connection,
            unprotected: false,
            timeout: LOOKUP_TIMEOUT,
        };
        let step = step_context(snapshot, identity, engine, Arc::new(Unwatched), cancellation);
        let outputs = retrying(&step, None, Duration::ZERO, || provider.run(&step, &inputs)).await.map_err(
            |source| OperationError::Provider { doing: format!("look up {}", declaration.urn), source },
        )?;
        known.lookups.insert(declaration.urn.clone(), outputs);
    }
    Ok(known.lookups)
}

/// What is certain before planning: facts and other lookups.
struct Known<'a> {
    snapshot: &'a Snapshot,
    facts: &'a BTreeMap<String, Value>,
    lookups: HashMap<Urn, Properties>,
}

impl Resolve for Known<'_> {
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
        Ok(self.lookups.get(urn).and_then(|outputs| outputs.get(output)).cloned().unwrap_or(Value::Unknown))
    }

    fn fact(&self, name: &str) -> Value {
        self.facts.get(name).or_else(|| self.snapshot.facts.get(name)).cloned().unwrap_or(Value::Unknown)
    }
}
