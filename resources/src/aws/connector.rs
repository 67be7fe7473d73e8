//! How accounts are reached: credentials, endpoint, retries, timeouts, and the clients made of them.
//!
//! Must not know what the clients are used for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::service_config::ServiceConfigKey;
use lsinfra_engine::Value;
use lsinfra_engine::provider::{Connect, ProviderError};
use lsinfra_engine::store::Guard;
use tokio::sync::OnceCell;

use crate::aws::AwsConnection;
use crate::aws::guard::CallGuard;

/// No call to AWS, with all its attempts, lasts longer than this: whoever takes over from a process
/// that may still be calling waits so long.
pub const LONGEST_CALL: Duration = Duration::from_secs(60);

const LONGEST_ATTEMPT: Duration = Duration::from_secs(20);
const ATTEMPTS: u32 = 8;

/// The clients of one account and region.
pub struct AwsClients {
    pub(crate) connection: AwsConnection,
    pub(crate) acm: aws_sdk_acm::Client,
    pub(crate) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) ec2: aws_sdk_ec2::Client,
    pub(crate) eks: aws_sdk_eks::Client,
    pub(crate) elasticache: aws_sdk_elasticache::Client,
    pub(crate) elbv2: aws_sdk_elasticloadbalancingv2::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) rds: aws_sdk_rds::Client,
    pub(crate) route53: aws_sdk_route53::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) secretsmanager: aws_sdk_secretsmanager::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    /// What all of them sign with.
    pub(crate) credentials: Option<SharedCredentialsProvider>,
}

/// Makes and keeps the clients of all connections.
pub struct AwsConnector {
    source: Source,
    shared: OnceCell<SdkConfig>,
    clients: Mutex<BTreeMap<AwsConnection, Arc<AwsClients>>>,
    guard: CallGuard,
}

enum Source {
    Environment,
    Sandbox { endpoint: String },
}

impl AwsConnector {
    /// Reaches AWS as the AWS CLI would: credentials, profile and `AWS_ENDPOINT_URL` of the
    /// environment. Nothing is read before the first call.
    pub fn from_environment() -> Self {
        Self::new(Source::Environment)
    }

    /// Reaches a sandbox at `endpoint`, such as `http://127.0.0.1:4566`, whatever the environment
    /// says: its credentials and proxies are not used. There, the access key is the account; a
    /// connection without an account reaches the sandbox's own.
    pub fn sandbox(endpoint: impl Into<String>) -> Self {
        Self::new(Source::Sandbox { endpoint: endpoint.into() })
    }

    fn new(source: Source) -> Self {
        Self { source, shared: OnceCell::new(), clients: Mutex::default(), guard: CallGuard::default() }
    }

    /// From now on nothing is sent once `guard` says that others are no longer kept out.
    pub fn guard(&self, guard: Guard) {
        self.guard.set(guard);
    }

    /// What keeps calls back once others are no longer kept out: for calls that do not go to AWS.
    pub(crate) fn call_guard(&self) -> &CallGuard {
        &self.guard
    }

    /// The clients of a connection.
    pub async fn clients(&self, connection: &AwsConnection) -> Arc<AwsClients> {
        let shared = self.shared.get_or_init(|| self.shared_config()).await;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(clients.entry(connection.clone()).or_insert_with(|| {
            let mut config = shared.to_builder().region(Region::new(connection.region.clone()));
            if let Source::Sandbox { .. } = self.source {
                config.set_credentials_provider(Some(sandbox_credentials(&connection.account)));
            }
            Arc::new(AwsClients::new(connection, &config.build(), &self.guard))
        }))
    }

    async fn shared_config(&self) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(LONGEST_ATTEMPT)
            .operation_timeout(LONGEST_CALL)
            .build();
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let behaviour = BehaviorVersion::v2026_01_12();
        let config = match &self.source {
            Source::Environment => aws_config::defaults(behaviour)
                .retry_config(retries)
                .timeout_config(timeouts)
                .load()
                .await
                .into_builder(),
            Source::Sandbox { endpoint } => SdkConfig::builder()
                .behavior_version(behaviour)
                .endpoint_url(endpoint)
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
}

fn sandbox_credentials(account: &str) -> SharedCredentialsProvider {
    let access_key = if account.is_empty() { "sandbox" } else { account };
    SharedCredentialsProvider::new(Credentials::new(access_key, "sandbox", None, None, "sandbox"))
}

/// Whether S3 is reached elsewhere than at AWS's own address: for all services, or for S3 alone
/// (`AWS_ENDPOINT_URL_S3`, or the profile's `services`).
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
fn has_s3_endpoint(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let of_s3 = || config.service_config()?.load_config(key.build().ok()?);
    config.endpoint_url().is_some() || of_s3().is_some()
}

impl AwsClients {
    fn new(connection: &AwsConnection, config: &SdkConfig, guard: &CallGuard) -> Self {
        // Behind one address there are no host names per bucket.
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(has_s3_endpoint(config));
        let acm = aws_sdk_acm::config::Builder::from(config);
        let cloudwatch = aws_sdk_cloudwatch::config::Builder::from(config);
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(config);
        let ec2 = aws_sdk_ec2::config::Builder::from(config);
        let eks = aws_sdk_eks::config::Builder::from(config);
        let elasticache = aws_sdk_elasticache::config::Builder::from(config);
        let elbv2 = aws_sdk_elasticloadbalancingv2::config::Builder::from(config);
        let iam = aws_sdk_iam::config::Builder::from(config);
        let kms = aws_sdk_kms::config::Builder::from(config);
        let logs = aws_sdk_cloudwatchlogs::config::Builder::from(config);
        let rds = aws_sdk_rds::config::Builder::from(config);
        let route53 = aws_sdk_route53::config::Builder::from(config);
        let secretsmanager = aws_sdk_secretsmanager::config::Builder::from(config);
        let sns = aws_sdk_sns::config::Builder::from(config);
        Self {
            connection: connection.clone(),
            acm: aws_sdk_acm::Client::from_conf(acm.interceptor(guard.clone()).build()),
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(cloudwatch.interceptor(guard.clone()).build()),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.interceptor(guard.clone()).build()),
            ec2: aws_sdk_ec2::Client::from_conf(ec2.interceptor(guard.clone()).build()),
            eks: aws_sdk_eks::Client::from_conf(eks.interceptor(guard.clone()).build()),
            elasticache: aws_sdk_elasticache::Client::from_conf(
                elasticache.interceptor(guard.clone()).build(),
            ),
            elbv2: aws_sdk_elasticloadbalancingv2::Client::from_conf(
                elbv2.interceptor(guard.clone()).build(),
            ),
            iam: aws_sdk_iam::Client::from_conf(iam.interceptor(guard.clone()).build()),
            kms: aws_sdk_kms::Client::from_conf(kms.interceptor(guard.clone()).build()),
            logs: aws_sdk_cloudwatchlogs::Client::from_conf(logs.interceptor(guard.clone()).build()),
            rds: aws_sdk_rds::Client::from_conf(rds.interceptor(guard.clone()).build()),
            route53: aws_sdk_route53::Client::from_conf(route53.interceptor(guard.clone()).build()),
            s3: aws_sdk_s3::Client::from_conf(s3.interceptor(guard.clone()).build()),
            secretsmanager: aws_sdk_secretsmanager::Client::from_conf(
                secretsmanager.interceptor(guard.clone()).build(),
            ),
            sns: aws_sdk_sns::Client::from_conf(sns.interceptor(guard.clone()).build()),
            sts: aws_sdk_sts::Client::new(config),
            credentials: config.credentials_provider(),
        }
    }
}

#[async_trait]
impl Connect<AwsClients> for AwsConnector {
    async fn connect(&self, connection: &Value) -> Result<Arc<AwsClients>, ProviderError> {
        Ok(self.clients(&AwsConnection::read(connection)?).await)
    }

    fn identity(&self, connection: &Value) -> Value {
        AwsConnection::identity(connection)
    }
}

#[cfg(test)]
mod tests {
    use aws_types::service_config::LoadServiceConfig;

    use super::*;

    /// An environment with `AWS_ENDPOINT_URL_` and this service.
    #[derive(Debug)]
    struct EndpointOf(&'static str);

    impl LoadServiceConfig for EndpointOf {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            let is_it = key.env() == "AWS_ENDPOINT_URL" && key.service_id() == self.0;
            is_it.then(|| "http://127.0.0.1:1".to_owned())
        }
    }

    #[test]
    fn an_endpoint_for_s3_alone_counts() {
        let config = |service| SdkConfig::builder().service_config(EndpointOf(service)).build();
        assert!(has_s3_endpoint(&config("S3")));
        assert!(!has_s3_endpoint(&config("EC2")));
        assert!(has_s3_endpoint(&SdkConfig::builder().endpoint_url("http://127.0.0.1:1").build()));
        assert!(!has_s3_endpoint(&SdkConfig::builder().build()));
    }
}
