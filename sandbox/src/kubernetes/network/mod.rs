//! The network of a cluster as its API server meets it: what it asks services (admission webhooks, aggregated APIs) and
//! kubelets. Nothing runs behind those, and no route leads there: an egress selector has the API server reach them through a
//! proxy, which is here, and answers in their place. Owns the proxy's connections; must not know what is answered.
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/setup-konnectivity/>

mod identity;
mod kubelet;
mod metrics;
mod target;
mod webhooks;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

pub(super) use self::target::KUBELET_PORT;
use self::target::{Target, TargetError};
use super::certificates::Certificates;
use super::{ControlPlaneError, Part};

/// The most that a request to the proxy may have, in bytes.
const LONGEST_REQUEST: usize = 8 * 1024;

/// The proxy, which listens and does not answer yet.
#[derive(Debug)]
pub(super) struct Proxy {
    listener: TcpListener,
    address: SocketAddr,
    tls: Arc<ServerConfig>,
}

/// A proxy that answers. Dropping it closes its connections.
#[derive(Debug)]
pub(crate) struct Network {
    _task: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port, for holders of a control plane's own certificates.
    ///
    /// # Errors
    /// [`ControlPlaneError::Io`] and [`ControlPlaneError::Tls`].
    pub(super) async fn bind(certificates: &Certificates) -> Result<Self, ControlPlaneError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, tls: Arc::new(identity::proxy(certificates)?) })
    }

    /// What the API server is to be told of it.
    pub(super) fn configuration(&self, certificates: &Certificates) -> Value {
        let (certificate, key) = certificates.administrator();
        let tls = json!({
            "caBundle": certificates.authority(),
            "clientCert": certificate,
            "clientKey": key,
        });
        let transport = json!({"tcp": {"url": format!("https://{}", self.address), "tlsConfig": tls}});
        json!({
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [{
                "name": "cluster",
                "connection": {"proxyProtocol": "HTTPConnect", "transport": transport},
            }],
        })
    }

    /// Answers in the place of a cluster's pods and kubelets, but for these.
    pub(super) fn answer(self, client: Client, without: BTreeSet<Part>) -> Network {
        let cluster = Arc::new(Cluster { client, without });
        let acceptor = TlsAcceptor::from(self.tls);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                    accepted = self.listener.accept() => {
                        if let Ok((stream, _)) = accepted {
                            connections.spawn(converse(stream, acceptor.clone(), Arc::clone(&cluster)));
                        }
                    }
                }
            }
        });
        Network { _task: task }
    }
}

/// The cluster whose network it is.
struct Cluster {
    client: Client,
    without: BTreeSet<Part>,
}

/// One connection of the API server's. Whoever is at its other end is told of what goes wrong by its end, as by a pod that
/// is gone.
async fn converse(stream: TcpStream, acceptor: TlsAcceptor, cluster: Arc<Cluster>) {
    let _ = stream.set_nodelay(true);
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let Some(address) = asked_for(&mut stream).await else { return };
    let target = match Target::find(&cluster.client, &address).await {
        Ok(target) => target,
        Err(error) => {
            let answer = format!("HTTP/1.1 503 {error}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
            return;
        }
    };
    if stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_err() {
        return;
    }
    let Ok(identity) = identity::of(&cluster.client, &target).await else { return };
    let Ok(stream) = TlsAcceptor::from(Arc::new(identity)).accept(stream).await else { return };
    let target = Arc::new(target);
    let service = service_fn(move |request| answer(Arc::clone(&cluster), Arc::clone(&target), request));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The address that a `CONNECT` request names.
async fn asked_for(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    // The client sends nothing more until it is answered.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LONGEST_REQUEST || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut words = head.split(' ');
    (words.next()? == "CONNECT").then_some(words.next()?.to_owned())
}

/// Answers one request to a target. An error closes the connection.
async fn answer(
    cluster: Arc<Cluster>,
    target: Arc<Target>,
    request: http::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, TargetError> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| TargetError::Unread)?.to_bytes();
    let path = parts.uri.path();
    let answer = match &*target {
        Target::Kubelet => kubelet::answer(path),
        Target::Service { namespace, name, .. } => {
            // A connection that is kept outlives the pods that it led to.
            target::ready_pod(&cluster.client, namespace, name).await?;
            let mut said = None;
            if !cluster.without.contains(&Part::Webhooks) {
                said = webhooks::answer(path, &body).map(|review| (200, review));
            }
            if said.is_none() && !cluster.without.contains(&Part::Metrics) {
                said = metrics::answer(&cluster.client, path, parts.uri.query().unwrap_or_default()).await?;
            }
            said.map(|(status, body)| {
                let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            })
        }
    };
    Ok(answer.unwrap_or_else(|| {
        let mut response = Response::new(Full::new(Bytes::from("nobody plays this part in the sandbox\n")));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    }))
}
