//! What buckets may be called. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>

use std::net::Ipv4Addr;

/// Beginnings that AWS keeps for itself.
const RESERVED_PREFIXES: &[&str] = &["xn--", "sthree-", "amzn-s3-demo-"];
/// Ends that AWS keeps for itself.
const RESERVED_SUFFIXES: &[&str] = &["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Whether a bucket may have this name.
pub(super) fn is_valid(name: &str) -> bool {
    let is_edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let edges = [bytes.first(), bytes.last()];
    (3..=63).contains(&name.len())
        && bytes.iter().all(|byte| is_edge(*byte) || b".-".contains(byte))
        && edges.iter().all(|edge| edge.is_some_and(|byte| is_edge(*byte)))
        && !["..", ".-", "-."].iter().any(|pair| name.contains(pair))
        && name.parse::<Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for good in ["abc", "a-b.c9", "0bucket", &"a".repeat(63)] {
            assert!(is_valid(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            "ab",
            &long,
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            ".abc",
            "a..b",
            "a.-b",
            "192.168.5.4",
            "xn--abc",
            "abc-s3alias",
            "é-bucket",
        ] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
