//! What callers of a cluster prove with who they are: a presigned `GetCallerIdentity` of STS that names the cluster in a
//! signed header, which the cluster sends to STS.
//! <https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningError, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::aws::AwsConnection;
use crate::aws::error::with_causes;

/// What every token begins with.
const PREFIX: &str = "k8s-aws-v1.";
/// The header that names the cluster.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// What a token says of how long it is good for; clusters take it for a quarter of an hour all the same.
const LIFETIME: Duration = Duration::from_secs(60);
/// Credentials that expire so soon are asked for anew.
const MARGIN: Duration = Duration::from_secs(60);
/// What a query of a signed request leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Mints the tokens for one cluster, with the credentials that calls to AWS are signed with.
pub(super) struct Tokens {
    credentials: Option<SharedCredentialsProvider>,
    connection: AwsConnection,
    cluster: String,
    /// Asking for credentials may take a call; a token takes none.
    current: Mutex<Option<Credentials>>,
}

impl Tokens {
    /// Mints tokens for the cluster of that name, which is where `connection` says.
    pub(super) fn new(
        credentials: Option<SharedCredentialsProvider>,
        connection: AwsConnection,
        cluster: String,
    ) -> Self {
        Self { credentials, connection, cluster, current: Mutex::new(None) }
    }

    /// A token, made now.
    ///
    /// # Errors
    /// [`ErrorKind::CredentialsExpired`] if there are no credentials.
    pub(super) async fn mint(&self) -> Result<SecretString, ProviderError> {
        let now = SystemTime::now();
        let credentials = self.credentials(now).await?;
        self.signed(credentials, now).map_err(|error| {
            let message = format!("a token for the cluster {} cannot be signed: {error}", self.cluster);
            ProviderError::new(ErrorKind::Invalid, message)
        })
    }

    async fn credentials(&self, now: SystemTime) -> Result<Credentials, ProviderError> {
        let mut current = self.current.lock().await;
        let is_good = |credentials: &&Credentials| credentials.expiry().is_none_or(|end| end > now + MARGIN);
        if let Some(credentials) = current.as_ref().filter(is_good) {
            return Ok(credentials.clone());
        }
        let failed = |why: String| {
            let message = format!("a token for the cluster {} needs credentials: {why}", self.cluster);
            ProviderError::new(ErrorKind::CredentialsExpired, message)
        };
        let provider = self.credentials.as_ref().ok_or_else(|| failed("there are none".to_owned()))?;
        let credentials =
            provider.provide_credentials().await.map_err(|error| failed(with_causes(&error)))?;
        *current = Some(credentials.clone());
        Ok(credentials)
    }

    fn signed(&self, credentials: Credentials, now: SystemTime) -> Result<SecretString, SigningError> {
        let url = format!("https://{}/?Action=GetCallerIdentity&Version=2011-06-15", self.host());
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(LIFETIME);
        let identity = credentials.into();
        #[expect(clippy::expect_used, reason = "every parameter that the builder asks for is given")]
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.connection.region)
            .name("sts")
            .time(now)
            .settings(settings)
            .build()
            .expect("complete parameters")
            .into();
        let headers = [(CLUSTER_HEADER, self.cluster.as_str())];
        let request = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(&[]))?;
        let (instructions, _) = sign(request, &parameters)?.into_parts();
        let added = instructions.params().iter();
        let added = added.map(|(name, value)| format!("&{name}={}", utf8_percent_encode(value, UNRESERVED)));
        let url = url + &added.collect::<String>();
        Ok(SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url))))
    }

    /// STS in the cluster's region: clusters send such a request nowhere else, whatever endpoint the caller has.
    /// <https://docs.aws.amazon.com/general/latest/gr/sts.html>
    fn host(&self) -> String {
        let suffix = match self.connection.partition.as_str() {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            _ => "amazonaws.com",
        };
        format!("sts.{}.{suffix}", self.connection.region)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use secrecy::ExposeSecret;

    use super::*;

    /// 2026-11-26 04:00.
    const NOW: Duration = Duration::from_secs(1_795_665_600);

    /// The address in a token for that cluster, signed with that secret.
    fn url(key: &str, secret: &str, session: Option<&str>, cluster: &str) -> String {
        let credentials = Credentials::new(key, secret, session.map(str::to_owned), None, "test");
        let connection = AwsConnection::new("111122223333", "us-west-2");
        let tokens = Tokens::new(None, connection, cluster.to_owned());
        let token = tokens.signed(credentials, SystemTime::UNIX_EPOCH + NOW).unwrap();
        let encoded = token.expose_secret().strip_prefix(PREFIX).unwrap();
        String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
    }

    /// The parameters of an address, in whatever order.
    fn parameters(url: &str) -> Vec<&str> {
        let mut parameters: Vec<&str> = url.split(['?', '&']).collect();
        parameters.sort_unstable();
        parameters
    }

    #[test]
    fn a_token_is_what_botocore_signs() {
        let signed = "https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=111122223333%2F20261126%2Fus-west-2%2Fsts%2Faws4_request&X-Amz-Date=20261126T040000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=e4c89c0b49e26cb7d1793657a65957f828d91cc3894e4c4449993a70d4a5701f";
        assert_eq!(parameters(&url("111122223333", "sandbox", None, "c")), parameters(signed));
        let of_session = "https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIATEST%2F20261126%2Fus-west-2%2Fsts%2Faws4_request&X-Amz-Date=20261126T040000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Security-Token=to%2Bken%2F%3D&X-Amz-Signature=91f8e01fb58ee37a72d7c5a69a79bfcb8a523cc9122a14d94655b7690304cd59";
        assert_eq!(
            parameters(&url("ASIATEST", "se/cret", Some("to+ken/="), "langsmith-dev")),
            parameters(of_session)
        );
    }

    #[tokio::test]
    async fn without_credentials_there_is_no_token() {
        let tokens = Tokens::new(None, AwsConnection::new("1", "us-west-2"), "c".to_owned());
        assert_eq!(tokens.mint().await.unwrap_err().kind, ErrorKind::CredentialsExpired);
    }
}
