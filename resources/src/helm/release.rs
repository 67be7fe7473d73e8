//! Releases: charts that are installed in a cluster. <https://helm.sh/docs/intro/using_helm/>
//!
//! A release has no creating call of its own: installing one is a long piece of work, whose name is chosen before. So
//! `create` makes sure that the name is free, and all the rest can be done again at any time.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use lsinfra_engine::provider::{
    Changes, Connect, ErrorKind, Existing, ExplainRequest, Explanation, Found, Observed, ProviderError,
};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Expression, Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Properties, ResourceType,
    StepContext, Value,
};

use crate::durations;
use crate::helm::chart::Chart;
use crate::helm::client::HelmClient;
use crate::helm::explain;
use crate::helm::history::{DEPLOYED, Revision};
use crate::helm::uninstall::uninstall;
use crate::helm::upgrade::Upgrade;
use crate::kubernetes::error::of_read;

/// The longest name of a release: names of its objects begin with it. <https://helm.sh/docs/chart_template_guide/getting_started/>
const LONGEST_NAME: usize = 53;
/// How long one hook may take by default: migrations of a large database take their time.
const HOOK_SECONDS: u64 = 30 * 60;
/// How long pods may take to become ready by default.
const ROLLOUT_SECONDS: u64 = 15 * 60;

/// A release: a chart, installed with values. It changes with its chart's digest and its values, not with what the chart
/// makes up anew at each render.
#[derive(Clone, Inputs)]
pub struct Release {
    /// Its name, at most 53 characters.
    #[input(required, replace)]
    pub name: Input<String>,
    /// The namespace that it is in, which exists.
    #[input(required, replace)]
    pub namespace: Input<String>,
    /// The chart.
    #[input(required)]
    pub chart: Input<Chart>,
    /// The values for the chart, as a map. No secret may be in them: charts take the names of secrets.
    pub values: Input<Value>,
    /// Whether the custom resource definitions beside the chart's templates are applied each time: helm itself
    /// installs them once, and never again.
    pub apply_crds: Input<bool>,
    /// Whether a failed upgrade goes back to the revision before it. A failed installation stays, to be looked at.
    pub rollback_on_failure: Input<bool>,
    /// How long each of the chart's hooks may take, in seconds; half an hour if it is not given.
    pub hook_timeout_seconds: Input<u64>,
    /// How long its pods may take to become ready, in seconds; a quarter of an hour if it is not given.
    pub rollout_timeout_seconds: Input<u64>,
    /// The state that it is to be in: always `deployed`, which it is by default. What is found instead is drift.
    pub state: Input<String>,
    /// What says whose it is. Nothing else can be given here: see the labels of its record in the cluster.
    pub tags: Input<BTreeMap<String, String>>,
}

impl Default for Release {
    fn default() -> Self {
        Self {
            name: Input::default(),
            namespace: Input::default(),
            chart: Input::default(),
            values: Input::default(),
            apply_crds: Input::default(),
            rollback_on_failure: Input::default(),
            hook_timeout_seconds: Input::default(),
            rollout_timeout_seconds: Input::default(),
            state: DEPLOYED.into(),
            tags: Input::default(),
        }
    }
}

/// What a release gives, once its pods are ready.
#[derive(Clone, Outputs)]
pub struct ReleaseOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its namespace.
    pub namespace: Output<String>,
    /// How many times it was installed, upgraded or rolled back.
    #[output(volatile)]
    pub revision: Output<u32>,
    /// Its state, such as `deployed`.
    #[output(volatile)]
    pub status: Output<String>,
    /// The digest of its chart's archive: `sha256:…`.
    #[output(volatile)]
    pub chart_digest: Output<String>,
    /// The version of the application that the chart installs, if it names one.
    #[output(volatile)]
    pub app_version: Output<Option<String>>,
    /// Its objects as YAML, in their normal form and with digests in the place of secret data.
    #[output(volatile)]
    pub manifest: Output<String>,
    /// The ends of the logs of the hooks of the last installation or upgrade, by job, without the values of secrets.
    #[output(volatile)]
    pub hook_logs: Output<Option<BTreeMap<String, String>>>,
}

impl ReleaseOutputs {
    /// What is on record, with what was seen now.
    fn observed(recorded: &Properties, revision: &Revision, name: &str, namespace: &str) -> Self {
        fn kept<T>(recorded: &Properties, name: &str) -> Output<T> {
            let value = recorded.get(name).cloned().unwrap_or_default();
            Output::from_expression(Expression::Value(value))
        }
        Self {
            name: name.to_owned().into(),
            namespace: namespace.to_owned().into(),
            revision: revision.number.into(),
            status: revision.status.clone().into(),
            chart_digest: kept(recorded, "chart_digest"),
            app_version: kept(recorded, "app_version"),
            manifest: kept(recorded, "manifest"),
            hook_logs: kept(recorded, "hook_logs"),
        }
    }
}

/// The inputs of a release, all known.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) chart: Chart,
    pub(crate) values: Value,
    pub(crate) apply_crds: bool,
    pub(crate) rollback_on_failure: bool,
    pub(crate) hook_timeout: Duration,
    pub(crate) rollout_timeout: Duration,
}

impl Release {
    fn wanted(&self) -> Result<Wanted, ProviderError> {
        let missing =
            || ProviderError::new(ErrorKind::Invalid, "a release needs a name, a namespace and a chart");
        let seconds = |input: &Input<u64>, default| Duration::from_secs(input.get().unwrap_or(default));
        Ok(Wanted {
            name: self.name.get().ok_or_else(missing)?,
            namespace: self.namespace.get().ok_or_else(missing)?,
            chart: self.chart.get().ok_or_else(missing)?,
            values: self.values.get().unwrap_or_else(|| Value::Map(BTreeMap::new())),
            apply_crds: self.apply_crds.get().unwrap_or_default(),
            rollback_on_failure: self.rollback_on_failure.get().unwrap_or_default(),
            hook_timeout: seconds(&self.hook_timeout_seconds, HOOK_SECONDS),
            rollout_timeout: seconds(&self.rollout_timeout_seconds, ROLLOUT_SECONDS),
        })
    }

    async fn upgrade(
        &self,
        client: &HelmClient,
        step: &StepContext,
    ) -> Result<ReleaseOutputs, ProviderError> {
        let wanted = self.wanted()?;
        let done = Upgrade { client, step, wanted: &wanted }.carry_out().await?;
        Ok(ReleaseOutputs {
            name: wanted.name.into(),
            namespace: wanted.namespace.into(),
            revision: done.revision.into(),
            status: DEPLOYED.to_owned().into(),
            chart_digest: done.chart_digest.into(),
            app_version: done.app_version.into(),
            manifest: done.manifest.into(),
            hook_logs: Some(done.hook_logs).into(),
        })
    }
}

/// The parts of an id.
pub(crate) fn parts(id: &PhysicalId) -> Result<(&str, &str), ProviderError> {
    let broken =
        || ProviderError::new(ErrorKind::Invalid, format!("{id} is no `namespace/name` of a release"));
    let (namespace, name) = id.as_str().split_once('/').ok_or_else(broken)?;
    if namespace.is_empty() || name.is_empty() || name.contains('/') {
        Err(broken())
    } else {
        Ok((namespace, name))
    }
}

fn id_of(namespace: &str, name: &str) -> PhysicalId {
    PhysicalId::new(format!("{namespace}/{name}"))
}

/// The last revision of a history.
pub(crate) fn latest(history: &[Revision]) -> Option<&Revision> {
    history.iter().max_by_key(|revision| revision.number)
}

/// Whether a release is there, and not on its way out.
fn is_there(revision: &Revision) -> bool {
    !matches!(revision.status.as_str(), "uninstalling" | "uninstalled")
}

fn is_dns_label(text: &str) -> bool {
    let is_legal = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    !text.is_empty() && text.chars().all(is_legal) && !text.starts_with('-') && !text.ends_with('-')
}

#[async_trait]
impl ResourceType for Release {
    const TYPE: &'static str = "helm:Release";
    const ID_FORM: &'static str = "its namespace and name: `langsmith/langsmith`";
    const SERVICE: &'static str = "helm";
    const SERVICE_PARALLELISM: usize = 4;
    /// A cluster shows what was written at once.
    const CONSISTENCY_WINDOW: Duration = Duration::ZERO;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = ReleaseOutputs;
    type Client = HelmClient;

    fn check(&self) -> Vec<InputProblem> {
        let problem =
            |path: &str, message: &str| InputProblem { path: path.to_owned(), message: message.to_owned() };
        let mut problems = self.chart.get().map(|chart| chart.check()).unwrap_or_default();
        if self.name.get().is_some_and(|name| !is_dns_label(&name) || name.len() > LONGEST_NAME) {
            problems
                .push(problem("name", "a name consists of a-z, 0-9 and -, and has at most 53 characters"));
        }
        if self.namespace.get().is_some_and(|namespace| !is_dns_label(&namespace) || namespace.len() > 63) {
            problems.push(problem("namespace", "a namespace consists of a-z, 0-9 and -, at most 63 of them"));
        }
        match self.values.get() {
            Some(values) if values.has_secret() => {
                problems.push(problem(
                    "values",
                    "helm keeps values in the cluster as they are: no secret may be in them",
                ));
            }
            Some(values) if values.as_map().is_none() => problems.push(problem("values", "values are a map")),
            _ => {}
        }
        if self.state.get().is_some_and(|state| state != DEPLOYED) {
            problems.push(problem("state", "a release can only be wanted `deployed`"));
        }
        if self.tags.is_given() {
            problems.push(problem("tags", "a release has no tags but those that say whose it is"));
        }
        for (path, timeout) in [
            ("hook_timeout_seconds", &self.hook_timeout_seconds),
            ("rollout_timeout_seconds", &self.rollout_timeout_seconds),
        ] {
            if timeout.get() == Some(0) {
                problems.push(problem(path, "a timeout is at least one second"));
            }
        }
        problems
    }

    fn predict(&self, _connection: &Value) -> ReleaseOutputs {
        let digest = self.chart.get().and_then(|chart| chart.digest);
        ReleaseOutputs {
            name: self.name.get().map_or_else(Output::unknown, Output::from),
            namespace: self.namespace.get().map_or_else(Output::unknown, Output::from),
            status: DEPLOYED.to_owned().into(),
            chart_digest: digest.map_or_else(Output::unknown, Output::from),
            ..ReleaseOutputs::unknown()
        }
    }

    /// Makes sure that nobody has a release of that name.
    async fn create(&self, client: &HelmClient, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let Wanted { name, namespace, .. } = self.wanted()?;
        client.helm.check().await?;
        let history = client.history(&namespace, &name).await?;
        if latest(&history).is_some_and(|latest| !latest.is_own(step)) {
            let message = format!(
                "there is a release {name} in the namespace {namespace} that was not made for this resource: it is left \
                 alone; uninstall it, or import it as {namespace}/{name}"
            );
            return Err(ProviderError::new(ErrorKind::AlreadyExists, message));
        }
        Ok(id_of(&namespace, &name))
    }

    async fn complete(
        &self,
        client: &HelmClient,
        step: &StepContext,
        _id: &PhysicalId,
    ) -> Result<ReleaseOutputs, ProviderError> {
        self.upgrade(client, step).await
    }

    async fn read(
        client: &HelmClient,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut namespaces = BTreeMap::new();
        let mut observed = Vec::with_capacity(objects.len());
        for object in objects {
            let (namespace, name) = parts(&object.id)?;
            if !namespaces.contains_key(namespace) {
                // With the cluster all that was in it is gone.
                let releases = match client.releases(namespace).await {
                    Err(error) if error.kind == ErrorKind::NotFound => BTreeMap::new(),
                    releases => releases.map_err(of_read)?,
                };
                namespaces.insert(namespace, releases);
            }
            let history = namespaces.get(namespace).and_then(|releases| releases.get(name));
            let revision = history.and_then(|history| latest(history)).filter(|latest| is_there(latest));
            observed.push(revision.map(|revision| Observed {
                inputs: Self {
                    name: name.into(),
                    namespace: namespace.into(),
                    state: revision.state().into(),
                    tags: revision.owner_tags().into(),
                    // What it was made from is known by the digest on it; its values may hold secrets of others.
                    ..Self::default()
                },
                outputs: ReleaseOutputs::observed(&object.outputs, revision, name, namespace),
            }));
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &HelmClient,
        step: &StepContext,
        _id: &PhysicalId,
        _changes: &Changes<Self>,
    ) -> Result<ReleaseOutputs, ProviderError> {
        self.upgrade(client, step).await
    }

    async fn delete(
        &self,
        client: &HelmClient,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (namespace, name) = parts(id)?;
        uninstall(client, step, namespace, name).await
    }

    async fn find(&self, client: &HelmClient, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Wanted { name, namespace, .. } = self.wanted()?;
        let history = client.history(&namespace, &name).await?;
        let own = latest(&history).filter(|latest| latest.is_own(step));
        Ok(own.map(|_| Found { id: id_of(&namespace, &name), failed: None }))
    }

    async fn explain(
        connect: &dyn Connect<HelmClient>,
        request: ExplainRequest<'_>,
    ) -> Result<Option<Explanation>, ProviderError> {
        explain::explain(connect, request).await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lsinfra_engine::Property;
    use lsinfra_engine::secret::Secret;

    use super::*;

    fn release() -> Release {
        Release {
            name: "web".into(),
            namespace: "default".into(),
            chart: Chart {
                repository: "https://charts.example.com".to_owned(),
                name: "web".to_owned(),
                version: "1.2.3".to_owned(),
                digest: None,
            }
            .into(),
            ..Release::default()
        }
    }

    #[test]
    fn what_cannot_be_installed_is_refused_before() {
        assert!(release().check().is_empty());
        let secret = Value::Map([("password".to_owned(), Value::Secret(Secret::plain("x")))].into());
        for (wrong, path) in [
            (Release { name: "Web".into(), ..release() }, "name"),
            (Release { name: "w".repeat(54).as_str().into(), ..release() }, "name"),
            (Release { namespace: "a/b".into(), ..release() }, "namespace"),
            (Release { values: secret.into(), ..release() }, "values"),
            (Release { values: Value::List(Vec::new()).into(), ..release() }, "values"),
            (Release { state: "failed".into(), ..release() }, "state"),
            (Release { tags: BTreeMap::new().into(), ..release() }, "tags"),
            (Release { hook_timeout_seconds: 0.into(), ..release() }, "hook_timeout_seconds"),
        ] {
            let problems = wrong.check();
            assert_eq!(problems.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), [path]);
        }
    }

    #[test]
    fn the_manual_tells_the_form_of_ids() {
        let line = format!("| `{}` | {} |", Release::TYPE, Release::ID_FORM);
        let manual = include_str!("../../../docs/import.md");
        assert!(manual.lines().any(|listed| listed == line), "missing: {line}");
    }

    #[test]
    fn ids_are_namespace_and_name() {
        assert_eq!(parts(&PhysicalId::new("a/b")).unwrap(), ("a", "b"));
        for wrong in ["a", "a/", "/b", "a/b/c"] {
            assert!(parts(&PhysicalId::new(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_chart_reads_back_as_it_was_given() {
        let chart = release().chart.get().unwrap();
        assert_eq!(Chart::from_value(&chart.to_value()).unwrap(), chart);
    }
}
