//! Errors of AWS, classified by what the engine may do about them.
//!
//! Codes are the services' own: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>,
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;
use aws_types::request_id::RequestId;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::aws::guard::LockLost;

/// Turns the SDK's results into the engine's.
pub(crate) trait During<T> {
    /// Names the call for the error's message.
    fn during(self, call: &str) -> Result<T, ProviderError>;
}

impl<T, E> During<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn during(self, call: &str) -> Result<T, ProviderError> {
        self.map_err(|error| provider_error(call, &error))
    }
}

/// Turns an answer that the object is not there into `None`.
pub(crate) fn found<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// One part of a call that succeeded as a whole was refused.
pub(crate) fn refused(call: &str, code: &str, text: &str) -> ProviderError {
    // Such parts have no status of their own; 4xx leaves the decision to the code.
    let kind = classify(code, text, 400);
    ProviderError { code: Some(code.to_owned()), ..ProviderError::new(kind, format!("{call}: {text}")) }
}

/// Turns the SDK's complaint about a field that is missing from a request into the engine's.
pub(crate) fn built<T>(part: Result<T, BuildError>) -> Result<T, ProviderError> {
    part.map_err(|error| ProviderError::new(ErrorKind::Invalid, error.to_string()))
}

/// Something that AWS was asked about is not there.
pub(crate) fn not_found(message: impl Into<String>) -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, message)
}

pub(crate) fn provider_error<E>(call: &str, error: &SdkError<E, HttpResponse>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let meta = answer.err().meta();
            let code = meta.code().unwrap_or_default();
            let text = meta.message().unwrap_or_default();
            let status = answer.raw().status().as_u16();
            let message = match (code, text) {
                // Answered without a body, or with one that cannot be read.
                ("", "") => {
                    format!("{call}: HTTP status {status}: {}", with_causes(answer.err()))
                }
                (code, "") => format!("{call}: {code}"),
                (_, text) => format!("{call}: {text}"),
            };
            ProviderError {
                kind: classify(code, text, status),
                message,
                code: (!code.is_empty()).then(|| code.to_owned()),
                request_id: meta.request_id().or_else(|| error.request_id()).map(str::to_owned),
            }
        }
        _ => {
            if let Some(lost) = source_of::<LockLost>(error) {
                // How the client words a request that it was kept from says nothing to anybody.
                return ProviderError::new(ErrorKind::Abandoned, format!("{call}: {lost}"));
            }
            let kind = if source_of::<CredentialsError>(error).is_some() {
                ErrorKind::CredentialsExpired
            } else if matches!(error, SdkError::ConstructionFailure(_)) {
                ErrorKind::Invalid
            } else {
                // Sent or not, answered or not: nobody knows.
                ErrorKind::Unclear
            };
            ProviderError {
                kind,
                message: format!("{call}: {}", with_causes(error)),
                code: None,
                request_id: error.request_id().map(str::to_owned),
            }
        }
    }
}

/// The outermost of an error and its causes that is of that type.
pub(crate) fn source_of<'e, S: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e S> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// What an error and its causes say, from the outside in, each thing once.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        let said = said.trim();
        if !text.contains(said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

/// What EKS says of a role that it cannot take on, or not yet.
const UNKNOWN_ROLES: [&str; 4] = [
    "does not exist or the trusted entity is not correct",
    "required service principals",
    "Trust policy of role is invalid",
    "The specified principalArn is invalid: invalid principal",
];

/// What the engine may do about an answer with this error code, text and HTTP status.
fn classify(code: &str, text: &str, status: u16) -> ErrorKind {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "TooManyRequestsException"
        | "PriorRequestNotComplete"
        | "SlowDown"
        | "EC2ThrottledException" => ErrorKind::Throttled,

        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            ErrorKind::CredentialsExpired
        }

        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "ServerInternal"
        | "ServiceFailure"
        | "ServiceUnavailable"
        | "Unavailable"
        | "RequestTimeout"
        | "RequestTimeoutException" => ErrorKind::Unclear,

        "UnauthorizedOperation"
        | "AccessDenied"
        | "AccessDeniedException"
        | "AuthFailure"
        | "AllAccessDisabled"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "NotAuthorized"
        | "OptInRequired"
        | "PendingVerification"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => ErrorKind::Denied,

        "DependencyViolation"
        | "DeleteConflict"
        | "ConcurrentModification"
        | "ConflictException"
        | "EntityTemporarilyUnmodifiable"
        | "BucketNotEmpty"
        | "OperationAborted"
        | "ConcurrentTagAccess"
        | "IncorrectState"
        | "InvalidIPAddress.InUse"
        | "InvalidGroup.InUse"
        | "HostedZoneNotEmpty"
        | "ResourceInUse"
        | "InvalidDBInstanceState"
        | "InvalidDBSnapshotState"
        | "InvalidDBSubnetGroupStateFault"
        | "InvalidDBParameterGroupState"
        | "InvalidReplicationGroupState"
        | "InvalidCacheClusterState"
        | "InvalidCacheParameterGroupState"
        | "InvalidSnapshotState"
        | "CacheSubnetGroupInUse"
        | "RequestConflict" => ErrorKind::Conflict,

        "EntityAlreadyExists"
        | "BucketAlreadyExists"
        | "HostedZoneAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "InvalidGroup.Duplicate"
        | "InvalidPermission.Duplicate"
        | "RouteAlreadyExists"
        | "Resource.AlreadyAssociated"
        | "Resource.AlreadyAttached"
        | "ResourceAlreadyExists"
        | "ResourceAlreadyExistsException"
        | "ResourceExistsException"
        | "AlreadyExistsException"
        | "FlowLogAlreadyExists"
        | "InvalidLaunchTemplateName.AlreadyExistsException"
        | "DuplicateSubnetsInSameZone" => ErrorKind::AlreadyExists,

        "TooManyBuckets"
        | "InsufficientFreeAddressesInSubnet"
        | "InsufficientAddressCapacity"
        | "InsufficientDBInstanceCapacity"
        | "InsufficientCacheClusterCapacity" => ErrorKind::LimitExceeded,

        "Gateway.NotAttached" | "ResourceNotFoundException" | "ResourcePropagationDelayException" => {
            ErrorKind::NotFound
        }
        // DynamoDB and EKS say so of a name that is taken, and of an object that is changing.
        "ResourceInUseException" if text.contains("already exists") || text.contains("already in use") => {
            ErrorKind::AlreadyExists
        }
        "ResourceInUseException" | "ContinuousBackupsUnavailableException" => ErrorKind::Conflict,
        "InvalidChangeBatch" if text.contains("but it already exists") => ErrorKind::AlreadyExists,
        // A deletion that is sent again after its answer was lost.
        "InvalidChangeBatch" if text.contains("but it was not found") => ErrorKind::NotFound,
        "InvalidParameter" if text.contains("Topic already exists") => ErrorKind::AlreadyExists,
        // A principal that was created a moment ago is not yet known to the service that checks it.
        "MalformedPolicy" | "MalformedPolicyDocument" | "MalformedPolicyDocumentException"
            if text.contains("nvalid principal") =>
        {
            ErrorKind::NotFound
        }
        // Subnets, security groups and roles that were created a moment ago.
        "InvalidSubnet" if text.contains("input subnets") => ErrorKind::NotFound,
        "InvalidParameterValue"
            if text.starts_with("Invalid security group")
                || text.starts_with("IAM role ARN value is invalid") =>
        {
            ErrorKind::NotFound
        }

        // So is a role to EKS, in the words that it has for clusters, nodes, pods and access entries.
        // EKS passes on what EC2 says.
        "InvalidParameterException" if text.contains(".NotFound)") => ErrorKind::NotFound,
        "InvalidParameterException" if UNKNOWN_ROLES.iter().any(|known| text.contains(known)) => {
            ErrorKind::NotFound
        }

        _ if code.ends_with("AlreadyExists") || code.ends_with("AlreadyExistsFault") => {
            ErrorKind::AlreadyExists
        }
        _ if code.contains("NotFound") || code.starts_with("NoSuch") => ErrorKind::NotFound,
        _ if code.ends_with("LimitExceeded")
            || code.ends_with("LimitExceededException")
            || code.ends_with("QuotaExceeded")
            || code.ends_with("QuotaExceededException")
            || code.ends_with("QuotaExceededFault")
            || code.ends_with("ForCustomerExceeded") =>
        {
            ErrorKind::LimitExceeded
        }
        _ if status == 429 => ErrorKind::Throttled,
        // Beside 5xx: an answer that says yes, but cannot be read.
        _ if !(400..500).contains(&status) => ErrorKind::Unclear,
        "" if status == 404 => ErrorKind::NotFound,
        "" if status == 403 => ErrorKind::Denied,
        _ => ErrorKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;

    use super::*;

    #[test]
    fn codes_are_classified_by_what_may_be_done() {
        use ErrorKind::{
            AlreadyExists, Conflict, CredentialsExpired, Denied, Invalid, LimitExceeded, NotFound, Throttled,
            Unclear,
        };
        let table = [
            ("RequestLimitExceeded", 503, Throttled),
            ("Throttling", 400, Throttled),
            ("SlowDown", 503, Throttled),
            ("ThrottlingException", 400, Throttled),
            ("AnythingElse", 429, Throttled),
            ("InternalError", 500, Unclear),
            ("InternalFailure", 500, Unclear),
            ("Unavailable", 503, Unclear),
            ("ServiceUnavailable", 503, Unclear),
            ("RequestTimeout", 400, Unclear),
            ("", 502, Unclear),
            ("", 200, Unclear),
            ("DependencyViolation", 400, Conflict),
            ("DeleteConflict", 409, Conflict),
            ("OperationAborted", 409, Conflict),
            ("BucketNotEmpty", 409, Conflict),
            ("InvalidIPAddress.InUse", 400, Conflict),
            ("ConcurrentModification", 409, Conflict),
            ("IncorrectState", 400, Conflict),
            ("InvalidVpcID.NotFound", 400, NotFound),
            ("InvalidSubnetID.NotFound", 400, NotFound),
            ("InvalidInternetGatewayID.NotFound", 400, NotFound),
            ("InvalidAllocationID.NotFound", 400, NotFound),
            ("NatGatewayNotFound", 400, NotFound),
            ("InvalidRouteTableID.NotFound", 400, NotFound),
            ("InvalidRoute.NotFound", 400, NotFound),
            ("InvalidAssociationID.NotFound", 400, NotFound),
            ("InvalidGroup.NotFound", 400, NotFound),
            ("InvalidPermission.NotFound", 400, NotFound),
            ("InvalidSecurityGroupRuleId.NotFound", 400, NotFound),
            ("InvalidVpcEndpointId.NotFound", 400, NotFound),
            ("Gateway.NotAttached", 400, NotFound),
            ("NoSuchEntity", 404, NotFound),
            ("NoSuchBucket", 404, NotFound),
            ("NoSuchBucketPolicy", 404, NotFound),
            ("OwnershipControlsNotFoundError", 404, NotFound),
            ("ServerSideEncryptionConfigurationNotFoundError", 404, NotFound),
            ("", 404, NotFound),
            ("HostedZoneNotEmpty", 400, Conflict),
            ("ResourceInUseException", 400, Conflict),
            ("EntityAlreadyExists", 409, AlreadyExists),
            ("AlreadyExistsException", 400, AlreadyExists),
            ("ResourceExistsException", 400, AlreadyExists),
            ("ResourceAlreadyExistsException", 400, AlreadyExists),
            ("HostedZoneAlreadyExists", 409, AlreadyExists),
            ("BucketAlreadyOwnedByYou", 409, AlreadyExists),
            ("BucketAlreadyExists", 409, AlreadyExists),
            ("InvalidGroup.Duplicate", 400, AlreadyExists),
            ("InvalidPermission.Duplicate", 400, AlreadyExists),
            ("RouteAlreadyExists", 400, AlreadyExists),
            ("Resource.AlreadyAssociated", 400, AlreadyExists),
            ("DBInstanceAlreadyExists", 400, AlreadyExists),
            ("CacheSubnetGroupAlreadyExists", 400, AlreadyExists),
            ("SnapshotAlreadyExistsFault", 400, AlreadyExists),
            ("DBInstanceNotFound", 404, NotFound),
            ("ReplicationGroupNotFoundFault", 404, NotFound),
            ("InvalidDBInstanceState", 400, Conflict),
            ("InvalidDBSubnetGroupStateFault", 400, Conflict),
            ("CacheSubnetGroupInUse", 400, Conflict),
            ("InstanceQuotaExceeded", 400, LimitExceeded),
            ("NodeQuotaForCustomerExceeded", 400, LimitExceeded),
            ("ResourceNotFoundException", 404, NotFound),
            ("ResourceInUseException", 409, Conflict),
            ("ResourceLimitExceededException", 400, LimitExceeded),
            ("ServerException", 500, Unclear),
            ("FlowLogAlreadyExists", 400, AlreadyExists),
            ("InvalidLaunchTemplateName.AlreadyExistsException", 400, AlreadyExists),
            ("InvalidLaunchTemplateId.VersionNotFound", 400, NotFound),
            ("VpcLimitExceeded", 400, LimitExceeded),
            ("AddressLimitExceeded", 400, LimitExceeded),
            ("NatGatewayLimitExceeded", 400, LimitExceeded),
            ("RulesPerSecurityGroupLimitExceeded", 400, LimitExceeded),
            ("LimitExceeded", 409, LimitExceeded),
            ("TooManyBuckets", 400, LimitExceeded),
            ("UnauthorizedOperation", 403, Denied),
            ("AccessDenied", 403, Denied),
            ("InvalidClientTokenId", 403, Denied),
            ("", 403, Denied),
            ("ExpiredToken", 400, CredentialsExpired),
            ("RequestExpired", 400, CredentialsExpired),
            ("InvalidParameterValue", 400, Invalid),
            ("MalformedPolicyDocument", 400, Invalid),
            ("InvalidSubnet.Conflict", 400, Invalid),
            ("InvalidAction", 400, Invalid),
        ];
        for (code, status, kind) in table {
            assert_eq!(classify(code, "", status), kind, "{code} with status {status}");
        }
    }

    #[test]
    fn what_eks_says_of_names_and_roles_is_told_apart() {
        let of = |code: &str, text: &str| classify(code, text, 400);
        let taken = "Cluster already exists with name: c";
        assert_eq!(of("ResourceInUseException", taken), ErrorKind::AlreadyExists);
        let taken = "The specified access entry resource is already in use on this cluster.";
        assert_eq!(of("ResourceInUseException", taken), ErrorKind::AlreadyExists);
        assert_eq!(of("ResourceInUseException", "Cluster has nodegroups attached"), ErrorKind::Conflict);
        let role = "Role with arn: a, could not be assumed because it does not exist or the trusted entity is not correct";
        assert_eq!(of("InvalidParameterException", role), ErrorKind::NotFound);
        assert_eq!(of("InvalidParameterException", "Subnets cannot be empty"), ErrorKind::Invalid);
    }

    #[test]
    fn causes_are_joined_and_none_is_shown_as_code() {
        let cause = CredentialsError::provider_error("the SSO token has expired");
        let error: SdkError<GetCallerIdentityError, HttpResponse> = SdkError::construction_failure(cause);
        let message = provider_error("GetCallerIdentity", &error).message;
        assert_eq!(
            message,
            "GetCallerIdentity: failed to construct request: an error occurred while loading credentials: \
             the SSO token has expired"
        );
    }

    #[test]
    fn what_a_database_refers_to_may_not_be_known_yet() {
        for (code, text) in [
            ("InvalidSubnet", "Some input subnets in :[subnet-1] are invalid."),
            ("InvalidParameterValue", "Invalid security group , groupId= sg-1, groupName=."),
            (
                "InvalidParameterValue",
                "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
            ),
        ] {
            assert_eq!(classify(code, text, 400), ErrorKind::NotFound, "{text}");
        }
        assert_eq!(classify("InvalidParameterValue", "Invalid storage size", 400), ErrorKind::Invalid);
    }

    #[test]
    fn a_name_that_is_taken_is_told_from_an_object_that_is_changing() {
        let in_use = |text| classify("ResourceInUseException", text, 400);
        assert_eq!(in_use("Table already exists: locks"), ErrorKind::AlreadyExists);
        assert_eq!(in_use("Attempt to change a resource which is still in use"), ErrorKind::Conflict);
    }

    #[test]
    fn what_codes_leave_open_is_in_texts() {
        let of = |code, text| classify(code, text, 400);
        let created = "[Tried to create resource record set [name='a.', type='A'] but it already exists]";
        assert_eq!(of("InvalidChangeBatch", created), ErrorKind::AlreadyExists);
        let deleted = "[Tried to delete resource record set [name='a.', type='A'] but it was not found]";
        assert_eq!(of("InvalidChangeBatch", deleted), ErrorKind::NotFound);
        assert_eq!(of("InvalidChangeBatch", "[The TTL is too long]"), ErrorKind::Invalid);
        let topic = "Invalid parameter: Tags Reason: Topic already exists with different tags";
        assert_eq!(of("InvalidParameter", topic), ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_policy_with_an_unknown_principal_waits_for_it() {
        let text = "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:role/new\"";
        assert_eq!(classify("MalformedPolicyDocument", text, 400), ErrorKind::NotFound);
        assert_eq!(classify("MalformedPolicy", text, 400), ErrorKind::NotFound);
    }
}
