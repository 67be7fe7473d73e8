//! Answers: XML documents, empty answers, headers and times.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use super::errors::internal;
use crate::cloud::call::Reply;
use crate::protocol::Response;

/// An answer without a body.
pub(in crate::services::s3) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// An answer that is an XML document.
pub(in crate::services::s3) fn xml<T: Serialize>(document: &T) -> Reply {
    let text = quick_xml::se::to_string(document).map_err(internal)?;
    Ok(xml_text(&text))
}

/// An answer that is an XML document without its declaration.
pub(in crate::services::s3) fn xml_text(text: &str) -> Response {
    let mut response =
        Response::new(Bytes::from(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}")));
    set(&mut response, "content-type", "application/xml");
    response
}

/// Sets a header; a value that no header can have is left out.
pub(in crate::services::s3) fn set(response: &mut Response, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
        response.headers_mut().insert(name, value);
    }
}

/// A time as documents have it; objects' times are whole seconds.
pub(in crate::services::s3) fn document_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// A time as headers have it.
pub(in crate::services::s3) fn header_time(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A text as lists have it that are asked for with `encoding-type=url`.
pub(in crate::services::s3) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
