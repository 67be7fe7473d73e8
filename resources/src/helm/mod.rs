//! Helm releases: charts, installed in a cluster by the helm program.
//!
//! Start reading at [`Release`], then `upgrade`, which is what most of its functions come to. `program` runs helm in
//! folders of its own, `history` reads what it keeps in the cluster, `manifest` and `difference` are what plans show.
//! Whether a release changes is decided by its chart's digest and its values; what it renders to explains the change.

mod chart;
mod client;
mod crds;
mod difference;
mod error;
mod explain;
mod guarded;
mod history;
mod hooks;
mod manifest;
mod objects;
mod phase;
mod program;
mod release;
mod render;
mod requirements;
mod rollout;
#[cfg(test)]
mod samples;
mod uninstall;
mod upgrade;

use std::sync::Arc;

use lsinfra_engine::provider::{Providers, TypedProvider};

pub use chart::Chart;
pub use client::{HelmClient, HelmConnector};
pub use error::HelmError;
pub use program::Helm;
pub use release::{Release, ReleaseOutputs};

/// Adds the provider of releases.
pub fn register(providers: &mut Providers, connector: Arc<HelmConnector>) {
    providers.register(TypedProvider::<Release>::new(connector));
}
