//! awsJson 1.0 and 1.1: one address, the operation in a header, JSON both ways. Owns what services of this protocol
//! share; must not know any operation.
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>
//!
//! Answers are written with `serde_json`: the wire functions of the `winterbaume-*` crates do nothing more for these
//! services, and bring the crates' own behaviour with them.

pub(crate) mod document;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Response;
use super::error::ServiceError;

/// The header that names the operation, as `TARGET.Operation`.
pub(crate) const TARGET: &str = "x-amz-target";

/// Codes that AWS's framework answers with in place of a service.
const OF_THE_FRAMEWORK: &[&str] = &[
    "AccessDeniedException",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
];

/// What a service of this protocol has of its own.
#[derive(Debug)]
pub(crate) struct JsonService {
    /// `1.0` or `1.1`.
    pub(crate) version: &'static str,
    /// What stands before the operation in `X-Amz-Target`.
    pub(crate) target: &'static str,
    /// What stands before an error's code in `__type`; empty for the services that write the code alone.
    pub(crate) namespace: &'static str,
    /// The code of a parameter that breaks a constraint of the API's model.
    pub(crate) invalid: &'static str,
    /// Code and text of the answer to too many calls of an operation.
    pub(crate) throttled: fn(operation: &str) -> (&'static str, &'static str),
    /// The code of a failure on AWS's side.
    pub(crate) server_error: &'static str,
}

/// Stands for a service that the sandbox does not have.
pub(crate) static ABSENT: JsonService = JsonService {
    version: "1.1",
    target: "",
    namespace: "",
    invalid: "ValidationException",
    throttled: |_| ("ThrottlingException", "Rate exceeded"),
    server_error: "InternalFailure",
};

impl JsonService {
    /// A success.
    pub(crate) fn answer(&self, body: &Value) -> Response {
        self.response(StatusCode::OK, body)
    }

    /// A parameter breaks a constraint of the API's model; `at` is its path, as in `KeySchema.1.member.KeyType`.
    pub(crate) fn constraint(&self, value: Option<&str>, at: &str, rule: &str) -> ServiceError {
        let value = value.map_or_else(|| "null".to_owned(), |value| format!("'{value}'"));
        let at: Vec<String> = at.split('.').map(lower_camel_case).collect();
        let at = at.join(".");
        ServiceError::new(
            400,
            self.invalid,
            format!(
                "1 validation error detected: Value {value} at '{at}' failed to satisfy constraint: {rule}"
            ),
        )
    }

    /// An error: the code with its namespace and alone in a header, the text, and what else the error carries.
    pub(crate) fn error(&self, error: &ServiceError) -> Response {
        let mut body = Map::new();
        body.insert("__type".to_owned(), self.type_name(&error.code).into());
        body.insert("message".to_owned(), error.message.as_str().into());
        for (name, value) in &error.details {
            body.insert((*name).to_owned(), value.clone());
        }
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.response(status, &Value::Object(body));
        if let Ok(code) = HeaderValue::from_str(&error.code) {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        response
    }

    fn type_name(&self, code: &str) -> String {
        match code {
            _ if self.namespace.is_empty() => code.to_owned(),
            "ValidationException" => format!("com.amazon.coral.validate#{code}"),
            _ if OF_THE_FRAMEWORK.contains(&code) => format!("com.amazon.coral.service#{code}"),
            _ => format!("{}#{code}", self.namespace),
        }
    }

    fn response(&self, status: StatusCode, body: &Value) -> Response {
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        let kind =
            if self.version == "1.0" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}

/// A time as awsJson writes it: seconds since 1970, exact to a millisecond.
pub(crate) fn seconds(time: Timestamp) -> f64 {
    (time.as_duration().as_secs_f64() * 1000.0).round() / 1000.0
}

fn lower_camel_case(name: &str) -> String {
    let mut characters = name.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
