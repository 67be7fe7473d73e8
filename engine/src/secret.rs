//! Secret values: carried in memory, compared by keyed digest, never printed and never stored.
//!
//! Owns the only type that holds plain text of a secret and the only way to read it. Combining
//! goes by templates (a list of parts), so that a derived secret can be compared without reading.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The key under which secrets are digested for comparison. It belongs to one environment and is
/// kept apart from the state, so that the state alone does not allow guessing.
#[derive(Clone)]
pub struct SecretKey(Arc<[u8; 32]>);

impl SecretKey {
    /// A key from its 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(bytes))
    }

    /// HMAC-SHA-256 of `plain`, in lowercase hexadecimal.
    fn digest(&self, plain: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("any key length");
        mac.update(plain.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(…)")
    }
}

/// A secret text: one given value, or a template that joins secrets and plain text.
///
/// An input that is marked as secret must have this type, so that its value cannot be recorded:
///
/// ```
/// #[derive(Clone, Default, lsinfra_engine::Inputs)]
/// struct Database {
///     #[input(secret)]
///     password: lsinfra_engine::Input<lsinfra_engine::Secret>,
/// }
/// ```
///
/// ```compile_fail
/// #[derive(Clone, Default, lsinfra_engine::Inputs)]
/// struct Database {
///     #[input(secret)]
///     password: lsinfra_engine::Input<String>,
/// }
/// ```
///
/// Equality is equality of digests and of the plain parts around them.
#[derive(Clone)]
pub struct Secret {
    parts: Vec<SecretPart>,
}

/// One part of a [`Secret`].
#[derive(Clone)]
pub enum SecretPart {
    /// Text that is no secret itself, such as `postgres://`.
    Plain(String),
    /// A secret value.
    Sealed {
        /// The keyed digest by which it is compared.
        digest: String,
        /// The value; absent when the secret was read back from state.
        plain: Option<Arc<SecretString>>,
    },
}

impl Secret {
    /// Seals `plain` under the environment's key.
    pub fn given(key: &SecretKey, plain: SecretString) -> Self {
        let digest = key.digest(plain.expose_secret());
        Self { parts: vec![SecretPart::Sealed { digest, plain: Some(Arc::new(plain)) }] }
    }

    /// A secret as state knows it: parts without plain text.
    pub fn from_parts(parts: Vec<SecretPart>) -> Self {
        Self { parts }
    }

    /// The parts in order.
    pub fn parts(&self) -> &[SecretPart] {
        &self.parts
    }

    /// Joins secrets and plain text into one secret.
    pub fn template(parts: impl IntoIterator<Item = Secret>) -> Self {
        Self { parts: parts.into_iter().flat_map(|secret| secret.parts).collect() }
    }

    /// Text that is no secret, as a part of a [`Secret::template`].
    pub fn plain(text: impl Into<String>) -> Self {
        Self { parts: vec![SecretPart::Plain(text.into())] }
    }

    /// The plain text, for the one call that hands it to its consumer. Only providers may use it,
    /// and never in an error, an event or a log.
    ///
    /// # Errors
    /// [`SecretUnavailable`] if a part was read from state, which never holds plain text.
    pub fn reveal(&self) -> Result<SecretString, SecretUnavailable> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                SecretPart::Plain(plain) => text.push_str(plain),
                SecretPart::Sealed { plain: Some(plain), .. } => text.push_str(plain.expose_secret()),
                SecretPart::Sealed { plain: None, .. } => return Err(SecretUnavailable),
            }
        }
        Ok(SecretString::from(text))
    }
}

/// The plain text of a secret is not at hand: only its digest is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plain text of this secret is not recorded: give it again")]
pub struct SecretUnavailable;

/// Plain parts as text, sealed ones as their digest: a secret's value is never written.
impl Serialize for SecretPart {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => RecordedPart::Plain(text.clone()),
            Self::Sealed { digest, .. } => RecordedPart::Digest(digest.clone()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SecretPart {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match RecordedPart::deserialize(deserializer)? {
            RecordedPart::Plain(text) => Self::Plain(text),
            RecordedPart::Digest(digest) => Self::Sealed { digest, plain: None },
        })
    }
}

/// The recorded form of a [`SecretPart`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RecordedPart {
    Plain(String),
    Digest(String),
}

impl PartialEq for SecretPart {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(left), Self::Plain(right)) => left == right,
            (Self::Sealed { digest: left, .. }, Self::Sealed { digest: right, .. }) => left == right,
            _ => false,
        }
    }
}

impl Eq for SecretPart {}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn secrets_compare_by_digest_and_never_print() {
        let key = SecretKey::new([7; 32]);
        let one = Secret::given(&key, SecretString::from("hunter2".to_owned()));
        let same = Secret::given(&key, SecretString::from("hunter2".to_owned()));
        let other = Secret::given(&key, SecretString::from("hunter3".to_owned()));
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_ne!(one, Secret::given(&SecretKey::new([8; 32]), SecretString::from("hunter2".to_owned())));
        let address = Secret::template([Secret::plain("redis://:"), one.clone(), Secret::plain("@host")]);
        assert_eq!(address.reveal().unwrap().expose_secret(), "redis://:hunter2@host");
        assert!(!format!("{one:?} {address:?} {key:?}").contains("hunter2"));
    }
}
