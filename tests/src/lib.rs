//! What scenarios need to meet `lsinfra` as a user does: a project folder, the binary, and an account to work in.
//!
//! Owns the environment that the binary runs in, the processes that a scenario starts (and ends: none outlives it),
//! and the questions asked of an account behind the binary's back. Must not know the product's inside: everything goes
//! through the command line, its files and the wire. A function here that cannot do its work panics, which fails the
//! scenario that called it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a scenario that cannot go on has failed")]

mod account;
mod binary;
mod cluster;
mod declared;
mod emulator;
mod environment_file;
mod going_on;
mod invocation;
mod leaks;
mod mending;
mod planned;
mod project;
mod python;
mod recorded;
mod refusing;
mod sandbox;
mod wire;

pub use account::{Difference, compare, forgotten};
pub use binary::lsinfra;
pub use cluster::{Cluster, Kind, charts_for_clusters};
pub use declared::{Declared, DeclaredResource};
pub use emulator::{Emulator, Product};
pub use environment_file::EnvironmentFile;
pub use going_on::{go_on, hold, hold_of};
pub use invocation::{Ended, Invocation, Running, mode_bits};
pub use leaks::Leaks;
pub use mending::Mend;
pub use planned::{Planned, PlannedChange, PlannedDrift, PlannedStep};
pub use project::{Project, STATE_FOLDER};
pub use python::{conformance_scripts, python};
pub use recorded::{Recorded, RecordedObject};
pub use refusing::Refusing;
pub use sandbox::{Sandbox, SandboxOptions};
pub use wire::{Answer, Wire};
