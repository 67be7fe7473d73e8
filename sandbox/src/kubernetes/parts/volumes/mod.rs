//! The EBS CSI driver's part, with those of the helpers that run beside it: claims become volumes in EC2 in the zone of their
//! pod, with the rights of the driver's role; they are attached where pods are, grow with their claims, and go with them.
//! <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/README.md>
//!
//! It acts while EKS says that the add-on is there and healthy.

mod attachments;
mod claims;
mod nodes;
mod parameters;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, StorageClass, VolumeAttachment};
use kube::ResourceExt;
use kube::api::Api;
use kube::runtime::reflector::{ObjectRef, Store};

use super::events::Events;
use super::{Context, Controller, PartError};
use crate::cloud::call::Call;
use crate::cloud::principal::Principal;
use crate::protocol::error::ServiceError;
use crate::services::eks::addon;
use crate::services::iam::permission;
use crate::services::policy_document::Circumstances;

/// The driver's name.
const DRIVER: &str = "ebs.csi.aws.com";
/// The add-on that brings it.
const ADDON: &str = "aws-ebs-csi-driver";
/// The service account whose role it has, in the namespace of add-ons.
const SERVICE_ACCOUNT: (&str, &str) = ("kube-system", "ebs-csi-controller-sa");
/// The label of nodes that names their zone.
const ZONE_LABEL: &str = "topology.kubernetes.io/zone";
/// How long what failed is left alone.
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// The part.
pub(super) struct Volumes {
    context: Context,
    claims: Store<PersistentVolumeClaim>,
    volumes: Store<PersistentVolume>,
    classes: Store<StorageClass>,
    attachments: Store<VolumeAttachment>,
    nodes: Store<Node>,
    csi_nodes: Store<CSINode>,
    drivers: Store<CSIDriver>,
    events: Events,
    /// When something about an object failed last, by its uid.
    failed: BTreeMap<String, Instant>,
}

impl Controller for Volumes {
    async fn begin(context: Context) -> Result<Self, PartError> {
        let client = &context.client;
        let part = Self {
            claims: context.watch(Api::all(client.clone())),
            volumes: context.watch(Api::all(client.clone())),
            classes: context.watch(Api::all(client.clone())),
            attachments: context.watch(Api::all(client.clone())),
            nodes: context.watch(Api::all(client.clone())),
            csi_nodes: context.watch(Api::all(client.clone())),
            drivers: context.watch(Api::all(client.clone())),
            events: Events::new(client.clone(), "ebs.csi.aws.com"),
            failed: BTreeMap::new(),
            context: context.clone(),
        };
        part.claims.wait_until_ready().await?;
        part.volumes.wait_until_ready().await?;
        part.classes.wait_until_ready().await?;
        part.attachments.wait_until_ready().await?;
        part.nodes.wait_until_ready().await?;
        part.csi_nodes.wait_until_ready().await?;
        part.drivers.wait_until_ready().await?;
        Ok(part)
    }

    async fn reconcile(&mut self) -> Result<(), PartError> {
        let account = &self.context.account;
        let running = account.look(|call| addon::running(call, &account.cluster().name, ADDON));
        let Some(role) = running else {
            return self.remove_driver().await;
        };
        self.register().await?;
        let (namespace, name) = SERVICE_ACCOUNT;
        let principal = match role {
            Some(role) => account.assume_role(&role, namespace, name),
            None => Err(ServiceError::new(
                400,
                "NoCredentialProviders",
                "no EC2 IMDS role found, operation error ec2imds: GetMetadata",
            )),
        };
        let mut first_error = None;
        let mut note = |outcome: Result<(), PartError>| {
            if let Err(error) = outcome {
                first_error.get_or_insert(error);
            }
        };
        for attachment in self.attachments.state() {
            note(self.attach(&attachment, &principal).await);
        }
        for claim in self.claims.state() {
            note(self.provision(&claim, &principal).await);
            note(self.enlarge(&claim, &principal).await);
        }
        for volume in self.volumes.state() {
            note(self.remove(&volume, &principal).await);
        }
        first_error.map_or(Ok(()), Err)
    }
}

/// Whom the driver acts as, or why it cannot.
type Session = Result<Principal, ServiceError>;

impl Volumes {
    fn volume(&self, name: &str) -> Option<Arc<PersistentVolume>> {
        self.volumes.get(&ObjectRef::new(name))
    }

    /// Whether an object is to be tried, which it is not for a while after it failed.
    fn is_due(&self, uid: &str) -> bool {
        self.failed.get(uid).is_none_or(|at| at.elapsed() >= TRY_AGAIN)
    }

    /// Remembers what became of an object.
    fn remember(&mut self, uid: &str, has_failed: bool) {
        if has_failed {
            self.failed.insert(uid.to_owned(), Instant::now());
        } else {
            self.failed.remove(uid);
        }
    }

    /// Calls EC2 as the driver, whose role must allow the action.
    fn call<T>(
        &self,
        session: &Session,
        action: &str,
        run: impl FnOnce(&mut Call<'_>) -> Result<T, ServiceError>,
    ) -> Result<T, PartError> {
        let principal = session.as_ref().map_err(|error| PartError::Refused(error.clone()))?;
        let done = self.context.account.change(principal, |call| {
            let any = call.arn("ec2", "volume/*");
            permission::check(call, action, &any, &driver_circumstances())?;
            run(call)
        })?;
        Ok(done?)
    }
}

/// The tags by which the driver's policy knows its volumes: those that it makes, and those that it has made.
fn driver_circumstances() -> Circumstances {
    let tags = [("ebs.csi.aws.com/cluster", "true"), ("CSIVolumeName", "pvc")];
    let of_ec2 = tags.map(|(key, value)| (format!("ec2:ResourceTag/{key}"), value));
    let all = Circumstances::default().tagging(tags).tagged(tags);
    of_ec2.into_iter().fold(all, |all, (key, value)| all.with(&key, value))
}

/// The CSI driver and the id of the volume behind an object, if it is one of the driver's.
fn handle(volume: &PersistentVolume) -> Option<String> {
    let source = volume.spec.as_ref()?.csi.as_ref()?;
    (source.driver == DRIVER).then(|| source.volume_handle.clone())
}

/// The id of a node's instance, and its zone.
fn instance(node: &Node) -> Option<(String, String)> {
    let provider = node.spec.as_ref()?.provider_id.clone()?;
    Some((provider.rsplit('/').next()?.to_owned(), node.labels().get(ZONE_LABEL)?.clone()))
}
