//! What the services' answers mean: errors of the SDK as the engine's.
//!
//! Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>,
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

/// The HTTP status of an answer, if there was one.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// An error as the engine knows it. `call` is the API's name of what was asked.
pub(super) fn provider_error<E>(call: &str, error: &SdkError<E, HttpResponse>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
    let code = meta.and_then(|meta| meta.code()).map(str::to_owned);
    let kind = match (status(error), code.as_deref()) {
        (_, Some("ExpiredToken" | "ExpiredTokenException" | "RequestExpired")) => {
            ErrorKind::CredentialsExpired
        }
        (_, Some("NoSuchBucket" | "ResourceNotFoundException")) => ErrorKind::NotFound,
        (
            _,
            Some(
                "SlowDown"
                | "ThrottlingException"
                | "RequestLimitExceeded"
                | "ProvisionedThroughputExceededException",
            ),
        )
        | (Some(429), _) => ErrorKind::Throttled,
        (Some(401 | 403), _) | (_, Some("AccessDeniedException" | "UnrecognizedClientException")) => {
            ErrorKind::Denied
        }
        // A bucket in another region answers with the way there.
        (Some(300..=499), _) => ErrorKind::Invalid,
        (Some(_), _) => ErrorKind::Unclear,
        (None, _) if has_source::<CredentialsError>(error) => ErrorKind::CredentialsExpired,
        (None, _) if matches!(error, SdkError::ConstructionFailure(_)) => ErrorKind::Invalid,
        // Sent or not, answered or not: nobody knows.
        (None, _) => ErrorKind::Unclear,
    };
    let reason = match (meta.and_then(|meta| meta.message()), &code) {
        (Some(text), _) => text.to_owned(),
        (None, Some(code)) => code.clone(),
        (None, None) => match status(error) {
            // The answer to `HEAD` has no body that says more.
            Some(403) => "access is denied (403)".to_owned(),
            Some(status) => format!("answered with status {status}"),
            None => with_causes(error),
        },
    };
    ProviderError {
        kind,
        message: format!("{call}: {reason}"),
        code,
        request_id: error.request_id().map(str::to_owned),
    }
}

fn has_source<S: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<S>())
}

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        // Many errors repeat what they are caused by.
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}
