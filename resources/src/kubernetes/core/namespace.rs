//! Namespaces.
//! <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/>

use std::collections::BTreeMap;

use lsinfra_engine::{Input, Inputs};

use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::known_object;

/// A namespace. Deleting it deletes all that is in it, and waits until that is gone.
#[derive(Clone, Default, Inputs)]
pub struct Namespace {
    /// Its name.
    #[input(required, replace)]
    pub name: Input<String>,
    /// Its labels.
    pub labels: Input<BTreeMap<String, String>>,
    /// Its annotations.
    pub annotations: Input<BTreeMap<String, String>>,
}

known_object! {
    Namespace, "kubernetes:core:Namespace", "its name", Kind::known("v1", "Namespace", "namespaces", false);
    name: ["metadata", "name"],
    labels: ["metadata", "labels"],
    annotations: ["metadata", "annotations"],
}
