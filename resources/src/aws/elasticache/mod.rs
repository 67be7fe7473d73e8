//! Amazon ElastiCache: Redis and Valkey.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/Welcome.html>

mod calls;
mod ids;
mod parameter_group;
mod replication_group;
mod subnet_group;

pub use ids::{ParameterGroupName, SubnetGroupName};
pub use parameter_group::{ParameterGroup, ParameterGroupOutputs};
pub use replication_group::{Engine, ReplicationGroup, ReplicationGroupOutputs};
pub use subnet_group::{SubnetGroup, SubnetGroupOutputs};
