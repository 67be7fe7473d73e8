//! The one place where a secret becomes the text that AWS is handed.

use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{Input, Secret};
use secrecy::{ExposeSecret, SecretString};

/// The plain text of a secret input, for the one call that sends it. It must go nowhere else.
///
/// # Errors
/// [`ErrorKind::Invalid`] if the secret was read back from state, which has digests alone.
pub(crate) async fn plain_text(secret: &Input<Secret>) -> Result<Option<PlainText>, ProviderError> {
    let Some(secret) = secret.get() else { return Ok(None) };
    let text = secret.reveal().map_err(|error| ProviderError::new(ErrorKind::Invalid, error.to_string()))?;
    Ok(Some(PlainText(text)))
}

/// Plain text, which does not print.
pub(crate) struct PlainText(SecretString);

impl PlainText {
    /// The text, for the request.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
