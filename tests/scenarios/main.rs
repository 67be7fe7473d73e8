//! Scenarios: the real `lsinfra` binary, as a user runs it, against the sandbox and against emulators by other people.
//!
//! What a machine lacks for a scenario (Python, the conformance scripts) is in the scenario's line: it is listed as
//! ignored, with the reason as its kind. `LSINFRA_KILL_SEEDS` and `LSINFRA_RACE_SEEDS` set how many seeds
//! the `kill_` and the `race_` scenarios take.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a scenario that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what a scenario drew or counted is for the reader of its output")]

mod calls;
mod choices;
mod configuration;
mod conformance;
mod credentials;
mod drift;
mod emulators;
mod existing_network;
mod history;
mod import;
mod interruption;
mod kill;
mod kubernetes;
mod kubernetes_trouble;
mod lifecycle;
mod output;
mod replacement;
mod sandbox_install;
mod sandbox_kubernetes;
mod sandbox_process;
mod secrets;
mod secrets_nowhere;
mod state_failures;
mod state_in_a_bucket;
mod state_moved;
mod state_network;
mod state_race;
mod state_serials;
mod state_surgery;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = [
        lifecycle::trials(),
        replacement::trials(),
        drift::trials(),
        existing_network::trials(),
        calls::trials(),
        configuration::trials(),
        credentials::trials(),
        secrets::trials(),
        secrets_nowhere::trials(),
        choices::trials(),
        state_failures::trials(),
        state_in_a_bucket::trials(),
        state_moved::trials(),
        state_network::trials(),
        state_race::trials(),
        state_serials::trials(),
        state_surgery::trials(),
        history::trials(),
        import::trials(),
        interruption::trials(),
        output::trials(),
        sandbox_install::trials(),
        sandbox_kubernetes::trials(),
        sandbox_process::trials(),
        emulators::trials(),
        conformance::trials(),
        kill::trials(),
        kubernetes::trials(),
        kubernetes_trouble::trials(),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials.into_iter().flatten().collect());
    match kill::verdict().and_then(|()| state_race::verdict()) {
        Err(reason) if !conclusion.has_failed() => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
        _ => conclusion.exit_code(),
    }
}

/// A scenario that every machine can run.
fn scenario(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// A scenario that needs something; without it, it is listed as ignored, with the reason.
fn scenario_with<T: Send + 'static>(
    name: &str,
    needed: Result<T, &'static str>,
    run: impl FnOnce(T) + Send + 'static,
) -> Trial {
    match needed {
        Ok(needed) => Trial::test(name, move || {
            run(needed);
            Ok(())
        }),
        Err(reason) => {
            Trial::test(name, || Ok(())).with_kind(format!("skipped: {reason}")).with_ignored_flag(true)
        }
    }
}
