//! The last question before a call is sent: whether this run still holds the lock of its environment.
//!
//! A process may be put to sleep between any two instructions, and another run may take its environment
//! over meanwhile. What it wakes up to send must then stay unsent. So the question is asked twice: before
//! the HTTP client is given a request, which saves it a connection, and by the request's body, which the
//! client's connection asks for in the same breath in which it writes the request to the socket, after
//! all connecting and queueing.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use lsinfra_engine::store::Guard;

/// Keeps calls back once the lock is lost. Clones are the same guard.
#[derive(Clone, Default)]
pub(crate) struct CallGuard(Arc<OnceLock<Guard>>);

/// Another run may hold the lock by now.
#[derive(Debug, thiserror::Error)]
#[error("this run no longer holds the lock of its environment, so nothing more is sent")]
pub(crate) struct LockLost;

impl CallGuard {
    /// From now on `guard` is asked. Only the first one counts: a run holds one lock.
    pub(crate) fn set(&self, guard: Guard) {
        // A second one would be of the same run.
        let _ = self.0.set(guard);
    }

    /// Refuses what is about to be sent, if the lock is lost.
    ///
    /// # Errors
    /// [`LockLost`].
    pub(crate) fn check(&self) -> Result<(), LockLost> {
        if self.holds() { Ok(()) } else { Err(LockLost) }
    }

    /// The body of a request, which is kept back once the lock is lost.
    pub(crate) fn guarded<B>(&self, inner: B) -> GuardedBody<B> {
        GuardedBody { inner, guard: self.clone() }
    }

    fn holds(&self) -> bool {
        self.0.get().is_none_or(|guard| guard())
    }
}

impl std::fmt::Debug for CallGuard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CallGuard")
    }
}

#[dyn_dispatch_hint]
impl Intercept for CallGuard {
    fn name(&self) -> &'static str {
        "CallGuard"
    }

    // The attempt's own copy of the request: a later attempt gets a body of its own.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.0.get().is_some() {
            let body = context.request_mut().body_mut();
            let inner = std::mem::replace(body, SdkBody::taken());
            *body = SdkBody::from_body_1_x(self.guarded(inner));
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.check().map_err(Into::into)
    }
}

/// A request's body that fails, and its request with it, once the lock is lost.
///
/// A connection composes the head of a request, asks the body, and only then writes to the socket: all
/// that in one poll, and a body that fails leaves the head unwritten and the connection closed. An empty
/// body would never be asked, so once the lock is lost it claims not to be empty.
pub(crate) struct GuardedBody<B> {
    inner: B,
    guard: CallGuard,
}

impl<B> Body for GuardedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Err(lost) = self.guard.check() {
            return Poll::Ready(Some(Err(lost.into())));
        }
        Pin::new(&mut self.inner).poll_frame(context).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        Body::is_end_stream(&self.inner) && self.guard.holds()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = Body::size_hint(&self.inner);
        if hint.exact() == Some(0) && !self.guard.holds() { SizeHint::with_exact(1) } else { hint }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use lsinfra_engine::provider::{ErrorKind, ProviderError};
    use tokio::sync::oneshot;

    use super::*;
    use crate::aws::error::During;
    use crate::aws::{AwsClients, AwsConnection, AwsConnector};

    /// An endpoint, and clients whose lock is held for so many questions and lost from then on.
    struct Rig {
        clients: Arc<AwsClients>,
        address: SocketAddr,
        first: oneshot::Receiver<(SocketAddr, String)>,
    }

    impl Rig {
        async fn new(held_for: usize) -> Self {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let address = listener.local_addr().unwrap();
            let connector = AwsConnector::sandbox(format!("http://{address}"));
            let asked = AtomicUsize::new(0);
            connector.guard(Arc::new(move || asked.fetch_add(1, Ordering::SeqCst) < held_for));
            let clients = connector.clients(&AwsConnection::new("123456789012", "us-west-2")).await;
            let (taken, first) = oneshot::channel();
            std::thread::spawn(move || taken.send(take_request(&listener)));
            Self { clients, address, first }
        }

        /// What the first connection brought; `None` if there has been none.
        async fn came(self) -> Option<String> {
            // Nobody listens any more once there has been one.
            let own = TcpStream::connect(self.address).and_then(|stranger| stranger.local_addr()).ok();
            let (from, came) = self.first.await.unwrap();
            (Some(from) != own).then_some(came)
        }
    }

    /// Reads one request, or up to the end of the connection, and says yes.
    fn take_request(listener: &TcpListener) -> (SocketAddr, String) {
        let (mut stream, from) = listener.accept().unwrap();
        let (mut came, mut buffer) = (String::new(), [0; 4096]);
        let is_whole = |came: &str| {
            came.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                body.len() >= length.map_or(0, |length| length.parse().unwrap())
            })
        };
        while !is_whole(&came) {
            let length = stream.read(&mut buffer).unwrap();
            if length == 0 {
                return (from, came);
            }
            came.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        (from, came)
    }

    /// A call with a body.
    async fn put(clients: &AwsClients) -> Result<(), ProviderError> {
        let versioning = aws_sdk_s3::types::VersioningConfiguration::builder().build();
        let call = clients.s3.put_bucket_versioning().bucket("blobs").versioning_configuration(versioning);
        call.send().await.during("PutBucketVersioning").map(drop)
    }

    /// A call without a body.
    async fn delete(clients: &AwsClients) -> Result<(), ProviderError> {
        clients.s3.delete_bucket().bucket("blobs").send().await.during("DeleteBucket").map(drop)
    }

    #[tokio::test]
    async fn what_is_sent_under_the_lock_is_whole_and_unchanged() {
        let rig = Rig::new(usize::MAX).await;
        put(&rig.clients).await.unwrap();
        let request = rig.came().await.unwrap();
        assert!(request.starts_with("PUT /blobs"), "{request}");
        assert!(request.ends_with("</VersioningConfiguration>"), "{request}");
        assert!(!request.contains("transfer-encoding"), "{request}");

        let rig = Rig::new(usize::MAX).await;
        delete(&rig.clients).await.unwrap();
        let request = rig.came().await.unwrap();
        assert!(request.starts_with("DELETE /blobs") && request.ends_with("\r\n\r\n"), "{request}");
        assert!(!request.contains("content-length"), "{request}");
    }

    #[tokio::test]
    async fn whenever_the_lock_is_lost_a_request_is_unwritten_or_whole() {
        for has_body in [true, false] {
            let mut unwritten_connections = 0;
            for held_for in 0.. {
                let rig = Rig::new(held_for).await;
                let outcome = if has_body { put(&rig.clients).await } else { delete(&rig.clients).await };
                let came = rig.came().await;
                let Err(error) = outcome else {
                    assert!(came.is_some_and(|request| request.contains("\r\n\r\n")));
                    break;
                };
                assert_eq!(error.kind, ErrorKind::Abandoned, "{error:?}");
                assert!(error.message.contains("no longer holds the lock"), "{error:?}");
                assert_eq!(came.as_deref().unwrap_or_default(), "", "held for {held_for} questions");
                unwritten_connections += usize::from(came.is_some());
            }
            // The question that counts is asked when the client has connected, and before it writes.
            assert!(unwritten_connections > 0, "with a body: {has_body}");
        }
    }
}
