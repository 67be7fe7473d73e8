//! The names of RDS's objects, each a type of its own so that they cannot be mixed up.

use lsinfra_engine::text_property;

text_property! {
    /// The name of a DB parameter group.
    ParameterGroupName,
    /// The name of a DB subnet group.
    SubnetGroupName,
}
