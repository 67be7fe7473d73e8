//! A node as it is wanted, and as the object that Kubernetes has of it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::Capacity;
use super::network::KUBELET_PORT;

/// The label that names a node's group.
/// <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html>
pub(super) const GROUP_LABEL: &str = "eks.amazonaws.com/nodegroup";

/// A node of a managed node group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its group.
    pub(crate) group: String,
    /// The id of its instance.
    pub(crate) instance_id: String,
    /// Such as `m7i.2xlarge`.
    pub(crate) instance_type: String,
    /// `amd64` or `arm64`.
    pub(crate) architecture: &'static str,
    /// `ON_DEMAND` or `SPOT`.
    pub(crate) capacity_type: String,
    /// Its zone, by name.
    pub(crate) zone: String,
    /// Its region.
    pub(crate) region: String,
    /// Its address in its subnet.
    pub(crate) private_ip: Ipv4Addr,
    /// The version of its kubelet, such as `1.36`.
    pub(crate) version: String,
    /// What it has.
    pub(crate) capacity: Capacity,
    /// The labels that its group gives it.
    pub(crate) labels: BTreeMap<String, String>,
    /// What keeps pods off it.
    pub(crate) taints: Vec<Taint>,
}

/// What keeps pods off a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taint {
    /// Its key.
    pub(crate) key: String,
    /// Its value.
    pub(crate) value: String,
    /// As EKS names it, such as `NO_SCHEDULE`.
    pub(crate) effect: String,
}

impl Node {
    /// Its name: the private DNS name of its instance.
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html>
    pub(super) fn name(&self) -> String {
        let [a, b, c, d] = self.private_ip.octets();
        let domain = if self.region == "us-east-1" { "ec2" } else { &format!("{}.compute", self.region) };
        format!("ip-{a}-{b}-{c}-{d}.{domain}.internal")
    }

    /// Whether only what may change while it is there differs.
    pub(super) fn is_same_instance(&self, other: &Self) -> bool {
        let fixed = |node: &Self| {
            (node.instance_type.clone(), node.instance_id.clone(), node.version.clone(), node.capacity)
        };
        fixed(self) == fixed(other)
    }

    /// What may change while it is there.
    pub(super) fn changeable(&self) -> Value {
        let name = self.name();
        let mut labels = self.labels.clone();
        for (key, value) in [
            (GROUP_LABEL, self.group.as_str()),
            ("eks.amazonaws.com/capacityType", &self.capacity_type),
            ("topology.kubernetes.io/zone", &self.zone),
            ("topology.kubernetes.io/region", &self.region),
            ("failure-domain.beta.kubernetes.io/zone", &self.zone),
            ("failure-domain.beta.kubernetes.io/region", &self.region),
            ("node.kubernetes.io/instance-type", &self.instance_type),
            ("beta.kubernetes.io/instance-type", &self.instance_type),
            ("kubernetes.io/arch", self.architecture),
            ("beta.kubernetes.io/arch", self.architecture),
            ("kubernetes.io/os", "linux"),
            ("beta.kubernetes.io/os", "linux"),
            ("kubernetes.io/hostname", &name),
        ] {
            labels.insert(key.to_owned(), value.to_owned());
        }
        let annotations = json!({
            "kwok.x-k8s.io/node": "fake",
            // So do kubelets leave the attaching of volumes to the controller manager.
            "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        });
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels, "annotations": annotations},
            "spec": {"providerID": format!("aws:///{}/{}", self.zone, self.instance_id)},
        });
        if !self.taints.is_empty() {
            object["spec"]["taints"] = self.taints.iter().map(Taint::object).collect();
        }
        object
    }

    /// All of it, as a kubelet registers it.
    pub(super) fn object(&self) -> Value {
        let mut object = self.changeable();
        let name = self.name();
        object["status"] = json!({
            "capacity": quantities(self.capacity),
            "allocatable": quantities(self.capacity.allocatable()),
            "addresses": [
                {"type": "InternalIP", "address": self.private_ip.to_string()},
                {"type": "InternalDNS", "address": name},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
            "nodeInfo": {
                "architecture": self.architecture,
                "bootID": "",
                "containerRuntimeVersion": "containerd://2.1.5",
                "kernelVersion": "6.12.55-74.119.amzn2023",
                "kubeProxyVersion": "",
                "kubeletVersion": format!("v{}.0-eks-sandbox", self.version),
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "Amazon Linux 2023",
                "systemUUID": "",
            },
        });
        object
    }
}

impl Taint {
    fn object(&self) -> Value {
        let effect = match self.effect.as_str() {
            "NO_EXECUTE" => "NoExecute",
            "PREFER_NO_SCHEDULE" => "PreferNoSchedule",
            _ => "NoSchedule",
        };
        json!({"key": self.key, "value": self.value, "effect": effect})
    }
}

fn quantities(capacity: Capacity) -> Value {
    json!({
        "cpu": format!("{}m", capacity.cpu_millicores),
        "memory": format!("{}Mi", capacity.memory_mib),
        "pods": capacity.pods.to_string(),
        "ephemeral-storage": format!("{}Gi", capacity.ephemeral_storage_gib),
    })
}
