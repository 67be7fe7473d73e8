//! What a plan needs of helm: the program, and each chart that would be installed. Owns that a plan which lacks them is
//! refused before anything is changed; must not know how either is found.

use lsinfra_engine::plan::{Action, Plan};
use lsinfra_engine::snapshot::Snapshot;
use lsinfra_engine::{Property, ResourceType};
use lsinfra_resources::helm::{Chart, Helm, Release};

use crate::error::{CommandError, ErrorCode};
use crate::kubernetes;

/// Refuses a plan with releases for which there is no helm, or whose charts cannot be had.
///
/// # Errors
/// [`ErrorCode::HelmUnusable`], [`ErrorCode::ChartUnavailable`].
pub(crate) async fn check(helm: &Helm, plan: &Plan, snapshot: &Snapshot) -> Result<(), CommandError> {
    let mut releases = plan.steps.iter().filter(|step| step.urn.resource_type() == Release::TYPE).peekable();
    if releases.peek().is_none() {
        return Ok(());
    }
    helm.check().await?;
    let installed = releases.filter(|step| matches!(step.action, Action::Create | Action::Update));
    let mut missing = Vec::new();
    for step in installed {
        // What only apply will know is looked at then.
        let chart = step.inputs.get("chart").and_then(|chart| Chart::from_value(chart).ok());
        let Some(chart) = chart else { continue };
        if let Err(error) = helm.fetch(&chart).await {
            missing.push(format!("{}: {error}", chart.label()));
        }
    }
    refusal(missing, kubernetes::recorded(snapshot).next().is_none()).map_or(Ok(()), Err)
}

/// `can_be_left_out` says that nothing is in the cluster yet.
fn refusal(missing: Vec<String>, can_be_left_out: bool) -> Option<CommandError> {
    let message = match missing.len() {
        0 => return None,
        1 => "a chart cannot be had".to_owned(),
        count => format!("{count} charts cannot be had"),
    };
    let error = CommandError::new(ErrorCode::ChartUnavailable, message).details(missing);
    let error = error
        .hint("where their repositories are out of reach, LSINFRA_CHARTS=FOLDER takes them from a folder");
    Some(match can_be_left_out {
        true => error.hint("--skip kubernetes makes everything but what runs in the cluster"),
        false => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_told_at_once() {
        assert!(refusal(Vec::new(), true).is_none());
        let missing = || vec!["web 1.0.0: helm pull: no such host".to_owned(), "db 2.0.0: gone".to_owned()];
        for (can_be_left_out, hints) in [(true, 2), (false, 1)] {
            let told = refusal(missing(), can_be_left_out);
            let told = told.map(|error| (error.message.clone(), error.details.len(), error.hints.len()));
            assert_eq!(told, Some(("2 charts cannot be had".to_owned(), 2, hints)));
        }
    }
}
