//! Volumes where their pods are: what the attaching helper does for the attachments that Kubernetes asks for.

use k8s_openapi::api::storage::v1::VolumeAttachment;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use serde_json::json;

use super::super::{PartError, finalizers};
use super::{DRIVER, Session, Volumes, handle, instance};
use crate::services::ec2::volume;

/// What holds an attachment.
const FINALIZER: &str = "external-attacher/ebs-csi-aws-com";

impl Volumes {
    /// Attaches what is to be attached, and detaches what is not any more.
    pub(super) async fn attach(
        &mut self,
        attachment: &VolumeAttachment,
        session: &Session,
    ) -> Result<(), PartError> {
        let uid = attachment.uid().unwrap_or_default();
        if attachment.spec.attacher != DRIVER || !self.is_due(&uid) {
            return Ok(());
        }
        let attached = attachment.status.as_ref().is_some_and(|status| status.attached);
        let api: Api<VolumeAttachment> = Api::all(self.context.client.clone());
        if attachment.metadata.deletion_timestamp.is_some() {
            let done = self.detach(attachment, session);
            self.remember(&uid, done.is_err());
            done?;
            return finalizers::release(&api, attachment, FINALIZER).await;
        }
        if attached {
            return Ok(());
        }
        finalizers::hold(&api, attachment, FINALIZER).await?;
        let done = self.attach_within(attachment, session);
        self.remember(&uid, done.is_err());
        let status = match &done {
            Ok(()) => json!({"attached": true, "attachError": null}),
            Err(error) => {
                let now = k8s_openapi::jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                json!({"attached": false, "attachError": {"message": error.to_string(), "time": now}})
            }
        };
        let patch = Patch::Merge(json!({"status": status}));
        api.patch_status(&attachment.name_any(), &PatchParams::default(), &patch).await?;
        done
    }

    fn attach_within(&self, attachment: &VolumeAttachment, session: &Session) -> Result<(), PartError> {
        let missing = |what: &str| PartError::Object(format!("{what} is not there"));
        let name = attachment.spec.source.persistent_volume_name.clone().unwrap_or_default();
        let volume = self.volume(&name).ok_or_else(|| missing(&name))?;
        let id = handle(&volume).ok_or_else(|| missing("the volume"))?;
        let node = self.nodes.get(&ObjectRef::new(&attachment.spec.node_name));
        let place = node.and_then(|node| instance(&node));
        let (instance_id, zone) = place.ok_or_else(|| missing(&attachment.spec.node_name))?;
        self.call(session, "ec2:AttachVolume", |call| volume::attach(call, &id, Some((&instance_id, &zone))))
    }

    fn detach(&self, attachment: &VolumeAttachment, session: &Session) -> Result<(), PartError> {
        let name = attachment.spec.source.persistent_volume_name.clone().unwrap_or_default();
        // A volume that is gone is attached to nothing.
        let Some(id) = self.volume(&name).and_then(|volume| handle(&volume)) else { return Ok(()) };
        let done = self.call(session, "ec2:DetachVolume", |call| volume::attach(call, &id, None));
        match done {
            Err(PartError::Refused(error)) if error.code == "InvalidVolume.NotFound" => Ok(()),
            other => other,
        }
    }
}
