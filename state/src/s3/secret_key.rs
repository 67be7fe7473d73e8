//! The key under which secrets are digested, kept in Secrets Manager: one for all environments whose state is in
//! a bucket, and one for each whose state came from elsewhere with a key of its own. Whoever gets the state alone
//! cannot try passwords against it.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>

use async_trait::async_trait;
use aws_sdk_secretsmanager::primitives::Blob;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::store::StoreError;
use rand::TryRngCore;
use rand::rngs::OsRng;

use super::access::Clients;
use super::answers::provider_error;

/// What the key of a bucket is called.
pub(super) fn name(bucket: &str) -> String {
    format!("lsinfra/{bucket}/digest-key")
}

/// What the key is called that an environment has of its own.
pub(super) fn own_name(bucket: &str, environment: &str) -> String {
    format!("lsinfra/{bucket}/{environment}/digest-key")
}

/// Where keys are kept.
#[async_trait]
pub(crate) trait KeyStore: Send + Sync {
    /// The key of that name, if there is one.
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ProviderError>;

    /// Makes the key of that name, unless there is one: whether there was none.
    async fn make(&self, name: &str, key: &[u8]) -> Result<bool, ProviderError>;

    /// Puts another key in the place of the one of that name.
    async fn replace(&self, name: &str, key: &[u8]) -> Result<(), ProviderError>;
}

/// The keys as AWS Secrets Manager has them.
pub(super) struct AwsKeys {
    pub(super) clients: Clients,
}

#[async_trait]
impl KeyStore for AwsKeys {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ProviderError> {
        match self.clients.secrets.get_secret_value().secret_id(name).send().await {
            Ok(answer) => Ok(Some(answer.secret_binary.map(Blob::into_inner).unwrap_or_default())),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(provider_error("GetSecretValue", &error)),
        }
    }

    async fn make(&self, name: &str, key: &[u8]) -> Result<bool, ProviderError> {
        let request = self
            .clients
            .secrets
            .create_secret()
            .name(name)
            .description(
                "Key under which lsinfra digests secrets, to see that they changed without keeping them",
            )
            .client_request_token(uuid::Uuid::new_v4().to_string())
            .secret_binary(Blob::new(key));
        match request.send().await {
            Ok(_) => Ok(true),
            // Somebody else was quicker: then theirs is the key.
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_resource_exists_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(provider_error("CreateSecret", &error)),
        }
    }

    async fn replace(&self, name: &str, key: &[u8]) -> Result<(), ProviderError> {
        let request = self.clients.secrets.put_secret_value().secret_id(name);
        let request = request.client_request_token(uuid::Uuid::new_v4().to_string());
        let answer = request.secret_binary(Blob::new(key)).send().await;
        answer.map(drop).map_err(|error| provider_error("PutSecretValue", &error))
    }
}

/// Reads the key of that name.
///
/// # Errors
/// [`StoreError::Call`], [`StoreError::Damaged`].
pub(super) async fn read(keys: &dyn KeyStore, name: &str) -> Result<Option<[u8; 32]>, StoreError> {
    let location = || format!("the secret {name}");
    let bytes = keys.read(name).await.map_err(|source| StoreError::Call {
        action: "read",
        location: location(),
        source: Box::new(source),
    })?;
    let Some(bytes) = bytes else { return Ok(None) };
    let length = bytes.len();
    bytes.try_into().map(Some).map_err(|_| StoreError::Damaged {
        location: location(),
        reason: format!("it has {length} bytes instead of 32; without it, every secret counts as changed"),
    })
}

/// Makes the key of a bucket, unless there is one: whether there was none.
///
/// # Errors
/// [`ProviderError`].
pub(super) async fn make(clients: &Clients, bucket: &str) -> Result<bool, ProviderError> {
    let keys = AwsKeys { clients: clients.clone() };
    let mut bytes = [0; 32];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| ProviderError::new(ErrorKind::Invalid, format!("no random bytes: {error}")))?;
    keys.make(&name(bucket), &bytes).await
}

/// Whether the key of a bucket can be seen: one that was made a moment ago may not.
///
/// # Errors
/// [`ProviderError`].
pub(super) async fn is_seen(clients: &Clients, bucket: &str) -> Result<bool, ProviderError> {
    let keys = AwsKeys { clients: clients.clone() };
    Ok(keys.read(&name(bucket)).await?.is_some())
}
