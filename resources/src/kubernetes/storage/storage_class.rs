//! Storage classes.
//! <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/storage-class-v1/>

use std::collections::BTreeMap;

use lsinfra_engine::{Input, InputProblem, Inputs, Property};
use serde::{Deserialize, Serialize};

use crate::aws::property::problem;
use crate::kubernetes::object::known_object;
use crate::kubernetes::storage::{DEFAULT_MARK, STORAGE_CLASS};

/// A storage class: what volumes are made as. Volumes that were made stay as they are, whatever becomes of their class.
#[derive(Clone, Default, Inputs)]
pub struct StorageClass {
    /// Its name.
    #[input(required, replace)]
    pub name: Input<String>,
    /// Its labels.
    pub labels: Input<BTreeMap<String, String>>,
    /// Its annotations, but for the one that makes it the default.
    pub annotations: Input<BTreeMap<String, String>>,
    /// Whether claims that name no class get this one.
    pub is_default: Input<bool>,
    /// Who makes its volumes, such as `ebs.csi.aws.com`.
    #[input(required, replace)]
    pub provisioner: Input<String>,
    /// What the provisioner is told.
    #[input(replace)]
    pub parameters: Input<BTreeMap<String, String>>,
    /// What becomes of a volume whose claim is gone: it is deleted by default.
    #[input(replace)]
    pub reclaim_policy: Input<ReclaimPolicy>,
    /// When a volume is made: at once by default.
    #[input(replace)]
    pub volume_binding_mode: Input<VolumeBindingMode>,
    /// Whether its volumes can grow; they cannot by default.
    pub allow_volume_expansion: Input<bool>,
    /// With which options its volumes are mounted.
    pub mount_options: Input<Vec<String>>,
}

/// What becomes of a volume whose claim is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
pub enum ReclaimPolicy {
    /// It is deleted.
    Delete,
    /// It stays.
    Retain,
}

/// When a volume is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
pub enum VolumeBindingMode {
    /// As soon as it is claimed, in whatever zone.
    Immediate,
    /// When the first pod that uses it has a node, in that node's zone.
    WaitForFirstConsumer,
}

impl StorageClass {
    fn check_mark(&self) -> Vec<InputProblem> {
        let annotations = self.annotations.get().unwrap_or_default();
        let is_marked = annotations.contains_key(DEFAULT_MARK);
        let path = format!("annotations.{DEFAULT_MARK}");
        let found = is_marked.then(|| problem(&path, "say so with `is_default`"));
        found.into_iter().collect()
    }
}

known_object! {
    StorageClass, "kubernetes:storage:StorageClass", "its name", STORAGE_CLASS, checked by Self::check_mark;
    name: ["metadata", "name"],
    labels: ["metadata", "labels"],
    annotations: ["metadata", "annotations"],
    is_default: ["metadata", "annotations", "storageclass.kubernetes.io/is-default-class"] BoolText,
    provisioner: ["provisioner"],
    parameters: ["parameters"],
    reclaim_policy: ["reclaimPolicy"],
    volume_binding_mode: ["volumeBindingMode"],
    allow_volume_expansion: ["allowVolumeExpansion"],
    mount_options: ["mountOptions"],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_an_input_of_its_own() {
        let annotations = BTreeMap::from([(DEFAULT_MARK.to_owned(), "true".to_owned())]);
        let class = StorageClass { annotations: annotations.into(), ..StorageClass::default() };
        assert_eq!(class.check_mark().len(), 1);
        assert!(StorageClass::default().check_mark().is_empty());
    }
}
