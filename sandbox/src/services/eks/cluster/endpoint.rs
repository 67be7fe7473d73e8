//! Where a cluster's Kubernetes API is, and by whose certificates it is known: its control plane's own, or made-up ones in a
//! sandbox without Kubernetes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Cluster;
use crate::services::eks::control_plane::ControlPlane;

/// The address of a cluster's API server.
pub(super) fn url(cluster: &Cluster, region: &str) -> String {
    match &cluster.control_plane {
        Some(ControlPlane::Answers { endpoint, .. }) => endpoint.clone(),
        Some(ControlPlane::Starting) | None => {
            format!("https://{}.gr7.{region}.eks.amazonaws.com", cluster.identity)
        }
    }
}

/// The certificate authority of a cluster's API server: PEM text in base64. A made-up one only looks like one.
pub(super) fn certificate_authority(cluster: &Cluster) -> String {
    if let Some(ControlPlane::Answers { certificate_authority, .. }) = &cluster.control_plane {
        return STANDARD.encode(certificate_authority);
    }
    let body = STANDARD.encode(Sha256::digest(cluster.identity.as_bytes()));
    STANDARD.encode(format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"))
}

/// The issuer of the cluster's service account tokens.
pub(in crate::services::eks) fn oidc_issuer(cluster: &Cluster, region: &str) -> String {
    format!("https://oidc.eks.{region}.amazonaws.com/id/{}", cluster.identity)
}
