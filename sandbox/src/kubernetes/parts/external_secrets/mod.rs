//! External Secrets: an ExternalSecret becomes a Secret with the values that Secrets Manager has, if its store's service
//! account may read them. Owns the stores, the conditions and the secrets that are made; must not know how Secrets Manager
//! keeps values. Of stores only Secrets Manager's are played, and templates only as far as a type, labels and annotations.
//! <https://external-secrets.io/latest/api/externalsecret/>

mod certificates;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::reflector::{ObjectRef, Store};
use serde_json::{Value, json};

use super::events::Events;
use super::service_accounts::ServiceAccounts;
use super::{Context, Controller, Deployed, PartError};
use crate::cloud::principal::Principal;

/// The manager of the fields of statuses.
const FIELD_MANAGER: &str = "external-secrets";

/// The controller.
pub(super) struct ExternalSecrets {
    context: Context,
    deployed: Deployed,
    events: Events,
    cluster_stores: Store<DynamicObject>,
    stores: Store<DynamicObject>,
    external_secrets: Store<DynamicObject>,
    secrets: Store<Secret>,
    service_accounts: ServiceAccounts,
    webhooks: Store<ValidatingWebhookConfiguration>,
}

/// Why something could not be synchronised, as its condition says, and in full, as its event does.
struct Failure {
    short: &'static str,
    full: String,
}

impl Failure {
    fn new(short: &'static str, full: impl Into<String>) -> Self {
        Self { short, full: full.into() }
    }
}

/// A condition `Ready`.
struct Ready {
    is_ready: bool,
    reason: &'static str,
    message: String,
}

fn kind(plural: &str, name: &str) -> ApiResource {
    let kind = GroupVersionKind::gvk("external-secrets.io", "v1", name);
    ApiResource::from_gvk_with_plural(&kind, plural)
}

impl Controller for ExternalSecrets {
    async fn begin(context: Context) -> Result<Self, PartError> {
        let client = context.client.clone();
        let watch = |resource: ApiResource| {
            context.watch_as::<DynamicObject>(Api::all_with(client.clone(), &resource), resource)
        };
        Ok(Self {
            deployed: context.deployed(),
            events: Events::new(client.clone(), FIELD_MANAGER),
            cluster_stores: watch(kind("clustersecretstores", "ClusterSecretStore")),
            stores: watch(kind("secretstores", "SecretStore")),
            external_secrets: watch(kind("externalsecrets", "ExternalSecret")),
            secrets: context.watch(Api::all(client.clone())),
            service_accounts: ServiceAccounts::watch(&context),
            webhooks: context.watch(Api::all(client.clone())),
            context,
        })
    }

    async fn reconcile(&mut self) -> Result<(), PartError> {
        if let Some(controller) = self.deployed.ready("external-secrets-cert-controller") {
            certificates::keep(&self.context, &controller, &self.secrets, &self.webhooks).await?;
        }
        let Some(controller) = self.deployed.ready("external-secrets") else { return Ok(()) };
        let mut first_error = Ok(());
        for store in [self.cluster_stores.state(), self.stores.state()].concat() {
            first_error = first_error.and(self.judge(&controller, &store).await);
        }
        for wanted in self.external_secrets.state() {
            if wanted.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let told = match self.synchronise(&controller, &wanted).await {
                Ok(Some(failure)) => {
                    let note = format!("{}: {}", failure.short, failure.full);
                    let kind = kind("externalsecrets", "ExternalSecret");
                    self.events.tell_as(&*wanted, &kind, true, "UpdateFailed", &note).await
                }
                other => other.map(drop),
            };
            first_error = first_error.and(told);
        }
        first_error
    }
}

impl ExternalSecrets {
    /// Says of a store whether it can be used.
    async fn judge(&self, controller: &Deployment, store: &DynamicObject) -> Result<(), PartError> {
        let ready = match self.reader(controller, store) {
            Ok(_) => Ready { is_ready: true, reason: "Valid", message: "store validated".to_owned() },
            Err(failure) => Ready {
                is_ready: false,
                reason: "InvalidProviderConfig",
                message: format!("{}: {}", failure.short, failure.full),
            },
        };
        self.tell(store, &ready, &json!({"capabilities": "ReadWrite"})).await
    }

    /// Brings the secret of an ExternalSecret about, or answers with why it cannot.
    async fn synchronise(
        &self,
        controller: &Deployment,
        wanted: &DynamicObject,
    ) -> Result<Option<Failure>, PartError> {
        match self.target(controller, wanted) {
            Ok(None) => Ok(None),
            Ok(Some((name, secret))) => {
                let is_new = self.write(wanted, &name, secret).await?;
                let ready =
                    Ready { is_ready: true, reason: "SecretSynced", message: "secret synced".to_owned() };
                let version = version(wanted);
                let mut status = json!({"binding": {"name": name}, "syncedResourceVersion": version});
                if is_new || wanted.data.pointer("/status/syncedResourceVersion") != Some(&version) {
                    status["refreshTime"] = now();
                }
                self.tell(wanted, &ready, &status).await?;
                Ok(None)
            }
            Err(failure) => {
                let message = failure.short.to_owned();
                let ready = Ready { is_ready: false, reason: "SecretSyncedError", message };
                self.tell(wanted, &ready, &json!({})).await?;
                Ok(Some(failure))
            }
        }
    }

    /// The secret that an ExternalSecret is to become: its name and the object. `None` if it is to become none.
    fn target(
        &self,
        controller: &Deployment,
        wanted: &DynamicObject,
    ) -> Result<Option<(String, Value)>, Failure> {
        let spec = &wanted.data["spec"];
        let text = |pointer: &str| spec.pointer(pointer).and_then(Value::as_str);
        let namespace = wanted.namespace().unwrap_or_default();
        let name = text("/target/name").map_or_else(|| wanted.name_any(), str::to_owned);
        let policy = text("/target/creationPolicy").unwrap_or("Owner");
        if policy == "None" {
            return Ok(None);
        }
        let template = &spec["target"]["template"];
        for member in ["data", "templateFrom"] {
            if !template[member].is_null() {
                let full = format!("the sandbox does not play target.template.{member}");
                return Err(Failure::new("could not apply template", full));
            }
        }
        let store = self.store(spec, &namespace)?;
        let reader = self.reader(controller, &store)?;
        let data = values::of(spec, |key, version| {
            self.context.account.look(|call| {
                call.principal = reader.clone();
                crate::services::secretsmanager::read(call, key, version)
            })
        })?;
        let is_there = self.secrets.get(&ObjectRef::new(&name).within(&namespace)).is_some();
        if policy == "Merge" && !is_there {
            let full = format!(
                "the desired secret {name} was not found. With creationPolicy=Merge the secret won't be created"
            );
            return Err(Failure::new("could not update secret", full));
        }
        let data: BTreeMap<String, ByteString> =
            data.into_iter().map(|(key, value)| (key, ByteString(value))).collect();
        let mut labels = template["metadata"]["labels"].clone();
        labels["reconcile.external-secrets.io/managed"] = "true".into();
        let mut secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "data": data,
        });
        if policy != "Merge" {
            secret["type"] = template["type"].as_str().unwrap_or("Opaque").into();
        }
        if template["metadata"]["annotations"].is_object() {
            secret["metadata"]["annotations"] = template["metadata"]["annotations"].clone();
        }
        if policy == "Owner" {
            secret["metadata"]["ownerReferences"] = json!([{
                "apiVersion": "external-secrets.io/v1",
                "kind": "ExternalSecret",
                "name": wanted.name_any(),
                "uid": wanted.uid(),
                "controller": true,
                "blockOwnerDeletion": true,
            }]);
        }
        Ok(Some((name, secret)))
    }

    /// The store that an ExternalSecret names.
    fn store(&self, spec: &Value, namespace: &str) -> Result<Arc<DynamicObject>, Failure> {
        let reference = &spec["secretStoreRef"];
        let name = reference["name"].as_str().unwrap_or_default();
        let found = if reference["kind"] == "ClusterSecretStore" {
            self.cluster_stores.find(|store| store.name_any() == name)
        } else {
            self.stores
                .find(|store| store.name_any() == name && store.namespace().as_deref() == Some(namespace))
        };
        let full = || format!("could not get the store {name:?}: there is none of this name");
        found.ok_or_else(|| Failure::new("could not get secret data from provider", full()))
    }

    /// As whom a store reads: the session of the role of the service account that it names, or else of the controller's.
    fn reader(&self, controller: &Deployment, store: &DynamicObject) -> Result<Principal, Failure> {
        let invalid = |full: String| Failure::new("unable to validate store", full);
        let provider = &store.data["spec"]["provider"];
        let aws = provider.get("aws").filter(|aws| aws["service"] == "SecretsManager");
        let aws = aws.ok_or_else(|| invalid("the sandbox plays Secrets Manager alone".to_owned()))?;
        let reference = &aws["auth"]["jwt"]["serviceAccountRef"];
        let named = |value: &Value| value.as_str().map(str::to_owned);
        let (namespace, name) = match named(&reference["name"]) {
            Some(name) => (store.namespace().or_else(|| named(&reference["namespace"])), Some(name)),
            None if aws["auth"].as_object().is_none_or(serde_json::Map::is_empty) => {
                let spec = controller.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
                (controller.namespace(), spec.and_then(|spec| spec.service_account_name.clone()))
            }
            None => return Err(invalid("the sandbox plays service accounts alone".to_owned())),
        };
        let (namespace, name) = (namespace.unwrap_or_default(), name.unwrap_or_default());
        if !self.service_accounts.has(&namespace, &name) {
            return Err(invalid(format!("serviceaccounts \"{name}\" not found in {namespace}")));
        }
        let role = self.service_accounts.role_of(&namespace, &name);
        let role = role.ok_or_else(|| {
            invalid(format!(
                "an IAM role must be associated with service account {name} (namespace: {namespace})"
            ))
        })?;
        let session = self.context.account.assume_role(&role, &namespace, &name);
        session.map_err(|error| {
            invalid(format!(
                "operation error STS: AssumeRoleWithWebIdentity, {}: {}",
                error.code, error.message
            ))
        })
    }

    /// Writes a secret, if it is not there like that; answers with whether it was not.
    async fn write(&self, owner: &DynamicObject, name: &str, secret: Value) -> Result<bool, PartError> {
        let namespace = owner.namespace().unwrap_or_default();
        if let Some(there) = self.secrets.get(&ObjectRef::new(name).within(&namespace)) {
            let there = serde_json::to_value(&*there).map_err(kube::Error::SerdeError)?;
            let is_same = |pointer: &str| there.pointer(pointer) == secret.pointer(pointer);
            let has_labels = includes(&there["metadata"]["labels"], &secret["metadata"]["labels"]);
            let has_data = match secret.get("type") {
                Some(_) => is_same("/data") && is_same("/type"),
                // What others have in there stays.
                None => includes(&there["data"], &secret["data"]),
            };
            if has_data && has_labels && is_same("/metadata/ownerReferences/0/uid") {
                return Ok(false);
            }
        }
        let manager = format!("externalsecrets.external-secrets.io/{}", owner.name_any());
        let secrets: Api<Secret> = Api::namespaced(self.context.client.clone(), &namespace);
        secrets.patch(name, &PatchParams::apply(&manager).force(), &Patch::Apply(secret)).await?;
        Ok(true)
    }

    /// Gives an object a condition, if it has another one.
    async fn tell(&self, object: &DynamicObject, ready: &Ready, more: &Value) -> Result<(), PartError> {
        let is_ready = if ready.is_ready { "True" } else { "False" };
        let known = object.data.pointer("/status/conditions/0").unwrap_or(&Value::Null);
        let is_new = known["status"] != is_ready
            || known["reason"] != ready.reason
            || known["message"] != ready.message.as_str();
        if !is_new && includes(&object.data["status"], more) {
            return Ok(());
        }
        let since = if known["status"] == is_ready { known["lastTransitionTime"].clone() } else { now() };
        let mut status = more.clone();
        status["conditions"] = json!([{
            "type": "Ready",
            "status": is_ready,
            "reason": ready.reason,
            "message": ready.message,
            "lastTransitionTime": since,
        }]);
        let types = object.types.clone().unwrap_or_default();
        let plural = format!("{}s", types.kind.to_lowercase());
        let resource = kind(&plural, &types.kind);
        let client = self.context.client.clone();
        let api: Api<DynamicObject> = match object.namespace() {
            Some(namespace) => Api::namespaced_with(client, &namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(json!({"status": status}));
        match api.patch_status(&object.name_any(), &params, &patch).await {
            Ok(_) => Ok(()),
            // It is gone meanwhile.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a value has all members of another one with those values.
fn includes(value: &Value, wanted: &Value) -> bool {
    wanted.as_object().is_none_or(|wanted| wanted.iter().all(|(key, wanted)| value.get(key) == Some(wanted)))
}

/// What tells an ExternalSecret from an earlier state of it: also its annotations and labels, by which it is refreshed at once.
fn version(wanted: &DynamicObject) -> Value {
    let hashed = json!([wanted.annotations(), wanted.labels()]).to_string();
    let hash = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, hashed.as_bytes());
    format!("{}-{hash:08x}", wanted.metadata.generation.unwrap_or_default()).into()
}

/// The present time, as objects have it.
fn now() -> Value {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}
