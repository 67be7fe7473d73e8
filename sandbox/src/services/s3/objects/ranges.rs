//! Byte ranges. <https://www.rfc-editor.org/rfc/rfc9110#name-range>

use std::ops::Range;

use crate::protocol::error::ServiceError;

/// The bytes that a `Range` header asks for; `None` is all of them, as for a header that S3 does not understand.
pub(super) fn asked_for(header: Option<&str>, size: u64) -> Result<Option<Range<u64>>, ServiceError> {
    let Some((first, last)) =
        header.and_then(|header| header.strip_prefix("bytes=")).and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..size.min(last.saturating_add(1)),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(last)) if first.is_empty() => size.saturating_sub(last)..size,
        _ => return Ok(None),
    };
    if range.is_empty() {
        let text = "The requested range is not satisfiable";
        return Err(ServiceError::new(416, "InvalidRange", text)
            .with("RangeRequested", header.unwrap_or_default())
            .with("ActualObjectSize", size.to_string()));
    }
    Ok(Some(range))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_object() {
        for (header, range) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=1-2", Some(1..3)),
            ("bytes=2-99", Some(2..10)),
            ("bytes=7-", Some(7..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-99", Some(0..10)),
            ("bytes=3-2", None),
            ("bytes=0-1,4-5", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(asked_for(Some(header), 10).unwrap(), range, "{header}");
        }
        for header in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
            assert_eq!(asked_for(Some(header), 10).unwrap_err().code, "InvalidRange", "{header}");
        }
    }
}
