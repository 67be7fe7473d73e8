//! Errors as AWS answers with them, in the shape of each protocol.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;
use winterbaume_core::xml_escape;

use super::Response;
use super::json::document::Document;
use super::json::{self, JsonService};
use super::request::Request;
use super::rest_json::RestJsonService;

/// The wire protocol of a service, which decides how requests are read and errors are written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    /// EC2's variant of Query. <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html>
    Ec2Query,
    /// Query: IAM, STS and others. <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>
    AwsQuery,
    /// REST with XML: Route 53. <https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html>
    RestXml,
    /// S3's REST with bare errors. <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
    S3,
    /// awsJson: DynamoDB and others. <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>
    Json(&'static JsonService),
    /// restJson: EKS and others. <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>
    RestJson(&'static RestJsonService),
}

/// An error that a service answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceError {
    /// The HTTP status.
    pub(crate) status: u16,
    /// AWS's code, such as `InvalidVpcID.NotFound`.
    pub(crate) code: String,
    /// AWS's text.
    pub(crate) message: String,
    /// Further elements of the error, where the protocol has room for them: texts, but for awsJson.
    pub(crate) details: Vec<(&'static str, Value)>,
}

impl ServiceError {
    /// An error from its status, code and text.
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), details: Vec::new() }
    }

    /// Adds an element, such as S3's `BucketName`.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// The answer in a protocol's shape.
    pub(crate) fn response(&self, protocol: Protocol, request_id: &str) -> Response {
        let code = xml_escape(&self.code);
        let message = xml_escape(&self.message);
        let details: String = self
            .details
            .iter()
            .map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("<{name}>{}</{name}>", xml_escape(&text))
            })
            .collect();
        let error = format!("<Code>{code}</Code><Message>{message}</Message>{details}");
        let (kind, body) = match protocol {
            Protocol::Ec2Query => (
                "text/xml",
                format!(
                    "<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
                ),
            ),
            Protocol::AwsQuery | Protocol::RestXml => {
                let fault = if self.status < 500 { "Sender" } else { "Receiver" };
                let body = format!(
                    "<ErrorResponse><Error><Type>{fault}</Type>{error}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
                );
                ("text/xml", body)
            }
            Protocol::S3 => {
                ("application/xml", format!("<Error>{error}<RequestId>{request_id}</RequestId></Error>"))
            }
            Protocol::Json(service) => return service.error(self),
            Protocol::RestJson(service) => return service.json.error(self),
        };
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}

/// What a protocol has for every operation: how its parameters come, the request id's header, and errors.
impl Protocol {
    /// The protocol of a request that no service of the sandbox answers, as far as its headers tell.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_json = headers.contains_key(json::TARGET) || kind.is_some_and(|kind| kind.contains("json"));
        if is_json { Self::Json(&json::ABSENT) } else { Self::AwsQuery }
    }

    /// Whether parameters come as a form, in the query or in the body.
    pub(crate) fn has_form(self) -> bool {
        matches!(self, Self::Ec2Query | Self::AwsQuery)
    }

    /// Whether parameters come as a document.
    pub(crate) fn has_document(self) -> bool {
        matches!(self, Self::Json(_) | Self::RestJson(_))
    }

    /// The document of a request, or an absent one.
    pub(crate) fn document(self, request: &Request) -> Result<Document, ServiceError> {
        match self {
            Self::Json(service) => Document::parse(service, &request.body),
            Self::RestJson(service) => service.document(request),
            Self::Ec2Query | Self::AwsQuery | Self::RestXml | Self::S3 => Ok(Document::absent()),
        }
    }

    /// The header that carries the request id.
    pub(crate) fn request_id_header(self) -> &'static str {
        match self {
            Self::Ec2Query | Self::AwsQuery | Self::RestXml | Self::Json(_) | Self::RestJson(_) => {
                "x-amzn-requestid"
            }
            Self::S3 => "x-amz-request-id",
        }
    }

    /// The header of S3's second request id.
    pub(crate) fn second_request_id_header(self) -> Option<&'static str> {
        matches!(self, Self::S3).then_some("x-amz-id-2")
    }

    /// The service is not part of the sandbox.
    pub(crate) fn no_service(self, service: &str) -> ServiceError {
        let text = format!("The sandbox does not have the service {service}.");
        ServiceError::new(501, "NotImplemented", text)
    }

    /// The operation is not part of the sandbox.
    pub(crate) fn not_implemented(self, service: &str, operation: &str) -> ServiceError {
        let text = format!("The sandbox does not have the operation {service}:{operation}.");
        match self {
            Self::Ec2Query | Self::AwsQuery | Self::RestXml => ServiceError::new(400, "InvalidAction", text),
            Self::S3 => ServiceError::new(501, "NotImplemented", text),
            Self::Json(_) => ServiceError::new(400, "UnknownOperationException", text),
            Self::RestJson(_) => ServiceError::new(404, "UnknownOperationException", text),
        }
    }

    /// Too many calls of `operation`, which is `service:Operation`. EC2: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
    pub(crate) fn throttled(self, operation: &str) -> ServiceError {
        match self {
            Self::Ec2Query => ServiceError::new(503, "RequestLimitExceeded", "Request limit exceeded."),
            Self::AwsQuery | Self::RestXml => ServiceError::new(400, "Throttling", "Rate exceeded"),
            Self::S3 => ServiceError::new(503, "SlowDown", "Please reduce your request rate."),
            Self::Json(service) => {
                let (code, text) = (service.throttled)(operation);
                ServiceError::new(400, code, text)
            }
            Self::RestJson(service) => {
                let (code, text) = (service.json.throttled)(operation);
                ServiceError::new(429, code, text)
            }
        }
    }

    /// A failure on AWS's side.
    pub(crate) fn server_error(self) -> ServiceError {
        let text = "An internal error has occurred";
        match self {
            Self::Ec2Query => ServiceError::new(500, "InternalError", text),
            Self::AwsQuery | Self::RestXml => ServiceError::new(500, "ServiceFailure", text),
            Self::S3 => {
                ServiceError::new(500, "InternalError", "We encountered an internal error. Please try again.")
            }
            Self::Json(service) => ServiceError::new(500, service.server_error, "Internal server error"),
            Self::RestJson(service) => {
                ServiceError::new(500, service.json.server_error, "Internal server error")
            }
        }
    }

    /// A conditional write to S3 met another write of the same object.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    pub(crate) fn conditional_conflict() -> ServiceError {
        let text =
            "The conditional request cannot succeed due to a conflicting operation against this resource.";
        ServiceError::new(409, "ConditionalRequestConflict", text)
    }

    /// The principal may not do this.
    pub(crate) fn denied(self, principal: &str, operation: &str) -> ServiceError {
        match self {
            Self::Ec2Query => ServiceError::new(
                403,
                "UnauthorizedOperation",
                format!(
                    "You are not authorized to perform this operation. User: {principal} is not authorized to perform: {operation} because no identity-based policy allows the {operation} action"
                ),
            ),
            Self::AwsQuery | Self::RestXml => ServiceError::new(
                403,
                "AccessDenied",
                format!(
                    "User: {principal} is not authorized to perform: {operation} because no identity-based policy allows the {operation} action"
                ),
            ),
            Self::S3 => ServiceError::new(403, "AccessDenied", "Access Denied"),
            Self::Json(_) | Self::RestJson(_) => ServiceError::new(
                if matches!(self, Self::RestJson(_)) { 403 } else { 400 },
                "AccessDeniedException",
                format!(
                    "User: {principal} is not authorized to perform: {operation} because no identity-based policy allows the {operation} action"
                ),
            ),
        }
    }
}
