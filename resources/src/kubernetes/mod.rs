//! Objects in a cluster, by the Kubernetes API.
//!
//! Where to start reading: [`ClusterConnection`] says where an object lives, [`KubernetesConnector`] makes the client.
//! No type of the client appears in a public signature.

mod connection;
mod connector;
mod error;
mod token;
mod transport;

pub use connection::ClusterConnection;
/// The name under which fields are applied.
pub(crate) const FIELD_MANAGER: &str = "lsinfra";

pub use connector::{KubernetesClient, KubernetesConnector};
