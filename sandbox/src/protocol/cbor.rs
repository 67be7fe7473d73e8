//! Smithy RPC v2 with CBOR, turned into awsJson on its way in and back on its way out: the SDKs speak it to CloudWatch,
//! where other clients speak awsJson. Must not know any operation.
//! <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>

use bytes::Bytes;
use ciborium::Value as Cbor;
use http::HeaderValue;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Map, Number, Value};

use super::Response;
use super::error::ServiceError;
use super::json;
use super::request::Request;

/// The header by which it is told from other protocols, and its value.
const PROTOCOL: &str = "smithy-protocol";
const NAME: &str = "rpc-v2-cbor";
/// The tag of a time in seconds since 1970. <https://www.rfc-editor.org/rfc/rfc8949.html#name-epoch-based-date-time>
const EPOCH_TIME: u64 = 1;
/// How names of members end whose values are times.
const TIME: &str = "Timestamp";

/// Whether a request is of this protocol.
pub(crate) fn is_spoken(request: &Request) -> bool {
    request.header(PROTOCOL) == Some(NAME)
}

/// Makes an awsJson request of one of this protocol; leaves others alone.
pub(crate) fn to_json(request: &mut Request) -> Result<(), ServiceError> {
    if !is_spoken(request) {
        return Ok(());
    }
    let unreadable = |text: &str| ServiceError::new(400, "SerializationException", text);
    let mut parts = request.path.trim_start_matches('/').split('/');
    let target = match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("service"), Some(service), Some("operation"), Some(operation), None) => {
            format!("{service}.{operation}")
        }
        _ => return Err(unreadable("The path is not /service/SERVICE/operation/OPERATION.")),
    };
    let target = HeaderValue::from_str(&target).map_err(|_| unreadable("The path is not text."))?;
    let body = if request.body.is_empty() {
        Value::Object(Map::new())
    } else {
        let body: Cbor = ciborium::from_reader(request.body.as_ref())
            .map_err(|error| unreadable(&format!("The body is not CBOR: {error}")))?;
        json_of(body).ok_or_else(|| unreadable("The body has something that no operation takes."))?
    };
    request.headers.insert(json::TARGET, target);
    request.body = Bytes::from(body.to_string());
    Ok(())
}

fn json_of(value: Cbor) -> Option<Value> {
    Some(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(truth) => Value::Bool(truth),
        Cbor::Text(text) => Value::String(text),
        Cbor::Integer(number) => Value::Number(i64::try_from(i128::from(number)).ok()?.into()),
        Cbor::Float(number) => Value::Number(Number::from_f64(number)?),
        Cbor::Tag(EPOCH_TIME, time) => json_of(*time)?,
        Cbor::Array(items) => Value::Array(items.into_iter().map(json_of).collect::<Option<_>>()?),
        Cbor::Map(members) => {
            let members =
                members.into_iter().map(|(name, value)| Some((name.into_text().ok()?, json_of(value)?)));
            Value::Object(members.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Makes the answer to a request of this protocol of an awsJson answer.
pub(crate) fn of_json(mut response: Response) -> Response {
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let mut encoded = Vec::new();
    if ciborium::into_writer(&cbor_of("", &body), &mut encoded).is_err() {
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    }
    *response.body_mut() = Bytes::from(encoded);
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/cbor"));
    headers.insert(PROTOCOL, HeaderValue::from_static(NAME));
    response
}

fn cbor_of(name: &str, value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(truth) => Cbor::Bool(*truth),
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Number(number) => {
            let plain = match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Cbor::Integer(number.into()),
                (None, number) => Cbor::Float(number.unwrap_or_default()),
            };
            if name.ends_with(TIME) { Cbor::Tag(EPOCH_TIME, Box::new(plain)) } else { plain }
        }
        Value::Array(items) => Cbor::Array(items.iter().map(|item| cbor_of(name, item)).collect()),
        Value::Object(members) => {
            let members =
                members.iter().map(|(name, value)| (Cbor::Text(name.clone()), cbor_of(name, value)));
            Cbor::Map(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::{HeaderMap, Method};
    use serde_json::json;

    use super::*;
    use crate::protocol::credentials::CredentialScope;

    fn request(path: &str, body: &[u8]) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(PROTOCOL, HeaderValue::from_static(NAME));
        Request {
            credentials: CredentialScope {
                access_key: "AKIATEST".to_owned(),
                region: "us-east-1".to_owned(),
                service: "monitoring".to_owned(),
            },
            method: Method::POST,
            path: path.to_owned(),
            query: Vec::new(),
            headers,
            body: Bytes::copy_from_slice(body),
        }
    }

    #[test]
    fn a_request_becomes_one_in_json() {
        // {"Threshold": 90.0, "At": 1(0)} with an indefinite length, as the SDK writes maps.
        let body = b"\xbf\x69Threshold\xfb\x40\x56\x80\x00\x00\x00\x00\x00\x62At\xc1\x00\xff";
        let mut request = request("/service/Granite/operation/PutMetricAlarm", body);
        to_json(&mut request).unwrap();
        assert_eq!(request.header(json::TARGET), Some("Granite.PutMetricAlarm"));
        assert_eq!(
            serde_json::from_slice::<Value>(&request.body).unwrap(),
            json!({"Threshold": 90.0, "At": 0})
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (path, body) in [
            ("/", &b"\xa0"[..]),
            ("/service/S/operation/O", b"\xff"),
            ("/service/S/operation/O", b"\xa1\x61a\x41x"),
        ] {
            assert_eq!(to_json(&mut request(path, body)).unwrap_err().code, "SerializationException");
        }
    }

    #[test]
    fn answers_have_floats_and_times_where_json_has_numbers() {
        let answer = Response::new(Bytes::from(
            json!({"Threshold": 90.0, "Period": 60, "StateUpdatedTimestamp": 1.5}).to_string(),
        ));
        let answer = of_json(answer);
        assert_eq!(answer.headers()[PROTOCOL], NAME);
        let Cbor::Map(members) = ciborium::from_reader(answer.body().as_ref()).unwrap() else { panic!() };
        let of = |name: &str| {
            let found = members.iter().find(|(key, _)| key.as_text() == Some(name));
            found.map(|(_, value)| value.clone()).unwrap()
        };
        assert_eq!(of("Threshold"), Cbor::Float(90.0));
        assert_eq!(of("Period"), Cbor::Integer(60.into()));
        assert_eq!(of("StateUpdatedTimestamp"), Cbor::Tag(1, Box::new(Cbor::Float(1.5))));
    }
}
