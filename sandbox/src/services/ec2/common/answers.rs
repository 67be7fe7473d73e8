//! Answers and errors that many operations share.

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use winterbaume_ec2_generated::model::ValueStringList;

use crate::cloud::call::Reply;
use crate::cloud::request_id;
use crate::protocol::Response;
use crate::protocol::error::ServiceError;

/// The answer of an operation that has nothing else to say.
pub(crate) fn done(operation: &str) -> Reply {
    let id = request_id();
    let body = format!(
        "<{operation}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>{id}</requestId><return>true</return></{operation}Response>"
    );
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    Ok(response)
}

/// The commonest refusal.
pub(crate) fn invalid_value(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterValue", text)
}

/// A time as EC2 writes it.
pub(crate) fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// A list of texts as it goes over the wire.
pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> ValueStringList {
    texts.into_iter().cloned().collect::<Vec<_>>().into()
}
