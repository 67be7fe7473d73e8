//! An AWS account on loopback: the same wire protocols as AWS, with its lifecycles, dependency rules and failures.
//!
//! The crate owns one HTTP listener, the state machines behind it and their persistence. It must not know the
//! engine, the providers or the command line: they meet it only as an endpoint URL, as they meet AWS.
//!
//! Where to start reading: [`serve`] opens a folder and listens ([`server`]); a request is decoded ([`protocol`]),
//! admitted and carried out under one lock ([`cloud`]), by the operation of a service ([`services`]), with faults in
//! front ([`faults`]); what it changed is on disk before it is answered ([`storage`]). One process serves one folder
//! ([`process`]); [`Control`] is the client of its control endpoint.

mod client;
mod cloud;
mod error;
mod faults;
mod kubernetes;
mod options;
mod process;
mod protocol;
mod server;
mod services;
mod storage;
#[cfg(test)]
mod testing;

pub use client::{ClusterStatus, Control, KubernetesStatus, Status};
pub use cloud::calls::{CallRecord, Calls, Effect, Outcome};
pub use error::Error;
pub use faults::held::Held;
pub use faults::plan::{FaultPlan, Hold, HoldCount, HoldPoint};
pub use kubernetes::{
    Binaries, InstallError, InstallProgress, Installed, Part, UnknownPart, check_go_for_kubernetes,
    install_kubernetes,
};
pub use options::{Kubernetes, Options, Pace};
pub use process::{Endpoint, connect, reset, start_in_background, stop};
pub use server::{Serving, serve};
pub use services::Item;

/// What this crate's fallible functions answer with.
pub type Result<T> = std::result::Result<T, Error>;
