//! Every property of every AWS resource type, through the engine: what can be changed in place is, what
//! cannot makes a new object in the right order, and what somebody else changes is found and mended.
//!
//! One trial for each case; a type or an input that is in no case fails one of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod caches;
mod case;
mod coverage;
mod databases;
mod ec2_network;
mod ec2_security;
mod edge;
mod eks;
mod ground;
mod identity;
mod monitoring;
mod rig;
mod secrets;
mod stores;
mod unseen;
mod verify;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::case::Case;

fn cases() -> Vec<Case> {
    let cases = [
        ec2_network::cases(),
        ec2_security::cases(),
        identity::cases(),
        secrets::cases(),
        stores::cases(),
        edge::cases(),
        monitoring::cases(),
        eks::cases(),
        databases::cases(),
        caches::cases(),
    ];
    cases.into_iter().flatten().collect()
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = cases().into_iter().map(trial).collect();
    trials.push(Trial::test("every_input_of_every_type_is_in_a_case", || {
        coverage::verify(&cases());
        Ok(())
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(case: Case) -> Trial {
    Trial::test(case.name.clone(), move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(verify::verify(&case));
        Ok(())
    })
}
