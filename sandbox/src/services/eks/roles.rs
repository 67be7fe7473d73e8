//! Roles that EKS and nodes take on, and the other things outside EKS that requests name.

use super::errors::invalid;
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::services::iam::{IamTables, role_by_arn};
use crate::services::policy_document::{Principals, parse};

/// The service that takes on a cluster's role.
pub(super) const OF_CLUSTERS: &str = "eks.amazonaws.com";
/// The service that takes on the role of nodes.
pub(super) const OF_NODES: &str = "ec2.amazonaws.com";
/// The service that takes on the roles of pods.
pub(super) const OF_PODS: &str = "pods.eks.amazonaws.com";

/// Whether there is a role of this ARN that a service may take on.
pub(super) fn trusts(iam: &IamTables, arn: &str, service: &str) -> bool {
    let Some(document) = role_by_arn(iam, arn).and_then(|role| parse(&role.trust_policy).ok()) else {
        return false;
    };
    document.statements.iter().any(|statement| {
        let names_it = match &statement.principals {
            Some(Principals::These(principals)) => {
                principals.iter().any(|(kind, who)| kind == "Service" && who == service)
            }
            Some(Principals::AllBut(_)) | None => false,
        };
        statement.allows
            && names_it
            && statement.actions.as_ref().is_some_and(|actions| actions.covers("sts:AssumeRole"))
    })
}

/// Refuses a cluster's role that EKS cannot take on.
pub(super) fn check_cluster_role(call: &Call<'_>, arn: &str) -> Result<(), ServiceError> {
    if trusts(&call.tables.iam, arn, OF_CLUSTERS) {
        return Ok(());
    }
    Err(invalid(format!(
        "Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
    )))
}

/// Refuses a role that nodes cannot take on.
pub(super) fn check_node_role(call: &Call<'_>, arn: &str) -> Result<(), ServiceError> {
    if trusts(&call.tables.iam, arn, OF_NODES) {
        return Ok(());
    }
    Err(invalid(format!(
        "Following required service principals [{OF_NODES}] were not found in the trust relationships of nodeRole {arn}"
    )))
}

/// Refuses a role that pods cannot take on.
pub(super) fn check_pod_role(call: &Call<'_>, arn: &str) -> Result<(), ServiceError> {
    if trusts(&call.tables.iam, arn, OF_PODS) {
        return Ok(());
    }
    Err(invalid(format!("Trust policy of role is invalid, {arn} must be assumable by {OF_PODS}")))
}

/// Refuses what cannot be a key of KMS for secrets. The one place that asks KMS whether it is there: the sandbox has no
/// keys yet, so every ARN that can be one is taken.
pub(super) fn check_key(_call: &Call<'_>, arn: &str) -> Result<(), ServiceError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_key = matches!(
        parts.as_slice(),
        ["arn", _, "kms", region, account, resource]
            if !region.is_empty() && !account.is_empty() && resource.starts_with("key/")
    );
    if is_key { Ok(()) } else { Err(invalid(format!("Invalid keyArn: {arn} is not the ARN of a KMS key"))) }
}

/// The launch template that a node group names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct LaunchTemplate {
    /// Its id, `lt-…`; empty if only its name was given.
    pub(super) id: String,
    /// Its name; empty if only its id was given.
    pub(super) name: String,
    /// The version in use.
    pub(super) version: String,
}

/// The launch template that a request names, with what it left out. The one place that asks EC2 whether it is there:
/// the sandbox has no launch templates yet, so every id that can be one is taken.
pub(super) fn launch_template(
    _call: &Call<'_>,
    id: Option<&str>,
    name: Option<&str>,
    version: Option<&str>,
) -> Result<LaunchTemplate, ServiceError> {
    match (id, name) {
        (Some(id), _) if !id.starts_with("lt-") => {
            Err(invalid(format!("Invalid id: \"{id}\" (expecting \"lt-...\")")))
        }
        (None, None) | (Some(_), Some(_)) => {
            Err(invalid("You must specify either a launch template ID or name, but not both."))
        }
        (id, name) => Ok(LaunchTemplate {
            id: id.unwrap_or_default().to_owned(),
            name: name.unwrap_or_default().to_owned(),
            version: version.unwrap_or("1").to_owned(),
        }),
    }
}
