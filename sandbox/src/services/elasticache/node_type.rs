//! Node types: dated data, as of November 2026.
//! <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html>

use super::errors::invalid_value;
use crate::protocol::error::ServiceError;

/// Families and their sizes.
const TYPES: &[(&str, &[&str])] = &[
    ("t3", &["micro", "small", "medium"]),
    ("t4g", &["micro", "small", "medium"]),
    ("m5", LARGE),
    ("m6g", LARGE),
    ("m7g", LARGE),
    ("r5", LARGE),
    ("r6g", LARGE),
    ("r7g", LARGE),
];
const LARGE: &[&str] = &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"];

/// Refuses a type that there is not.
pub(super) fn check(node_type: &str) -> Result<(), ServiceError> {
    let known = TYPES
        .iter()
        .flat_map(|(family, sizes)| sizes.iter().map(move |size| format!("cache.{family}.{size}")))
        .any(|known| known == node_type);
    if known { Ok(()) } else { Err(invalid_value(format!("Invalid Cache Node Type: {node_type}"))) }
}
