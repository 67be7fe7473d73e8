//! The Kubernetes of the sandbox's EKS clusters: the real control plane, with kwok in the place of kubelets. Owns its
//! programs, its processes and what is put into a cluster; must not know HTTP connections nor, but for [`parts`], the tables
//! of the account.
//!
//! Where to start reading: [`install`] builds the programs, [`ControlPlane`] runs them for one cluster in a folder of its
//! own, [`Cluster`] is a client that keeps its nodes as they are wanted, [`parts`] does what the controllers would whose pods
//! only look as if they ran, and [`token`] reads the tokens that callers bring.

mod binaries;
mod capacity;
mod certificates;
mod cluster;
mod control_plane;
mod files;
mod go;
mod guarded;
mod install;
mod network;
mod node;
pub(crate) mod parts;
mod ports;
mod quantity;
mod roles;
pub(crate) mod token;
mod versions;

pub use binaries::Binaries;
pub use install::{InstallError, InstallProgress, Installed, check_go_for_kubernetes, install_kubernetes};
pub use parts::{Part, UnknownPart};

pub(crate) use capacity::{Capacity, InstanceFigures};
pub(crate) use cluster::Cluster;
pub(crate) use control_plane::{ControlPlane, Settings};
pub(crate) use node::{Node, Taint};
pub(crate) use roles::group_of_policy;

use std::path::PathBuf;
use std::time::Duration;

/// Where in a sandbox's folder the control planes keep what they know.
pub(crate) const FOLDER: &str = "kubernetes";

/// A control plane could not be run, or does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlPlaneError {
    /// A file or a process could not be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Its certificates could not be made.
    #[error("cannot make the certificates of a control plane: {0}")]
    Certificates(#[from] rcgen::Error),
    /// One of its processes ended.
    #[error("{name} ended ({status}); what it said is in {}", log.display())]
    Ended {
        /// The program.
        name: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
        /// Where its output is.
        log: PathBuf,
    },
    /// One of its processes did not come up in time.
    #[error("{name} was not ready within {waited:?}; what it said is in {}", log.display())]
    Silent {
        /// The program.
        name: &'static str,
        /// How long was waited.
        waited: Duration,
        /// Where its output is.
        log: PathBuf,
    },
    /// A certificate or a key cannot be used.
    #[error("the certificates of a cluster: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// Its API could not be asked, or refused.
    #[error("the API server: {0}")]
    Api(#[from] kube::Error),
    /// The client's own configuration was refused.
    #[error("the API server's kubeconfig: {0}")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
}
