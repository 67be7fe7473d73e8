//! Which bucket and which key a request is about: in its path, or the bucket in its host.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>

use crate::protocol::request::Request;

/// What a request is about; empty texts where it names neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::services::s3) struct Target {
    /// The bucket's name.
    pub(in crate::services::s3) bucket: String,
    /// The object's key, decoded.
    pub(in crate::services::s3) key: String,
}

impl Target {
    /// Reads host and path.
    pub(in crate::services::s3) fn of(request: &Request) -> Self {
        let path = request.path.strip_prefix('/').unwrap_or(&request.path);
        match request.header("host").and_then(bucket_in_host) {
            Some(bucket) => Self { bucket: bucket.to_owned(), key: decoded(path) },
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                Self { bucket: decoded(bucket), key: decoded(key) }
            }
        }
    }
}

/// The bucket of `BUCKET.s3.REGION.amazonaws.com` and, on loopback, of `BUCKET.localhost`.
fn bucket_in_host(host: &str) -> Option<&str> {
    let host = host.split(':').next()?;
    if let Some(bucket) = host.strip_suffix(".localhost") {
        return Some(bucket);
    }
    let rest = host.strip_suffix(".amazonaws.com")?;
    let at = rest.rfind(".s3.").or_else(|| rest.strip_suffix(".s3").map(str::len))?;
    Some(&rest[..at])
}

/// Undoes percent-encoding alone: in a path, a plus sign is a plus sign.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_but_for_plus_signs() {
        assert_eq!(decoded("a%2Fb+c%20%C3%A9%zz%"), "a/b+c é%zz%");
    }

    #[test]
    fn buckets_are_found_in_hosts() {
        for (host, bucket) in [
            ("b.s3.us-west-2.amazonaws.com", Some("b")),
            ("a.b.s3.amazonaws.com", Some("a.b")),
            ("s3.us-west-2.amazonaws.com", None),
            ("b.localhost:4566", Some("b")),
            ("127.0.0.1:4566", None),
            ("localhost:4566", None),
        ] {
            assert_eq!(bucket_in_host(host), bucket, "{host}");
        }
    }
}
