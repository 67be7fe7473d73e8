//! Saved plans: what `preview --save-plan` writes and `up --plan` takes as approved.

use std::path::Path;

use lsinfra_engine::plan::{PLAN_VERSION, Plan};
use serde::Deserialize;

use crate::error::{CommandError, ErrorCode};

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
/// [`ErrorCode::PlanUnreadable`] if it is not there, is no plan, or is of another version.
pub(crate) fn load(file: &Path) -> Result<Plan, CommandError> {
    let failed = |why: &str| {
        CommandError::new(
            ErrorCode::PlanUnreadable,
            format!("cannot read the plan {}: {why}", file.display()),
        )
        .hint("make a new one with `lsinfra preview --save-plan FILE`")
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
            assert_eq!(load(&file).unwrap_err().code, ErrorCode::PlanUnreadable, "{text}");
        }
        assert_eq!(load(&folder.path().join("none")).unwrap_err().code, ErrorCode::PlanUnreadable);
    }
}
