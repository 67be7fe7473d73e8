//! How resource types get at releases: the helm program, and the cluster that it works on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::ListParams;
use lsinfra_engine::Value;
use lsinfra_engine::provider::{Connect, ErrorKind, ProviderError};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::time::Instant;

use crate::helm::history::{OWNED_BY_HELM, Revision};
use crate::helm::program::{Helm, HelmFolder, KUBECONFIG};
use crate::helm::render::Capabilities;
use crate::kubernetes::{KubernetesClient, KubernetesConnector};

/// The name of the token's file in a task's folder.
const TOKEN: &str = "token";
/// How old a token may become while helm runs: clusters take one for 15 minutes, by the wall's clock.
/// <https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html>
const RENEWED_AFTER: Duration = Duration::from_secs(5 * 60);

/// Makes the clients of releases.
pub struct HelmConnector {
    kubernetes: Arc<KubernetesConnector>,
    helm: Arc<Helm>,
}

impl HelmConnector {
    /// With that program, on the clusters that `kubernetes` reaches.
    pub fn new(kubernetes: Arc<KubernetesConnector>, helm: Arc<Helm>) -> Self {
        Self { kubernetes, helm }
    }
}

#[async_trait]
impl Connect<HelmClient> for HelmConnector {
    /// Of a cluster that is yet to be made, charts can be rendered.
    async fn connect(&self, connection: &Value) -> Result<Arc<HelmClient>, ProviderError> {
        let cluster = match connection.has_unknown() {
            true => None,
            false => Some(self.kubernetes.connect(connection).await?),
        };
        Ok(Arc::new(HelmClient { helm: Arc::clone(&self.helm), cluster }))
    }

    fn identity(&self, connection: &Value) -> Value {
        self.kubernetes.identity(connection)
    }
}

/// The helm program, and the cluster that releases are in.
pub struct HelmClient {
    pub(crate) helm: Arc<Helm>,
    cluster: Option<Arc<KubernetesClient>>,
}

impl HelmClient {
    /// The cluster.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if there is none yet.
    pub(crate) fn cluster(&self) -> Result<&KubernetesClient, ProviderError> {
        let missing = || ProviderError::new(ErrorKind::Invalid, "the cluster is known only after apply");
        self.cluster.as_deref().ok_or_else(missing)
    }

    /// The revisions of the releases of a namespace, by name.
    pub(crate) async fn releases(
        &self,
        namespace: &str,
    ) -> Result<BTreeMap<String, Vec<Revision>>, ProviderError> {
        self.listed(namespace, OWNED_BY_HELM).await
    }

    /// The revisions of one release, in no order; none if there is no such release.
    pub(crate) async fn history(&self, namespace: &str, name: &str) -> Result<Vec<Revision>, ProviderError> {
        let selector = format!("{OWNED_BY_HELM},name={name}");
        Ok(self.listed(namespace, &selector).await?.remove(name).unwrap_or_default())
    }

    async fn listed(
        &self,
        namespace: &str,
        selector: &str,
    ) -> Result<BTreeMap<String, Vec<Revision>>, ProviderError> {
        let cluster = self.cluster()?;
        let secrets: Api<Secret> = Api::namespaced(cluster.kube.clone(), namespace);
        let params = ListParams::default().labels(selector);
        // The metadata alone: the data of each holds a whole chart.
        let listed = cluster.call("list releases", secrets.list_metadata(&params)).await?;
        let mut releases: BTreeMap<String, Vec<Revision>> = BTreeMap::new();
        for secret in listed.items {
            if let Some((name, revision)) = secret.metadata.labels.and_then(Revision::read) {
                releases.entry(name).or_default().push(revision);
            }
        }
        Ok(releases)
    }

    /// What the cluster can do, as charts ask for it.
    pub(crate) async fn capabilities(&self) -> Result<Capabilities, ProviderError> {
        let cluster = self.cluster()?;
        let version = cluster.call("get the version", cluster.kube.apiserver_version()).await?;
        let groups = cluster.call("list APIs", cluster.kube.list_api_groups_aggregated()).await?;
        let mut api_versions = Vec::new();
        for group in groups.items {
            let name = group.metadata.and_then(|metadata| metadata.name).unwrap_or_default();
            for version in group.versions {
                let Some(number) = version.version else { continue };
                api_versions.push(format!("{name}/{number}"));
                let kinds = version.resources.into_iter().filter_map(|resource| resource.response_kind?.kind);
                api_versions.extend(kinds.map(|kind| format!("{name}/{number}/{kind}")));
            }
        }
        Ok(Capabilities { kubernetes_version: Some(version.git_version), api_versions })
    }

    /// A folder for a task of helm on the cluster, with the way there.
    pub(crate) async fn task(&self) -> Result<ClusterTask<'_>, ProviderError> {
        let cluster = self.cluster()?;
        let folder = self.helm.folder()?;
        let connection = &cluster.connection;
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": {
                "server": connection.server,
                "certificate-authority-data": connection.certificate_authority,
            }}],
            // Helm reads the file again every minute.
            "users": [{"name": "lsinfra", "user": {"tokenFile": folder.path().join(TOKEN)}}],
            "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": "lsinfra"}}],
            "current-context": "cluster",
        });
        folder.write(KUBECONFIG, &kubeconfig.to_string())?;
        let mut task = ClusterTask { cluster, folder, renewed: Instant::now() };
        task.write_token().await?;
        Ok(task)
    }
}

/// A task of helm on a cluster.
pub(crate) struct ClusterTask<'a> {
    cluster: &'a KubernetesClient,
    pub(crate) folder: HelmFolder,
    renewed: Instant,
}

impl ClusterTask<'_> {
    /// Replaces the token if it has become old.
    pub(crate) async fn renew_token(&mut self) -> Result<(), ProviderError> {
        if self.renewed.elapsed() < RENEWED_AFTER { Ok(()) } else { self.write_token().await }
    }

    async fn write_token(&mut self) -> Result<(), ProviderError> {
        let token = self.cluster.token().await?;
        self.folder.write(TOKEN, token.expose_secret())?;
        self.renewed = Instant::now();
        Ok(())
    }
}
