//! Claims and what they become: volumes that come with them, grow with them and go with them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::reflector::ObjectRef;
use serde_json::{Value, json};

use super::super::{PartError, finalizers};
use super::parameters::{Parameters, gibibytes};
use super::{DRIVER, Session, Volumes, ZONE_LABEL, handle};
use crate::cloud::call::Call;
use crate::services::ec2::volume;
use crate::services::iam::permission;
use crate::services::policy_document::Circumstances;

/// By which Kubernetes asks for a volume.
const PROVISIONER: [&str; 2] =
    ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"];
/// By which the scheduler says where the first pod will be.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// What holds a volume that goes with its claim until it is gone from EC2.
const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";
/// Who made a volume.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// The tag that names the claim's volume.
const NAME_TAG: &str = "CSIVolumeName";

impl Volumes {
    /// Makes the volume of a claim that waits for one.
    pub(super) async fn provision(
        &mut self,
        claim: &PersistentVolumeClaim,
        session: &Session,
    ) -> Result<(), PartError> {
        let spec = claim.spec.clone().unwrap_or_default();
        let asks = PROVISIONER.iter().find_map(|key| claim.annotations().get(*key));
        let uid = claim.uid().unwrap_or_default();
        let is_waiting = spec.volume_name.as_ref().is_none_or(String::is_empty)
            && claim.metadata.deletion_timestamp.is_none()
            && asks.is_some_and(|provisioner| provisioner == DRIVER);
        let name = format!("pvc-{uid}");
        if !is_waiting || self.volume(&name).is_some() || !self.is_due(&uid) {
            return Ok(());
        }
        let class = spec.storage_class_name.clone().unwrap_or_default();
        let Some(class) = self.classes.get(&ObjectRef::new(&class)) else { return Ok(()) };
        let Some(zone) = self.zone(claim, &class) else { return Ok(()) };
        let made = self.make(claim, &class, &zone, &name, session);
        self.remember(&uid, made.is_err());
        match made {
            Ok(object) => {
                let volumes: Api<PersistentVolume> = Api::all(self.context.client.clone());
                let object = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
                match volumes.create(&PostParams::default(), &object).await {
                    Ok(_) => {}
                    Err(kube::Error::Api(status)) if status.code == 409 => {}
                    Err(error) => return Err(error.into()),
                }
                let text = format!("Successfully provisioned volume {name}");
                self.events.tell(claim, false, "ProvisioningSucceeded", &text).await
            }
            Err(error) => {
                let text = format!(
                    "failed to provision volume with StorageClass \"{}\": rpc error: code = Internal desc = Could not create volume \"{name}\": could not create volume in EC2: {error}",
                    class.name_any()
                );
                self.events.tell(claim, true, "ProvisioningFailed", &text).await?;
                Err(error)
            }
        }
    }

    /// The zone in which the volume of a claim is to be; `None` as long as nobody knows.
    fn zone(&self, claim: &PersistentVolumeClaim, class: &StorageClass) -> Option<String> {
        let zone = |node: &Node| node.labels().get(ZONE_LABEL).cloned();
        if class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer") {
            let node = claim.annotations().get(SELECTED_NODE)?;
            return zone(&*self.nodes.get(&ObjectRef::new(node))?);
        }
        let allowed = class.allowed_topologies.iter().flatten();
        let allowed = allowed.flat_map(|term| term.match_label_expressions.iter().flatten());
        let mut zones: Vec<String> = allowed
            .filter(|expression| expression.key.ends_with("/zone"))
            .flat_map(|expression| expression.values.clone())
            .collect();
        if zones.is_empty() {
            zones = self.nodes.state().iter().filter_map(|node| zone(node)).collect();
        }
        zones.sort();
        zones.dedup();
        // Claims of a stateful set are spread by their numbers.
        let number = claim.name_any().rsplit('-').next().and_then(|text| text.parse::<usize>().ok());
        let index = number.unwrap_or_default().checked_rem(zones.len())?;
        zones.into_iter().nth(index)
    }

    /// Makes the volume in EC2, unless it is there already; answers with the object that stands for it.
    fn make(
        &self,
        claim: &PersistentVolumeClaim,
        class: &StorageClass,
        zone: &str,
        name: &str,
        session: &Session,
    ) -> Result<Value, PartError> {
        let wrong = PartError::Object;
        let parameters = class.parameters.clone().unwrap_or_default();
        let parameters = Parameters::read(&parameters).map_err(wrong)?;
        let spec = claim.spec.clone().unwrap_or_default();
        let requests = spec.resources.clone().and_then(|resources| resources.requests);
        let quantity = requests.and_then(|requests| requests.get("storage").cloned());
        let quantity = quantity.ok_or_else(|| wrong("the claim asks for no storage".to_owned()))?;
        let size =
            gibibytes(&quantity.0).ok_or_else(|| wrong(format!("{} is no size of a volume", quantity.0)))?;
        let tags = self.tags(claim, name, &parameters);
        let settings = parameters.settings(zone, size.max(1));
        let id = self.call(session, "ec2:CreateVolume", |call| match find(call, name) {
            Some(id) => Ok(id),
            None => {
                if let Some(key) = &settings.kms_key_id {
                    permission::check(call, "kms:CreateGrant", key, &Circumstances::default())?;
                }
                volume::make(call, settings, tags)
            }
        })?;
        let reclaim = class.reclaim_policy.clone().unwrap_or_else(|| "Delete".to_owned());
        let finalizers: &[&str] = if reclaim == "Delete" { &[FINALIZER] } else { &[] };
        Ok(json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": name,
                "annotations": {PROVISIONED_BY: DRIVER},
                "finalizers": finalizers,
            },
            "spec": {
                "capacity": {"storage": format!("{}Gi", size.max(1))},
                "accessModes": spec.access_modes,
                "volumeMode": spec.volume_mode,
                "storageClassName": class.name_any(),
                "mountOptions": class.mount_options,
                "persistentVolumeReclaimPolicy": reclaim,
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": claim.namespace(),
                    "name": claim.name_any(),
                    "uid": claim.uid(),
                    "resourceVersion": claim.resource_version(),
                },
                "csi": {"driver": DRIVER, "fsType": parameters.file_system, "volumeHandle": id},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                    {"key": ZONE_LABEL, "operator": "In", "values": [zone]},
                ]}]}},
            },
        }))
    }

    /// The tags that the driver gives to volumes as an add-on of EKS.
    /// <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md>
    fn tags(
        &self,
        claim: &PersistentVolumeClaim,
        name: &str,
        parameters: &Parameters,
    ) -> BTreeMap<String, String> {
        let cluster = &self.context.account.cluster().name;
        let mut tags = parameters.tags.clone();
        for (key, value) in [
            (NAME_TAG.to_owned(), name.to_owned()),
            ("ebs.csi.aws.com/cluster".to_owned(), "true".to_owned()),
            ("KubernetesCluster".to_owned(), cluster.clone()),
            (format!("kubernetes.io/cluster/{cluster}"), "owned".to_owned()),
            ("Name".to_owned(), format!("{cluster}-dynamic-{name}")),
            ("kubernetes.io/created-for/pv/name".to_owned(), name.to_owned()),
            ("kubernetes.io/created-for/pvc/name".to_owned(), claim.name_any()),
            ("kubernetes.io/created-for/pvc/namespace".to_owned(), claim.namespace().unwrap_or_default()),
        ] {
            tags.insert(key, value);
        }
        tags
    }

    /// Makes a volume as large as its claim asks for, and its file system, of which no kubelet takes care.
    pub(super) async fn enlarge(
        &mut self,
        claim: &PersistentVolumeClaim,
        session: &Session,
    ) -> Result<(), PartError> {
        let spec = claim.spec.clone().unwrap_or_default();
        let status = claim.status.clone().unwrap_or_default();
        let of = |map: Option<BTreeMap<String, _>>| {
            map.and_then(|map: BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>| {
                gibibytes(&map.get("storage")?.0)
            })
        };
        let wanted = of(spec.resources.and_then(|resources| resources.requests));
        let (Some(wanted), Some(known)) = (wanted, of(status.capacity)) else { return Ok(()) };
        let uid = format!("{} size", claim.uid().unwrap_or_default());
        let volume = spec.volume_name.and_then(|name| self.volume(&name));
        let Some(volume) = volume.filter(|_| wanted > known && self.is_due(&uid)) else { return Ok(()) };
        let Some(id) = handle(&volume) else { return Ok(()) };
        let done = self.call(session, "ec2:ModifyVolume", |call| volume::enlarge(call, &id, wanted));
        self.remember(&uid, done.is_err());
        if let Err(error) = done {
            let text = format!(
                "resize volume \"{}\" by resizer \"{DRIVER}\" failed: rpc error: code = Internal desc = Could not resize volume \"{id}\": {error}",
                volume.name_any()
            );
            self.events.tell(claim, true, "VolumeResizeFailed", &text).await?;
            return Err(error);
        }
        let size = json!({"storage": format!("{wanted}Gi")});
        let (client, params) = (&self.context.client, PatchParams::default());
        let volumes: Api<PersistentVolume> = Api::all(client.clone());
        let patch = Patch::Merge(json!({"spec": {"capacity": size}}));
        volumes.patch(&volume.name_any(), &params, &patch).await?;
        let claims: Api<PersistentVolumeClaim> =
            Api::namespaced(client.clone(), &claim.namespace().unwrap_or_default());
        let patch = Patch::Merge(json!({"status": {"capacity": size}}));
        claims.patch_status(&claim.name_any(), &params, &patch).await?;
        let text = "Resize volume succeeded";
        self.events.tell(claim, false, "VolumeResizeSuccessful", text).await
    }

    /// Deletes a volume whose claim is gone, if it is to go with it.
    pub(super) async fn remove(
        &mut self,
        volume: &PersistentVolume,
        session: &Session,
    ) -> Result<(), PartError> {
        let spec = volume.spec.clone().unwrap_or_default();
        let phase = volume.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
        let is_unused = phase == "Released"
            || (volume.metadata.deletion_timestamp.is_some()
                && ["Available", "Failed"].contains(&phase.as_str()));
        let uid = volume.uid().unwrap_or_default();
        let is_to_go = spec.persistent_volume_reclaim_policy.as_deref() == Some("Delete")
            && volume.annotations().get(PROVISIONED_BY).is_some_and(|by| by == DRIVER);
        let Some(id) = handle(volume).filter(|_| is_unused && is_to_go && self.is_due(&uid)) else {
            return Ok(());
        };
        let done = match self.call(session, "ec2:DeleteVolume", |call| volume::unmake(call, &id)) {
            Err(PartError::Refused(error)) if error.code == "InvalidVolume.NotFound" => Ok(()),
            other => other,
        };
        self.remember(&uid, done.is_err());
        if let Err(error) = done {
            let text = format!(
                "rpc error: code = Internal desc = Could not delete volume ID \"{id}\": DeleteDisk could not delete volume: {error}"
            );
            self.events.tell(volume, true, "VolumeFailedDelete", &text).await?;
            return Err(error);
        }
        let volumes: Api<PersistentVolume> = Api::all(self.context.client.clone());
        if volume.metadata.deletion_timestamp.is_none() {
            match volumes.delete(&volume.name_any(), &DeleteParams::default()).await {
                Ok(_) => {}
                Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        match volumes.get_opt(&volume.name_any()).await? {
            Some(left) => finalizers::release(&volumes, &left, FINALIZER).await,
            None => Ok(()),
        }
    }
}

/// The id of the volume that was made under a name.
fn find(call: &Call<'_>, name: &str) -> Option<String> {
    let ec2 = &call.tables.ec2;
    let is_its = |id: &str| {
        let tags = ec2.tags.get(&call.scope, id);
        tags.and_then(|tags| tags.get(NAME_TAG)).is_some_and(|value| value == name)
    };
    ec2.volumes.iter(&call.scope).find(|(id, _)| is_its(id)).map(|(id, _)| id.to_owned())
}
