//! What makes the driver known to the cluster: the driver itself, and on which nodes it runs.

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use serde_json::json;

use super::super::PartError;
use super::{DRIVER, Volumes, ZONE_LABEL, instance};

/// The label that the driver itself gives to nodes.
const OWN_ZONE_LABEL: &str = "topology.ebs.csi.aws.com/zone";
/// How many volumes a node can have: an instance's 28 places, less what its root and its interface take.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/volume_limits.html>
const VOLUMES_OF_A_NODE: u32 = 26;
const MANAGER: &str = "aws-ebs-csi-driver";

impl Volumes {
    /// Makes the driver known, and all nodes as those where it runs.
    pub(super) async fn register(&self) -> Result<(), PartError> {
        let client = &self.context.client;
        let params = PatchParams::apply(MANAGER).force();
        if self.drivers.get(&ObjectRef::new(DRIVER)).is_none() {
            let object = json!({
                "apiVersion": "storage.k8s.io/v1",
                "kind": "CSIDriver",
                "metadata": {"name": DRIVER},
                "spec": {"attachRequired": true, "podInfoOnMount": false, "fsGroupPolicy": "File"},
            });
            Api::<CSIDriver>::all(client.clone()).patch(DRIVER, &params, &Patch::Apply(object)).await?;
        }
        for node in self.nodes.state() {
            let (name, uid) = (node.name_any(), node.uid().unwrap_or_default());
            let Some((instance_id, zone)) = instance(&node) else { continue };
            let known = self.csi_nodes.get(&ObjectRef::new(&name));
            let has_driver = |known: &CSINode| {
                let is_its = known.owner_references().iter().any(|owner| owner.uid == uid);
                is_its && known.spec.drivers.iter().any(|driver| driver.name == DRIVER)
            };
            if !known.is_some_and(|known| has_driver(&known)) {
                let driver = json!({
                    "name": DRIVER,
                    "nodeID": instance_id,
                    "topologyKeys": ["kubernetes.io/os", OWN_ZONE_LABEL, ZONE_LABEL],
                    "allocatable": {"count": VOLUMES_OF_A_NODE},
                });
                let owner = json!({"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid});
                let object = json!({
                    "apiVersion": "storage.k8s.io/v1",
                    "kind": "CSINode",
                    "metadata": {"name": name, "ownerReferences": [owner]},
                    "spec": {"drivers": [driver]},
                });
                Api::<CSINode>::all(client.clone()).patch(&name, &params, &Patch::Apply(object)).await?;
            }
            if node.labels().get(OWN_ZONE_LABEL) != Some(&zone) {
                let labels = Patch::Merge(json!({"metadata": {"labels": {OWN_ZONE_LABEL: zone}}}));
                Api::<Node>::all(client.clone()).patch(&name, &PatchParams::default(), &labels).await?;
            }
        }
        Ok(())
    }

    /// Makes the driver unknown, once the add-on is gone; what it has made stays as it is.
    pub(super) async fn remove_driver(&self) -> Result<(), PartError> {
        let account = &self.context.account;
        let is_there = account
            .look(|call| crate::services::eks::addon::exists(call, &account.cluster().name, super::ADDON));
        if is_there || self.drivers.get(&ObjectRef::new(DRIVER)).is_none() {
            return Ok(());
        }
        let drivers: Api<CSIDriver> = Api::all(self.context.client.clone());
        match drivers.delete(DRIVER, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
