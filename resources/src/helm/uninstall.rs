//! Uninstalling: until nothing of a release is left but what it says is to stay.

use std::ffi::OsString;
use std::time::Duration;

use lsinfra_engine::StepContext;
use lsinfra_engine::Value;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::helm::client::HelmClient;
use crate::helm::history::Revision;
use crate::helm::manifest::{Manifest, at};
use crate::helm::objects;
use crate::helm::phase::Phase;
use crate::helm::release::latest;
use crate::helm::upgrade::{classified, lock};
use crate::kubernetes::objects::{get, is_leaving};
use crate::kubernetes::{KubernetesClient, hold};

/// The annotation of an object that stays. <https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource>
const POLICY: &str = "helm.sh/resource-policy";
/// How long objects may take to go: controllers take load balancers down first.
const LONGEST_WAIT: Duration = Duration::from_secs(20 * 60);
/// How long helm waits for a hook.
const HOOK_TIMEOUT: &str = "--timeout=15m";
/// How many of the objects that are left are named.
const NAMED: usize = 3;

/// Uninstalls the release of a name, if there is one and it is of the step's lineage.
///
/// # Errors
/// [`ErrorKind::Invalid`] for another's, [`ErrorKind::TimedOut`] with what is left and what holds it, and helm's own.
pub(crate) async fn uninstall(
    client: &HelmClient,
    step: &StepContext,
    namespace: &str,
    name: &str,
) -> Result<(), ProviderError> {
    let history = match client.history(namespace, name).await {
        // With the cluster all of it is gone.
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
        history => history?,
    };
    let Some(latest) = latest(&history) else { return Ok(()) };
    // An imported one carries no labels until its first upgrade.
    let is_imported = step.tags_pending && latest.is_unowned();
    if !is_imported && !latest.is_of_lineage(step) {
        let message = format!(
            "the release {name} in the namespace {namespace} does not carry this environment's labels: it is left alone"
        );
        return Err(ProviderError::new(ErrorKind::Invalid, message));
    }
    remove(client, step, namespace, name, &history).await
}

/// Uninstalls a release with that history, whoever it belongs to, and waits until its objects are gone.
pub(crate) async fn remove(
    client: &HelmClient,
    step: &StepContext,
    namespace: &str,
    name: &str,
    history: &[Revision],
) -> Result<(), ProviderError> {
    let Some(latest) = latest(history) else { return Ok(()) };
    client.helm.check().await?;
    let cluster = client.cluster()?;
    let lock = lock(client, step, namespace, name).await?;
    let manifest = client.applied(namespace, name, latest.number).await?;
    let mut task = client.task().await?;
    let args = [name, "--namespace", namespace, "--ignore-not-found", HOOK_TIMEOUT].map(OsString::from);
    cluster.check_lock()?;
    let mut running = client.helm.start(&task.folder, "uninstall", args.into(), lock).await?;
    let mut phase = Phase::begin(step, None);
    let status = format!("helm uninstall of {name}");
    loop {
        tokio::select! {
            ended = running.ended() => {
                ended.map_err(classified)?;
                break;
            }
            paused = phase.pause(&status) => paused?,
        }
        cluster.check_lock()?;
        // The old one may do for as long as it takes.
        let _ = task.renew_token().await;
    }
    // Helm leaves its hooks behind.
    for (key, _) in manifest.hooks().filter(|(_, hook)| !stays(hook)) {
        if let Some(place) = objects::place(cluster, namespace, key).await? {
            objects::delete(cluster, &place).await?;
        }
    }
    until_gone(cluster, step, namespace, &manifest).await
}

async fn until_gone(
    cluster: &KubernetesClient,
    step: &StepContext,
    namespace: &str,
    manifest: &Manifest,
) -> Result<(), ProviderError> {
    let mut left = Vec::new();
    for (key, _) in manifest.objects.iter().filter(|(_, object)| !stays(object)) {
        left.extend(objects::place(cluster, namespace, key).await?);
    }
    let mut phase = Phase::begin(step, Some(LONGEST_WAIT));
    loop {
        let (mut still, mut reasons) = (Vec::new(), Vec::new());
        for place in left {
            let Some(found) = get(cluster, &place).await? else { continue };
            reasons.push(match is_leaving(&found) {
                true => hold::told(cluster, &place, &found).await,
                // Somebody has made it again, or keeps helm from deleting it.
                false => format!("{place} is still there"),
            });
            still.push(place);
        }
        if still.is_empty() {
            return Ok(());
        }
        let more = reasons.len().saturating_sub(NAMED);
        let mut status = reasons[..reasons.len().min(NAMED)].join("; ");
        if more > 0 {
            status = format!("{status}; and {more} more");
        }
        phase.pause(&status).await?;
        left = still;
    }
}

/// Whether an object stays when its release goes.
fn stays(object: &Value) -> bool {
    at(object, &["metadata", "annotations", POLICY]) == Some(&Value::text("keep"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_to_be_kept_is_not_waited_for() {
        let manifest = Manifest::parse(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {helm.sh/resource-policy: keep}}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, annotations: {helm.sh/hook: pre-install}}\n",
        )
        .unwrap();
        let kept: Vec<bool> = manifest.objects.values().map(stays).collect();
        assert_eq!(kept, [true, false]);
    }
}
