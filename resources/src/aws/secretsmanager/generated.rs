//! Values that are drawn at random.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use lsinfra_engine::Property;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// A value that is drawn once and then kept: another one is drawn only when [`rotation`](Self::rotation)
/// grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// What is drawn.
    pub recipe: Recipe,
    /// The how-manieth value it is; raising it draws another one.
    #[serde(default)]
    pub rotation: u32,
    /// What breaks when the value changes: then a plan that would change it is refused unless the user
    /// insists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never_rotate: Option<String>,
    /// Whether neither the secret nor its version before has the value any more. Only ever read, for values
    /// that say [`never_rotate`](Self::never_rotate).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Recipe {
    /// Characters, such as a password.
    Text {
        /// Which ones.
        alphabet: Alphabet,
        /// How many: 16 to 128.
        length: u32,
    },
    /// Bytes in Base64, such as a salt.
    Base64 {
        /// How many, before encoding: 16 to 512.
        bytes: u32,
    },
    /// Bytes in the Base64 of URLs, such as a Fernet key, which has 32.
    /// <https://github.com/fernet/spec/blob/master/Spec.md>
    Base64Url {
        /// How many, before encoding: 16 to 512.
        bytes: u32,
    },
}

/// The characters of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits and `-`: what RDS takes in a password
    /// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html>), ElastiCache in an auth
    /// token (<https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html>), and a URL unencoded.
    UrlSafe,
}

impl Alphabet {
    fn characters(self) -> &'static [u8] {
        match self {
            Self::Alphanumeric => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Self::UrlSafe => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-",
        }
    }
}

impl Generated {
    /// A value of that recipe, drawn for the first time.
    pub fn new(recipe: Recipe) -> Self {
        Self { recipe, rotation: 0, never_rotate: None, lost: false }
    }

    /// The how-manieth value it is.
    #[must_use]
    pub fn rotated(self, rotation: u32) -> Self {
        Self { rotation, ..self }
    }

    /// Says what breaks when the value changes.
    #[must_use]
    pub fn never_rotate(self, breaks: impl Into<String>) -> Self {
        Self { never_rotate: Some(breaks.into()), ..self }
    }
}

impl Recipe {
    /// What is wrong with it.
    pub(super) fn problem(self) -> Option<&'static str> {
        match self {
            Self::Text { length, .. } if !(16..=128).contains(&length) => {
                Some("a generated text has 16 to 128 characters")
            }
            Self::Base64 { bytes } | Self::Base64Url { bytes } if !(16..=512).contains(&bytes) => {
                Some("a generated value has 16 to 512 bytes")
            }
            _ => None,
        }
    }

    /// Draws a value.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the system has no randomness.
    pub(super) fn draw(self) -> Result<SecretString, ProviderError> {
        let text = match self {
            Self::Text { alphabet, length } => text(alphabet.characters(), length)?,
            Self::Base64 { bytes } => STANDARD.encode(random(bytes)?),
            Self::Base64Url { bytes } => URL_SAFE.encode(random(bytes)?),
        };
        Ok(SecretString::from(text))
    }
}

fn text(characters: &[u8], length: u32) -> Result<String, ProviderError> {
    let length = usize::try_from(length).unwrap_or_default();
    // Bytes beyond the last whole multiple would make some characters more likely than others.
    let multiple = 256 - 256 % characters.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for byte in random(64)?.into_iter().map(usize::from).filter(|byte| *byte < multiple) {
            if text.len() < length {
                text.push(char::from(characters[byte % characters.len()]));
            }
        }
    }
    Ok(text)
}

fn random(bytes: u32) -> Result<Vec<u8>, ProviderError> {
    let mut random = vec![0; usize::try_from(bytes).unwrap_or_default()];
    OsRng.try_fill_bytes(&mut random).map_err(|error| {
        ProviderError::new(ErrorKind::Invalid, format!("the system has no randomness: {error}"))
    })?;
    Ok(random)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use secrecy::ExposeSecret;

    use super::*;

    fn drawn(recipe: Recipe) -> String {
        recipe.draw().unwrap().expose_secret().to_owned()
    }

    #[test]
    fn values_have_the_length_and_characters_that_were_asked_for() {
        for alphabet in [Alphabet::Alphanumeric, Alphabet::UrlSafe] {
            let text: String = (0..40).map(|_| drawn(Recipe::Text { alphabet, length: 128 })).collect();
            assert_eq!(text.len(), 40 * 128);
            let found: BTreeSet<u8> = text.bytes().collect();
            assert_eq!(found, alphabet.characters().iter().copied().collect(), "each one comes up");
        }
        assert_eq!(STANDARD.decode(drawn(Recipe::Base64 { bytes: 48 })).unwrap().len(), 48);
        let fernet = drawn(Recipe::Base64Url { bytes: 32 });
        assert_eq!((fernet.len(), URL_SAFE.decode(&fernet).unwrap().len()), (44, 32));
        assert_ne!(fernet, drawn(Recipe::Base64Url { bytes: 32 }));
    }

    #[test]
    fn the_recorded_form_is_stable() {
        let recipe = Recipe::Text { alphabet: Alphabet::UrlSafe, length: 32 };
        let generated = Generated::new(recipe).rotated(2).never_rotate("every API key");
        assert_eq!(
            serde_json::to_string(&generated).unwrap(),
            r#"{"recipe":{"text":{"alphabet":"url_safe","length":32}},"rotation":2,"never_rotate":"every API key"}"#
        );
        let read: Generated = serde_json::from_str(r#"{"recipe":{"base64":{"bytes":32}}}"#).unwrap();
        assert_eq!(read, Generated::new(Recipe::Base64 { bytes: 32 }));
    }
}
