//! An account in a sandbox.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use lsinfra_resources::aws::AwsConnection;
use lsinfra_sandbox::{Control, Options, Serving};
use tempfile::TempDir;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-west-2";

/// The account, in a folder that ends with it.
pub(crate) struct Account {
    serving: Serving,
    _folder: TempDir,
}

impl Account {
    pub(crate) fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let serving = lsinfra_sandbox::serve(Options::new(folder.path())).unwrap();
        Self { serving, _folder: folder }
    }

    /// Where it is reached.
    pub(crate) fn url(&self) -> &str {
        self.serving.url()
    }

    /// What goes wrong in it, and what it has.
    pub(crate) fn control(&self) -> Control {
        Control::new(self.url())
    }

    /// The connection that a stack declares.
    pub(crate) fn connection(&self) -> AwsConnection {
        AwsConnection::new(ACCOUNT, REGION)
    }

    /// A client of Secrets Manager, for what other people do there.
    pub(crate) fn secretsmanager(&self) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(ACCOUNT, "x", None, None, "test"))
            .endpoint_url(self.url())
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }
}
