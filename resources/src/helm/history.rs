//! The history of a release, as helm keeps it in the cluster: a secret per revision, with labels that say how far it got.
//! <https://helm.sh/docs/topics/kubernetes_apis/> and helm's `pkg/storage/driver/secrets.go`
//!
//! Owns whose a release is, whether what is deployed is what was last asked for, and how one that was interrupted is
//! brought to where it can be upgraded again. Only labels are read: values and manifests are in the secrets' data.

use std::collections::BTreeMap;

use lsinfra_engine::StepContext;
use sha2::{Digest, Sha256};

use crate::helm::chart::{Archive, Chart, hexadecimal};

/// The label that helm puts on its secrets.
pub(crate) const OWNED_BY_HELM: &str = "owner=helm";
/// The state of a release in which all is well.
pub(crate) const DEPLOYED: &str = "deployed";

/// Whose a release is: the lineage, as in the tags of other objects.
const LINEAGE: &str = "lsinfra.dev/lineage";
/// Which resource's: the digest of its URN, since labels are short.
const RESOURCE: &str = "lsinfra.dev/resource";
/// The object's generation.
const GENERATION: &str = "lsinfra.dev/generation";
/// The revision and the digest of what it was made from. Helm hands labels down from one revision to the next, so that
/// one that somebody else made carries an earlier revision's.
const APPLIED: &str = "lsinfra.dev/applied";
/// The beginning of the chart's digest.
const CHART: &str = "lsinfra.dev/chart";
/// The chart's name and version.
const CHART_LABEL: &str = "lsinfra.dev/chart-version";

/// How much of a digest a label holds: a label has at most 63 characters.
const DIGEST_CHARACTERS: usize = 40;

/// One revision of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// How far it got, such as `deployed` or `pending-upgrade`.
    pub(crate) status: String,
    /// All labels of its secret.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Revision {
    /// Reads the labels of one of helm's secrets; `None` if they are none of a release.
    pub(crate) fn read(labels: BTreeMap<String, String>) -> Option<(String, Self)> {
        let name = labels.get("name")?.clone();
        let number = labels.get("version")?.parse().ok()?;
        let status = labels.get("status")?.clone();
        Some((name, Self { number, status, labels }))
    }

    /// Whether its labels say that it is an object of the step's lineage.
    pub(crate) fn is_of_lineage(&self, step: &StepContext) -> bool {
        let lineage = self.labels.get(LINEAGE);
        lineage.is_some() && lineage == step.owner_tags.get("lsinfra:lineage")
    }

    /// Whether no lineage is on it at all.
    pub(crate) fn is_unowned(&self) -> bool {
        !self.labels.contains_key(LINEAGE)
    }

    /// Whether its labels say that it is the step's own object.
    pub(crate) fn is_own(&self, step: &StepContext) -> bool {
        owner_labels(step).iter().all(|(name, value)| self.labels.get(*name) == Some(value))
    }

    /// The ownership tags that its labels stand for.
    pub(crate) fn owner_tags(&self) -> BTreeMap<String, String> {
        let lineage = self.labels.get(LINEAGE).cloned();
        lineage.map(|lineage| ("lsinfra:lineage".to_owned(), lineage)).into_iter().collect()
    }

    /// Whether this revision was made by lsinfra, and not by somebody who upgraded or rolled back what it had made.
    pub(crate) fn is_by_lsinfra(&self) -> bool {
        let applied = self.labels.get(APPLIED).and_then(|applied| applied.split_once('-'));
        applied.is_some_and(|(revision, _)| revision == self.number.to_string())
    }

    /// Whether it is deployed, and made from just that.
    pub(crate) fn holds(&self, made_from: &str) -> bool {
        self.status == DEPLOYED && self.labels.get(APPLIED) == Some(&applied(self.number, made_from))
    }

    /// The beginning of the digest on record for that very version of that chart, if the archive has another one.
    pub(crate) fn other_digest(&self, chart: &Chart, archive: &Archive) -> Option<&str> {
        let is_same_version = self.labels.get(CHART_LABEL) == Some(&chart_label(chart));
        let recorded = self.labels.get(CHART).filter(|_| is_same_version)?;
        (short_digest(archive) != *recorded).then_some(recorded)
    }

    /// How the release is, in the words of its input `state`: `deployed` if it is and nobody else had a hand in it.
    pub(crate) fn state(&self) -> String {
        match self.status.as_str() {
            DEPLOYED if !self.is_by_lsinfra() => {
                format!("revision {}, made by a rollback or by others", self.number)
            }
            status => status.to_owned(),
        }
    }
}

fn owner_labels(step: &StepContext) -> Vec<(&'static str, String)> {
    let tag = |name: &str| step.owner_tags.get(name).cloned().unwrap_or_default();
    let resource = hexadecimal(&Sha256::digest(tag("lsinfra:urn")));
    vec![
        (LINEAGE, tag("lsinfra:lineage")),
        (RESOURCE, resource[..DIGEST_CHARACTERS].to_owned()),
        (GENERATION, tag("lsinfra:generation")),
    ]
}

/// The labels of a revision that is about to be made, as helm's argument.
pub(crate) fn labels_argument(
    step: &StepContext,
    revision: u32,
    made_from: &str,
    chart: &Chart,
    archive: &Archive,
) -> String {
    let mut labels = owner_labels(step);
    labels.extend([
        (APPLIED, applied(revision, made_from)),
        (CHART, short_digest(archive)),
        (CHART_LABEL, chart_label(chart)),
    ]);
    let labels = labels.into_iter().map(|(name, value)| format!("{name}={value}"));
    labels.collect::<Vec<_>>().join(",")
}

fn applied(revision: u32, made_from: &str) -> String {
    format!("{revision}-{made_from}")
}

fn short_digest(archive: &Archive) -> String {
    let digest = archive.digest.rsplit(':').next().unwrap_or_default();
    digest.chars().take(DIGEST_CHARACTERS).collect()
}

/// A label's value has no `+`, and at most 63 characters.
fn chart_label(chart: &Chart) -> String {
    let label = format!("{}-{}", chart.name, chart.version).replace('+', "_");
    label.chars().take(63).collect()
}

/// The digest of what a release is made from: the chart and the values, and nothing that a render makes up.
pub(crate) fn made_from(archive: &Archive, values: &lsinfra_engine::Value) -> String {
    let values = values.to_plain_json().unwrap_or_default().to_string();
    let digest = hexadecimal(&Sha256::digest(format!("{}\n{values}", archive.digest)));
    digest[..DIGEST_CHARACTERS].to_owned()
}

/// What has to be done before a release can be installed or upgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Nothing.
    Nothing,
    /// What the first installation left is uninstalled, since its hooks only run in an installation.
    Uninstall,
    /// It goes back to the last revision that was deployed.
    RollBack {
        /// That revision.
        to: u32,
    },
    /// The record of an upgrade that was interrupted is taken away, since there is nothing to go back to.
    Forget {
        /// Its revision.
        revision: u32,
    },
}

/// Decides by what the history says. Only to be asked when no helm that could be at work on the release is alive.
pub(crate) fn recovery(history: &[Revision]) -> Recovery {
    let Some(latest) = history.iter().max_by_key(|revision| revision.number) else {
        return Recovery::Nothing;
    };
    let last = |status: &str| {
        let earlier = history.iter().filter(|revision| revision.status == status);
        earlier.map(|revision| revision.number).max()
    };
    match latest.status.as_str() {
        "pending-install" | "uninstalling" => Recovery::Uninstall,
        // A failed one is upgraded again; helm does that without being asked.
        "pending-upgrade" | "pending-rollback" => match last(DEPLOYED).or_else(|| last("superseded")) {
            Some(to) => Recovery::RollBack { to },
            None => Recovery::Forget { revision: latest.number },
        },
        _ => Recovery::Nothing,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lsinfra_engine::Value;

    use super::*;

    fn revision(number: u32, status: &str) -> Revision {
        let labels = [("name", "web"), ("version", &number.to_string()), ("status", status)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Revision::read(labels.into()).unwrap().1
    }

    #[test]
    fn what_was_interrupted_is_recovered_by_rule() {
        let history = |statuses: &[&str]| -> Vec<Revision> {
            (1..).zip(statuses).map(|(number, status)| revision(number, status)).collect()
        };
        for (statuses, expected) in [
            (&[][..], Recovery::Nothing),
            (&["deployed"], Recovery::Nothing),
            (&["superseded", "deployed"], Recovery::Nothing),
            (&["failed"], Recovery::Nothing),
            (&["deployed", "failed"], Recovery::Nothing),
            (&["uninstalled"], Recovery::Nothing),
            (&["pending-install"], Recovery::Uninstall),
            (&["uninstalling"], Recovery::Uninstall),
            (&["superseded", "deployed", "pending-upgrade"], Recovery::RollBack { to: 2 }),
            (&["deployed", "failed", "pending-upgrade"], Recovery::RollBack { to: 1 }),
            (&["superseded", "pending-upgrade", "pending-rollback"], Recovery::RollBack { to: 1 }),
            (&["failed", "pending-upgrade"], Recovery::Forget { revision: 2 }),
        ] {
            let mut history = history(statuses);
            assert_eq!(recovery(&history), expected, "{statuses:?}");
            history.reverse();
            assert_eq!(recovery(&history), expected, "in any order: {statuses:?}");
        }
    }

    fn chart(version: &str) -> Chart {
        Chart {
            repository: "https://charts.example.com".to_owned(),
            name: "web".to_owned(),
            version: version.to_owned(),
            digest: None,
        }
    }

    fn archive(digit: &str) -> Archive {
        Archive { path: "web.tgz".into(), digest: format!("sha256:{}", digit.repeat(64)) }
    }

    fn labelled(number: u32, status: &str, argument: &str) -> Revision {
        let mut revision = revision(number, status);
        let labels = argument.split(',').filter_map(|label| label.split_once('='));
        revision.labels.extend(labels.map(|(name, value)| (name.to_owned(), value.to_owned())));
        revision
    }

    #[test]
    fn labels_say_whose_a_revision_is_and_what_it_was_made_from() {
        let step = crate::helm::samples::step("helm:Release/web");
        let values = Value::from_plain_json(serde_json::json!({"replicas": 2}));
        let digest = made_from(&archive("a"), &values);
        let argument = labels_argument(&step, 3, &digest, &chart("1.0.0+b1"), &archive("a"));
        let pairs = || argument.split(',').map(|label| label.split_once('=').unwrap());
        let is_value = |text: &str| {
            text.len() <= 63 && text.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it))
        };
        assert!(pairs().all(|(_, value)| is_value(value)), "{argument}");

        let ours = labelled(3, DEPLOYED, &argument);
        assert!(ours.is_own(&step) && ours.is_of_lineage(&step) && ours.is_by_lsinfra());
        assert!(ours.holds(&digest) && !ours.holds(&made_from(&archive("b"), &values)));
        assert!(!ours.holds(&made_from(&archive("a"), &Value::Map(Default::default()))));
        assert_eq!(ours.state(), "deployed");
        let other = crate::helm::samples::step("helm:Release/other");
        assert!(!ours.is_own(&other) && ours.is_of_lineage(&other));

        // Somebody upgrades it: helm hands the labels down.
        let theirs = labelled(4, DEPLOYED, &argument);
        assert!(theirs.is_own(&step) && !theirs.is_by_lsinfra() && !theirs.holds(&digest));
        assert_eq!(theirs.state(), "revision 4, made by a rollback or by others");
        let failed = labelled(3, "failed", &argument);
        assert_eq!((failed.state().as_str(), failed.holds(&digest)), ("failed", false));
        assert!(revision(1, DEPLOYED).is_unowned() && !revision(1, DEPLOYED).is_own(&step));

        // One version has one digest.
        assert_eq!(ours.other_digest(&chart("1.0.0+b1"), &archive("a")), None);
        assert_eq!(ours.other_digest(&chart("1.0.0+b1"), &archive("b")), Some(&*"a".repeat(40)));
        assert_eq!(ours.other_digest(&chart("1.0.1"), &archive("b")), None);
    }
}
