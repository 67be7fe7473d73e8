//! The engine against a simulated cloud: properties over random stacks, faults and crashes, and
//! scenarios one by one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod cloud;
mod moments;
mod oracle;
mod properties;
mod random;
mod recorded;
mod rig;
mod scenarios;
mod stack;
mod store;
