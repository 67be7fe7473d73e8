//! Service accounts.
//! <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/service-account-v1/>

use std::collections::BTreeMap;

use lsinfra_engine::{Input, Inputs, Property};
use serde::{Deserialize, Serialize};

use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::known_object;

/// A service account: whose name pods act in. Its annotation `eks.amazonaws.com/role-arn` names the role of IAM that they
/// take on.
#[derive(Clone, Default, Inputs)]
pub struct ServiceAccount {
    /// The namespace that it is in.
    #[input(required, replace)]
    pub namespace: Input<String>,
    /// Its name.
    #[input(required, replace)]
    pub name: Input<String>,
    /// Its labels.
    pub labels: Input<BTreeMap<String, String>>,
    /// Its annotations.
    pub annotations: Input<BTreeMap<String, String>>,
    /// Whether its pods get a token of the API; they do by default.
    pub automount_service_account_token: Input<bool>,
    /// The secrets with which its pods pull images.
    pub image_pull_secrets: Input<Vec<LocalObjectReference>>,
}

/// An object of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct LocalObjectReference {
    /// Its name.
    pub name: String,
}

known_object! {
    ServiceAccount, "kubernetes:core:ServiceAccount", "its namespace and its name: `langsmith/backend`",
    Kind::known("v1", "ServiceAccount", "serviceaccounts", true);
    namespace: ["metadata", "namespace"],
    name: ["metadata", "name"],
    labels: ["metadata", "labels"],
    annotations: ["metadata", "annotations"],
    automount_service_account_token: ["automountServiceAccountToken"],
    image_pull_secrets: ["imagePullSecrets"],
}
