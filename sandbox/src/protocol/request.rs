//! A decoded request: who asks which service in which region for what.

use bytes::Bytes;
use http::{HeaderMap, Method};
use winterbaume_core::urldecode;

use super::cbor;
use super::chunked;
use super::credentials::CredentialScope;
use super::error::ServiceError;
use super::json;

/// A request with its body complete and its transfer encoding undone; one in CBOR has been turned into JSON.
#[derive(Debug)]
pub(crate) struct Request {
    /// Which service, region and key the signature names.
    pub(crate) credentials: CredentialScope,
    /// The HTTP method.
    pub(crate) method: Method,
    /// The path as it was sent: percent-encoded, beginning with `/`.
    pub(crate) path: String,
    /// The query's parameters, decoded, in their order; a parameter without `=` has an empty value.
    pub(crate) query: Vec<(String, String)>,
    /// The headers, with those that trailed an `aws-chunked` body.
    pub(crate) headers: HeaderMap,
    /// The body without any framing.
    pub(crate) body: Bytes,
}

impl Request {
    /// What stands for a request where the sandbox itself does something in a region: it asks for nothing.
    pub(crate) fn unsent(region: &str) -> Self {
        Self {
            credentials: CredentialScope {
                access_key: String::new(),
                region: region.to_owned(),
                service: String::new(),
            },
            method: Method::POST,
            path: "/".to_owned(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Decodes a request; `default_region` stands in where a signature names none.
    pub(crate) fn decode(
        parts: &http::request::Parts,
        body: Bytes,
        default_region: &str,
    ) -> Result<Self, ServiceError> {
        let query = pairs(parts.uri.query().unwrap_or_default());
        let mut headers = parts.headers.clone();
        let body = chunked::decode(&mut headers, body)?;
        let credentials = CredentialScope::of(&headers, &query, &body, default_region)?;
        let path = parts.uri.path().to_owned();
        let mut request = Self { credentials, method: parts.method.clone(), path, query, headers, body };
        cbor::to_json(&mut request)?;
        Ok(request)
    }

    /// A header's value, if it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first query parameter of a name.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What is asked for, as far as a request tells by itself: its target, its action, or its method and path.
    pub(crate) fn asked_for(&self) -> String {
        if let Some((_, operation)) = self.header(json::TARGET).and_then(|target| target.rsplit_once('.')) {
            return operation.to_owned();
        }
        let action = self.form().into_iter().find(|(name, _)| name == "Action");
        action.map_or_else(|| format!("{} {}", self.method, self.path), |(_, action)| action)
    }

    /// The parameters of a form-encoded body, after those of the query.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let mut form = self.query.clone();
        form.extend(pairs(&String::from_utf8_lossy(&self.body)));
        form
    }
}

/// The decoded pairs of a query or a form.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (urldecode(key), urldecode(value))
        })
        .collect()
}
