//! The credential scope of a signature, which names the service. Signatures themselves are not checked.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use http::HeaderMap;

use super::error::ServiceError;
use super::request::pairs;

/// The key, region and service that a signature names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialScope {
    /// The access key id; empty on the operations that are not signed.
    pub(crate) access_key: String,
    /// The region; the default one where the signature names none, as in SigV4A.
    pub(crate) region: String,
    /// The service's signing name, such as `ec2` or `elasticloadbalancing`.
    pub(crate) service: String,
}

impl CredentialScope {
    /// The scope in the `Authorization` header, or in a presigned query; that of the few operations that go unsigned
    /// follows from their `Action`.
    pub(crate) fn of(
        headers: &HeaderMap,
        query: &[(String, String)],
        body: &[u8],
        default_region: &str,
    ) -> Result<Self, ServiceError> {
        let header = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let scope = match header {
            Some(header) => {
                let credential = header.split_once("Credential=").map(|(_, rest)| rest);
                credential.and_then(|rest| rest.split([',', ' ']).next()).map(str::to_owned)
            }
            None => query.iter().find(|(key, _)| key == "X-Amz-Credential").map(|(_, value)| value.clone()),
        };
        match scope {
            Some(scope) => Self::parse(&scope, default_region),
            None => Self::unsigned(query, body, default_region),
        }
    }

    /// `KEY/DATE/REGION/SERVICE/aws4_request`, or without the region for SigV4A.
    fn parse(scope: &str, default_region: &str) -> Result<Self, ServiceError> {
        let parts: Vec<&str> = scope.split('/').collect();
        let (access_key, region, service) = match parts.as_slice() {
            [access_key, _date, region, service, "aws4_request"] => (access_key, *region, service),
            [access_key, _date, service, "aws4_request"] => (access_key, default_region, service),
            _ => {
                return Err(ServiceError::new(
                    400,
                    "IncompleteSignature",
                    format!(
                        "Credential must have the form KEY/DATE/REGION/SERVICE/aws4_request, not {scope:?}."
                    ),
                ));
            }
        };
        Ok(Self {
            access_key: (*access_key).to_owned(),
            region: region.to_owned(),
            service: (*service).to_owned(),
        })
    }

    fn unsigned(query: &[(String, String)], body: &[u8], default_region: &str) -> Result<Self, ServiceError> {
        let form = pairs(&String::from_utf8_lossy(body));
        let action =
            form.iter().chain(query).find(|(key, _)| key == "Action").map(|(_, value)| value.as_str());
        match action {
            Some("AssumeRoleWithWebIdentity" | "AssumeRoleWithSAML") => Ok(Self {
                access_key: String::new(),
                region: default_region.to_owned(),
                service: "sts".to_owned(),
            }),
            _ => Err(ServiceError::new(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn scope(authorization: Option<&str>, query: &str, body: &str) -> Result<CredentialScope, ServiceError> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(http::header::AUTHORIZATION, value.parse().unwrap());
        }
        CredentialScope::of(&headers, &pairs(query), body.as_bytes(), "us-east-1")
    }

    fn expected(access_key: &str, region: &str, service: &str) -> CredentialScope {
        CredentialScope {
            access_key: access_key.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        }
    }

    #[test]
    fn the_service_follows_from_header_presigned_query_or_unsigned_action() {
        let header = "AWS4-HMAC-SHA256 Credential=AKIA1/20261123/us-west-2/ec2/aws4_request, SignedHeaders=host, Signature=0";
        assert_eq!(scope(Some(header), "", "").unwrap(), expected("AKIA1", "us-west-2", "ec2"));
        let asymmetric = "AWS4-ECDSA-P256-SHA256 Credential=AKIA1/20261123/s3/aws4_request, Signature=0";
        assert_eq!(scope(Some(asymmetric), "", "").unwrap(), expected("AKIA1", "us-east-1", "s3"));
        let query =
            "Action=GetCallerIdentity&X-Amz-Credential=AKIA2%2F20261123%2Feu-west-1%2Fsts%2Faws4_request";
        assert_eq!(scope(None, query, "").unwrap(), expected("AKIA2", "eu-west-1", "sts"));
        let body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15";
        assert_eq!(scope(None, "", body).unwrap(), expected("", "us-east-1", "sts"));
        assert_eq!(scope(None, "", "Action=DescribeVpcs").unwrap_err().code, "MissingAuthenticationToken");
        assert_eq!(scope(Some("Credential=x/y"), "", "").unwrap_err().code, "IncompleteSignature");
    }
}
