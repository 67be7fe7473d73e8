//! Saved plans: what `preview --save-plan` writes and `up --plan` and `destroy --plan` take as approved.

use std::path::Path;

use lsinfra_engine::OperationKind;
use lsinfra_engine::plan::{PLAN_VERSION, Plan};
use serde::Deserialize;

use crate::error::{CommandError, ErrorCode};

const MAKE_ANEW: &str = "make a new one with `lsinfra preview --save-plan FILE`";

/// Writes a plan. Secrets are in it as digests only.
///
/// # Errors
/// [`ErrorCode::FileUnwritable`].
pub(crate) fn save(plan: &Plan, file: &Path) -> Result<(), CommandError> {
    let message = || format!("cannot write the plan to {}", file.display());
    let mut text = serde_json::to_string_pretty(plan)
        .map_err(|error| CommandError::new(ErrorCode::Internal, message()).because(&error))?;
    text.push('\n');
    std::fs::write(file, text)
        .map_err(|error| CommandError::new(ErrorCode::FileUnwritable, message()).because(&error))
}

/// Reads a plan.
///
/// # Errors
/// [`ErrorCode::PlanUnusable`] if it is not there, is no plan, or is of another version.
pub(crate) fn load(file: &Path) -> Result<Plan, CommandError> {
    let failed = |why: &str| {
        CommandError::new(ErrorCode::PlanUnusable, format!("cannot read the plan {}: {why}", file.display()))
            .hint(MAKE_ANEW)
    };
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error.to_string()))?;
    // The version first: another version's plan need not have today's fields.
    let header: Header = serde_json::from_str(&text).map_err(|error| failed(&error.to_string()))?;
    if header.version != PLAN_VERSION {
        let why = format!("it has version {}, this lsinfra takes version {PLAN_VERSION}", header.version);
        return Err(failed(&why));
    }
    serde_json::from_str(&text).map_err(|error| failed(&error.to_string()))
}

/// Refuses a plan that was made for another command or another environment: its steps would only be
/// missed one by one.
///
/// # Errors
/// [`ErrorCode::PlanUnusable`].
pub(crate) fn check_made_for(
    plan: &Plan,
    kind: OperationKind,
    environment: &str,
) -> Result<(), CommandError> {
    let planned = plan.operation.kind;
    if planned != kind {
        let message = format!("the plan was made for `{}`, not for `{}`", planned.command(), kind.command());
        let hint = match planned {
            OperationKind::Up | OperationKind::Destroy => {
                format!("carry it out with `lsinfra {} --plan FILE`", planned.command())
            }
            // Only what `refresh --output json` wrote can be such a plan.
            _ => MAKE_ANEW.to_owned(),
        };
        return Err(CommandError::new(ErrorCode::PlanUnusable, message).hint(hint));
    }
    if plan.environment != environment {
        let message = format!("the plan was made for {}, not for {environment}", plan.environment);
        return Err(CommandError::new(ErrorCode::PlanUnusable, message).hint("check --env and --plan"));
    }
    Ok(())
}

#[derive(Deserialize)]
struct Header {
    version: u32,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::render::samples;

    #[test]
    fn a_plan_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        let plan = samples::plan();
        save(&plan, &file).unwrap();
        assert_eq!(load(&file).unwrap(), plan);
    }

    #[test]
    fn other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        for text in ["", "[]", "{\"version\": 99}", "{\"version\": 1}"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(load(&file).unwrap_err().code, ErrorCode::PlanUnusable, "{text}");
        }
        assert_eq!(load(&folder.path().join("none")).unwrap_err().code, ErrorCode::PlanUnusable);
    }

    #[test]
    fn plans_for_something_else_are_refused() {
        let plan = samples::plan_of(OperationKind::Destroy, Vec::new());
        assert_eq!(check_made_for(&plan, OperationKind::Destroy, "langsmith/dev"), Ok(()));
        for (kind, environment) in
            [(OperationKind::Up, "langsmith/dev"), (OperationKind::Destroy, "langsmith/prod")]
        {
            let error = check_made_for(&plan, kind, environment).unwrap_err();
            assert_eq!(error.code, ErrorCode::PlanUnusable, "{}", error.message);
        }
    }
}
