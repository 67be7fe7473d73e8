//! How requests get to a cluster: each with a token of its own, none after the lock is lost, none for longer than
//! [`LONGEST_REQUEST`], and all of them straight: no proxy of the environment is asked.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use http::{HeaderValue, Request, header};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::Client;
use kube::client::{Body, ClientBuilder, ConfigExt};
use lsinfra_engine::provider::ProviderError;
use secrecy::ExposeSecret;

use crate::aws::AwsClients;
use crate::aws::error::{During, found, with_causes};
use crate::aws::guard::{CallGuard, GuardedBody};
use crate::kubernetes::ClusterConnection;
use crate::kubernetes::token::Tokens;

/// The longest that a request may take until its answer begins. Whoever takes over from a process that may still be
/// calling waits for longer: see [`LONGEST_CALL`](crate::aws::LONGEST_CALL).
const LONGEST_REQUEST: Duration = Duration::from_secs(30);
/// The longest that a connection may take to come about.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// A request did not get an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    /// There is no token for it.
    #[error(transparent)]
    Token(ProviderError),
    /// The cluster is gone, and all that was in it.
    #[error("the cluster is gone")]
    Gone,
    /// Nobody answers at the cluster's address.
    #[error("{0}")]
    Unreachable(String),
    /// The answer took too long: the request may have had its effect.
    #[error("no answer in time")]
    Late,
}

/// The way to one cluster.
pub(super) struct Transport {
    pub(super) connection: ClusterConnection,
    pub(super) tokens: Tokens,
    pub(super) guard: CallGuard,
    pub(super) aws: Arc<AwsClients>,
}

impl Transport {
    /// A client whose requests go this way.
    ///
    /// # Errors
    /// The client's, if it cannot be made of such a configuration.
    pub(super) fn client(self: Arc<Self>, config: &kube::Config) -> Result<Client, kube::Error> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(LONGEST_CONNECT));
        let connector = config.rustls_https_connector_with_connector(connector)?;
        let http = HttpClient::builder(TokioExecutor::new()).build(connector);
        let service = tower::service_fn(move |request: Request<Body>| {
            let (transport, http) = (Arc::clone(&self), http.clone());
            async move { transport.send(&http, request).await }
        });
        Ok(ClientBuilder::new(service, "default").with_layer(&config.base_uri_layer()).build())
    }

    /// Sends a request. One that finds nobody at the address is sent once more if the cluster is there: it may have
    /// come back meanwhile.
    async fn send<C>(
        &self,
        http: &HttpClient<C, GuardedBody<Body>>,
        request: Request<Body>,
    ) -> Result<http::Response<hyper::body::Incoming>, BoxError>
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        self.guard.check()?;
        let token = self.tokens.mint().await.map_err(TransportError::Token)?;
        let (mut head, body) = request.into_parts();
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))?;
        value.set_sensitive(true);
        head.headers.insert(header::AUTHORIZATION, value);
        let again = body.try_clone().map(|body| Request::from_parts(head.clone(), self.guard.guarded(body)));
        let request = Request::from_parts(head, self.guard.guarded(body));
        match (Self::attempt(http, request).await, again) {
            (Err(error), Some(again)) if is_unreachable(&error) => {
                if self.is_gone().await {
                    return Err(TransportError::Gone.into());
                }
                Self::attempt(http, again).await
            }
            (answer, _) => answer,
        }
    }

    async fn attempt<C>(
        http: &HttpClient<C, GuardedBody<Body>>,
        request: Request<GuardedBody<Body>>,
    ) -> Result<http::Response<hyper::body::Incoming>, BoxError>
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        match tokio::time::timeout(LONGEST_REQUEST, http.request(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.is_connect() => {
                Err(TransportError::Unreachable(with_causes(&error)).into())
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(TransportError::Late.into()),
        }
    }

    /// Whether EKS says that the cluster is gone or on its way out, or that the one of its name is another one. What
    /// EKS does not say is no.
    async fn is_gone(&self) -> bool {
        let request = self.aws.eks.describe_cluster().name(&self.connection.cluster_name);
        let Ok(answer) = found(request.send().await.during("DescribeCluster")) else { return false };
        let Some(cluster) = answer.and_then(|answer| answer.cluster) else { return true };
        let is_leaving = cluster.status() == Some(&aws_sdk_eks::types::ClusterStatus::Deleting);
        is_leaving || cluster.endpoint().is_some_and(|endpoint| endpoint != self.connection.server)
    }
}

fn is_unreachable(error: &BoxError) -> bool {
    matches!(error.downcast_ref(), Some(TransportError::Unreachable(_)))
}
