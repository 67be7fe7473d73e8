//! What EKS's access policies allow. EKS asks an authorizer of its own; here each policy is a group of whoever it is
//! associated with, and the group has a cluster role.
//! <https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html>

use serde_json::{Value, json};

/// Policies, and the cluster roles that allow the same: those of Kubernetes itself, or of [`OWN`].
const POLICIES: &[(&str, &str)] = &[
    ("AmazonEKSAdminPolicy", "admin"),
    ("AmazonEKSAdminViewPolicy", "eks:admin-view"),
    ("AmazonEKSClusterAdminPolicy", "cluster-admin"),
    ("AmazonEKSEditPolicy", "edit"),
    ("AmazonEKSSecretReaderPolicy", "eks:secret-reader"),
    ("AmazonEKSViewPolicy", "view"),
];

/// Cluster roles that Kubernetes does not have: what can be read.
const OWN: &[(&str, &str, &str)] = &[("eks:admin-view", "*", "*"), ("eks:secret-reader", "", "secrets")];

/// The group of whoever a policy is associated with in the whole cluster.
pub(crate) fn group_of_policy(arn: &str) -> String {
    format!("eks:access-policy:{}", arn.rsplit('/').next().unwrap_or_default())
}

/// The objects that give the groups their rights: the kind's plural, and the object.
pub(super) fn objects() -> Vec<(&'static str, Value)> {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let own = OWN.iter().map(|(name, group, resource)| {
        let rules =
            json!([{"apiGroups": [group], "resources": [resource], "verbs": ["get", "list", "watch"]}]);
        let object = json!({
            "apiVersion": format!("{GROUP}/v1"),
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules,
        });
        ("clusterroles", object)
    });
    let bindings = POLICIES.iter().map(|(policy, role)| {
        let group = group_of_policy(policy);
        let object = json!({
            "apiVersion": format!("{GROUP}/v1"),
            "kind": "ClusterRoleBinding",
            "metadata": {"name": group},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group}],
        });
        ("clusterrolebindings", object)
    });
    own.chain(bindings).collect()
}
