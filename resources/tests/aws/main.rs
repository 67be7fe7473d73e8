//! Every AWS resource type through the engine's provider interface: against a sandbox of each test's
//! own, or against the emulator that `LSINFRA_TEST_EMULATOR` names, at `LSINFRA_TEST_ENDPOINT`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dynamodb;
mod ec2_endpoints;
mod ec2_launch;
mod ec2_network;
mod ec2_routes;
mod ec2_security;
mod harness;
mod iam;
mod lookups;
mod quirks;
mod region;
mod s3;
