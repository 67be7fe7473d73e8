//! What S3 asks of bucket policies, and when one is public.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>

use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;
use crate::services::iam::principal_exists;
use crate::services::policy_document::{Document, Flaw, Matching, Principals, Statement, parse};

/// The longest policy, in bytes.
const LONGEST: usize = 20 * 1024;

/// Keys that make a grant to everyone one to somebody, if they are held against fixed values.
const NARROWING_KEYS: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
];

fn malformed(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "MalformedPolicy", text)
}

/// Reads the policy of a bucket.
pub(super) fn check(call: &Call<'_>, bucket: &str, text: &str) -> Result<Document, ServiceError> {
    let document = parse(text).map_err(|flaw| match flaw {
        Flaw::NotJson => malformed("Policies must be valid JSON and the first byte must be '{'"),
        Flaw::UnknownField(field) => malformed(format!("Unknown field {field}")),
        Flaw::MissingField(field) => malformed(format!("Missing required field {field}")),
        Flaw::InvalidField("Effect") => malformed("Invalid effect"),
        Flaw::InvalidField("Action" | "NotAction") => malformed("Policy has invalid action"),
        Flaw::InvalidField("Resource" | "NotResource") => malformed("Policy has invalid resource"),
        Flaw::InvalidField("Principal" | "NotPrincipal") => malformed("Invalid principal in policy"),
        Flaw::InvalidField(field) => malformed(format!("Invalid policy syntax: {field}")),
        Flaw::RepeatedSid(sid) => malformed(format!("Duplicate statement ID {sid}")),
    })?;
    if text.len() > LONGEST {
        return Err(malformed(format!("Policy exceeds the maximum size of {LONGEST} bytes")));
    }
    for statement in &document.statements {
        check_statement(call, bucket, statement)?;
    }
    Ok(document)
}

fn check_statement(call: &Call<'_>, bucket: &str, statement: &Statement) -> Result<(), ServiceError> {
    let principals =
        statement.principals.as_ref().ok_or_else(|| malformed("Missing required field Principal"))?;
    let actions = statement.actions.as_ref().ok_or_else(|| malformed("Missing required field Action"))?;
    let resources =
        statement.resources.as_ref().ok_or_else(|| malformed("Missing required field Resource"))?;
    let (Principals::These(named) | Principals::AllBut(named)) = principals;
    let exists =
        |(kind, who): &(String, String)| kind == "CanonicalUser" || principal_exists(call, kind, who);
    if !named.iter().all(exists) {
        return Err(malformed("Invalid principal in policy"));
    }
    let is_action = |action: &String| action == "*" || action.to_lowercase().starts_with("s3:");
    if !actions.patterns().iter().all(is_action) {
        return Err(malformed("Policy has invalid action"));
    }
    let arn = format!("arn:aws:s3:::{bucket}");
    let is_resource = |resource: &String| {
        let rest = resource.strip_prefix(&arn);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('*'))
            || resource == "*"
            || resource == "arn:aws:s3:::*"
    };
    if !resources.patterns().iter().all(is_resource) {
        return Err(malformed("Policy has invalid resource"));
    }
    match (actions, resources) {
        (Matching::Any(actions), Matching::Any(resources))
            if !actions.iter().all(|action| applies(action, resources)) =>
        {
            Err(malformed("Action does not apply to any resource(s) in statement"))
        }
        _ => Ok(()),
    }
}

/// Whether an action, which is one of buckets or one of objects, finds any of its kind among the resources.
fn applies(action: &str, resources: &[String]) -> bool {
    if action.contains(['*', '?']) {
        return true;
    }
    let action = action.to_lowercase();
    let is_of_objects = (action.contains("object") && !action.contains("objectlockconfiguration"))
        || ["s3:abortmultipartupload", "s3:listmultipartuploadparts"].contains(&action.as_str());
    resources.iter().any(|resource| {
        let names_objects = resource.contains('/');
        resource.ends_with('*') && !names_objects || names_objects == is_of_objects
    })
}

/// Whether a policy lets everyone in: a grant to everyone that no fixed value of a telling key narrows.
pub(super) fn is_public(document: &Document) -> bool {
    document.statements.iter().any(|statement| {
        statement.allows
            && statement.principals.as_ref().is_some_and(Principals::is_everyone)
            && !is_narrowed(statement)
    })
}

fn is_narrowed(statement: &Statement) -> bool {
    statement.conditions.iter().any(|condition| {
        let operator = condition.operator.to_lowercase();
        let is_positive =
            !operator.contains("not") && !operator.starts_with("null") && !operator.ends_with("ifexists");
        let is_telling = NARROWING_KEYS.contains(&condition.key.to_lowercase().as_str());
        let is_fixed =
            |value: &String| !value.contains(['*', '?', '$']) && value != "0.0.0.0/0" && value != "::/0";
        is_positive && is_telling && condition.values.iter().all(is_fixed)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn public(statement: &str) -> bool {
        is_public(&parse(&format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#)).unwrap())
    }

    #[test]
    fn a_grant_to_everyone_is_public_unless_a_fixed_value_narrows_it() {
        let with = |principal: &str, condition: &str| {
            public(&format!(
                r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"{condition}}}"#
            ))
        };
        assert!(with(r#""*""#, ""));
        assert!(with(r#"{"AWS": ["*"]}"#, ""));
        assert!(!with(r#"{"AWS": "123456789012"}"#, ""));
        assert!(!with(r#""*""#, r#", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}"#));
        assert!(with(
            r#""*""#,
            r#", "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}"#
        ));
        assert!(with(r#""*""#, r#", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}"#));
        assert!(with(r#""*""#, r#", "Condition": {"Bool": {"aws:SecureTransport": "true"}}"#));
    }

    #[test]
    fn a_denial_to_everyone_is_not_public() {
        assert!(!public(
            r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}"#
        ));
    }

    #[test]
    fn actions_of_objects_need_resources_that_are_objects() {
        let resources = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let bucket = resources(&["arn:aws:s3:::b"]);
        let objects = resources(&["arn:aws:s3:::b/*"]);
        assert!(applies("s3:ListBucket", &bucket) && !applies("s3:ListBucket", &objects));
        assert!(applies("s3:GetObject", &objects) && !applies("s3:GetObject", &bucket));
        assert!(applies("s3:AbortMultipartUpload", &objects));
        assert!(applies("s3:*", &bucket) && applies("s3:GetObject", &resources(&["arn:aws:s3:::b*"])));
    }
}
