//! RDS's errors. <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/CommonErrors.html>

use crate::protocol::error::ServiceError;

/// A parameter's value is refused.
pub(super) fn invalid_value(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterValue", text)
}

/// Parameters do not go together, or not with what is there.
pub(super) fn invalid_combination(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterCombination", text)
}

/// No instance of that name.
pub(super) fn instance_not_found(name: &str) -> ServiceError {
    ServiceError::new(404, "DBInstanceNotFound", format!("DBInstance {name} not found."))
}

/// An instance is not in a state in which it can be asked for this.
pub(super) fn instance_state(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidDBInstanceState", text)
}

/// No snapshot of that name.
pub(super) fn snapshot_not_found(name: &str) -> ServiceError {
    ServiceError::new(404, "DBSnapshotNotFound", format!("DBSnapshot {name} not found."))
}

/// A snapshot of that name is there already.
pub(super) fn snapshot_exists(name: &str) -> ServiceError {
    let text =
        format!("Cannot create the snapshot because a snapshot with the identifier {name} already exists.");
    ServiceError::new(400, "DBSnapshotAlreadyExists", text)
}

/// No subnet group of that name.
pub(super) fn subnet_group_not_found(name: &str) -> ServiceError {
    ServiceError::new(404, "DBSubnetGroupNotFoundFault", format!("DB subnet group '{name}' does not exist."))
}

/// No parameter group of that name.
pub(super) fn parameter_group_not_found(name: &str) -> ServiceError {
    ServiceError::new(404, "DBParameterGroupNotFound", format!("DBParameterGroup not found: {name}"))
}
