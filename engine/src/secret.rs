//! Secret values: carried in memory, compared by keyed digest, never printed and never stored.
//!
//! Owns the only type that holds plain text of a secret and the only way to read it. Combining
//! goes by templates (a list of parts), so that a derived secret can be compared without reading.
//! Where a stored secret is read is a provider's business: here its place is a name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::value::Property;

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
/// Equality is equality of digests and of the plain parts around them, wherever the values are kept.
#[derive(Clone)]
pub struct Secret {
    parts: Vec<SecretPart>,
}

/// One part of a [`Secret`].
#[derive(Clone, Debug)]
pub enum SecretPart {
    /// Text that is no secret itself, such as `postgres://`.
    Plain(String),
    /// A secret value.
    Sealed {
        /// The keyed digest by which it is compared: of the value as it is, whatever its encoding here.
        digest: String,
        /// How it stands among the other parts.
        encoding: Encoding,
        /// Where its plain text is.
        source: SecretSource,
    },
    /// A secret value that a person has to give and has not given. It stands for what is recorded in its
    /// place, if there is something.
    Asked {
        /// What to ask for, such as `license_key`.
        name: String,
        /// How it stands among the other parts.
        encoding: Encoding,
    },
}

/// How a value stands among the parts of a [`Secret`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As it is.
    #[default]
    AsIs,
    /// Percent-encoded, but for letters, digits and `-._~`, as a part of a URL.
    /// <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>
    Percent,
}

/// Where the plain text of a sealed value is. Its debug form does not show that text.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// Here.
    Given(Arc<SecretString>),
    /// In a store that a provider can read.
    Stored(SecretLocation),
    /// Nowhere: it was given once, and only its digest is recorded.
    Unavailable,
}

/// A place in a store of secrets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretLocation {
    /// The secret in its store, such as its ARN.
    pub secret: String,
    /// The version of it, whose value never changes.
    pub version: String,
    /// The member of that value.
    pub key: String,
}

impl Secret {
    /// Seals `plain` under the environment's key.
    pub fn given(key: &SecretKey, plain: SecretString) -> Self {
        let digest = key.digest(plain.expose_secret());
        Self::sealed(digest, SecretSource::Given(Arc::new(plain)))
    }

    /// A secret that is kept at `location`; `plain` is digested and forgotten.
    pub fn stored(key: &SecretKey, plain: &SecretString, location: SecretLocation) -> Self {
        Self::sealed(key.digest(plain.expose_secret()), SecretSource::Stored(location))
    }

    fn sealed(digest: String, source: SecretSource) -> Self {
        Self { parts: vec![SecretPart::Sealed { digest, encoding: Encoding::AsIs, source }] }
    }

    /// A secret that a person has to give the first time: `name` is what to ask for.
    pub fn asked(name: impl Into<String>) -> Self {
        Self { parts: vec![SecretPart::Asked { name: name.into(), encoding: Encoding::AsIs }] }
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
        let mut joined: Vec<SecretPart> = Vec::new();
        for part in parts.into_iter().flat_map(|secret| secret.parts) {
            match (joined.last_mut(), part) {
                // However plain text was cut, it is the same text.
                (Some(SecretPart::Plain(text)), SecretPart::Plain(more)) => text.push_str(&more),
                (_, part) => joined.push(part),
            }
        }
        Self { parts: joined }
    }

    /// Text that is no secret, as a part of a [`Secret::template`].
    pub fn plain(text: impl Into<String>) -> Self {
        Self { parts: vec![SecretPart::Plain(text.into())] }
    }

    /// The same secret, percent-encoded to be a part of a URL.
    #[must_use]
    pub fn percent_encoded(self) -> Self {
        let encoded = self.parts.into_iter().map(|part| match part {
            SecretPart::Plain(text) => SecretPart::Plain(percent_encode(&text)),
            SecretPart::Sealed { digest, source, .. } => {
                SecretPart::Sealed { digest, source, encoding: Encoding::Percent }
            }
            SecretPart::Asked { name, .. } => SecretPart::Asked { name, encoding: Encoding::Percent },
        });
        Self { parts: encoded.collect() }
    }

    /// What has to be asked for before its plain text can be told.
    pub fn asked_names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            SecretPart::Asked { name, .. } => Some(name.as_str()),
            SecretPart::Plain(_) | SecretPart::Sealed { .. } => None,
        })
    }

    /// The same secret, in which what is asked for is what was given.
    #[must_use]
    pub(crate) fn given_from(self, given: &BTreeMap<String, Secret>) -> Self {
        Self::template(self.parts.into_iter().map(|part| match &part {
            SecretPart::Asked { name, encoding } => match (given.get(name), encoding) {
                (Some(secret), Encoding::AsIs) => secret.clone(),
                (Some(secret), Encoding::Percent) => secret.clone().percent_encoded(),
                (None, _) => Self { parts: vec![part] },
            },
            SecretPart::Plain(_) | SecretPart::Sealed { .. } => Self { parts: vec![part] },
        }))
    }

    /// Where its plain text has to be read.
    pub fn locations(&self) -> impl Iterator<Item = &SecretLocation> {
        self.parts.iter().filter_map(|part| match part {
            SecretPart::Sealed { source: SecretSource::Stored(location), .. } => Some(location),
            _ => None,
        })
    }

    /// What was recorded in its place, if it leaves that open: a value that is asked for is the one that
    /// was given before.
    pub(crate) fn filled_from(&self, recorded: &Self) -> Option<Self> {
        self.asked_names().next()?;
        let is_whole = matches!(self.parts.as_slice(), [SecretPart::Asked { encoding: Encoding::AsIs, .. }]);
        let fits = self.parts.len() == recorded.parts.len()
            && self.parts.iter().zip(&recorded.parts).all(|(part, recorded)| match (part, recorded) {
                (SecretPart::Asked { encoding, .. }, SecretPart::Sealed { encoding: recorded, .. }) => {
                    encoding == recorded
                }
                (part, recorded) => part == recorded,
            });
        (fits || is_whole && recorded.asked_names().next().is_none()).then(|| recorded.clone())
    }

    /// The plain text, for the one call that hands it to its consumer, without reading any store. Only
    /// providers may use it, and never in an error, an event or a log.
    ///
    /// # Errors
    /// [`SecretUnavailable`] if the plain text of a part is not here.
    pub fn reveal(&self) -> Result<SecretString, SecretUnavailable> {
        self.reveal_with(&|_| None)
    }

    /// As [`reveal`](Self::reveal), with what was read at the [`locations`](Self::locations).
    ///
    /// # Errors
    /// [`SecretUnavailable`] if the plain text of a part is neither here nor in what was read.
    pub fn reveal_with(
        &self,
        read: &dyn Fn(&SecretLocation) -> Option<SecretString>,
    ) -> Result<SecretString, SecretUnavailable> {
        let mut text = String::new();
        for part in &self.parts {
            let (plain, encoding) = match part {
                SecretPart::Plain(plain) => {
                    text.push_str(plain);
                    continue;
                }
                SecretPart::Asked { name, .. } => {
                    return Err(SecretUnavailable::NotGiven { name: name.clone() });
                }
                SecretPart::Sealed { source, encoding, .. } => (plain_text(source, read)?, encoding),
            };
            match encoding {
                Encoding::AsIs => text.push_str(plain.expose_secret()),
                Encoding::Percent => text.push_str(&percent_encode(plain.expose_secret())),
            }
        }
        Ok(SecretString::from(text))
    }
}

fn plain_text(
    source: &SecretSource,
    read: &dyn Fn(&SecretLocation) -> Option<SecretString>,
) -> Result<SecretString, SecretUnavailable> {
    match source {
        SecretSource::Given(plain) => Ok(SecretString::clone(plain)),
        SecretSource::Stored(location) => {
            let not_read = || SecretUnavailable::NotRead { secret: location.secret.clone() };
            read(location).ok_or_else(not_read)
        }
        SecretSource::Unavailable => Err(SecretUnavailable::NotRecorded),
    }
}

fn percent_encode(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// Why the plain text of a secret cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretUnavailable {
    /// It was given once, and only its digest is recorded.
    #[error("the plain text of this secret is not recorded: give it again")]
    NotRecorded,
    /// A person has to give it.
    #[error("the secret {name} is not given")]
    NotGiven {
        /// What to ask for.
        name: String,
    },
    /// It is in a store, and was not found there.
    #[error("the secret {secret} does not hold what is recorded of it")]
    NotRead {
        /// The secret in its store.
        secret: String,
    },
}

/// Plain parts as text, sealed ones as their digest: a secret's value is never written.
impl Serialize for SecretPart {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let location = |source: &SecretSource| match source {
            SecretSource::Stored(location) => Some(location.clone()),
            SecretSource::Given(_) | SecretSource::Unavailable => None,
        };
        match self {
            Self::Plain(text) => RecordedPart::Plain(text.clone()),
            Self::Sealed { digest, encoding, source } => match (encoding, location(source)) {
                (Encoding::AsIs, None) => RecordedPart::Digest(digest.clone()),
                (encoding, stored_at) => {
                    RecordedPart::Sealed { digest: digest.clone(), encoding: *encoding, stored_at }
                }
            },
            Self::Asked { name, encoding } => RecordedPart::Asked { name: name.clone(), encoding: *encoding },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SecretPart {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match RecordedPart::deserialize(deserializer)? {
            RecordedPart::Plain(text) => Self::Plain(text),
            RecordedPart::Digest(digest) => {
                Self::Sealed { digest, encoding: Encoding::AsIs, source: SecretSource::Unavailable }
            }
            RecordedPart::Sealed { digest, encoding, stored_at } => Self::Sealed {
                digest,
                encoding,
                source: stored_at.map_or(SecretSource::Unavailable, SecretSource::Stored),
            },
            RecordedPart::Asked { name, encoding } => Self::Asked { name, encoding },
        })
    }
}

/// The recorded form of a [`SecretPart`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RecordedPart {
    Plain(String),
    /// A sealed value with nothing else to record.
    Digest(String),
    Sealed {
        digest: String,
        #[serde(default, skip_serializing_if = "is_as_it_is")]
        encoding: Encoding,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stored_at: Option<SecretLocation>,
    },
    Asked {
        name: String,
        #[serde(default, skip_serializing_if = "is_as_it_is")]
        encoding: Encoding,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_as_it_is(encoding: &Encoding) -> bool {
    *encoding == Encoding::AsIs
}

impl PartialEq for SecretPart {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(left), Self::Plain(right)) => left == right,
            (
                Self::Sealed { digest: left, encoding: left_encoding, .. },
                Self::Sealed { digest: right, encoding: right_encoding, .. },
            ) => (left, left_encoding) == (right, right_encoding),
            (
                Self::Asked { name: left, encoding: left_encoding },
                Self::Asked { name: right, encoding: right_encoding },
            ) => (left, left_encoding) == (right, right_encoding),
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

/// What an input that is marked as secret may be: a secret, or several by name.
pub trait SecretProperty: Property {}

impl SecretProperty for Secret {}

impl SecretProperty for BTreeMap<String, Secret> {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key() -> SecretKey {
        SecretKey::new([7; 32])
    }

    fn given(plain: &str) -> Secret {
        Secret::given(&key(), SecretString::from(plain.to_owned()))
    }

    fn recorded(secret: &Secret) -> Secret {
        let json = serde_json::to_string(secret.parts()).unwrap();
        assert!(!json.contains("hunter"), "{json}");
        Secret::from_parts(serde_json::from_str(&json).unwrap())
    }

    fn location() -> SecretLocation {
        SecretLocation { secret: "arn".to_owned(), version: "1".to_owned(), key: "password".to_owned() }
    }

    #[test]
    fn secrets_compare_by_digest_and_never_print() {
        let (one, same, other) = (given("hunter2"), given("hunter2"), given("hunter3"));
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_ne!(one, Secret::given(&SecretKey::new([8; 32]), SecretString::from("hunter2".to_owned())));
        let address = Secret::template([Secret::plain("redis://:"), one.clone(), Secret::plain("@host")]);
        assert_eq!(address.reveal().unwrap().expose_secret(), "redis://:hunter2@host");
        let cut = [Secret::plain("redis:"), Secret::plain("//:"), one.clone(), Secret::plain("@host")];
        assert_eq!(address, Secret::template(cut));
        assert!(!format!("{one:?} {address:?} {:?} {:?}", one.parts(), key()).contains("hunter2"));
        assert_eq!(recorded(&address), address);
        assert_eq!(recorded(&address).reveal().unwrap_err(), SecretUnavailable::NotRecorded);
    }

    #[test]
    fn a_stored_secret_is_the_same_wherever_it_is_and_is_read_there() {
        let plain = SecretString::from("hunter2/@".to_owned());
        let stored = Secret::stored(&key(), &plain, location());
        assert_eq!(stored, given("hunter2/@"));
        let url = Secret::template([Secret::plain("postgres://user:"), stored.clone().percent_encoded()]);
        assert_ne!(stored.clone().percent_encoded(), stored);
        let url = recorded(&url);
        assert_eq!(url.locations().collect::<Vec<_>>(), [&location()]);
        assert_eq!(url.reveal().unwrap_err(), SecretUnavailable::NotRead { secret: "arn".to_owned() });
        let read = |asked: &SecretLocation| (*asked == location()).then(|| plain.clone());
        assert_eq!(url.reveal_with(&read).unwrap().expose_secret(), "postgres://user:hunter2%2F%40");
    }

    #[test]
    fn what_is_asked_for_is_what_was_given_before() {
        let asked = Secret::asked("license");
        assert_eq!(asked.asked_names().collect::<Vec<_>>(), ["license"]);
        let missing = SecretUnavailable::NotGiven { name: "license".to_owned() };
        assert_eq!(asked.reveal().unwrap_err(), missing);
        assert_eq!(asked.filled_from(&given("hunter2")), Some(given("hunter2")));
        assert_eq!(recorded(&asked), asked);
        let around =
            |part: Secret, end: &str| Secret::template([Secret::plain("a"), part, Secret::plain(end)]);
        let before = around(given("hunter2"), "b");
        assert_eq!(around(asked.clone(), "b").filled_from(&before), Some(before.clone()));
        assert_eq!(around(asked.clone(), "c").filled_from(&before), None, "the text around it changed");
        assert_eq!(around(asked.percent_encoded(), "b").filled_from(&before), None);
        assert_eq!(given("hunter3").filled_from(&before), None, "nothing is asked for");
    }

    #[test]
    fn what_is_asked_for_becomes_what_is_given_wherever_it_stands() {
        let all = BTreeMap::from([("license".to_owned(), given("hunter2/"))]);
        let asked = || Secret::asked("license");
        assert_eq!(asked().given_from(&all), given("hunter2/"));
        let template = Secret::template([
            Secret::plain("a"),
            asked(),
            Secret::plain("&b="),
            asked().percent_encoded(),
            Secret::asked("other"),
        ]);
        let filled = template.given_from(&all);
        assert_eq!(filled.asked_names().collect::<Vec<_>>(), ["other"]);
        let whole = filled.given_from(&BTreeMap::from([("other".to_owned(), given("!"))]));
        assert_eq!(whole.reveal().unwrap().expose_secret(), "ahunter2/&b=hunter2%2F!");
    }
}
