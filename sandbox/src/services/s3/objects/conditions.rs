//! Conditional requests. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use jiff::Timestamp;

use super::Content;
use crate::protocol::error::ServiceError;
use crate::services::s3::wire::errors::{no_such_key, not_implemented, precondition_failed};
use crate::services::s3::wire::input::Input;

/// How a read goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// The object is given.
    Give,
    /// The caller has it already.
    NotModified,
}

/// The names of a read's four conditions.
pub(super) struct ReadConditions {
    pub(super) matches: &'static str,
    pub(super) none_matches: &'static str,
    pub(super) modified_since: &'static str,
    pub(super) unmodified_since: &'static str,
}

/// The conditions of `GetObject` and `HeadObject`.
pub(super) const OF_READS: ReadConditions = ReadConditions {
    matches: "if-match",
    none_matches: "if-none-match",
    modified_since: "if-modified-since",
    unmodified_since: "if-unmodified-since",
};

/// The conditions that `CopyObject` sets its source.
pub(super) const OF_SOURCES: ReadConditions = ReadConditions {
    matches: "x-amz-copy-source-if-match",
    none_matches: "x-amz-copy-source-if-none-match",
    modified_since: "x-amz-copy-source-if-modified-since",
    unmodified_since: "x-amz-copy-source-if-unmodified-since",
};

impl ReadConditions {
    /// Evaluates them in the order of RFC 9110; an entity tag decides before a time.
    pub(super) fn evaluate(
        &self,
        input: &Input<'_>,
        etag: &str,
        modified: Timestamp,
    ) -> Result<Read, ServiceError> {
        let matches = input.header(self.matches).map(|given| any_matches(given, etag));
        let none_matches = input.header(self.none_matches).map(|given| any_matches(given, etag));
        // A time is to the second, and one that cannot be read is no condition.
        let since = |name: &str| {
            input.header(name).and_then(http_time).map(|time| modified.as_second() > time.as_second())
        };
        let is_modified_since = since(self.modified_since);
        let is_modified_after = since(self.unmodified_since);
        match (matches, is_modified_after) {
            (Some(false), _) => return Err(precondition_failed("If-Match")),
            (None, Some(true)) => return Err(precondition_failed("If-Unmodified-Since")),
            _ => {}
        }
        match (none_matches, is_modified_since) {
            (Some(true), _) | (None, Some(false)) => Ok(Read::NotModified),
            _ => Ok(Read::Give),
        }
    }
}

/// What a write asks of what it replaces.
pub(super) struct WriteConditions<'a> {
    matches: Option<&'a str>,
    none_matches: Option<&'a str>,
}

impl<'a> WriteConditions<'a> {
    /// Reads them.
    pub(super) fn of(input: &Input<'a>) -> Self {
        Self { matches: input.header("if-match"), none_matches: input.header("if-none-match") }
    }

    /// Holds them against what the key has now; a delete marker counts as nothing.
    pub(super) fn check(&self, key: &str, current: Option<&Content>) -> Result<(), ServiceError> {
        match (self.matches, self.none_matches) {
            (None, None) => Ok(()),
            (None, Some("*")) if current.is_some() => Err(precondition_failed("If-None-Match")),
            (None, Some("*")) => Ok(()),
            (None, Some(_)) => Err(not_implemented("a write with If-None-Match and anything but *")),
            (Some(_), Some(_)) => Err(not_implemented("a write with both If-Match and If-None-Match")),
            (Some(given), None) => match current {
                None => Err(no_such_key(key)),
                Some(content) if any_matches(given, &content.etag) => Ok(()),
                Some(_) => Err(precondition_failed("If-Match")),
            },
        }
    }
}

/// Whether a list of entity tags, quoted or not, has this one, or is `*`.
fn any_matches(given: &str, etag: &str) -> bool {
    given.split(',').map(str::trim).any(|one| one == "*" || one.trim_matches('"') == etag)
}

fn http_time(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_match_quoted_or_not_and_in_lists() {
        assert!(any_matches("\"ab\"", "ab") && any_matches("ab", "ab") && any_matches("*", "ab"));
        assert!(any_matches("\"cd\", \"ab\"", "ab"));
        assert!(!any_matches("\"abc\"", "ab"));
    }

    #[test]
    fn times_of_headers_are_read() {
        assert_eq!(http_time("Mon, 23 Nov 2026 17:02:00 GMT").map(Timestamp::as_second), Some(1_795_453_320));
        assert_eq!(http_time("yesterday"), None);
    }
}
