//! How a command reaches the account: AWS or the sandbox, and the first call, which asks whose
//! credentials these are.

use std::sync::Arc;

use async_trait::async_trait;
use lsinfra_engine::Value;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::operation::FactSource;
use lsinfra_engine::provider::{ErrorKind, ProviderError, Providers};
use lsinfra_engine::store::Home;
use lsinfra_resources::aws::{self, AwsConnection, AwsConnector, CallerError};
use lsinfra_resources::helm::{self, Helm, HelmConnector};
use lsinfra_resources::kubernetes::{self, KubernetesConnector};
use lsinfra_stacks::config::Config;
use lsinfra_stacks::langsmith;

use crate::error::{Cloud, CommandError, ErrorCode};
use crate::render::Pace;

/// The key of a state's home that says whether it belongs to a sandbox.
pub(crate) const HOME_SANDBOX: &str = "sandbox";

/// The fact that holds the names of a region's availability zones: this, a slash, the region.
const ZONES_FACT: &str = "aws.availability_zones";

/// A way to the account.
pub(crate) struct Connection {
    /// The resource types.
    pub(crate) providers: Providers,
    /// What their calls go through.
    pub(crate) connector: Arc<AwsConnector>,
    /// The program that charts are installed with.
    pub(crate) helm: Arc<Helm>,
    /// The clock that operations run by: the sandbox's own runs faster.
    pub(crate) clock: Clock,
    /// What a second of that clock is to the user.
    pub(crate) pace: Pace,
    /// Where the objects live, as the state records it.
    pub(crate) home: Home,
    /// The facts that the stack may ask for.
    pub(crate) facts: Box<dyn FactSource>,
}

impl Connection {
    /// No way at all: nothing is called, and facts that are not recorded stay unknown.
    pub(crate) fn offline(config: &Config, sandbox: bool) -> Self {
        let connector = Arc::new(AwsConnector::from_environment());
        let helm = helm_program(sandbox);
        Self {
            providers: providers(&connector, &helm),
            connector,
            helm,
            clock: Clock::system(),
            pace: Pace::Wall,
            home: home(config, sandbox),
            facts: Box::new(NoFacts),
        }
    }

    /// To the environment's account, in AWS or in the sandbox.
    ///
    /// # Errors
    /// Those of [`Connection::aws`] and [`Connection::sandbox`].
    pub(crate) async fn to(config: &Config, sandbox: bool) -> Result<Self, CommandError> {
        #[cfg(feature = "sandbox")]
        if sandbox {
            return Self::sandbox(config);
        }
        #[cfg(not(feature = "sandbox"))]
        let _ = sandbox;
        Self::aws(config).await
    }

    /// To AWS, after asking whose credentials these are.
    ///
    /// # Errors
    /// [`CommandError`] for missing, expired or refused credentials and for another account's.
    async fn aws(config: &Config) -> Result<Self, CommandError> {
        let connector = Arc::new(AwsConnector::from_environment());
        check_caller(&connector, config).await?;
        Ok(Self::through(connector, config, false, Clock::system(), Pace::Wall))
    }

    /// To the sandbox of the present folder, which is started if there is none, and whose account has a zone for the
    /// config's host name as one that was there before.
    ///
    /// # Errors
    /// [`CommandError`] if it cannot be started or does not answer.
    #[cfg(feature = "sandbox")]
    fn sandbox(config: &Config) -> Result<Self, CommandError> {
        let (endpoint, status) = crate::commands::sandbox::connect_or_start(&config.account)?;
        if let Some(edge) = &config.edge
            && edge.zone == lsinfra_stacks::config::Zone::Existing
        {
            endpoint.control().ensure_hosted_zone(&config.account, edge.usual_zone())?;
        }
        let connector = Arc::new(AwsConnector::sandbox(endpoint.url));
        let pace = match status.pace.as_str() {
            "instant" => Pace::Instant { speed: status.speed },
            _ => Pace::Sandbox,
        };
        Ok(Self::through(connector, config, true, Clock::paced(status.time, status.speed), pace))
    }

    fn through(
        connector: Arc<AwsConnector>,
        config: &Config,
        sandbox: bool,
        clock: Clock,
        pace: Pace,
    ) -> Self {
        let connection = AwsConnection::new(&config.account, config.region.as_str());
        let helm = helm_program(sandbox);
        Self {
            providers: providers(&connector, &helm),
            connector: Arc::clone(&connector),
            helm,
            clock,
            pace,
            home: home(config, sandbox),
            facts: Box::new(AwsFacts { connector, connection }),
        }
    }
}

/// The program that charts are installed with; in the sandbox the one that was built for it stands in for a missing one.
fn helm_program(sandbox: bool) -> Arc<Helm> {
    #[cfg(feature = "sandbox")]
    let built = || lsinfra_sandbox::Binaries::installed().map(|binaries| binaries.program("helm"));
    #[cfg(not(feature = "sandbox"))]
    let built = || None;
    Arc::new(Helm::from_environment(if sandbox { built() } else { None }))
}

fn providers(connector: &Arc<AwsConnector>, helm: &Arc<Helm>) -> Providers {
    let mut providers = Providers::default();
    aws::register(&mut providers, Arc::clone(connector));
    let clusters = Arc::new(KubernetesConnector::new(Arc::clone(connector)));
    kubernetes::register(&mut providers, Arc::clone(&clusters));
    helm::register(&mut providers, Arc::new(HelmConnector::new(clusters, Arc::clone(helm))));
    langsmith::register(&mut providers);
    providers
}

/// Where an environment's objects live, as its state records it.
pub(crate) fn home(config: &Config, sandbox: bool) -> Home {
    [
        ("account", config.account.clone()),
        ("region", config.region.to_string()),
        (HOME_SANDBOX, sandbox.to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// Whether that is in the sandbox.
pub(crate) fn is_in_sandbox(home: &Home) -> bool {
    home.get(HOME_SANDBOX).is_some_and(|value| value == "true")
}

async fn check_caller(connector: &AwsConnector, config: &Config) -> Result<(), CommandError> {
    let region = config.region.as_str();
    let caller = aws::caller(connector, region).await.map_err(|error| identity_error(&error, region))?;
    if caller.account == config.account {
        return Ok(());
    }
    let message = format!(
        "these credentials belong to account {}, the environment to account {}",
        caller.account, config.account
    );
    Err(CommandError::new(ErrorCode::WrongAccount, message)
        .details([format!("signed in as {}", caller.arn.as_str())])
        .hint("choose the right profile with AWS_PROFILE, or correct `account` in the configuration"))
}

fn identity_error(error: &CallerError, region: &str) -> CommandError {
    let cause = error.cause();
    let unanswered = || {
        CommandError::new(
            ErrorCode::IdentityUnknown,
            format!("AWS in {region} did not say whose credentials these are"),
        )
    };
    let mut command = match error {
        CallerError::NoCredentials(_) => {
            CommandError::new(ErrorCode::NoCredentials, "there are no AWS credentials")
                .hint("sign in (`aws sso login`), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and its secret")
                .hint("to try lsinfra without an account: --sandbox")
        }
        CallerError::Expired(_) => {
            CommandError::new(ErrorCode::CredentialsExpired, "the AWS credentials have expired")
                .hint("sign in again (`aws sso login`, or new keys), then run the same command")
        }
        CallerError::Unobtainable(_) => {
            CommandError::new(ErrorCode::CredentialsUnobtainable, "the AWS credentials cannot be obtained")
                .hint("set AWS_PROFILE, or check what that profile says in ~/.aws/config, and sign in")
        }
        CallerError::Refused(_) => unanswered()
            .hint("check the access key and its secret: the key may be wrong, deactivated or deleted")
            .hint("a key of another partition, such as China's, or a region that is not enabled is refused, too"),
        CallerError::Unanswered(_) => unanswered().hint(
            "check `region` in the configuration, that it is enabled for the account, and the network",
        ),
    }
    .because(error);
    command.cloud = Cloud { code: cause.code.clone(), request_id: cause.request_id.clone() };
    command
}

struct NoFacts;

#[async_trait]
impl FactSource for NoFacts {
    async fn gather(&self, _: &str) -> Result<Option<Value>, ProviderError> {
        Ok(None)
    }
}

struct AwsFacts {
    connector: Arc<AwsConnector>,
    connection: AwsConnection,
}

#[async_trait]
impl FactSource for AwsFacts {
    async fn gather(&self, name: &str) -> Result<Option<Value>, ProviderError> {
        match name.split_once('/') {
            Some((ZONES_FACT, region)) => {
                let connection = AwsConnection::new(&self.connection.account, region);
                let zones = aws::availability_zones(&self.connector, &connection).await?;
                Ok(Some(Value::List(zones.into_iter().map(Value::from).collect())))
            }
            _ => Err(ProviderError::new(ErrorKind::Invalid, format!("there is no fact {name:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: fn(ProviderError) -> CallerError, code: Option<&str>) -> CommandError {
        let cause = ProviderError {
            code: code.map(str::to_owned),
            ..ProviderError::new(ErrorKind::Denied, "GetCallerIdentity: the reason")
        };
        identity_error(&error(cause), "us-west-2")
    }

    #[test]
    fn each_trouble_with_credentials_has_its_name_and_says_why() {
        for (error, code) in [
            (CallerError::NoCredentials as fn(_) -> _, ErrorCode::NoCredentials),
            (CallerError::Expired, ErrorCode::CredentialsExpired),
            (CallerError::Unobtainable, ErrorCode::CredentialsUnobtainable),
            (CallerError::Refused, ErrorCode::IdentityUnknown),
            (CallerError::Unanswered, ErrorCode::IdentityUnknown),
        ] {
            let error = shown(error, None);
            assert_eq!(
                (error.code, &error.causes[..]),
                (code, &["GetCallerIdentity: the reason".to_owned()][..])
            );
        }
        let refused = shown(CallerError::Refused, Some("InvalidClientTokenId"));
        assert!(refused.hints[0].contains("access key"), "{:?}", refused.hints);
        assert_eq!(refused.cloud.code.as_deref(), Some("InvalidClientTokenId"));
    }
}
