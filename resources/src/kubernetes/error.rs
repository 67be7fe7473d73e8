//! Errors of a cluster's API, classified by what the engine may do about them, with what a person can do.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#api-responses> and
//! <https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#StatusReason>

use kube::core::Status;
use kube::core::response::StatusCause;
use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::aws::error::{During, source_of, with_causes};
use crate::aws::guard::LockLost;
use crate::kubernetes::transport::TransportError;
use crate::kubernetes::{ClusterConnection, KubernetesClient};

/// The code of an error: the cluster does not know the caller.
pub const UNAUTHORIZED: &str = "Unauthorized";
/// The code of an error: nobody answers at the cluster's address.
pub const UNREACHABLE: &str = "ClusterUnreachable";
/// The code of an error: the cluster does not answer in time.
pub const SLOW: &str = "ClusterSlow";
/// The code of an error: who answers there is not the cluster.
pub const UNTRUSTED: &str = "ClusterUntrusted";
/// The code of an error: others have the fields that were to be applied.
pub(super) const FIELD_CONFLICT: &str = "FieldManagerConflict";

/// The error of a read that a plan needs: nobody at the address, or no answer in time, is told at once, rather than asked
/// for again and again while someone waits for the plan.
pub(crate) fn of_read(error: ProviderError) -> ProviderError {
    let is_silent = [UNREACHABLE, SLOW].map(Some).contains(&error.code.as_deref());
    ProviderError { kind: if is_silent { ErrorKind::TimedOut } else { error.kind }, ..error }
}

/// Turns the client's error into the engine's.
pub(super) fn provider_error(
    connection: &ClusterConnection,
    call: &str,
    error: &kube::Error,
) -> ProviderError {
    if let kube::Error::Api(status) = error {
        return of_status(connection, call, status);
    }
    let coded = |kind, code: &str, text: String| ProviderError {
        code: Some(code.to_owned()),
        ..ProviderError::new(kind, format!("{call}: {text}"))
    };
    if let Some(lost) = source_of::<LockLost>(error) {
        return ProviderError::new(ErrorKind::Abandoned, format!("{call}: {lost}"));
    }
    let (name, server) = (&connection.cluster_name, &connection.server);
    match source_of::<TransportError>(error) {
        Some(TransportError::Token(cause)) => {
            ProviderError { message: format!("{call}: {}", cause.message), ..cause.clone() }
        }
        Some(TransportError::Gone) => {
            ProviderError::new(ErrorKind::NotFound, format!("{call}: the cluster {name} is gone"))
        }
        Some(TransportError::Unreachable(text)) if text.contains("certificate") => {
            let text = format!(
                "who answers at {server} is not the cluster {name}: {text}\n\
                 something between here and the cluster answers in its place, such as a proxy that opens TLS"
            );
            coded(ErrorKind::Invalid, UNTRUSTED, text)
        }
        Some(TransportError::Unreachable(text)) => {
            let text = format!(
                "nobody answers at {server}, where the cluster {name} is: {text}\n\
                 if its endpoint is private, run lsinfra in a network that reaches the VPC; if it is public, from an \
                 address within its allowed CIDRs"
            );
            coded(ErrorKind::Unclear, UNREACHABLE, text)
        }
        Some(TransportError::Late) => {
            let text = format!("the cluster {name} is slow: {}", TransportError::Late);
            coded(ErrorKind::Unclear, SLOW, text)
        }
        None => ProviderError::new(kind_of_client(error), format!("{call}: {}", with_causes(error))),
    }
}

fn kind_of_client(error: &kube::Error) -> ErrorKind {
    match error {
        kube::Error::BuildRequest(_) | kube::Error::HttpError(_) => ErrorKind::Invalid,
        // Sent or not, answered or not, or not to be read: nobody knows.
        _ => ErrorKind::Unclear,
    }
}

fn of_status(connection: &ClusterConnection, call: &str, status: &Status) -> ProviderError {
    let kind = classify(status);
    let mut text = match status.message.trim() {
        "" => format!("HTTP status {}", status.code),
        text => text.to_owned(),
    };
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    let is_conflict = is_field_conflict(status);
    if is_conflict {
        text = conflict_text(causes);
    } else if status.code == 403 && kind == ErrorKind::Denied {
        text = format!(
            "{text}\nthe cluster {} knows the caller, but its access entry does not allow this: associate an access \
             policy such as AmazonEKSClusterAdminPolicy with it",
            connection.cluster_name
        );
    }
    let reason = if is_conflict { FIELD_CONFLICT } else { status.reason.as_str() };
    let code = if status.code == 401 { UNAUTHORIZED } else { reason };
    ProviderError {
        code: (!code.is_empty()).then(|| code.to_owned()),
        ..ProviderError::new(kind, format!("{call}: {text}"))
    }
}

/// What the engine may do about an answer.
fn classify(status: &Status) -> ErrorKind {
    let causes = || status.details.iter().flat_map(|details| &details.causes);
    match (status.code, status.reason.as_str()) {
        (_, "AlreadyExists") => ErrorKind::AlreadyExists,
        // Nobody gives a field up by waiting.
        (409, _) if is_field_conflict(status) => ErrorKind::Invalid,
        (409, _) => ErrorKind::Conflict,
        (401, _) => ErrorKind::Denied,
        (403, _) if causes().any(|cause| cause.reason == "NamespaceTerminating") => ErrorKind::Conflict,
        (403, _) if status.message.contains("exceeded quota") => ErrorKind::LimitExceeded,
        (403, _) => ErrorKind::Denied,
        (404, _) => ErrorKind::NotFound,
        (429, _) => ErrorKind::Throttled,
        // The webhooks of a controller answer once its pods run.
        (500, _) if status.message.contains("failed calling webhook") => ErrorKind::Conflict,
        (code, _) if !(400..500).contains(&code) || code == 408 || code == 410 => ErrorKind::Unclear,
        _ => ErrorKind::Invalid,
    }
}

/// Whether fields of others were to be applied.
fn is_field_conflict(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 409 && causes.into_iter().any(|cause| cause.reason == FIELD_CONFLICT)
}

/// Which fields others have, by whom.
fn conflict_text(causes: &[StatusCause]) -> String {
    let fields: Vec<String> = causes
        .iter()
        .map(|cause| match cause.message.split('"').nth(1) {
            Some(manager) => format!("{} is managed by {manager}", cause.field),
            None => format!("{}: {}", cause.field, cause.message),
        })
        .collect();
    format!(
        "{}\nleave these fields out of what is declared, or let their managers give them up",
        fields.join(", ")
    )
}

/// The fields that others have, according to an answer to an apply.
pub(super) fn conflicting_fields(error: &kube::Error) -> Option<Vec<String>> {
    let kube::Error::Api(status) = error else { return None };
    let causes = &status.details.as_ref().filter(|_| is_field_conflict(status))?.causes;
    Some(causes.iter().map(|cause| cause.field.clone()).collect())
}

/// An answer that began and did not end in time.
pub(super) fn late(connection: &ClusterConnection, call: &str) -> ProviderError {
    let error = kube::Error::Service(Box::new(TransportError::Late));
    provider_error(connection, call, &error)
}

/// The error of a caller whom the cluster does not know, with who that is and how it gets in.
pub(super) async fn unknown_caller(
    client: &KubernetesClient,
    call: &str,
    error: ProviderError,
) -> ProviderError {
    let name = &client.connection.cluster_name;
    let identity = client.aws.sts.get_caller_identity().send().await.during("GetCallerIdentity");
    let arn = identity.ok().and_then(|identity| identity.arn).map(|arn| principal(&arn));
    let (who, arn) = match &arn {
        Some(arn) => (arn.as_str(), arn.as_str()),
        None => ("the caller", "ARN"),
    };
    let message = format!(
        "{call}: the cluster {name} does not know {who}\n\
         an access entry lets it in: `aws eks create-access-entry --cluster-name {name} --principal-arn {arn}`, then \
         `aws eks associate-access-policy --cluster-name {name} --principal-arn {arn} --access-scope type=cluster \
         --policy-arn arn:{}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`",
        client.connection.aws.partition
    );
    ProviderError { message, ..error }
}

/// The principal that an access entry is made for: of a session, its role.
fn principal(arn: &str) -> String {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "sts", "", account, session] if session.starts_with("assumed-role/") => {
            let role = session.split('/').nth(1).unwrap_or_default();
            format!("arn:{partition}:iam::{account}:role/{role}")
        }
        _ => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lsinfra_engine::Property;
    use serde_json::json;

    use super::*;

    fn connection() -> ClusterConnection {
        ClusterConnection::from_value(&lsinfra_engine::Value::from_plain_json(json!({
            "aws": {"account": "123456789012", "region": "us-west-2", "partition": "aws"},
            "cluster_name": "dev", "server": "https://127.0.0.1:1", "certificate_authority": "",
        })))
        .unwrap()
    }

    fn of(status: serde_json::Value) -> ProviderError {
        let status: Status = serde_json::from_value(status).unwrap();
        provider_error(&connection(), "apply ConfigMap a/b", &kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn answers_are_classified_by_what_may_be_done() {
        for (code, reason, message, kind) in [
            (401, "Unauthorized", "Unauthorized", ErrorKind::Denied),
            (403, "Forbidden", "configmaps is forbidden", ErrorKind::Denied),
            (403, "Forbidden", "exceeded quota: pods", ErrorKind::LimitExceeded),
            (404, "NotFound", "", ErrorKind::NotFound),
            (409, "AlreadyExists", "", ErrorKind::AlreadyExists),
            (409, "Conflict", "the object has been modified", ErrorKind::Conflict),
            (422, "Invalid", "spec.replicas: Invalid value: -1", ErrorKind::Invalid),
            (400, "BadRequest", "", ErrorKind::Invalid),
            (429, "TooManyRequests", "", ErrorKind::Throttled),
            (
                500,
                "InternalError",
                "failed calling webhook \"m.example.com\": no endpoints",
                ErrorKind::Conflict,
            ),
            (500, "InternalError", "etcd", ErrorKind::Unclear),
            (503, "ServiceUnavailable", "", ErrorKind::Unclear),
            (504, "Timeout", "", ErrorKind::Unclear),
        ] {
            let error = of(json!({"code": code, "reason": reason, "message": message}));
            assert_eq!(error.kind, kind, "{code} {reason} {message}");
            assert_eq!(error.code.as_deref(), Some(reason));
        }
        let causes = json!([{"reason": "NamespaceTerminating"}]);
        let terminating = json!({"code": 403, "reason": "Forbidden", "details": {"causes": causes}});
        assert_eq!(of(terminating).kind, ErrorKind::Conflict);
    }

    #[test]
    fn a_conflict_names_the_other_manager_and_is_not_waited_for() {
        let causes = json!([{
            "reason": "FieldManagerConflict",
            "message": "conflict with \"kubectl-edit\" using v1",
            "field": ".data.a",
        }]);
        let error = of(json!({"code": 409, "reason": "Conflict", "details": {"causes": causes}}));
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains(".data.a is managed by kubectl-edit"), "{}", error.message);
    }

    #[test]
    fn an_entry_is_for_the_role_of_a_session() {
        assert_eq!(
            principal("arn:aws:sts::123456789012:assumed-role/deployer/me"),
            "arn:aws:iam::123456789012:role/deployer"
        );
        let user = "arn:aws:iam::123456789012:user/me";
        assert_eq!(principal(user), user);
    }

    #[test]
    fn causes_that_are_no_answer_say_what_to_do() {
        let of = |error: TransportError| {
            provider_error(&connection(), "get", &kube::Error::Service(Box::new(error)))
        };
        let refused = of(TransportError::Unreachable("tcp connect error: refused".to_owned()));
        assert_eq!((refused.kind, refused.code.as_deref()), (ErrorKind::Unclear, Some(UNREACHABLE)));
        assert!(refused.message.contains("private") && refused.message.contains("CIDRs"));
        let untrusted = of(TransportError::Unreachable("invalid peer certificate: UnknownIssuer".to_owned()));
        assert_eq!((untrusted.kind, untrusted.code.as_deref()), (ErrorKind::Invalid, Some(UNTRUSTED)));
        assert_eq!(of(TransportError::Gone).kind, ErrorKind::NotFound);
        assert_eq!(of(TransportError::Late).kind, ErrorKind::Unclear);
        // Whoever waits for a plan is told at once.
        for silent in [TransportError::Late, TransportError::Unreachable("refused".to_owned())] {
            assert_eq!(of_read(of(silent)).kind, ErrorKind::TimedOut);
        }
    }
}
