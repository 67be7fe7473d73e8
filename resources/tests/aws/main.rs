//! Every AWS resource type through the engine's provider interface, against the endpoint named in
//! `LSINFRA_TEST_ENDPOINT`: the sandbox, or the emulator that `LSINFRA_TEST_EMULATOR` names. Without it
//! the tests are skipped by name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod ec2_endpoints;
mod ec2_network;
mod ec2_routes;
mod ec2_security;
mod harness;
mod iam;
mod quirks;
mod region;
mod s3;
