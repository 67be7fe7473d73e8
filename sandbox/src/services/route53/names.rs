//! Domain names as Route 53 keeps them, and the order of record sets.
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>

use super::errors::invalid_domain_name;
use crate::protocol::error::ServiceError;

/// The longest name, in characters with its last dot.
const LONGEST: usize = 255;
/// The longest label.
const LONGEST_LABEL: usize = 63;

/// A name in lower case, with a dot at its end, and with what is not a letter, a digit, `-` or `_` as an octal escape.
pub(super) fn normal(name: &str) -> Result<String, ServiceError> {
    let invalid = || invalid_domain_name(name);
    let labels: Vec<&str> = name.strip_suffix('.').unwrap_or(name).split('.').collect();
    let is_label = |label: &&str| {
        let length = if label.starts_with("\\052") { 1 } else { label.len() };
        let fits = |one: char| one.is_ascii_alphanumeric() || "-_\\*".contains(one);
        (1..=LONGEST_LABEL).contains(&length) && label.chars().all(fits)
    };
    if name.len() > LONGEST || !labels.iter().all(is_label) {
        return Err(invalid());
    }
    Ok(format!("{}.", labels.join(".").to_ascii_lowercase().replace('*', "\\052")))
}

/// A name from its last label to its first, which is how lists are ordered.
pub(super) fn reversed(name: &str) -> String {
    let labels: Vec<&str> = name.trim_end_matches('.').split('.').rev().collect();
    labels.join(".")
}

/// The key of a record set's row: rows of a zone are together, in the order of lists. A space is below everything that
/// names have in them.
pub(super) fn row_id(zone: &str, name: &str, kind: &str) -> String {
    format!("{zone} {} {kind}", reversed(name))
}

/// What the keys of a zone's rows begin with.
pub(super) fn rows_of(zone: &str) -> String {
    format!("{zone} ")
}

/// The zone of a row's key.
pub(super) fn zone_of_row(row_id: &str) -> &str {
    row_id.split(' ').next().unwrap_or_default()
}

/// An id without what some clients and answers have before it: `/hostedzone/` or `/change/`.
pub(super) fn bare_id(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_kept_in_one_form() {
        assert_eq!(normal("WWW.Example.com").unwrap(), "www.example.com.");
        assert_eq!(normal("*.example.com.").unwrap(), "\\052.example.com.");
        assert_eq!(normal("\\052.example.com").unwrap(), "\\052.example.com.");
        for bad in ["", ".", "a..b", "a b.com", &format!("{}.com", "x".repeat(64))] {
            assert_eq!(normal(bad).unwrap_err().code, "InvalidDomainName", "{bad:?}");
        }
    }

    #[test]
    fn rows_are_ordered_by_names_from_their_end() {
        let rows = ["example.com.", "a.example.com.", "z.a.example.com.", "b.example.com."];
        let ids: Vec<String> = rows.iter().map(|name| row_id("Z1", name, "A")).collect();
        assert!(ids.is_sorted(), "{ids:?}");
    }
}
