//! URNs: the identity of a resource in state, plans and tags.
//!
//! Owns the grammar `component/…/type/name` and its limits. It must not know what a type means.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest URN: it is written to the tag `lsinfra:urn`, and tag values end at 256 characters.
pub const URN_LIMIT_CHARACTERS: usize = 200;

/// The identity of one resource within an environment, such as
/// `network/aws:ec2:Subnet/private-1`: components from the outside in, the type, the name.
///
/// Letters, digits and `_ . : / + - @` only: legal in the tags of every AWS service
/// (<https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Urn(Arc<str>);

impl Urn {
    /// Joins component path, type and name.
    ///
    /// # Errors
    /// [`UrnError`] if a part has a character that is not legal in tags or the whole is too long.
    pub fn new(components: &[&str], resource_type: &str, name: &str) -> Result<Self, UrnError> {
        let mut text = String::new();
        for component in components {
            if !component.chars().all(is_name_character) || component.is_empty() {
                return Err(UrnError::Name((*component).to_owned()));
            }
            text.push_str(component);
            text.push('/');
        }
        if name.is_empty() || !name.chars().all(is_name_character) {
            return Err(UrnError::Name(name.to_owned()));
        }
        text.push_str(resource_type);
        text.push('/');
        text.push_str(name);
        text.parse()
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part: the name under which the resource was declared.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The type token, such as `aws:ec2:Subnet`.
    pub fn resource_type(&self) -> &str {
        self.0.rsplit('/').nth(1).unwrap_or_default()
    }

    /// Its shorter ends, by which it may be named where they are no other's: `aws:ec2:Vpc/main`,
    /// `ec2:Vpc/main`, `Vpc/main`, `main`.
    pub fn ends(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices(['/', ':']).map(|(at, _)| &self.0[at + 1..])
    }

    /// Whether `text` is one of its [`ends`](Self::ends).
    pub fn ends_with(&self, text: &str) -> bool {
        self.ends().any(|end| end == text)
    }

    /// The components that it nests in, from the outside in.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        let parts = self.0.matches('/').count();
        self.0.split('/').take(parts.saturating_sub(1))
    }
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '@' | '+')
}

impl std::str::FromStr for Urn {
    type Err = UrnError;

    fn from_str(text: &str) -> Result<Self, UrnError> {
        if text.chars().count() > URN_LIMIT_CHARACTERS {
            return Err(UrnError::Length { urn: text.to_owned(), limit_characters: URN_LIMIT_CHARACTERS });
        }
        let parts: Vec<&str> = text.split('/').collect();
        let (Some(name), true) = (parts.last(), parts.len() >= 2) else {
            return Err(UrnError::Shape(text.to_owned()));
        };
        let resource_type = parts[parts.len() - 2];
        let type_is_legal = resource_type.contains(':')
            && resource_type.split(':').all(|part| !part.is_empty() && part.chars().all(is_name_character));
        let names_are_legal = parts[..parts.len() - 2]
            .iter()
            .chain([name])
            .all(|part| !part.is_empty() && part.chars().all(is_name_character));
        if !type_is_legal || !names_are_legal {
            return Err(UrnError::Shape(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for Urn {
    type Error = UrnError;

    fn try_from(text: String) -> Result<Self, UrnError> {
        text.parse()
    }
}

impl From<Urn> for String {
    fn from(urn: Urn) -> String {
        urn.0.to_string()
    }
}

impl fmt::Display for Urn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Urn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a text is no URN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrnError {
    /// A component or resource name with a character that tags do not allow.
    #[error("the name {0:?} must be letters, digits and - _ . @ + only, and not empty")]
    Name(String),
    /// Longer than the limit.
    #[error("the URN {urn} is longer than {limit_characters} characters")]
    Length {
        /// The text.
        urn: String,
        /// The limit.
        limit_characters: usize,
    },
    /// Not of the form `component/…/type/name`.
    #[error(
        "{0:?} is no URN: expected `component/type:of:Resource/name`, such as `network/aws:ec2:Vpc/main`"
    )]
    Shape(String),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parts_come_back() {
        let urn = Urn::new(&["network", "zones"], "aws:ec2:Subnet", "private-1").unwrap();
        assert_eq!(urn.as_str(), "network/zones/aws:ec2:Subnet/private-1");
        assert_eq!(urn.name(), "private-1");
        assert_eq!(urn.resource_type(), "aws:ec2:Subnet");
        assert_eq!(urn.components().collect::<Vec<_>>(), ["network", "zones"]);
        assert_eq!(urn.as_str().parse::<Urn>().unwrap(), urn);
    }

    #[test]
    fn bad_names_are_refused() {
        assert!(matches!(Urn::new(&[], "aws:ec2:Vpc", "a b"), Err(UrnError::Name(_))));
        assert!(matches!(Urn::new(&["a/b"], "aws:ec2:Vpc", "x"), Err(UrnError::Name(_))));
        assert!(matches!(Urn::new(&[], "aws:ec2:Vpc", &"x".repeat(200)), Err(UrnError::Length { .. })));
        assert!(matches!("main".parse::<Urn>(), Err(UrnError::Shape(_))));
        assert!(matches!("network/vpc/main".parse::<Urn>(), Err(UrnError::Shape(_))));
    }
}
