//! Whether an operation has to do with what runs in the cluster. Owns when that is left out, and how it is said; must not know
//! what it consists of.

#[cfg(feature = "sandbox")]
use lsinfra_engine::OperationKind;
use lsinfra_engine::Urn;
use lsinfra_engine::snapshot::Snapshot;

use crate::error::{CommandError, ErrorCode};
use crate::render::plural;
use crate::session::Run;

/// How the types of objects in a cluster begin.
const TYPES: [&str; 2] = ["kubernetes:", "helm:"];

/// What is recorded in a cluster.
pub(crate) fn recorded(snapshot: &Snapshot) -> impl Iterator<Item = &Urn> {
    let is_inside = |urn: &Urn| TYPES.iter().any(|start| urn.resource_type().starts_with(start));
    let there = snapshot.resources.iter().filter(|(_, record)| !record.objects.is_empty());
    there.map(|(urn, _)| urn).filter(move |urn| is_inside(urn))
}

/// Whether an operation has to do with what runs in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kubernetes {
    /// It has.
    Included,
    /// It makes the cluster, and leaves out what runs in it.
    LeftOut(LeftOut),
}

/// Why it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// The user says so.
    OnPurpose,
    /// The sandbox cannot have it, for this reason; and what helps.
    #[cfg_attr(not(feature = "sandbox"), expect(dead_code, reason = "nothing else lacks it"))]
    Impossible(String, String),
}

impl Kubernetes {
    /// Decides it for an operation. What is not built yet counts as there if it can be built.
    pub(crate) fn decide(run: &Run<'_>) -> Self {
        if run.skips_kubernetes {
            return Self::LeftOut(LeftOut::OnPurpose);
        }
        #[cfg(feature = "sandbox")]
        if run.place.sandbox()
            && let Err((reason, help)) =
                crate::commands::sandbox::check_kubernetes(run.kind == OperationKind::Up)
        {
            return Self::LeftOut(LeftOut::Impossible(reason, help));
        }
        Self::Included
    }

    /// Whether the stack is to declare it.
    pub(crate) fn is_declared(&self) -> bool {
        *self == Self::Included
    }

    /// Refuses to leave out what is there: it would be deleted, or outlive its cluster unseen.
    ///
    /// # Errors
    /// [`ErrorCode::KubernetesRecorded`].
    pub(crate) fn check(&self, snapshot: &Snapshot) -> Result<(), CommandError> {
        let Self::LeftOut(why) = self else { return Ok(()) };
        let recorded: Vec<&Urn> = recorded(snapshot).collect();
        let Some(first) = recorded.first() else { return Ok(()) };
        let message = match why {
            LeftOut::OnPurpose => "Kubernetes cannot be left out of an environment that has it",
            LeftOut::Impossible(..) => "the sandbox has no Kubernetes, and the environment has",
        };
        let rest = match recorded.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let details = format!("{} in the cluster: {first}{rest}", plural(recorded.len(), "resource"));
        let error = CommandError::new(ErrorCode::KubernetesRecorded, message).details([details]);
        Err(match why {
            LeftOut::OnPurpose => error.hint("run it without --skip kubernetes"),
            LeftOut::Impossible(reason, help) => error.details([reason.clone()]).hint(help),
        })
    }

    /// What a person who brings an environment up is told of it; nothing if nothing is left out.
    pub(crate) fn note(&self) -> String {
        match self {
            Self::Included => String::new(),
            Self::LeftOut(LeftOut::OnPurpose) => {
                "Kubernetes is left out (--skip kubernetes): nothing runs in the cluster\n".to_owned()
            }
            Self::LeftOut(LeftOut::Impossible(reason, help)) => {
                format!("Kubernetes is left out: {reason}; nothing runs in the cluster\n  {help}\n")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn nothing_recorded_may_be_left_out() {
        let snapshot = Snapshot::new(uuid::Uuid::nil(), "langsmith/dev", BTreeMap::new());
        let impossible = LeftOut::Impossible("Go is not on PATH".to_owned(), "install Go".to_owned());
        for left_out in [LeftOut::OnPurpose, impossible] {
            Kubernetes::LeftOut(left_out).check(&snapshot).unwrap();
        }
    }

    #[test]
    fn what_is_left_out_is_said_with_its_reason() {
        let impossible = LeftOut::Impossible("Go is not on PATH".to_owned(), "install Go".to_owned());
        assert_eq!(
            Kubernetes::LeftOut(impossible).note(),
            "Kubernetes is left out: Go is not on PATH; nothing runs in the cluster\n  install Go\n"
        );
        assert_eq!(Kubernetes::Included.note(), "");
    }
}
