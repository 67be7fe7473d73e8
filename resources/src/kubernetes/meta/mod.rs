//! Objects of whatever kind.

mod dry_run;
mod manifest;

pub use dry_run::{DryRun, DryRunOutputs};
pub use manifest::{Manifest, ManifestOutputs};
