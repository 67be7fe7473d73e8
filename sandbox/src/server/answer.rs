//! One request from the listener to its answer, or to a connection closed without one.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use super::{Shared, control, control_planes};
use crate::cloud::request_id;
use crate::faults::held::Held;
use crate::faults::plan::HoldPoint;
use crate::protocol::error::{Protocol, ServiceError};
use crate::protocol::request::Request;
use crate::protocol::{Response, cbor};

/// The region of requests that name none.
const DEFAULT_REGION: &str = "us-east-1";

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Closed {
    /// A fault says so.
    #[error("the answer is withheld")]
    Withheld,
    /// The request could not be read to its end.
    #[error(transparent)]
    Unread(#[from] hyper::Error),
}

/// Answers a request; an error closes the connection.
pub(super) async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Closed> {
    shared.touch();
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let response = match parts.uri.path().strip_prefix(control::PREFIX) {
        Some(path) => control::control(&shared, &parts.method, path, &body).await,
        None => match Request::decode(&parts, body, DEFAULT_REGION) {
            Ok(request) => {
                let answer = aws(&shared, &request).await?;
                if cbor::is_spoken(&request) { cbor::of_json(answer) } else { answer }
            }
            Err(error) => unadmitted(&error, &parts.headers),
        },
    };
    shared.touch();
    Ok(response.map(Full::new))
}

async fn aws(shared: &Shared, request: &Request) -> Result<Response, Closed> {
    let admitted = shared.cloud().admit(request);
    let held = || Held { number: admitted.number, operation: admitted.name.clone() };
    if !admitted.delay.is_zero() {
        tokio::time::sleep(admitted.delay).await;
    }
    if admitted.hold == Some(HoldPoint::Before) {
        shared.held.hold(held()).await;
    }
    control_planes::catch_up(shared, &admitted.name, request).await;
    let response = shared.cloud().carry_out(&admitted, request);
    shared.calls.send_modify(|calls| *calls += 1);
    if admitted.hold == Some(HoldPoint::After) {
        shared.held.hold(held()).await;
    }
    match response {
        Ok(Some(response)) => Ok(response),
        Ok(None) => Err(Closed::Withheld),
        Err(error) => {
            let text = format!("The sandbox could not write its state: {error}");
            Ok(unadmitted(&ServiceError::new(500, "InternalFailure", text), &request.headers))
        }
    }
}

/// An error that no service answers with, in the shape that the request's headers ask for.
fn unadmitted(error: &ServiceError, headers: &HeaderMap) -> Response {
    error.response(Protocol::of(headers), &request_id())
}
