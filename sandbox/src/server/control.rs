//! The control endpoint under `/_sandbox/`: what tests and the command line ask the sandbox itself.
//!
//! `GET nonce`, `GET status`, `GET calls`, `POST calls/reset`, `GET faults`, `POST faults`, `GET held` (waits until a call is held),
//! `POST release`, `GET account`, `POST hosted-zones` (`{"account": "123456789012", "name": "example.com"}`: makes sure that the account
//! has this public zone), `POST kubernetes` (lets clusters have control planes from now on, if their programs are built; answers
//! with whether they do), `POST stop`, and `POST token-reviews/IDENTITY` for the API server of a cluster. Bodies are JSON.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Shared, pace_of};
use crate::Binaries;
use crate::client::{GivenHostedZone, KubernetesStatus, Status};
use crate::cloud::HostedZoneError;
use crate::cloud::principal::is_account;
use crate::faults::plan::FaultPlan;
use crate::protocol::Response;

/// Where the API server of the cluster of an identity asks who a token belongs to.
pub(super) fn token_review_url(url: &str, identity: &str) -> String {
    format!("{url}{PREFIX}{TOKEN_REVIEWS}{identity}")
}

/// Where the control endpoint's paths begin.
pub(super) const PREFIX: &str = "/_sandbox/";
/// Where paths of clusters' token reviews begin after that.
const TOKEN_REVIEWS: &str = "token-reviews/";

/// Answers one request to a path after the prefix.
pub(super) async fn control(shared: &Arc<Shared>, method: &Method, path: &str, body: &[u8]) -> Response {
    if let ("POST", Some(identity)) = (method.as_str(), path.strip_prefix(TOKEN_REVIEWS)) {
        return review(shared, identity, body);
    }
    match (method.as_str(), path) {
        ("GET", "nonce") => json(&shared.nonce),
        ("GET", "status") => json(&status(shared)),
        ("GET", "calls") => json(shared.cloud().calls.log()),
        ("POST", "calls/reset") => {
            shared.cloud().calls.reset();
            done()
        }
        ("GET", "faults") => json(shared.cloud().faults.plan()),
        ("POST", "faults") => match serde_json::from_slice::<FaultPlan>(body) {
            Ok(plan) => match plan.check() {
                Ok(()) => {
                    shared.cloud().faults.replace(plan);
                    done()
                }
                Err(reason) => plain(StatusCode::BAD_REQUEST, reason),
            },
            Err(error) => plain(StatusCode::BAD_REQUEST, error.to_string()),
        },
        ("GET", "held") => json(&shared.held.wait().await),
        ("POST", "release") => json(&shared.held.release()),
        ("GET", "account") => match shared.cloud().inventory() {
            Ok(items) => json(&items),
            Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        ("POST", "hosted-zones") => match serde_json::from_slice::<GivenHostedZone>(body) {
            Ok(GivenHostedZone { account, name }) if is_account(&account) => {
                match shared.cloud().ensure_hosted_zone(&account, &name) {
                    Ok(()) => done(),
                    Err(HostedZoneError::Name(reason)) => plain(StatusCode::BAD_REQUEST, reason),
                    Err(HostedZoneError::Io(error)) => {
                        plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
                    }
                }
            }
            Ok(GivenHostedZone { account, .. }) => {
                plain(StatusCode::BAD_REQUEST, format!("{account:?} is no account id: twelve digits"))
            }
            Err(error) => plain(StatusCode::BAD_REQUEST, error.to_string()),
        },
        ("POST", "kubernetes") => match begin_kubernetes(shared).await {
            Ok(has_kubernetes) => json(&has_kubernetes),
            Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        ("POST", "stop") => {
            shared.stop.send_replace(true);
            done()
        }
        _ => plain(StatusCode::NOT_FOUND, format!("there is no {method} {PREFIX}{path}")),
    }
}

/// Lets clusters have control planes from now on, if they may and the programs are there; answers with whether they do.
async fn begin_kubernetes(shared: &Arc<Shared>) -> std::io::Result<bool> {
    let Some(binaries) = Binaries::installed().filter(|_| shared.may_have_kubernetes) else {
        return Ok(shared.cloud().has_kubernetes());
    };
    let runtime = tokio::runtime::Handle::current();
    if let Some(returning) = shared.control_planes.begin(&runtime, shared, binaries)? {
        // The answer is the same if waiting is cut short.
        let _ = tokio::task::spawn_blocking(|| returning.wait()).await;
    }
    Ok(true)
}

/// Answers an API server that asks who the bearer of a token is.
/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication>
fn review(shared: &Shared, identity: &str, body: &[u8]) -> Response {
    let review: Value = match serde_json::from_slice(body) {
        Ok(review) => review,
        Err(error) => return plain(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let token = review.pointer("/spec/token").and_then(Value::as_str).unwrap_or_default();
    let user = shared.cloud().user_of_token(identity, token, Timestamp::now());
    let status = match user {
        Some(user) => serde_json::json!({
            "authenticated": true,
            "user": {
                "username": user.username,
                "groups": user.groups,
                "extra": {"arn": [user.arn], "canonicalArn": [user.principal_arn]},
            },
        }),
        None => serde_json::json!({"authenticated": false}),
    };
    json(&serde_json::json!({"apiVersion": review["apiVersion"], "kind": "TokenReview", "status": status}))
}

fn status(shared: &Shared) -> Status {
    let mut cloud = shared.cloud();
    let (pace, speed) = pace_of(cloud.pace());
    Status {
        account: cloud.account().to_owned(),
        pace,
        speed,
        time: cloud.tell_time(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        nonce: shared.nonce.clone(),
        kubernetes: match (cloud.has_kubernetes(), shared.may_have_kubernetes) {
            (true, _) => KubernetesStatus::On {
                clusters: cloud.cluster_statuses(),
                without: shared.control_planes.without().iter().map(|part| part.name().to_owned()).collect(),
            },
            (false, true) => KubernetesStatus::Off,
            (false, false) => KubernetesStatus::LeftOut,
        },
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let mut response = Response::new(Bytes::from(body));
            let kind = http::HeaderValue::from_static("application/json");
            response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
            response
        }
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn done() -> Response {
    plain(StatusCode::NO_CONTENT, String::new())
}

fn plain(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response
}
