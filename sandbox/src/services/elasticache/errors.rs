//! ElastiCache's errors. <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/CommonErrors.html>

use crate::protocol::error::ServiceError;

/// A parameter's value is refused.
pub(super) fn invalid_value(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterValue", text)
}

/// Parameters do not go together, or not with what is there.
pub(super) fn invalid_combination(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterCombination", text)
}

/// No replication group of that name.
pub(super) fn replication_group_not_found(name: &str) -> ServiceError {
    ServiceError::new(404, "ReplicationGroupNotFoundFault", format!("ReplicationGroup {name} not found."))
}

/// A replication group is not in a state in which it can be asked for this.
pub(super) fn replication_group_state(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidReplicationGroupState", text)
}

/// No cluster of that name.
pub(super) fn cluster_not_found(name: &str) -> ServiceError {
    ServiceError::new(404, "CacheClusterNotFound", format!("CacheCluster not found: {name}"))
}

/// No subnet group of that name.
pub(super) fn subnet_group_not_found(name: &str) -> ServiceError {
    let text = format!("Cache Subnet Group {name} does not exist.");
    ServiceError::new(400, "CacheSubnetGroupNotFoundFault", text)
}

/// No parameter group of that name.
pub(super) fn parameter_group_not_found(name: &str) -> ServiceError {
    ServiceError::new(404, "CacheParameterGroupNotFound", format!("CacheParameterGroup not found: {name}"))
}

/// No snapshot of that name.
pub(super) fn snapshot_not_found(name: &str) -> ServiceError {
    ServiceError::new(404, "SnapshotNotFoundFault", format!("Snapshot {name} not found."))
}
