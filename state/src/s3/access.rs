//! How the services are reached: credentials, endpoint, retries and timeouts, and the clients made of
//! them.
//!
//! Must not know what they are asked.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

/// A call to the store, with all its attempts, takes no longer than this.
const LONGEST_CALL: Duration = Duration::from_secs(30);
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 6;

/// Where bucket and table are, and whose they must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The account that owns them: every call to the bucket names it, so that a stranger's bucket of the
    /// same name is refused.
    pub account: String,
    /// Their region.
    pub region: String,
    /// The sandbox that they are in, such as `http://127.0.0.1:4566`; `None` for AWS, which is reached as
    /// the AWS CLI would, with the environment's credentials and `AWS_ENDPOINT_URL`.
    pub sandbox: Option<String>,
}

/// The clients of the services.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
}

impl Clients {
    pub(crate) async fn connect(access: &Access) -> Self {
        let config = shared_config(access).await;
        // Behind one address there are no host names per bucket.
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(has_endpoint(&config)).build();
        Self {
            s3: aws_sdk_s3::Client::from_conf(s3),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
        }
    }
}

fn has_endpoint(config: &SdkConfig) -> bool {
    config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some()
}

async fn shared_config(access: &Access) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(LONGEST_ATTEMPT)
        .operation_timeout(LONGEST_CALL)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    let behaviour = BehaviorVersion::v2026_01_12();
    let region = Region::new(access.region.clone());
    let config = match &access.sandbox {
        None => aws_config::defaults(behaviour)
            .region(region)
            .retry_config(retries)
            .timeout_config(timeouts)
            .load()
            .await
            .into_builder(),
        Some(endpoint) => SdkConfig::builder()
            .behavior_version(behaviour)
            .region(region)
            .endpoint_url(endpoint)
            .credentials_provider(sandbox_credentials(&access.account))
            // A sandbox's clock runs fast: pauses as long as those towards AWS would be hours.
            .retry_config(retries.with_initial_backoff(Duration::from_millis(20)))
            .timeout_config(timeouts)
            .http_client(aws_smithy_http_client::Builder::new().build_http()),
    };
    match AppName::new("lsinfra") {
        Ok(name) => config.app_name(name).build(),
        Err(_) => config.build(),
    }
}

/// In a sandbox the access key is the account.
fn sandbox_credentials(account: &str) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new(account, "sandbox", None, None, "sandbox"))
}
