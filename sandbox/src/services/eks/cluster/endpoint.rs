//! Where a cluster's Kubernetes API is, and by whose certificates it is known. There is no Kubernetes behind it yet: this
//! is the one place that a control plane's own address and authority go.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Cluster;

/// The address of a cluster's API server.
pub(super) fn url(cluster: &Cluster, region: &str) -> String {
    format!("https://{}.gr7.{region}.eks.amazonaws.com", cluster.identity)
}

/// The certificate authority of a cluster's API server: PEM text in base64. It only looks like one.
pub(super) fn certificate_authority(cluster: &Cluster) -> String {
    let body = STANDARD.encode(Sha256::digest(cluster.identity.as_bytes()));
    STANDARD.encode(format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"))
}

/// The issuer of the cluster's service account tokens.
pub(super) fn oidc_issuer(cluster: &Cluster, region: &str) -> String {
    format!("https://oidc.eks.{region}.amazonaws.com/id/{}", cluster.identity)
}
