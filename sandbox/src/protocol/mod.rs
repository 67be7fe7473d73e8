//! AWS's wire: requests decoded, errors encoded. Owns HTTP shapes common to services; must not know what any
//! operation does.

pub(crate) mod cbor;
pub(crate) mod chunked;
pub(crate) mod credentials;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod params;
pub(crate) mod request;
pub(crate) mod rest_json;
pub(crate) mod xml;

use bytes::Bytes;
use winterbaume_core::MockResponse;

/// An HTTP answer with its whole body.
pub(crate) type Response = http::Response<Bytes>;

/// Takes over an answer made by a `winterbaume-*` crate's `wire` functions.
pub(crate) fn response(mock: MockResponse) -> Response {
    let mut response = Response::new(mock.body);
    *response.status_mut() = http::StatusCode::from_u16(mock.status).unwrap_or(http::StatusCode::OK);
    *response.headers_mut() = mock.headers;
    response
}
