//! EKS's errors. Each names what it is about in members of its own, as far as there is something to name.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/CommonErrors.html>

use crate::protocol::error::ServiceError;

/// A parameter's value is not as EKS wants it.
pub(super) fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterException", text)
}

/// The request does not fit the state that things are in.
pub(super) fn refused(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidRequestException", text)
}

/// What a call is about is not there.
pub(super) fn not_found(text: impl Into<String>) -> ServiceError {
    ServiceError::new(404, "ResourceNotFoundException", text)
}

/// A name is taken, or something is under way.
pub(super) fn in_use(text: impl Into<String>) -> ServiceError {
    ServiceError::new(409, "ResourceInUseException", text)
}

/// The cluster is not there.
pub(super) fn no_cluster(name: &str) -> ServiceError {
    not_found(format!("No cluster found for name: {name}.")).with("clusterName", name)
}

/// The node group is not there.
pub(super) fn no_node_group(cluster: &str, name: &str) -> ServiceError {
    not_found(format!("No node group found for name: {name}."))
        .with("clusterName", cluster)
        .with("nodegroupName", name)
}

/// The add-on is not there.
pub(super) fn no_addon(cluster: &str, name: &str) -> ServiceError {
    not_found(format!("No addon: {name} found in cluster: {cluster}"))
        .with("clusterName", cluster)
        .with("addonName", name)
}
