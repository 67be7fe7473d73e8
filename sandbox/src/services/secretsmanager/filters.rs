//! Which secrets a list is to have. <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html>

use super::errors::invalid_parameter;
use super::secret::Secret;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;

/// The keys that the sandbox has.
const KEYS: &[&str] = &["description", "name", "tag-key", "tag-value"];

/// All filters of a call; a secret must pass each.
#[derive(Debug)]
pub(super) struct Filters<'d>(Vec<(&'d str, Vec<&'d str>)>);

impl<'d> Filters<'d> {
    /// The filters that a call gives.
    pub(super) fn given(members: &Members<'d>) -> Result<Option<Self>, ServiceError> {
        let Some(list) = members.structures("Filters")? else { return Ok(None) };
        let mut filters = Vec::new();
        for filter in list {
            let key = filter.one_of("Key", KEYS)?.ok_or_else(|| filter.missing("Key"))?;
            let values = filter.texts("Values")?.unwrap_or_default();
            if !(1..=10).contains(&values.len()) {
                return Err(invalid_parameter("A filter must have 1 to 10 values."));
            }
            filters.push((key, values));
        }
        Ok(Some(Self(filters)))
    }

    /// Whether a secret passes all of them.
    pub(super) fn match_all(&self, name: &str, secret: &Secret) -> bool {
        self.0.iter().all(|(key, values)| values.iter().any(|value| matches(key, value, name, secret)))
    }
}

/// Values are prefixes; one that begins with `!` leaves out what the rest matches.
fn matches(key: &str, value: &str, name: &str, secret: &Secret) -> bool {
    if let Some(negated) = value.strip_prefix('!') {
        return !matches(key, negated, name, secret);
    }
    match key {
        "name" => name.starts_with(value),
        "description" => {
            let description = secret.description.as_deref().unwrap_or_default().to_lowercase();
            description.starts_with(&value.to_lowercase())
        }
        "tag-key" => secret.tags.keys().any(|key| key.starts_with(value)),
        _ => secret.tags.values().any(|tag| tag.starts_with(value)),
    }
}
