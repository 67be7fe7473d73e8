//! Whether nodes are large enough: what LangSmith and ClickHouse need, against what instance types leave to pods.
//!
//! Owns the figures and the arithmetic. It must not know configuration keys or resources.

mod allocatable;
mod gate;
mod instance_types;

pub use allocatable::Allocatable;
pub use gate::{CapacityProblem, NodePool, Requirement, Volume, check};
pub use instance_types::{AS_OF, InstanceType};
