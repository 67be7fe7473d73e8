//! The one place where a secret becomes the text that AWS is handed.

use lsinfra_engine::provider::ProviderError;
use lsinfra_engine::{Input, Secret};
use secrecy::{ExposeSecret, SecretString};

use super::AwsClients;
use super::secretsmanager::reveal;

/// The plain text of a secret input, for the one call that sends it. It must go nowhere else.
///
/// # Errors
/// Those of [`reveal`].
pub(crate) async fn plain_text(
    secret: &Input<Secret>,
    clients: &AwsClients,
) -> Result<Option<PlainText>, ProviderError> {
    let Some(secret) = secret.get() else { return Ok(None) };
    Ok(Some(PlainText(reveal(&secret, clients).await?)))
}

/// Plain text, which does not print.
pub(crate) struct PlainText(SecretString);

impl PlainText {
    /// The text, for the request.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
