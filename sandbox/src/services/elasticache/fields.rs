//! Parameters that ElastiCache's operations share, and values as ElastiCache writes them.

use jiff::Timestamp;

use super::errors::invalid_value;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::services::common::pages::PageRequest;

/// How many records a page has at most, and if the caller does not say.
const MOST_RECORDS: usize = 100;
/// How many it can be asked to have at least.
const FEWEST_RECORDS: usize = 20;

/// A name that must be there, in lower case as ElastiCache keeps it: a letter first, then letters, digits and hyphens, no
/// two hyphens together and none at the end.
pub(super) fn identifier(params: &Params, field: &str, longest: usize) -> Result<String, ServiceError> {
    let name = params.required(field)?;
    let fits = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-')
        && !name.ends_with('-')
        && !name.contains("--");
    if !fits || name.len() > longest {
        return Err(invalid_value(format!(
            "The parameter {field} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; must not end with a hyphen or contain two consecutive hyphens; and must have at most {longest} characters."
        )));
    }
    Ok(name.to_ascii_lowercase())
}

/// The page that `Marker` and `MaxRecords` ask for.
pub(super) fn page(params: &Params) -> Result<PageRequest, ServiceError> {
    let records = params.parsed("MaxRecords")?.unwrap_or(MOST_RECORDS);
    if !(FEWEST_RECORDS..=MOST_RECORDS).contains(&records) {
        return Err(invalid_value(format!(
            "Invalid value {records} for MaxRecords. Must be between {FEWEST_RECORDS} and {MOST_RECORDS}"
        )));
    }
    let marker = params.text("Marker").filter(|marker| !marker.is_empty());
    PageRequest::new(marker, records).ok_or_else(|| invalid_value("The parameter Marker is invalid."))
}

/// A time as ElastiCache writes it.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
