//! The key under which secrets are digested, kept in Secrets Manager: one for all environments whose state is in
//! a bucket. Whoever gets the state alone cannot try passwords against it.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>

use aws_sdk_secretsmanager::primitives::Blob;
use lsinfra_engine::SecretKey;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::store::StoreError;
use rand::TryRngCore;
use rand::rngs::OsRng;

use super::Place;
use super::access::{Access, Clients};
use super::answers::provider_error;

/// What the key of a bucket is called.
fn name(bucket: &str) -> String {
    format!("lsinfra/{bucket}/digest-key")
}

/// The key of the environments whose state is in `place`; `None` if it is not made yet.
///
/// # Errors
/// [`StoreError::Call`], [`StoreError::Damaged`].
pub async fn secret_key(access: &Access, place: &Place) -> Result<Option<SecretKey>, StoreError> {
    let clients = Clients::connect(access).await;
    let location = || format!("the secret {}", name(&place.bucket));
    let bytes = read(&clients, &place.bucket).await.map_err(|source| StoreError::Call {
        action: "read",
        location: location(),
        source: Box::new(source),
    })?;
    let Some(bytes) = bytes else { return Ok(None) };
    let length = bytes.len();
    match <[u8; 32]>::try_from(bytes) {
        Ok(bytes) => Ok(Some(SecretKey::new(bytes))),
        Err(_) => Err(StoreError::Damaged {
            location: location(),
            reason: format!(
                "it has {length} bytes instead of 32; without it, every secret counts as changed"
            ),
        }),
    }
}

async fn read(clients: &Clients, bucket: &str) -> Result<Option<Vec<u8>>, ProviderError> {
    match clients.secrets.get_secret_value().secret_id(name(bucket)).send().await {
        Ok(answer) => Ok(Some(answer.secret_binary.map(Blob::into_inner).unwrap_or_default())),
        Err(error)
            if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            Ok(None)
        }
        Err(error) => Err(provider_error("GetSecretValue", &error)),
    }
}

/// Makes the key of a bucket, unless there is one: whether there was none.
///
/// # Errors
/// [`ProviderError`].
pub(super) async fn make(clients: &Clients, bucket: &str) -> Result<bool, ProviderError> {
    if read(clients, bucket).await?.is_some() {
        return Ok(false);
    }
    let mut bytes = [0; 32];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| ProviderError::new(ErrorKind::Invalid, format!("no random bytes: {error}")))?;
    let request = clients
        .secrets
        .create_secret()
        .name(name(bucket))
        .description("Key under which lsinfra digests secrets, to see that they changed without keeping them")
        .client_request_token(uuid::Uuid::new_v4().to_string())
        .secret_binary(Blob::new(bytes));
    match request.send().await {
        Ok(_) => Ok(true),
        // Somebody else was quicker: then theirs is the key.
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_exists_exception()) => {
            Ok(false)
        }
        Err(error) => Err(provider_error("CreateSecret", &error)),
    }
}

/// Whether the key of a bucket can be seen: one that was made a moment ago may not.
///
/// # Errors
/// [`ProviderError`].
pub(super) async fn is_seen(clients: &Clients, bucket: &str) -> Result<bool, ProviderError> {
    Ok(read(clients, bucket).await?.is_some())
}
