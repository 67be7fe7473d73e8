//! Declaring resources: what a stack program calls.
//!
//! Owns the collection of declarations and the typed handles on them. It must not know state or
//! plans: a stack is a pure function from configuration to declarations.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;

use crate::graph::{Graph, GraphError};
use crate::options::{Options, Timeouts};
use crate::output::{Expression, Output};
use crate::provider::{Outputs, ResourceType, TaskType};
use crate::snapshot::PhysicalId;
use crate::urn::{Urn, UrnError};
use crate::value::{Property, Value};

/// One declared resource with its types erased.
#[derive(Clone)]
pub struct Declaration {
    /// Its identity.
    pub urn: Urn,
    /// Its type token.
    pub resource_type: &'static str,
    /// The given inputs.
    pub inputs: BTreeMap<&'static str, Expression>,
    /// Where the object lives and how it is reached; may come from outputs.
    pub connection: Expression,
    /// Its options.
    pub options: Options,
}

#[derive(Default)]
struct Declared {
    resources: IndexMap<Urn, Declaration>,
    duplicates: Vec<Urn>,
    outputs: BTreeMap<String, Expression>,
}

/// The place where resources are declared: the stack itself, or a component inside it. Cheap to
/// clone; all clones declare into the same stack.
#[derive(Clone)]
pub struct Stack {
    declared: Arc<Mutex<Declared>>,
    components: Vec<String>,
    connection: Expression,
}

impl Stack {
    /// An empty stack whose resources use `connection` unless they are given another.
    pub fn new(connection: impl Into<Output<Value>>) -> Self {
        Self {
            declared: Arc::default(),
            components: Vec::new(),
            connection: connection.into().expression().clone(),
        }
    }

    /// A component: resources declared in it nest under its name.
    pub fn component(&self, name: &str) -> Self {
        let mut components = self.components.clone();
        components.push(name.to_owned());
        Self { declared: Arc::clone(&self.declared), components, connection: self.connection.clone() }
    }

    /// The same place with another connection, for instance one that comes from a cluster's outputs.
    #[must_use]
    pub fn with_connection(&self, connection: impl Into<Output<Value>>) -> Self {
        Self { connection: connection.into().expression().clone(), ..self.clone() }
    }

    /// Declares a resource.
    ///
    /// # Errors
    /// [`UrnError`] if the name is no part of a URN. A name that is taken is reported with all other
    /// problems when the graph is built.
    pub fn add<R: ResourceType>(&self, name: &str, inputs: R) -> Result<Resource<R::Outputs>, UrnError> {
        self.declare(name, R::TYPE, inputs.expressions())
    }

    /// Declares a lookup or a run.
    ///
    /// # Errors
    /// As [`Stack::add`].
    pub fn run<T: TaskType>(&self, name: &str, inputs: T) -> Result<Resource<T::Outputs>, UrnError> {
        self.declare(name, T::TYPE, inputs.expressions())
    }

    fn declare<O: Outputs>(
        &self,
        name: &str,
        resource_type: &'static str,
        inputs: Vec<(&'static str, Expression)>,
    ) -> Result<Resource<O>, UrnError> {
        let components: Vec<&str> = self.components.iter().map(String::as_str).collect();
        let urn = Urn::new(&components, resource_type, name)?;
        let declaration = Declaration {
            urn: urn.clone(),
            resource_type,
            inputs: inputs.into_iter().collect(),
            connection: self.connection.clone(),
            options: Options::default(),
        };
        let mut declared = lock(&self.declared);
        if declared.resources.contains_key(&urn) {
            declared.duplicates.push(urn.clone());
        } else {
            declared.resources.insert(urn.clone(), declaration);
        }
        drop(declared);
        Ok(Resource { outputs: O::references(&urn), urn, declared: Arc::clone(&self.declared) })
    }

    /// Gives the stack an output.
    pub fn output<T: Property>(&self, name: &str, value: &Output<T>) {
        lock(&self.declared).outputs.insert(name.to_owned(), value.expression().clone());
    }

    /// The graph of all that is declared.
    ///
    /// # Errors
    /// [`GraphError`] for duplicate URNs, references to resources that are not declared, and cycles.
    pub fn graph(&self) -> Result<Graph, GraphError> {
        let declared = lock(&self.declared);
        if let Some(urn) = declared.duplicates.first() {
            return Err(GraphError::Duplicate { urn: urn.clone() });
        }
        Graph::new(declared.resources.values().cloned(), declared.outputs.clone())
    }
}

fn lock(declared: &Mutex<Declared>) -> MutexGuard<'_, Declared> {
    // Declarations are whole at every moment, so a panic elsewhere leaves nothing half done.
    declared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A declared resource: its outputs (by dereference) and its options.
pub struct Resource<O> {
    urn: Urn,
    outputs: O,
    declared: Arc<Mutex<Declared>>,
}

impl<O: Clone> Clone for Resource<O> {
    fn clone(&self) -> Self {
        Self { urn: self.urn.clone(), outputs: self.outputs.clone(), declared: Arc::clone(&self.declared) }
    }
}

impl<O> Deref for Resource<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.outputs
    }
}

impl<O> Resource<O> {
    /// The resource's identity.
    pub fn urn(&self) -> &Urn {
        &self.urn
    }

    /// Waits for `other` too, although none of its outputs is used.
    #[must_use]
    pub fn depends_on<P>(self, other: &Resource<P>) -> Self {
        self.with(|options| {
            options.depends_on.insert(other.urn.clone());
        })
    }

    /// The same resource without its outputs: to wait for, among others of other types.
    pub fn erased(&self) -> Resource<()> {
        Resource { urn: self.urn.clone(), outputs: (), declared: Arc::clone(&self.declared) }
    }

    /// See [`Options::protect`].
    #[must_use]
    pub fn protect(self, protect: bool) -> Self {
        self.with(|options| options.protect = protect)
    }

    /// See [`Options::retain_on_delete`].
    #[must_use]
    pub fn retain_on_delete(self, retain: bool) -> Self {
        self.with(|options| options.retain_on_delete = retain)
    }

    /// See [`Options::ignore_changes`].
    #[must_use]
    pub fn ignore_changes<const N: usize>(self, paths: [&str; N]) -> Self {
        self.with(|options| options.ignore_changes.extend(paths.map(str::to_owned)))
    }

    /// See [`Options::replace_on_changes`].
    #[must_use]
    pub fn replace_on_changes<const N: usize>(self, fields: [&str; N]) -> Self {
        self.with(|options| options.replace_on_changes.extend(fields.map(str::to_owned)))
    }

    /// See [`Options::delete_before_replace`].
    #[must_use]
    pub fn delete_before_replace(self) -> Self {
        self.with(|options| options.delete_before_replace = true)
    }

    /// See [`Options::deleted_with`].
    #[must_use]
    pub fn deleted_with<P>(self, container: &Resource<P>) -> Self {
        self.with(|options| options.deleted_with = Some(container.urn.clone()))
    }

    /// See [`Options::aliases`].
    #[must_use]
    pub fn alias(self, urn: Urn) -> Self {
        self.with(|options| options.aliases.push(urn))
    }

    /// See [`Options::import`].
    #[must_use]
    pub fn import(self, id: impl Into<String>) -> Self {
        self.with(|options| options.import = Some(PhysicalId::new(id)))
    }

    /// See [`Options::timeouts`].
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        self.with(|options| options.timeouts = timeouts)
    }

    /// Limits the creation alone.
    #[must_use]
    pub fn create_timeout(self, limit: Duration) -> Self {
        self.with(|options| options.timeouts.create = Some(limit))
    }

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        if let Some(declaration) = lock(&self.declared).resources.get_mut(&self.urn) {
            change(&mut declaration.options);
        }
        self
    }
}
