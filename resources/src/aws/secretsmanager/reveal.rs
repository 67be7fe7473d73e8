//! Reading the plain text of a secret, at the call that hands it to its consumer.

use std::collections::BTreeMap;

use lsinfra_engine::provider::{ErrorKind, ProviderError};
use secrecy::SecretString;

use super::calls::SecretCalls;
use super::document::Document;
use crate::aws::AwsClients;

/// The plain text of a secret: what is stored is read from Secrets Manager, each version once. For the
/// call that needs it, and never for an error, an event or a log.
///
/// # Errors
/// The call's; [`ErrorKind::Invalid`] if a part of the secret can be read nowhere.
pub(crate) async fn reveal(
    secret: &lsinfra_engine::Secret,
    clients: &AwsClients,
) -> Result<SecretString, ProviderError> {
    let mut read: BTreeMap<(&str, &str), Document> = BTreeMap::new();
    for location in secret.locations() {
        let (id, version) = (location.secret.as_str(), location.version.as_str());
        if let std::collections::btree_map::Entry::Vacant(vacant) = read.entry((id, version)) {
            let calls = SecretCalls { client: &clients.secretsmanager, id };
            vacant.insert(calls.version(version).await?.unwrap_or_default());
        }
    }
    let revealed = secret.reveal_with(&|location| {
        read.get(&(location.secret.as_str(), location.version.as_str()))?.get(&location.key).cloned()
    });
    revealed.map_err(|error| ProviderError::new(ErrorKind::Invalid, error.to_string()))
}
