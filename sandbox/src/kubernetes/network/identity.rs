//! By which certificate something in the cluster is known: the one in a secret that its pod mounts, or one that nobody
//! checks.

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::Client;
use kube::api::Api;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

use super::Target;
use crate::kubernetes::ControlPlaneError;
use crate::kubernetes::certificates::Certificates;

/// That of the proxy itself, which only talks to holders of certificates of the same authority.
pub(super) fn proxy(certificates: &Certificates) -> Result<ServerConfig, ControlPlaneError> {
    let (certificate, key) = certificates.server();
    let (certificate, key) = (fs_err::read(certificate)?, fs_err::read(key)?);
    let mut roots = RootCertStore::empty();
    for authority in chain(&fs_err::read(certificates.authority())?)? {
        roots.add(authority)?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    let verifier = verifier.map_err(|error| rustls::Error::General(error.to_string()))?;
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_client_cert_verifier(verifier).with_single_cert(chain(&certificate)?, private(&key)?)?)
}

/// That of a target, as it is now.
pub(super) async fn of(client: &Client, target: &Target) -> Result<ServerConfig, ControlPlaneError> {
    let mounted = match target {
        Target::Service { namespace, pod, .. } => mounted(client, namespace, pod).await?,
        Target::Kubelet => None,
    };
    match mounted {
        Some((certificate, key)) => config(chain(&certificate)?, private(&key)?),
        None => {
            let made = rcgen::generate_simple_self_signed([])?;
            let key = PrivateKeyDer::try_from(made.signing_key.serialize_der());
            let key = key.map_err(|reason| rustls::Error::General(reason.to_owned()))?;
            config(vec![made.cert.der().clone()], key)
        }
    }
}

/// Certificate and key in the first secret of a pod's volumes that has both.
async fn mounted(
    client: &Client,
    namespace: &str,
    pod: &Pod,
) -> Result<Option<(Vec<u8>, Vec<u8>)>, kube::Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let volumes = pod.spec.iter().filter_map(|spec| spec.volumes.as_ref()).flatten();
    let names: Vec<&String> =
        volumes.filter_map(|volume| volume.secret.as_ref()?.secret_name.as_ref()).collect();
    for name in names {
        let data = secrets.get_opt(name).await?.and_then(|secret| secret.data).unwrap_or_default();
        if let (Some(certificate), Some(key)) = (data.get("tls.crt"), data.get("tls.key")) {
            return Ok(Some((certificate.0.clone(), key.0.clone())));
        }
    }
    Ok(None)
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, ControlPlaneError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_no_client_auth().with_single_cert(chain, key)?)
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ControlPlaneError> {
    let chain: Result<_, _> = CertificateDer::pem_slice_iter(pem).collect();
    Ok(chain.map_err(|error| rustls::Error::General(error.to_string()))?)
}

fn private(pem: &[u8]) -> Result<PrivateKeyDer<'static>, ControlPlaneError> {
    let key = PrivateKeyDer::from_pem_slice(pem);
    Ok(key.map_err(|error| rustls::Error::General(error.to_string()))?)
}
