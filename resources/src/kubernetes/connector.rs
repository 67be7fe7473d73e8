//! How clusters are reached, and the clients that resource types call with. Must not know what they are used for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lsinfra_engine::Value;
use lsinfra_engine::provider::{Connect, ErrorKind, ProviderError};
use secrecy::SecretString;
use serde_json::Value as Json;

use crate::aws::{AwsClients, AwsConnector, LONGEST_CALL};
use crate::kubernetes::ClusterConnection;
use crate::kubernetes::error::{UNAUTHORIZED, late, provider_error, unknown_caller};
use crate::kubernetes::kind::Kind;
use crate::kubernetes::token::Tokens;
use crate::kubernetes::transport::Transport;

/// Makes and keeps the clients of all clusters. Accounts are reached as AWS's own types reach them.
pub struct KubernetesConnector {
    aws: Arc<AwsConnector>,
    clients: Mutex<BTreeMap<ClusterConnection, Arc<KubernetesClient>>>,
}

impl KubernetesConnector {
    /// Reaches the clusters of the accounts that `aws` reaches. Nothing of the environment is read: no kubeconfig, no
    /// context, no proxy.
    pub fn new(aws: Arc<AwsConnector>) -> Self {
        Self { aws, clients: Mutex::default() }
    }

    /// The client of a cluster.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the recorded address or certificate authority is none.
    pub async fn client(
        &self,
        connection: &ClusterConnection,
    ) -> Result<Arc<KubernetesClient>, ProviderError> {
        let aws = self.aws.clients(&connection.aws).await;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(connection) {
            return Ok(Arc::clone(client));
        }
        let transport = Arc::new(Transport {
            tokens: Tokens::new(
                aws.credentials.clone(),
                connection.aws.clone(),
                connection.cluster_name.clone(),
            ),
            connection: connection.clone(),
            guard: self.aws.call_guard().clone(),
            aws: Arc::clone(&aws),
        });
        let client = Arc::new(KubernetesClient::new(connection, aws, transport)?);
        clients.insert(connection.clone(), Arc::clone(&client));
        Ok(client)
    }
}

#[async_trait]
impl Connect<KubernetesClient> for KubernetesConnector {
    async fn connect(&self, connection: &Value) -> Result<Arc<KubernetesClient>, ProviderError> {
        self.client(&ClusterConnection::read(connection)?).await
    }

    fn identity(&self, connection: &Value) -> Value {
        ClusterConnection::identity(connection)
    }
}

/// The client of one cluster, and those of its account.
pub struct KubernetesClient {
    pub(crate) connection: ClusterConnection,
    pub(crate) kube: kube::Client,
    pub(crate) aws: Arc<AwsClients>,
    transport: Arc<Transport>,
    /// What the cluster has said of its kinds, by API version and name.
    pub(super) kinds: Mutex<BTreeMap<(String, String), Kind>>,
}

impl KubernetesClient {
    fn new(
        connection: &ClusterConnection,
        aws: Arc<AwsClients>,
        transport: Arc<Transport>,
    ) -> Result<Self, ProviderError> {
        let invalid = |what: &str| {
            let message = format!("the recorded {what} of the cluster {} is none", connection.cluster_name);
            ProviderError::new(ErrorKind::Invalid, message)
        };
        let server = connection.server.parse().map_err(|_| invalid("address"))?;
        let authority = certificates(&connection.certificate_authority)
            .ok_or_else(|| invalid("certificate authority"))?;
        let mut config = kube::Config::new(server);
        config.root_cert = Some(authority);
        let kube = Arc::clone(&transport).client(&config).map_err(|error| {
            let message = format!("no client for the cluster {}: {error}", connection.cluster_name);
            ProviderError::new(ErrorKind::Invalid, message)
        })?;
        Ok(Self { connection: connection.clone(), kube, aws, transport, kinds: Mutex::default() })
    }

    /// Makes sure that this run still holds the lock of its environment: for programs that change the cluster in its
    /// place.
    ///
    /// # Errors
    /// [`ErrorKind::Abandoned`] if another run may hold it.
    pub(crate) fn check_lock(&self) -> Result<(), ProviderError> {
        let lost = self.transport.guard.check();
        lost.map_err(|lost| ProviderError::new(ErrorKind::Abandoned, lost.to_string()))
    }

    /// A token, made now: for other programs that call the cluster in the name of this one.
    ///
    /// # Errors
    /// [`ErrorKind::CredentialsExpired`] if there are no credentials.
    pub async fn token(&self) -> Result<SecretString, ProviderError> {
        self.transport.tokens.mint().await
    }

    /// A request that changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what is no path.
    pub(super) fn get(&self, path_and_query: &str) -> Result<http::Request<Vec<u8>>, ProviderError> {
        request(http::Method::GET, path_and_query, None)
    }

    /// What a call came to. `call` names it in the error, such as `get ConfigMap default/settings`.
    ///
    /// # Errors
    /// The call's, classified.
    pub(crate) async fn call<T>(
        &self,
        call: &str,
        answer: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ProviderError> {
        let error = match tokio::time::timeout(LONGEST_CALL, answer).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => provider_error(&self.connection, call, &error),
            Err(_) => late(&self.connection, call),
        };
        if error.code.as_deref() == Some(UNAUTHORIZED) {
            return Err(unknown_caller(self, call, error).await);
        }
        Err(error)
    }
}

/// A request to the API: with a body, its content type and the body.
///
/// # Errors
/// [`ErrorKind::Invalid`] for what is no path.
pub(super) fn request(
    method: http::Method,
    path_and_query: &str,
    body: Option<(&str, &Json)>,
) -> Result<http::Request<Vec<u8>>, ProviderError> {
    let mut builder = http::Request::builder().method(method).uri(path_and_query);
    if let Some((content_type, _)) = body {
        builder = builder.header(http::header::CONTENT_TYPE, content_type);
    }
    let bytes = body.map(|(_, body)| body.to_string().into_bytes()).unwrap_or_default();
    builder.body(bytes).map_err(|error| {
        ProviderError::new(ErrorKind::Invalid, format!("{path_and_query} is no path of an API: {error}"))
    })
}

/// The certificates in PEM in base64, as DER. `None` if there are none.
fn certificates(encoded: &str) -> Option<Vec<Vec<u8>>> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let pem = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let bodies = pem.split(BEGIN).skip(1).map(|rest| {
        let body: String = rest.split_once(END)?.0.split_whitespace().collect();
        STANDARD.decode(body).ok()
    });
    bodies.collect::<Option<Vec<_>>>().filter(|found| !found.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_may_be_several_certificates() {
        let pem = "-----BEGIN CERTIFICATE-----\nAQI=\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(&STANDARD.encode(pem)), Some(vec![vec![1, 2]]));
        assert_eq!(certificates(&STANDARD.encode(pem.repeat(2))), Some(vec![vec![1, 2], vec![1, 2]]));
        for none in ["", "!", &STANDARD.encode("x"), &STANDARD.encode("-----BEGIN CERTIFICATE-----\nAQI=")] {
            assert_eq!(certificates(none), None);
        }
    }
}
