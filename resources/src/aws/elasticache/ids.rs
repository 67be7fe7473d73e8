//! The names of ElastiCache's objects, each a type of its own so that they cannot be mixed up.

use lsinfra_engine::text_property;

text_property! {
    /// The name of a cache parameter group.
    ParameterGroupName,
    /// The name of a cache subnet group.
    SubnetGroupName,
}
