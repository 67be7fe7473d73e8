//! State stores of `lsinfra`: where snapshots, journals, locks and history live.
//!
//! Owns the files' formats (with their versions) and what makes a write durable. It must not know
//! what the entries of a journal mean, nor anything of plans, providers or terminals.
//!
//! Start reading at [`LocalStore`]. It is for Unix: it relies on `rename` over an open file, on
//! advisory locks of whole files, and on permission bits.

mod document;
mod format;
mod local;

pub use document::{decode_snapshot, encode_snapshot};
pub use local::{EnvironmentNameError, LocalStore, Statistics, environments, measure_durable_write_seconds};
