//! State stores of `lsinfra`: where snapshots, journals, locks and history live.
//!
//! Owns the files' formats (with their versions) and what makes a write durable. It must not know
//! what the entries of a journal mean, nor anything of plans, providers or terminals.
//!
//! Start reading at [`LocalStore`] and [`S3Store`]. The local one is for Unix: it relies on `rename` over
//! an open file, on advisory locks of whole files, and on permission bits.

mod document;
mod environment;
mod format;
mod local;
mod migrate;
mod s3;
mod soundness;

pub use document::{PulledSnapshot, decode_snapshot, encode_snapshot};
pub use environment::EnvironmentNameError;
pub use local::{LocalStore, Statistics, environments, measure_durable_write_seconds};
pub use migrate::{MigrateError, Migrated, MovableStore, migrate};
pub use s3::{
    Access, Bootstrapped, LockSettings, Place, S3Store, SetUp, Waiting, bootstrap, buckets, stacks,
};
