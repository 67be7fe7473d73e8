//! The AWS resource types through whole operations of the engine, against a sandbox of each test's own.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod account;
mod secrets;
