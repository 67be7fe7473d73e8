//! Objects of whatever kind.

mod manifest;

pub use manifest::{Manifest, ManifestOutputs};
