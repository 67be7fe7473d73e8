//! What a kubelet says when the API server asks it: the logs of containers, which do not run.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

/// What every container has said.
const LOG: &str = "no container runs in the sandbox: this is all that it says\n";

/// The answer to a request for a path, if there is one.
pub(super) fn answer(path: &str) -> Option<Response<Full<Bytes>>> {
    path.starts_with("/containerLogs/").then(|| Response::new(Full::new(Bytes::from_static(LOG.as_bytes()))))
}
