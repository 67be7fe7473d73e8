//! The add-ons that there are, and `DescribeAddonVersions`.
//! <https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html>

use serde_json::{Value, json};

use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::eks::errors::invalid;
use crate::services::eks::requests::{page_answer, page_of};
use crate::services::eks::{WIRE, versions};

/// An add-on.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    kind: &'static str,
    namespace: &'static str,
    /// Whether it runs as a deployment, which wants nodes; the others run on each node that there is.
    pub(super) wants_nodes: bool,
    needs_permissions: bool,
    releases: Releases,
}

/// The versions of an add-on, newest first; the second is the one that clusters get by default.
#[derive(Debug)]
enum Releases {
    /// For all versions of Kubernetes.
    Common([&'static str; 3]),
    /// Named after the version of Kubernetes: what follows it.
    OfKubernetes([&'static str; 3]),
}

const CATALOG: &[Entry] = &[
    Entry {
        name: "aws-ebs-csi-driver",
        kind: "storage",
        namespace: "kube-system",
        wants_nodes: true,
        needs_permissions: true,
        releases: Releases::Common(["v1.63.0-eksbuild.1", "v1.62.0-eksbuild.1", "v1.61.1-eksbuild.1"]),
    },
    Entry {
        name: "coredns",
        kind: "networking",
        namespace: "kube-system",
        wants_nodes: true,
        needs_permissions: false,
        releases: Releases::Common(["v1.13.2-eksbuild.4", "v1.13.2-eksbuild.1", "v1.12.4-eksbuild.6"]),
    },
    Entry {
        name: "eks-pod-identity-agent",
        kind: "security",
        namespace: "kube-system",
        wants_nodes: false,
        needs_permissions: false,
        releases: Releases::Common(["v1.3.10-eksbuild.3", "v1.3.10-eksbuild.2", "v1.3.9-eksbuild.5"]),
    },
    Entry {
        name: "kube-proxy",
        kind: "networking",
        namespace: "kube-system",
        wants_nodes: false,
        needs_permissions: false,
        releases: Releases::OfKubernetes(["3-eksbuild.5", "2-eksbuild.2", "0-eksbuild.2"]),
    },
    Entry {
        name: "metrics-server",
        kind: "observability",
        namespace: "kube-system",
        wants_nodes: true,
        needs_permissions: false,
        releases: Releases::Common(["v0.8.1-eksbuild.4", "v0.8.1-eksbuild.1", "v0.8.0-eksbuild.6"]),
    },
    Entry {
        name: "vpc-cni",
        kind: "networking",
        namespace: "kube-system",
        wants_nodes: false,
        needs_permissions: true,
        releases: Releases::Common(["v1.21.2-eksbuild.1", "v1.21.1-eksbuild.3", "v1.20.5-eksbuild.1"]),
    },
];

impl Entry {
    /// Its versions for a version of Kubernetes, newest first.
    fn versions(&self, kubernetes: &str) -> Vec<String> {
        match &self.releases {
            Releases::Common(versions) => versions.map(str::to_owned).to_vec(),
            Releases::OfKubernetes(rest) => rest.map(|rest| format!("v{kubernetes}.{rest}")).to_vec(),
        }
    }

    /// The version that clusters get by default.
    pub(super) fn default(&self, kubernetes: &str) -> String {
        self.versions(kubernetes).into_iter().nth(1).unwrap_or_default()
    }
}

/// An add-on by its name.
pub(super) fn find(name: &str, kubernetes: &str) -> Result<&'static Entry, ServiceError> {
    CATALOG.iter().find(|entry| entry.name == name).ok_or_else(|| {
        invalid(format!("Addon {name} specified is not supported in {kubernetes} kubernetes version"))
            .with("addonName", name)
    })
}

/// Refuses a version that an add-on does not have for a version of Kubernetes.
pub(super) fn check(entry: &Entry, version: &str, kubernetes: &str) -> Result<(), ServiceError> {
    if entry.versions(kubernetes).iter().any(|known| known == version) {
        return Ok(());
    }
    Err(invalid("Addon version specified is not supported").with("addonName", entry.name))
}

pub(in crate::services::eks) fn describe_addon_versions(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let request = page_of(&members)?;
    let name = members.text("addonName")?;
    let kubernetes = members.text("kubernetesVersion")?;
    let types = members.texts("types")?;
    let (publishers, owners) = (members.texts("publishers")?, members.texts("owners")?);
    call.document.finish()?;
    let is_of_aws =
        |given: &Option<Vec<&str>>, who: &str| given.as_ref().is_none_or(|given| given.contains(&who));
    let all: Vec<&str> = match kubernetes {
        Some(version) => vec![version],
        None => versions::names().collect(),
    };
    if let Some(unknown) = all.iter().find(|version| versions::find(version).is_none()) {
        return Err(invalid(format!("Invalid kubernetes version: {unknown}")));
    }
    let found = CATALOG.iter().filter(|entry| {
        name.is_none_or(|name| name == entry.name)
            && types.as_ref().is_none_or(|types| types.contains(&entry.kind))
            && is_of_aws(&publishers, "eks")
            && is_of_aws(&owners, "aws")
    });
    let list = found.map(|entry| (entry.name.to_owned(), answer(entry, &all))).collect();
    Ok(WIRE.json.answer(&page_answer(&request, "addons", list)))
}

fn answer(entry: &Entry, kubernetes: &[&str]) -> Value {
    let mut names: Vec<String> = Vec::new();
    for version in kubernetes {
        for name in entry.versions(version) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let of_version = |name: &String| {
        let fitting = kubernetes.iter().filter(|version| entry.versions(version).contains(name));
        let compatibilities = fitting.map(|version| {
            json!({
                "clusterVersion": version,
                "platformVersions": ["*"],
                "defaultVersion": entry.default(version) == *name,
            })
        });
        json!({
            "addonVersion": name,
            "architecture": ["amd64", "arm64"],
            "computeTypes": ["ec2", "auto", "hybrid"],
            "compatibilities": compatibilities.collect::<Vec<_>>(),
            "requiresConfiguration": false,
            "requiresIamPermissions": entry.needs_permissions,
        })
    };
    json!({
        "addonName": entry.name,
        "type": entry.kind,
        "publisher": "eks",
        "owner": "aws",
        "defaultNamespace": entry.namespace,
        "addonVersions": names.iter().map(of_version).collect::<Vec<_>>(),
    })
}
