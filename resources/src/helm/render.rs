//! Rendering charts, as helm would before it applies them.

use std::ffi::OsString;

use lsinfra_engine::Value;
use lsinfra_engine::provider::ProviderError;

use crate::helm::HelmError;
use crate::helm::chart::Archive;
use crate::helm::client::HelmClient;
use crate::helm::manifest::Manifest;
use crate::helm::program::Helm;

/// What stands in rendered texts for a value that only apply will know.
const UNKNOWN: &str = "<known after apply>";

/// What a cluster can do, as charts ask for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Its version, such as `v1.36.3`; helm's own idea of one if there is none.
    pub(crate) kubernetes_version: Option<String>,
    /// Its APIs, as `group/version` and `group/version/Kind`, beside those that every cluster has.
    pub(crate) api_versions: Vec<String>,
}

/// What is rendered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rendering<'a> {
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) archive: &'a Archive,
    /// Without unknowns: see [`with_placeholders`].
    pub(crate) values: &'a Value,
    pub(crate) is_upgrade: bool,
    pub(crate) capabilities: &'a Capabilities,
}

impl Helm {
    /// Renders a chart, its hooks too, without asking any cluster.
    ///
    /// # Errors
    /// [`HelmError`]; [`HelmError::Refused`] if the chart refuses its values.
    pub(crate) async fn render(&self, rendering: &Rendering<'_>) -> Result<Manifest, HelmError> {
        let folder = self.folder()?;
        let mut args: Vec<OsString> = vec![rendering.name.into(), rendering.archive.path.clone().into()];
        args.extend(["--namespace".into(), rendering.namespace.into(), "--skip-tests".into()]);
        args.extend(["--values".into(), folder.write_values(rendering.values)?.into()]);
        if rendering.is_upgrade {
            args.push("--is-upgrade".into());
        }
        if let Some(version) = &rendering.capabilities.kubernetes_version {
            args.extend(["--kube-version".into(), version.into()]);
        }
        for api in &rendering.capabilities.api_versions {
            args.extend(["--api-versions".into(), api.into()]);
        }
        Manifest::parse(&self.run(&folder, "template", args).await?)
    }
}

impl HelmClient {
    /// What helm applied in a revision, hooks and all.
    pub(crate) async fn applied(
        &self,
        namespace: &str,
        name: &str,
        revision: u32,
    ) -> Result<Manifest, ProviderError> {
        let task = self.task().await?;
        let args = |what: &str| -> Vec<OsString> {
            let revision = revision.to_string();
            [what, name, "--namespace", namespace, "--revision", &revision].map(OsString::from).into()
        };
        let manifest = self.helm.run(&task.folder, "get", args("manifest")).await?;
        let hooks = self.helm.run(&task.folder, "get", args("hooks")).await?;
        Ok(Manifest::parse(&manifest)?.and(Manifest::parse(&hooks)?))
    }
}

/// Values with placeholders for what is not known yet.
pub(crate) fn with_placeholders(values: &Value) -> Value {
    match values {
        Value::Unknown => Value::text(UNKNOWN),
        Value::List(items) => Value::List(items.iter().map(with_placeholders).collect()),
        Value::Map(members) => {
            let members = members.iter().map(|(name, member)| (name.clone(), with_placeholders(member)));
            Value::Map(members.collect())
        }
        known => known.clone(),
    }
}
