//! Tags as RDS and ElastiCache have them: at most 50 per resource, given as a list.

use std::collections::BTreeMap;

use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;

/// The most tags of one resource.
pub(crate) const MOST: usize = 50;

/// A resource's tags.
pub(crate) type Tags = BTreeMap<String, String>;

/// The tags that a creating or tagging call gives.
pub(crate) fn given(params: &Params) -> Result<Tags, ServiceError> {
    let mut tags = Tags::new();
    for prefix in params.structures("Tags.Tag") {
        let key = params.required(&format!("{prefix}.Key"))?;
        let value = params.text(&format!("{prefix}.Value")).unwrap_or_default();
        check(key, value)?;
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(format!("Duplicate tag key: {key}")));
        }
    }
    Ok(tags)
}

/// Whether a resource may have so many tags.
pub(crate) fn is_within_limit(tags: &Tags) -> bool {
    tags.len() <= MOST
}

fn check(key: &str, value: &str) -> Result<(), ServiceError> {
    let fits = |text: &str| {
        text.chars().all(|one| one.is_alphanumeric() || one.is_whitespace() || "_.:/=+-@".contains(one))
    };
    if key.chars().count() > 128 || !fits(key) {
        return Err(invalid(format!("The tag key is invalid: {key}")));
    }
    if value.chars().count() > 256 || !fits(value) {
        return Err(invalid(format!("The tag value is invalid: {value}")));
    }
    if key.to_lowercase().starts_with("aws:") {
        return Err(invalid("Tag keys beginning with aws: are reserved for system use."));
    }
    Ok(())
}

fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidParameterValue", text)
}
