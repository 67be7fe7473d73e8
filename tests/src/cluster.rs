//! The cluster of a sandbox, asked and changed as its administrator does: behind the binary's back.

use std::path::PathBuf;

use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use lsinfra_sandbox::Binaries;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::project::Project;

/// Where the charts are that are installed in clusters, and whether there are programs to run one.
///
/// # Errors
/// What is missing, for the name of a scenario that is skipped.
pub fn charts_for_clusters() -> Result<PathBuf, &'static str> {
    if Binaries::installed().is_none() {
        return Err("`lsinfra sandbox install` has not built Kubernetes");
    }
    let folder = std::env::var_os("LSINFRA_CHARTS").map(PathBuf::from).filter(|folder| folder.is_dir());
    folder.ok_or("LSINFRA_CHARTS names no folder")
}

/// The API of the one cluster of a project's sandbox.
pub struct Cluster {
    runtime: Runtime,
    client: Client,
    kubeconfig: PathBuf,
}

/// A kind of objects: its API version, such as `apps/v1`, and its name.
pub type Kind<'a> = (&'a str, &'a str);

impl Cluster {
    /// Finds it.
    pub fn of(project: &Project) -> Self {
        let folder = project.path().join(".lsinfra/sandbox/kubernetes");
        let clusters: Vec<PathBuf> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let [cluster] = &clusters[..] else { panic!("{clusters:?}") };
        let kubeconfig = cluster.join("kubeconfig");
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let file = Kubeconfig::read_from(&kubeconfig).unwrap();
            let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
            Client::try_from(config).unwrap()
        });
        Self { runtime, client, kubeconfig }
    }

    /// The file with which other programs reach it.
    pub fn kubeconfig(&self) -> &PathBuf {
        &self.kubeconfig
    }

    /// The objects of a kind in all namespaces, or in one, that have such labels.
    pub fn list(&self, kind: Kind<'_>, namespace: Option<&str>, labels: &str) -> Vec<Value> {
        let api = self.api(kind, namespace);
        let listed = self.runtime.block_on(api.list(&ListParams::default().labels(labels))).unwrap();
        listed.items.into_iter().map(|object| serde_json::to_value(object).unwrap()).collect()
    }

    /// An object of a namespace, if it is there.
    pub fn get(&self, kind: Kind<'_>, namespace: &str, name: &str) -> Option<Value> {
        let object = self.runtime.block_on(self.api(kind, Some(namespace)).get_opt(name)).unwrap()?;
        Some(serde_json::to_value(object).unwrap())
    }

    /// Makes an object in a namespace.
    pub fn create(&self, kind: Kind<'_>, namespace: &str, object: Value) {
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let api = self.api(kind, Some(namespace));
        self.runtime.block_on(api.create(&PostParams::default(), &object)).unwrap();
    }

    /// Changes an object of a namespace: a merge patch.
    pub fn patch(&self, kind: Kind<'_>, namespace: &str, name: &str, patch: &Value) {
        let api = self.api(kind, Some(namespace));
        self.runtime.block_on(api.patch(name, &PatchParams::default(), &Patch::Merge(patch))).unwrap();
    }

    fn api(&self, (api_version, kind): Kind<'_>, namespace: Option<&str>) -> Api<DynamicObject> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }
}
