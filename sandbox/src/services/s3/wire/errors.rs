//! S3's errors. <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use crate::protocol::error::ServiceError;

/// An argument has a value that S3 does not take.
pub(in crate::services::s3) fn invalid_argument(
    text: impl Into<String>,
    name: &str,
    value: &str,
) -> ServiceError {
    ServiceError::new(400, "InvalidArgument", text).with("ArgumentName", name).with("ArgumentValue", value)
}

/// A request that makes no sense as a whole.
pub(in crate::services::s3) fn invalid_request(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidRequest", text)
}

/// A body that is not the document that it should be.
pub(in crate::services::s3) fn malformed_xml() -> ServiceError {
    ServiceError::new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// The caller may not.
pub(in crate::services::s3) fn access_denied() -> ServiceError {
    ServiceError::new(403, "AccessDenied", "Access Denied")
}

/// There is no such bucket.
pub(in crate::services::s3) fn no_such_bucket(name: &str) -> ServiceError {
    ServiceError::new(404, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", name)
}

/// There is no such key, or its newest version is a delete marker.
pub(in crate::services::s3) fn no_such_key(key: &str) -> ServiceError {
    ServiceError::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

/// There is no such multipart upload.
pub(in crate::services::s3) fn no_such_upload(id: &str) -> ServiceError {
    let text = "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    ServiceError::new(404, "NoSuchUpload", text).with("UploadId", id)
}

/// A condition of the request does not hold.
pub(in crate::services::s3) fn precondition_failed(condition: &str) -> ServiceError {
    ServiceError::new(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
    .with("Condition", condition)
}

/// The sandbox does not have a part of what is asked for.
pub(in crate::services::s3) fn not_implemented(what: &str) -> ServiceError {
    ServiceError::new(501, "NotImplemented", format!("The sandbox does not have {what}."))
}

/// The sandbox itself failed.
pub(in crate::services::s3) fn internal(reason: impl std::fmt::Display) -> ServiceError {
    ServiceError::new(
        500,
        "InternalError",
        format!("We encountered an internal error. Please try again. ({reason})"),
    )
}
