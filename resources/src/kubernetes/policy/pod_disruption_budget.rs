//! Pod disruption budgets.
//! <https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/pod-disruption-budget-v1/>

use std::collections::BTreeMap;

use lsinfra_engine::{Input, InputProblem, Inputs};

use crate::aws::property::problem;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::known_object;
use crate::kubernetes::{IntOrString, LabelSelector};

/// A pod disruption budget: how many of some pods may be evicted at once, for instance when a node is drained.
#[derive(Clone, Default, Inputs)]
pub struct PodDisruptionBudget {
    /// The namespace that it and its pods are in.
    #[input(required, replace)]
    pub namespace: Input<String>,
    /// Its name.
    #[input(required, replace)]
    pub name: Input<String>,
    /// Its labels.
    pub labels: Input<BTreeMap<String, String>>,
    /// Its annotations.
    pub annotations: Input<BTreeMap<String, String>>,
    /// Its pods.
    #[input(required)]
    pub selector: Input<LabelSelector>,
    /// How many of them must stay: a number, or a share such as `50%`. Either this or the next.
    pub min_available: Input<IntOrString>,
    /// How many of them may be missing.
    pub max_unavailable: Input<IntOrString>,
}

impl PodDisruptionBudget {
    fn check_amounts(&self) -> Vec<InputProblem> {
        let both = self.min_available.is_given() && self.max_unavailable.is_given();
        let found = both.then(|| problem("max_unavailable", "either this or min_available is given"));
        found.into_iter().collect()
    }
}

known_object! {
    PodDisruptionBudget, "kubernetes:policy:PodDisruptionBudget",
    "its namespace and its name: `langsmith/backend`",
    Kind::known("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true),
    checked by Self::check_amounts;
    namespace: ["metadata", "namespace"],
    name: ["metadata", "name"],
    labels: ["metadata", "labels"],
    annotations: ["metadata", "annotations"],
    selector: ["spec", "selector"],
    min_available: ["spec", "minAvailable"],
    max_unavailable: ["spec", "maxUnavailable"],
}
