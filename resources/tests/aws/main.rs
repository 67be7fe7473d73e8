//! Every AWS resource type through the engine's provider interface: against a sandbox of each test's
//! own, or against the emulator that `LSINFRA_TEST_EMULATOR` names, at `LSINFRA_TEST_ENDPOINT`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod acm;
mod cloudwatch;
mod databases;
mod dynamodb;
mod ec2_endpoints;
mod ec2_launch;
mod ec2_network;
mod ec2_routes;
mod ec2_security;
mod eks;
mod elasticache;
mod harness;
mod iam;
mod kms;
mod logs;
mod lookups;
mod quirks;
mod rds;
mod rds_instance;
mod region;
mod route53;
mod s3;
mod secretsmanager;
mod sns;
