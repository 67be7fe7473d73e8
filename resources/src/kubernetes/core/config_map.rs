//! Config maps.
//! <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/config-map-v1/>

use std::collections::BTreeMap;

use lsinfra_engine::{Input, Inputs};

use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::known_object;

/// A config map: texts by key, which are no secrets.
#[derive(Clone, Default, Inputs)]
pub struct ConfigMap {
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
    /// Its texts.
    pub data: Input<BTreeMap<String, String>>,
}

known_object! {
    ConfigMap, "kubernetes:core:ConfigMap", "its namespace and its name: `langsmith/settings`",
    Kind::known("v1", "ConfigMap", "configmaps", true);
    namespace: ["metadata", "namespace"],
    name: ["metadata", "name"],
    labels: ["metadata", "labels"],
    annotations: ["metadata", "annotations"],
    data: ["data"],
}
