//! Reasons in words.

use lsinfra_engine::OperationKind;
use lsinfra_engine::plan::{Reason, Step};

/// Why a step is in the plan, in words; `None` where the symbol or the listed changes say it already.
pub(crate) fn words(reason: &Reason, step: &Step, kind: OperationKind) -> Option<String> {
    Some(match reason {
        Reason::New | Reason::InputsChanged => return None,
        Reason::ForcesReplacement { .. } if step.changes.iter().any(|change| change.forces_replacement) => {
            return None;
        }
        Reason::NoLongerDeclared if kind == OperationKind::Destroy => return None,
        Reason::NoLongerDeclared => "it is no longer declared".to_owned(),
        Reason::Drifted => "it differs from what was last applied".to_owned(),
        Reason::Gone => "the object no longer exists".to_owned(),
        Reason::ForcesReplacement { fields } => {
            let verb = if fields.len() == 1 { "needs" } else { "need" };
            format!("{} {verb} a new object", fields.join(", "))
        }
        Reason::Replaced => "its replacement takes over".to_owned(),
        Reason::DependencyReplaced { dependency } => {
            format!("{dependency} is deleted before its replacement exists")
        }
        Reason::Unfinished => "it finishes what an earlier run began".to_owned(),
        Reason::CreationFailed { reason } => format!("AWS gave the object up: {reason}"),
        Reason::Imported if kind == OperationKind::Import => return None,
        Reason::Imported => "it is imported, and gets the ownership tags".to_owned(),
        Reason::Retained => "it takes back the object that was retained".to_owned(),
        Reason::RetainOnDelete => "the stack says to retain it".to_owned(),
        Reason::DeletedWith { container } => format!("it goes with {container}, without a call of its own"),
        Reason::MadeFrom { what } => format!("it is made from {what}"),
        Reason::Awaits { what } => format!("it waits until {what}"),
        Reason::Leaves { what } => format!("{what} stays"),
        Reason::ConnectionChanged => "it moves to another account, region or cluster".to_owned(),
        Reason::DependenciesChanged => "what it depends on changes".to_owned(),
    })
}
