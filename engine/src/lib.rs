//! The engine of `lsinfra`: from a declared graph to a cloud that matches it, and back to nothing.
//!
//! Start reading at [`stack`] (declaring), then [`plan`], then [`apply`]. The engine knows providers
//! ([`provider`]) and state stores ([`store`]) only as traits and links no AWS, Kubernetes or HTTP
//! crate.

extern crate self as lsinfra_engine;

mod apply;
pub mod cancel;
pub mod clock;
pub mod events;
pub mod graph;
mod import;
pub mod journal;
pub mod operation;
pub mod options;
pub mod output;
pub mod plan;
pub mod provider;
mod recover;
mod refresh;
pub mod schedule;
pub mod schema;
pub mod secret;
pub mod snapshot;
pub mod stack;
pub mod store;
pub mod surgery;
pub mod urn;
pub mod value;

pub use graph::{Graph, GraphError};
pub use import::{ImportProblem, Sighting};
pub use journal::{Entry, OperationInfo, OperationKind};
pub use lsinfra_engine_macros::{Inputs, Outputs, Property};
pub use options::{Options, Timeouts};
pub use output::{Expression, Input, Output};
pub use provider::{InputProblem, Inputs, Outputs, ProviderError, ResourceType, StepContext, TaskType};
pub use schema::Schema;
pub use secret::{Secret, SecretKey};
pub use snapshot::{Generation, Object, Owner, PhysicalId, Record, RecordedOptions, Role, Snapshot, Status};
pub use stack::{Declaration, Resource, Stack};
pub use urn::{Urn, UrnError};
pub use value::{Properties, Property, Value, ValueError};
