//! The core API group. <https://kubernetes.io/docs/reference/kubernetes-api/>

mod config_map;
mod namespace;
mod secret;
mod service_account;

pub use config_map::ConfigMap;
pub use namespace::Namespace;
pub use secret::{Secret, SecretOutputs};
pub use service_account::{LocalObjectReference, ServiceAccount};
