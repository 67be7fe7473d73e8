//! Amazon RDS: PostgreSQL.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/Welcome.html>

mod calls;
mod find_final_snapshot;
mod ids;
mod instance;
mod parameter_group;
mod subnet_group;

pub use find_final_snapshot::{FindFinalSnapshot, FindFinalSnapshotOutputs};
pub use ids::{ParameterGroupName, SubnetGroupName};
pub use instance::{Instance, InstanceOutputs, LogExport, StorageType};
pub use parameter_group::{ApplyMethod, Parameter, ParameterGroup, ParameterGroupOutputs};
pub use subnet_group::{SubnetGroup, SubnetGroupOutputs};
