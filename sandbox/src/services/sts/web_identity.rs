//! How a service account of a cluster takes on a role. Nobody calls it over the wire: the sandbox's own controllers do.
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>

use super::trust;
use crate::cloud::call::Call;
use crate::cloud::principal::Principal;
use crate::protocol::error::ServiceError;
use crate::services::iam::{has_oidc_provider, role_by_arn};
use crate::services::policy_document::Circumstances;

/// Whom the tokens of service accounts that are meant for STS name as their audience.
const AUDIENCE: &str = "sts.amazonaws.com";

/// The session of a role that a subject (`system:serviceaccount:NAMESPACE:NAME`) gets whose token an issuer has made.
///
/// # Errors
/// `InvalidIdentityToken` if IAM does not know the issuer; `AccessDenied` for a role that is not there or that does not
/// trust the subject.
pub(crate) fn assume_role_with_web_identity(
    call: &Call<'_>,
    role_arn: &str,
    issuer: &str,
    subject: &str,
) -> Result<Principal, ServiceError> {
    let account: &str = &call.scope.account;
    let host = issuer.trim_start_matches("https://");
    let provider = format!("arn:aws:iam::{account}:oidc-provider/{host}");
    if !has_oidc_provider(call, &provider, AUDIENCE) {
        let text = format!("No OpenIDConnect provider found in your account for {issuer}");
        return Err(ServiceError::new(400, "InvalidIdentityToken", text));
    }
    let denied = || {
        let text = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        ServiceError::new(403, "AccessDenied", text)
    };
    let role = role_by_arn(&call.tables.iam, role_arn).ok_or_else(denied)?;
    let circumstances =
        Circumstances::default().with(&format!("{host}:sub"), subject).with(&format!("{host}:aud"), AUDIENCE);
    if !trust::admits_federated(&role.trust_policy, &provider, &circumstances)? {
        return Err(denied());
    }
    let session = subject.rsplit(':').next().unwrap_or(subject);
    Ok(Principal {
        account: account.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/{}/{session}", role.name),
        user_id: format!("{}:{session}", role.id),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::Pace;
    use crate::cloud::table::Scope;
    use crate::testing::{Answer, TestCloud};

    #[test]
    fn a_role_is_taken_on_by_exactly_the_service_account_that_it_trusts() {
        let mut cloud = TestCloud::new(Pace::Instant);
        let issuer = "https://oidc.eks.us-east-1.amazonaws.com/id/ABC";
        let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {
            "oidc.eks.us-east-1.amazonaws.com/id/ABC:aud": "sts.amazonaws.com",
            "oidc.eks.us-east-1.amazonaws.com/id/ABC:sub": "system:serviceaccount:a:b"}}}}"#;
        let role = [("RoleName", "r"), ("AssumeRolePolicyDocument", trust)];
        assert!(matches!(cloud.query("iam", "CreateRole", &role), Answer::Ok(_)));
        let scope = Scope::new("123456789012", "us-east-1");
        let assume = |cloud: &mut TestCloud, role: &str, issuer: &str, subject: &str| {
            let arn = format!("arn:aws:iam::123456789012:role/{role}");
            let session = |call: &mut Call<'_>| assume_role_with_web_identity(call, &arn, issuer, subject);
            match cloud.cloud().look(&scope, session) {
                Ok(session) => session.arn,
                Err(error) => error.code,
            }
        };
        let (right, other) = ("system:serviceaccount:a:b", "system:serviceaccount:a:c");
        assert_eq!(assume(&mut cloud, "r", issuer, right), "InvalidIdentityToken");
        let provider = [("Url", issuer), ("ClientIDList.member.1", "sts.amazonaws.com")];
        assert!(matches!(cloud.query("iam", "CreateOpenIDConnectProvider", &provider), Answer::Ok(_)));
        let session = "arn:aws:sts::123456789012:assumed-role/r/b";
        assert_eq!(assume(&mut cloud, "r", issuer, right), session);
        assert_eq!(assume(&mut cloud, "r", issuer, other), "AccessDenied");
        assert_eq!(assume(&mut cloud, "gone", issuer, right), "AccessDenied");
        assert_eq!(assume(&mut cloud, "r", &issuer.replace("ABC", "DEF"), right), "InvalidIdentityToken");
    }
}
