//! The ClickHouse operator: an installation of ClickHouse or of its Keepers becomes a StatefulSet and a Service for each host, a
//! Service for all, a PodDisruptionBudget for each cluster, and its status. Owns their life; must not know how they look. The
//! operator's configuration files are not made: nobody reads them.
//! <https://github.com/Altinity/clickhouse-operator/blob/master/docs/custom_resource_explained.md>

mod kind;
mod layout;
mod objects;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Client, Resource, ResourceExt};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::kind::{KINDS, Kind};
use self::layout::Installation;
use super::{Context, Controller, Deployed, PartError};

const FIELD_MANAGER: &str = "clickhouse-operator";
/// The annotation that keeps what an object was made from: it is written again when that changes.
const MADE_FROM: &str = "clickhouse.altinity.com/sandbox-made-from";

/// The operator.
pub(super) struct Operator {
    context: Context,
    deployed: Deployed,
    installations: Vec<(&'static Kind, Store<DynamicObject>)>,
    sets: Store<StatefulSet>,
    services: Store<Service>,
    budgets: Store<PodDisruptionBudget>,
    claims: Store<PersistentVolumeClaim>,
}

impl Controller for Operator {
    async fn begin(context: Context) -> Result<Self, PartError> {
        let client = context.client.clone();
        let watch = |kind: &'static Kind| {
            let resource = kind.resource();
            (kind, context.watch_as::<DynamicObject>(Api::all_with(client.clone(), &resource), resource))
        };
        Ok(Self {
            deployed: context.deployed(),
            installations: KINDS.iter().map(watch).collect(),
            sets: context.watch(Api::all(client.clone())),
            services: context.watch(Api::all(client.clone())),
            budgets: context.watch(Api::all(client.clone())),
            claims: context.watch(Api::all(client.clone())),
            context,
        })
    }

    async fn reconcile(&mut self) -> Result<(), PartError> {
        if self.deployed.ready("altinity-clickhouse-operator").is_none() {
            return Ok(());
        }
        let mut first_error = Ok(());
        for (kind, store) in &self.installations {
            for object in store.state() {
                let done = if object.metadata.deletion_timestamp.is_some() {
                    self.remove(kind, &object).await
                } else {
                    self.bring_about(kind, &object).await
                };
                first_error = first_error.and(done);
            }
        }
        first_error
    }
}

impl Operator {
    async fn bring_about(&self, kind: &Kind, object: &DynamicObject) -> Result<(), PartError> {
        let (name, namespace) = (object.name_any(), object.namespace().unwrap_or_default());
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.context.client.clone(), &namespace, &kind.resource());
        if !object.finalizers().iter().any(|finalizer| finalizer == kind.finalizer) {
            let finalizers = [object.finalizers(), &[kind.finalizer.to_owned()]].concat();
            let patch = Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
            gone(api.patch(&name, &params(), &patch).await.map(drop))?;
        }
        let installation = Installation::read(kind, object);
        let made = objects::of(&installation);
        for service in &made.services {
            self.apply(&self.services, service, &namespace).await?;
        }
        for budget in &made.budgets {
            self.apply(&self.budgets, budget, &namespace).await?;
        }
        for set in &made.sets {
            match self.apply(&self.sets, set, &namespace).await {
                // What cannot be changed is made anew.
                Err(PartError::Api(kube::Error::Api(status))) if status.code == 422 => {
                    let name = set["metadata"]["name"].as_str().unwrap_or_default();
                    delete::<StatefulSet>(&self.context.client, &namespace, name).await?;
                }
                other => other?,
            }
        }
        self.clear(&installation, &names(&made.sets), &names(&made.services)).await?;
        let status = self.status(&installation);
        let known = &object.data["status"];
        if status
            .as_object()
            .is_some_and(|status| status.iter().any(|(key, value)| known.get(key) != Some(value)))
        {
            gone(
                api.patch_status(&name, &params(), &Patch::Merge(json!({"status": status}))).await.map(drop),
            )?;
        }
        Ok(())
    }

    /// Removes hosts that are not wanted any more, with their claims.
    async fn clear(
        &self,
        installation: &Installation<'_>,
        sets: &BTreeSet<String>,
        services: &BTreeSet<String>,
    ) -> Result<(), PartError> {
        let (client, namespace) = (&self.context.client, installation.namespace.as_str());
        for set in owned(&self.sets, installation).filter(|name| !sets.contains(name)) {
            delete::<StatefulSet>(client, namespace, &set).await?;
            self.delete_claims(installation, |claim| claim.ends_with(&format!("-{set}-0"))).await?;
        }
        for service in owned(&self.services, installation).filter(|name| !services.contains(name)) {
            delete::<Service>(client, namespace, &service).await?;
        }
        Ok(())
    }

    /// Removes everything of an installation that is being deleted, and lets it go.
    async fn remove(&self, kind: &Kind, object: &DynamicObject) -> Result<(), PartError> {
        if !object.finalizers().iter().any(|finalizer| finalizer == kind.finalizer) {
            return Ok(());
        }
        let installation = Installation::read(kind, object);
        let (client, namespace) = (&self.context.client, installation.namespace.as_str());
        for set in owned(&self.sets, &installation) {
            delete::<StatefulSet>(client, namespace, &set).await?;
        }
        for service in owned(&self.services, &installation) {
            delete::<Service>(client, namespace, &service).await?;
        }
        for budget in owned(&self.budgets, &installation) {
            delete::<PodDisruptionBudget>(client, namespace, &budget).await?;
        }
        self.delete_claims(&installation, |_| true).await?;
        let finalizers: Vec<_> =
            object.finalizers().iter().filter(|finalizer| *finalizer != kind.finalizer).collect();
        let patch = Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind.resource());
        gone(api.patch(&object.name_any(), &params(), &patch).await.map(drop))
    }

    /// Deletes claims of an installation, but for those whose template says that they are kept.
    async fn delete_claims(
        &self,
        installation: &Installation<'_>,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<(), PartError> {
        for claim in owned(&self.claims, installation).filter(|name| is_meant(name)) {
            if !installation.keeps_claim(&claim) {
                delete::<PersistentVolumeClaim>(&self.context.client, &installation.namespace, &claim)
                    .await?;
            }
        }
        Ok(())
    }

    fn status(&self, installation: &Installation<'_>) -> Value {
        let hosts = &installation.hosts;
        let is_complete = |name: &str| {
            let Some(set) = self.sets.get(&ObjectRef::new(name).within(&installation.namespace)) else {
                return false;
            };
            let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
            set.status.as_ref().is_some_and(|status| {
                status.observed_generation == set.metadata.generation
                    && status.ready_replicas.unwrap_or_default() == wanted
                    && status.updated_replicas.unwrap_or_default() == wanted
            })
        };
        let completed = hosts.iter().filter(|host| is_complete(&host.name)).count();
        let domain = format!("{}.svc.cluster.local", installation.namespace);
        let names = hosts.iter().map(|host| format!("{}-0", host.name));
        let domains = hosts.iter().map(|host| format!("{}.{domain}", host.name));
        json!({
            "taskID": installation.spec["taskID"].as_str().unwrap_or("auto"),
            "status": if completed == hosts.len() { "Completed" } else { "InProgress" },
            "clusters": installation.count(|host| host.cluster.clone()),
            "shards": installation.count(|host| format!("{}/{}", host.cluster, host.shard)),
            "replicas": installation.count(|host| format!("{}/{}", host.cluster, host.replica)),
            "hosts": hosts.len(),
            "hostsCompleted": completed,
            "pods": names.collect::<Vec<_>>(),
            "fqdns": domains.collect::<Vec<_>>(),
            "endpoint": format!("{}.{domain}", installation.service_name()),
        })
    }

    /// Writes an object if it is not there, or was made from something else.
    async fn apply<K>(&self, store: &Store<K>, object: &Value, namespace: &str) -> Result<(), PartError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug,
        K: serde::de::DeserializeOwned + serde::Serialize,
    {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let digest = digest(object);
        let there = store.get(&ObjectRef::new(name).within(namespace));
        let is_same = |there: &K| there.annotations().get(MADE_FROM) == Some(&digest);
        if there.is_some_and(|there| is_same(&there)) {
            return Ok(());
        }
        let mut object = object.clone();
        object["metadata"]["annotations"][MADE_FROM] = digest.into();
        let api: Api<K> = Api::namespaced(self.context.client.clone(), namespace);
        api.patch(name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(object)).await?;
        Ok(())
    }
}

/// What tells an object from others.
fn digest(object: &Value) -> String {
    Sha256::digest(object.to_string()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn params() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}

fn names(objects: &[Value]) -> BTreeSet<String> {
    objects.iter().filter_map(|object| Some(object["metadata"]["name"].as_str()?.to_owned())).collect()
}

/// The names of the objects that belong to an installation.
fn owned<K>(store: &Store<K>, installation: &Installation<'_>) -> impl Iterator<Item = String> + use<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let labels: BTreeMap<String, String> = installation.labels();
    let namespace = installation.namespace.clone();
    store.state().into_iter().filter_map(move |object| {
        let has = |(key, value): (&String, &String)| object.labels().get(key) == Some(value);
        let is_owned = object.namespace().as_ref() == Some(&namespace)
            && labels.iter().all(has)
            && object.meta().deletion_timestamp.is_none();
        is_owned.then(|| object.name_any())
    })
}

async fn delete<K>(client: &Client, namespace: &str, name: &str) -> Result<(), PartError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug,
    K: serde::de::DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    gone(api.delete(name, &DeleteParams::background()).await.map(drop))
}

/// What is gone already is gone.
fn gone(result: Result<(), kube::Error>) -> Result<(), PartError> {
    match result {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => Ok(other?),
    }
}
