//! What the stack gives to the real charts, rendered by the real helm: each supported combination of choices passes the charts'
//! own checks, and what comes of it is compared with what is expected.
//!
//! Charts are taken from the folder that `LSINFRA_CHARTS` names, helm is `LSINFRA_HELM` or the one that `lsinfra sandbox
//! install` has built. Without either, trials are listed as ignored, with the reason as their kind.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod combination;
mod controllers;
mod langsmith;
mod rendered;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::combination::Combination;
use crate::rendered::Tools;

/// What is looked at in one combination.
type Check = fn(&Tools, &Combination);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tools = Tools::find();
    let mut trials: Vec<(String, Check, Combination)> = Vec::new();
    for combination in Combination::all() {
        trials.push((format!("langsmith_{}", combination.name()), langsmith::check, combination));
    }
    for combination in Combination::of_controllers() {
        trials.push((format!("controllers_{}", combination.name()), controllers::check, combination));
    }
    let trials = trials.into_iter().map(|(name, check, combination)| match &tools {
        Ok(tools) => {
            let tools = tools.clone();
            Trial::test(name, move || {
                check(&tools, &combination);
                Ok(())
            })
        }
        Err(lacking) => Trial::test(name, || Ok(())).with_ignored_flag(true).with_kind(*lacking),
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
