//! Installing and upgrading: from a release as it is, interrupted or not, to one whose pods are ready.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::DeleteParams;
use lsinfra_engine::StepContext;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use sha2::{Digest, Sha256};

use crate::helm::HelmError;
use crate::helm::chart::{Archive, hexadecimal};
use crate::helm::client::HelmClient;
use crate::helm::crds::apply_crds;
use crate::helm::guarded::OutputLock;
use crate::helm::history::{DEPLOYED, Recovery, Revision, labels_argument, made_from, recovery};
use crate::helm::hooks::Hooks;
use crate::helm::manifest::Manifest;
use crate::helm::phase::Phase;
use crate::helm::release::{Wanted, latest};
use crate::helm::render::Rendering;
use crate::helm::requirements::{Needed, SecretName, required_secrets};
use crate::helm::rollout::Rollout;
use crate::helm::uninstall::remove;
use crate::kubernetes::KubernetesClient;

/// How many revisions of a release helm keeps.
const KEPT_REVISIONS: &str = "10";
/// How long a helm of an earlier run is waited for: it ends as soon as that run does.
const LONGEST_OTHER_RUN: Duration = Duration::from_secs(60);
/// How often an interrupted release is brought a step nearer to where it can be upgraded.
const RECOVERIES: u32 = 3;

/// One installation or upgrade.
#[derive(Clone, Copy)]
pub(crate) struct Upgrade<'a> {
    pub(crate) client: &'a HelmClient,
    pub(crate) step: &'a StepContext,
    pub(crate) wanted: &'a Wanted,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) revision: u32,
    pub(crate) chart_digest: String,
    pub(crate) app_version: Option<String>,
    pub(crate) manifest: String,
    /// The ends of the logs of its hooks, by job.
    pub(crate) hook_logs: BTreeMap<String, String>,
}

impl Upgrade<'_> {
    /// Brings the release to what is wanted, and waits until its pods are ready.
    ///
    /// # Errors
    /// [`ErrorKind::CheckFailed`] if secrets are missing or pods restart, [`ErrorKind::TimedOut`], and helm's own.
    pub(crate) async fn carry_out(&self) -> Result<Done, ProviderError> {
        let Self { client, step, wanted } = *self;
        client.helm.check().await?;
        let cluster = client.cluster()?;
        let archive = client.helm.archive(&wanted.chart).await?;
        let made_from = made_from(&archive, &wanted.values);
        self.check_owner(&self.history().await?)?;
        if wanted.apply_crds {
            let crds = client.helm.crds(&archive).await?;
            apply_crds(cluster, step, &crds, wanted.rollout_timeout).await?;
        }
        let history = self.recovered().await?;
        let before = latest(&history).cloned();
        let (mut hooks_succeeded_at, mut hook_logs) = (None, BTreeMap::new());
        let holds = before.as_ref().is_some_and(|latest| latest.holds(&made_from));
        if !holds {
            self.check_chart(before.as_ref(), &archive)?;
            let manifest = self.rendered(&archive, before.is_some()).await?;
            require_secrets(cluster, &manifest, &wanted.namespace).await?;
            let mut hooks = Hooks::of(cluster, &wanted.namespace, &manifest);
            hooks.forget_earlier().await?;
            let revision = before.as_ref().map_or(1, |latest| latest.number + 1);
            let labels = labels_argument(step, revision, &made_from, &wanted.chart, &archive);
            let args = self.upgrade_args(&archive, labels);
            if let Err(mut error) = self.run("upgrade", args, &mut hooks).await {
                error.message.push_str(&hooks.complaints().await);
                return Err(self.gone_back(&history, error).await);
            }
            // The last ones may have ended since the last look.
            let _ = hooks.look().await;
            hooks_succeeded_at = hooks.succeeded_at();
            hook_logs = hooks.into_logs();
        }
        let history_now = self.history().await?;
        let Some(now) = latest(&history_now) else {
            let message = format!("the release {} is gone again", wanted.name);
            return Err(ProviderError::new(ErrorKind::NotFound, message));
        };
        let applied = client.applied(&wanted.namespace, &wanted.name, now.number).await?;
        let rollout = Rollout::of(cluster, &wanted.namespace, &applied);
        if let Err(error) = rollout.complete(step, wanted.rollout_timeout, hooks_succeeded_at).await {
            return Err(if holds { error } else { self.gone_back(&history, error).await });
        }
        Ok(Done {
            revision: now.number,
            app_version: client.helm.app_version(&archive).await?,
            chart_digest: archive.digest,
            manifest: applied.digested(&step.secret_key).to_text(),
            hook_logs,
        })
    }

    async fn history(&self) -> Result<Vec<Revision>, ProviderError> {
        self.client.history(&self.wanted.namespace, &self.wanted.name).await
    }

    /// Refuses a release that is another one's by now.
    fn check_owner(&self, history: &[Revision]) -> Result<(), ProviderError> {
        let Some(latest) = latest(history) else { return Ok(()) };
        // An imported one carries no labels until its first upgrade.
        let is_imported = latest.is_unowned() && self.step.tags_pending;
        if is_imported || latest.is_own(self.step) {
            return Ok(());
        }
        let Wanted { name, namespace, .. } = self.wanted;
        let message = format!(
            "the release {name} in the namespace {namespace} does not carry this resource's labels: somebody else has \
             installed it, and it is left alone"
        );
        Err(ProviderError::new(ErrorKind::Invalid, message))
    }

    fn check_chart(&self, before: Option<&Revision>, archive: &Archive) -> Result<(), HelmError> {
        let recorded = before.and_then(|before| before.other_digest(&self.wanted.chart, archive));
        recorded.map_or(Ok(()), |recorded| {
            Err(HelmError::ChangedChart {
                chart: self.wanted.chart.label(),
                found: archive.digest.clone(),
                recorded: recorded.to_owned(),
            })
        })
    }

    async fn rendered(&self, archive: &Archive, is_upgrade: bool) -> Result<Manifest, ProviderError> {
        let rendering = Rendering {
            name: &self.wanted.name,
            namespace: &self.wanted.namespace,
            archive,
            values: &self.wanted.values,
            is_upgrade,
            capabilities: &self.client.capabilities().await?,
        };
        Ok(self.client.helm.render(&rendering).await?)
    }

    fn upgrade_args(&self, archive: &Archive, labels: String) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec![archive.path.clone().into()];
        // Without the flag, empty values would mean those of the revision before.
        args.extend(
            ["--install", "--reset-values", "--hide-notes", "--history-max", KEPT_REVISIONS]
                .map(OsString::from),
        );
        args.extend(["--labels".into(), labels.into(), self.timeout()]);
        if self.wanted.apply_crds {
            args.push("--skip-crds".into());
        }
        args
    }

    fn timeout(&self) -> OsString {
        format!("--timeout={}s", self.wanted.hook_timeout.as_secs()).into()
    }

    /// The history, once nothing is left of a run that was interrupted.
    async fn recovered(&self) -> Result<Vec<Revision>, ProviderError> {
        let Wanted { name, namespace, .. } = self.wanted;
        for _ in 0..RECOVERIES {
            // Only when no helm of ours is at work any more does the history say how far it got.
            drop(self.lock().await?);
            let history = self.history().await?;
            let step_to_take = recovery(&history);
            if step_to_take != Recovery::Nothing {
                self.check_owner(&history)?;
                self.wait_for_hooks(&history).await?;
            }
            match step_to_take {
                Recovery::Nothing => return Ok(history),
                Recovery::Uninstall => {
                    remove(self.client, self.step, namespace, name, &history).await?;
                }
                Recovery::RollBack { to } => self.roll_back(to).await?,
                Recovery::Forget { revision } => self.forget(revision).await?,
            }
        }
        let message = format!("the release {name} is interrupted again and again: somebody else works on it");
        Err(ProviderError::new(ErrorKind::Conflict, message))
    }

    /// Waits until the hooks of an interrupted run have ended by themselves: a migration should not be cut off. One
    /// that takes too long is not waited for.
    async fn wait_for_hooks(&self, history: &[Revision]) -> Result<(), ProviderError> {
        let Wanted { name, namespace, hook_timeout, .. } = self.wanted;
        let Some(latest) = latest(history) else { return Ok(()) };
        let applied = self.client.applied(namespace, name, latest.number).await?;
        let mut hooks = Hooks::of(self.client.cluster()?, namespace, &applied);
        let mut phase = Phase::begin(self.step, Some(*hook_timeout));
        while let Some(running) = hooks.look().await? {
            match phase.pause(&format!("{running}, of a run that was interrupted")).await {
                Err(error) if error.kind == ErrorKind::TimedOut => break,
                paused => paused?,
            }
        }
        Ok(())
    }

    async fn roll_back(&self, to: u32) -> Result<(), ProviderError> {
        let revision = to.to_string();
        let mut args: Vec<OsString> = vec![revision.into(), self.timeout()];
        args.extend(["--history-max", KEPT_REVISIONS].map(OsString::from));
        let mut hooks = Hooks::of(self.client.cluster()?, &self.wanted.namespace, &Manifest::default());
        self.run("rollback", args, &mut hooks).await
    }

    /// Takes away the record of an upgrade that has nothing before it to go back to.
    async fn forget(&self, revision: u32) -> Result<(), ProviderError> {
        let cluster = self.client.cluster()?;
        let secrets: Api<Secret> = Api::namespaced(cluster.kube.clone(), &self.wanted.namespace);
        let name = format!("sh.helm.release.v1.{}.v{revision}", self.wanted.name);
        let params = DeleteParams::default();
        match cluster.call("delete a release's record", secrets.delete(&name, &params)).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The error of a failed upgrade, after going back to the revision before it if that is asked for.
    async fn gone_back(&self, history: &[Revision], error: ProviderError) -> ProviderError {
        let deployed = history.iter().filter(|revision| revision.status == DEPLOYED);
        let to = deployed.map(|revision| revision.number).max();
        let is_asked =
            self.wanted.rollback_on_failure && !error.is_transient() && error.kind != ErrorKind::Abandoned;
        let Some(to) = to.filter(|_| is_asked) else { return error };
        let outcome = match self.roll_back(to).await {
            Ok(()) => format!("it was rolled back to revision {to}"),
            Err(second) => format!("rolling back to revision {to} failed, too: {}", second.message),
        };
        ProviderError { message: format!("{}\n{outcome}", error.message), ..error }
    }

    /// Waits until no helm that an earlier run of ours has started on this host is alive.
    async fn lock(&self) -> Result<OutputLock, ProviderError> {
        let Wanted { name, namespace, .. } = self.wanted;
        lock(self.client, self.step, namespace, name).await
    }

    /// Runs a long subcommand on the release, watching its hooks.
    async fn run(
        &self,
        command: &'static str,
        args: Vec<OsString>,
        hooks: &mut Hooks<'_>,
    ) -> Result<(), ProviderError> {
        let Wanted { name, namespace, values, .. } = self.wanted;
        let cluster = self.client.cluster()?;
        let lock = self.lock().await?;
        let mut task = self.client.task().await?;
        let mut all: Vec<OsString> = vec![name.into()];
        all.extend(args);
        all.extend(["--namespace".into(), namespace.into()]);
        if command == "upgrade" {
            all.extend(["--values".into(), task.folder.write_values(values)?.into()]);
        }
        cluster.check_lock()?;
        let mut running = self.client.helm.start(&task.folder, command, all, lock).await?;
        let mut phase = Phase::begin(self.step, None);
        loop {
            // A look that fails says nothing: helm goes on.
            let seen = hooks.look().await.ok().flatten();
            let status = seen.unwrap_or_else(|| format!("helm {command} of {name}"));
            tokio::select! {
                ended = running.ended() => return ended.map(|_| ()).map_err(classified),
                paused = phase.pause(&status) => paused?,
            }
            // Whoever gives up here takes helm along.
            cluster.check_lock()?;
            // The old one may do for as long as it takes.
            let _ = task.renew_token().await;
        }
    }
}

/// Waits until no helm that an earlier run of ours has started on this host for a release is alive.
///
/// # Errors
/// [`ErrorKind::Conflict`] if one goes on.
pub(crate) async fn lock(
    client: &HelmClient,
    step: &StepContext,
    namespace: &str,
    name: &str,
) -> Result<OutputLock, ProviderError> {
    let server = &client.cluster()?.connection.server;
    let release = hexadecimal(&Sha256::digest(format!("{server}\n{namespace}\n{name}")));
    let folder = client.helm.cache.join("running");
    std::fs::create_dir_all(&folder).map_err(HelmError::file(&folder))?;
    let path = folder.join(&release[..32]);
    let mut phase = Phase::begin(step, Some(LONGEST_OTHER_RUN));
    loop {
        if let Some(lock) = OutputLock::take(&path).map_err(HelmError::file(&path))? {
            return Ok(lock);
        }
        let waited = phase.pause("a helm of an earlier run is still alive").await;
        waited.map_err(|error| match error.kind {
            ErrorKind::TimedOut => ProviderError { kind: ErrorKind::Conflict, ..error },
            _ => error,
        })?;
    }
}

/// Helm's error, by what may be done about it.
pub(crate) fn classified(error: HelmError) -> ProviderError {
    let HelmError::Refused { message, .. } = &error else { return error.into() };
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    let kind = if says(&["failed calling webhook"]) {
        // The webhooks of a controller answer once its pods run.
        ErrorKind::Conflict
    } else if says(&["timed out waiting", "context deadline exceeded"]) {
        ErrorKind::TimedOut
    } else if says(&["connection refused", "connection reset", "etcdserver:", "TLS handshake timeout"]) {
        ErrorKind::Unclear
    } else if says(&["Unauthorized", "is forbidden"]) {
        ErrorKind::Denied
    } else {
        ErrorKind::Invalid
    };
    ProviderError::new(kind, error.to_string())
}

/// Makes sure that every secret that pods need is there, with its keys.
///
/// # Errors
/// [`ErrorKind::CheckFailed`] with all that is missing.
async fn require_secrets(
    cluster: &KubernetesClient,
    manifest: &Manifest,
    namespace: &str,
) -> Result<(), ProviderError> {
    let mut missing = Vec::new();
    for (secret, needed) in required_secrets(manifest, namespace) {
        let api: Api<Secret> = Api::namespaced(cluster.kube.clone(), &secret.namespace);
        let found = cluster.call("get a secret", api.get_opt(&secret.name)).await?;
        let keys = found.map(|found| found.data.unwrap_or_default());
        missing.extend(lacks(&secret, &needed, keys.as_ref()));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("pods would wait for secrets that are not there:\n{}", missing.join("\n"));
    Err(ProviderError::new(ErrorKind::CheckFailed, message))
}

/// What is missing of a secret that is needed, in a line; `found` are its keys, if it is there.
fn lacks<T>(secret: &SecretName, needed: &Needed, found: Option<&BTreeMap<String, T>>) -> Option<String> {
    let SecretName { namespace, name } = secret;
    let by: Vec<&str> = needed.by.iter().map(String::as_str).collect();
    let by = by.join(", ");
    let keys: Vec<&str> = match found {
        Some(found) => {
            needed.keys.iter().filter(|key| !found.contains_key(*key)).map(String::as_str).collect()
        }
        None => needed.keys.iter().map(String::as_str).collect(),
    };
    match (found, keys.is_empty()) {
        (Some(_), true) => None,
        (None, true) => Some(format!("secret {namespace}/{name}, for {by}")),
        (None, false) => Some(format!("secret {namespace}/{name} with {}, for {by}", keys.join(", "))),
        (Some(_), false) => Some(format!("{} in the secret {namespace}/{name}, for {by}", keys.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_who_needs_it() {
        let secret = SecretName { namespace: "n".to_owned(), name: "s".to_owned() };
        let needed = Needed {
            keys: ["a".to_owned(), "b".to_owned()].into(),
            by: ["Deployment web".to_owned(), "Job migrate".to_owned()].into(),
        };
        let keys =
            |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), ())).collect::<BTreeMap<_, _>>();
        assert_eq!(lacks(&secret, &needed, Some(&keys(&["a", "b", "c"]))), None);
        assert_eq!(
            lacks(&secret, &needed, Some(&keys(&["a"]))).as_deref(),
            Some("b in the secret n/s, for Deployment web, Job migrate")
        );
        assert_eq!(
            lacks::<()>(&secret, &needed, None).as_deref(),
            Some("secret n/s with a, b, for Deployment web, Job migrate")
        );
        let whole = Needed { keys: Default::default(), ..needed };
        assert_eq!(
            lacks::<()>(&secret, &whole, None).as_deref(),
            Some("secret n/s, for Deployment web, Job migrate")
        );
        assert_eq!(lacks(&secret, &whole, Some(&keys(&[]))), None);
    }

    #[test]
    fn what_passes_is_told_apart_from_what_does_not() {
        let of = |message: &str| {
            classified(HelmError::Refused { command: "upgrade", message: message.to_owned() }).kind
        };
        assert_eq!(of("failed calling webhook \"m\": no endpoints"), ErrorKind::Conflict);
        assert_eq!(of("timed out waiting for the condition"), ErrorKind::TimedOut);
        assert_eq!(of("dial tcp 127.0.0.1:1: connect: connection refused"), ErrorKind::Unclear);
        assert_eq!(of("secrets is forbidden: User"), ErrorKind::Denied);
        assert_eq!(of("values don't meet the specifications of the schema"), ErrorKind::Invalid);
    }
}
