//! The pinned programs of the sandbox's Kubernetes: what is built, of which Go module. Data only.

/// A Go module whose programs are built together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Module {
    /// What its part of the cache folder's name is.
    pub(super) label: &'static str,
    /// Its path.
    pub(super) path: &'static str,
    /// Its version, as Go writes it.
    pub(super) version: &'static str,
    /// The version of the modules that its go.mod takes from folders beside it, which are published on their own.
    pub(super) siblings: &'static str,
    /// Its programs: the name, and the package below the module's path.
    pub(super) programs: &'static [(&'static str, &'static str)],
    /// Variables that the linker sets. Without them Kubernetes calls itself v0.0.0, which charts refuse.
    pub(super) variables: &'static [(&'static str, &'static str)],
}

/// Everything that is built, in this order.
pub(super) const MODULES: &[Module] = &[
    Module {
        label: "etcd-3.7.3",
        path: "go.etcd.io/etcd/server/v3",
        version: "v3.7.3",
        siblings: "v3.7.3",
        programs: &[("etcd", "")],
        variables: &[],
    },
    Module {
        label: "kubernetes-1.36.3",
        path: "k8s.io/kubernetes",
        version: "v1.36.3",
        siblings: "v0.36.3",
        programs: &[
            ("kube-apiserver", "/cmd/kube-apiserver"),
            ("kube-controller-manager", "/cmd/kube-controller-manager"),
            ("kube-scheduler", "/cmd/kube-scheduler"),
        ],
        variables: &[
            ("k8s.io/component-base/version.gitVersion", "v1.36.3"),
            ("k8s.io/component-base/version.gitMajor", "1"),
            ("k8s.io/component-base/version.gitMinor", "36"),
            ("k8s.io/component-base/version.gitTreeState", "clean"),
        ],
    },
    Module {
        label: "kwok-0.8.0",
        path: "sigs.k8s.io/kwok",
        version: "v0.8.0",
        siblings: "v0.8.0",
        programs: &[("kwok", "/cmd/kwok")],
        variables: &[],
    },
    Module {
        label: "helm-4.3.1",
        path: "helm.sh/helm/v4",
        version: "v4.3.1",
        siblings: "v4.3.1",
        programs: &[("helm", "/cmd/helm")],
        variables: &[("helm.sh/helm/v4/internal/version.version", "v4.3.1")],
    },
];

/// The oldest Go that builds them; it fetches the toolchain that a module asks for by itself.
/// <https://go.dev/doc/toolchain>
pub(super) const OLDEST_GO: (u32, u32) = (1, 25);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_name_the_versions() {
        for module in MODULES {
            let version = module.version.trim_start_matches('v');
            assert!(module.label.ends_with(&format!("-{version}")), "{}", module.label);
        }
    }
}
