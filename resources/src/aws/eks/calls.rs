//! What the types of EKS have in common: ids, tags, updates, and the names of clusters.

use std::collections::{BTreeSet, HashMap};
use std::task::Poll;
use std::time::Duration;

use aws_sdk_eks::Client;
use aws_sdk_eks::types::{Update, UpdateStatus};
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{Input, InputProblem, PhysicalId, Property, StepContext};

use crate::aws::error::During;
use crate::aws::property::problem;
use crate::aws::tags::{TagChanges, Tags};
use crate::aws::wait::{MINUTES, until_seen};

/// How many objects are described at once: EKS has no call that describes many.
pub(super) const READ_AT_ONCE: usize = 8;
/// The longest name of a cluster, in characters.
pub(super) const LIMIT_CLUSTER_NAME: usize = 100;

/// For how long an update that was started a moment ago may not be seen yet.
const WINDOW: Duration = Duration::from_secs(30);

/// The id of something in a cluster: the cluster's name, a slash, and its own name or id.
pub(super) fn joined(cluster: &str, name: &str) -> PhysicalId {
    PhysicalId::new(format!("{cluster}/{name}"))
}

/// The parts of such an id. A cluster's name has no slash.
pub(super) fn parts(id: &PhysicalId) -> Result<(&str, &str), ProviderError> {
    id.as_str().split_once('/').ok_or_else(|| {
        let message = format!("{id}: an id of something in a cluster is CLUSTER/NAME");
        ProviderError::new(ErrorKind::Invalid, message)
    })
}

/// The parts of the id that an object with these inputs has.
pub(super) fn named(cluster: &Input<String>, name: &Input<String>) -> Option<(String, String)> {
    Some((cluster.get()?, name.get()?))
}

/// Tags as the SDK has them.
pub(super) fn sdk_tags(tags: &Tags) -> HashMap<String, String> {
    tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Tags, labels and the like as a plain map.
pub(super) fn tags_of(tags: Option<&HashMap<String, String>>) -> Tags {
    tags.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Changes the tags of what has an ARN.
pub(super) async fn change_tags(eks: &Client, arn: &str, changes: TagChanges) -> Result<(), ProviderError> {
    if !changes.put.is_empty() {
        let request = eks.tag_resource().resource_arn(arn).set_tags(Some(sdk_tags(&changes.put)));
        request.send().await.during("TagResource")?;
    }
    if !changes.remove.is_empty() {
        let request = eks.untag_resource().resource_arn(arn).set_tag_keys(Some(changes.remove));
        request.send().await.during("UntagResource")?;
    }
    Ok(())
}

/// What an update changes.
pub(super) enum Target<'a> {
    Cluster,
    NodeGroup(&'a str),
    Addon(&'a str),
}

/// Waits until an update has taken effect.
///
/// # Errors
/// [`ErrorKind::Invalid`] with what EKS says of an update that failed; those of waiting.
pub(super) async fn finished(
    eks: &Client,
    step: &StepContext,
    cluster: &str,
    target: Target<'_>,
    update: Option<Update>,
) -> Result<(), ProviderError> {
    let (node_group, addon, what) = match target {
        Target::Cluster => (None, None, format!("cluster {cluster}")),
        Target::NodeGroup(name) => (Some(name), None, format!("node group {name}")),
        Target::Addon(name) => (None, Some(name), format!("add-on {name}")),
    };
    let Some(update) = update else {
        let message = format!("the answer to an update of {what} names no update");
        return Err(ProviderError::new(ErrorKind::Unclear, message));
    };
    if let Poll::Ready(()) = outcome(&update, &what)? {
        return Ok(());
    }
    let id = update.id().unwrap_or_default();
    step.poll(MINUTES, || async {
        let answer = until_seen(step, WINDOW, || async {
            let request = eks.describe_update().name(cluster).update_id(id);
            let request = request.set_nodegroup_name(node_group.map(str::to_owned));
            let request = request.set_addon_name(addon.map(str::to_owned));
            request.send().await.during("DescribeUpdate")
        })
        .await?;
        let kind = update.r#type().map_or("update", |kind| kind.as_str());
        let state = answer.update().map_or(Ok(Poll::Pending), |update| outcome(update, &what))?;
        Ok((state, format!("{what} is being updated: {kind} {id}")))
    })
    .await
}

/// What has become of an update.
fn outcome(update: &Update, what: &str) -> Result<Poll<()>, ProviderError> {
    match update.status() {
        Some(UpdateStatus::Successful) => Ok(Poll::Ready(())),
        Some(UpdateStatus::Failed | UpdateStatus::Cancelled) => {
            let kind = update.r#type().map_or("update", |kind| kind.as_str());
            let id = update.id().unwrap_or_default();
            let message = format!("{what}: the {kind} {id} failed: {}", failures(update));
            Err(ProviderError::new(ErrorKind::Invalid, message))
        }
        _ => Ok(Poll::Pending),
    }
}

fn failures(update: &Update) -> String {
    let texts = update.errors().iter().map(|error| {
        let code = error.error_code().map_or("Unknown", |code| code.as_str());
        issue(code, error.error_message(), error.resource_ids())
    });
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() { "EKS gives no reason".to_owned() } else { texts.join("; ") }
}

/// What EKS says is wrong with something.
pub(super) fn issue(code: &str, message: Option<&str>, about: &[String]) -> String {
    let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
    format!("{code}: {}{about}", message.unwrap_or_default())
}

/// A call that changes nothing is refused by EKS: what is wanted is there.
pub(super) fn unless_already_so<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    const TEXTS: [&str; 2] = ["already at the desired configuration", "No changes needed"];
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if TEXTS.iter().any(|text| error.message.contains(text)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Typed texts as the SDK has them.
pub(super) fn texts<T: Property + Into<String>>(list: Vec<T>) -> Vec<String> {
    list.into_iter().map(Into::into).collect()
}

/// The same texts, in whatever order.
pub(super) fn same_set(one: &[String], other: &[String]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}

/// The minor version of Kubernetes in a text such as `1.36`.
pub(super) fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("1.")?.parse().ok()
}

/// A problem of a version that is none.
pub(super) fn check_version(version: &Input<String>) -> Option<InputProblem> {
    let version = version.get()?;
    minor(&version).is_none().then(|| {
        problem("version", format!("{version:?}: a version of Kubernetes has two parts, such as 1.36"))
    })
}

/// A problem of an update to an older version.
pub(super) fn check_upgrade(
    what: &str,
    previous: &Input<String>,
    version: &Input<String>,
) -> Option<InputProblem> {
    let (before, after) = (previous.get()?, version.get()?);
    (minor(&after)? < minor(&before)?).then(|| problem("version", downgrade(what, &before, &after)))
}

/// Why a version is not lowered.
pub(super) fn downgrade(what: &str, before: &str, after: &str) -> String {
    format!(
        "the {what} is at {before} and EKS never goes back to {after}: declare {before} or a newer version, \
         or another {what} beside it"
    )
}
