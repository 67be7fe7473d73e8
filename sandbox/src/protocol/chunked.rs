//! Undoes `aws-chunked` bodies, signed and unsigned, with and without trailers.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::ServiceError;

/// The body without its framing; trailing headers join the others, and the framing's own headers are taken out.
pub(crate) fn decode(headers: &mut HeaderMap, body: Bytes) -> Result<Bytes, ServiceError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encodings = text(CONTENT_ENCODING.as_str()).to_owned();
    let is_chunked = encodings.split(',').any(|encoding| encoding.trim() == "aws-chunked")
        || text("x-amz-content-sha256").starts_with("STREAMING-");
    if !is_chunked {
        return Ok(body);
    }
    let declared: Option<usize> = text("x-amz-decoded-content-length").parse().ok();
    let (decoded, trailers) = unframe(&body).ok_or_else(|| incomplete("the chunk framing is malformed"))?;
    if declared.is_some_and(|length| length != decoded.len()) {
        return Err(incomplete("its length differs from x-amz-decoded-content-length"));
    }
    let others: Vec<&str> = encodings
        .split(',')
        .map(str::trim)
        .filter(|encoding| !["", "aws-chunked"].contains(encoding))
        .collect();
    headers.remove(CONTENT_ENCODING);
    if let (false, Ok(value)) = (others.is_empty(), HeaderValue::from_str(&others.join(","))) {
        headers.insert(CONTENT_ENCODING, value);
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(decoded.len()));
    for (name, value) in trailers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    Ok(decoded)
}

/// The data and the trailers of a framed body, or `None` if the framing is broken.
fn unframe(body: &Bytes) -> Option<(Bytes, Vec<(String, String)>)> {
    let mut decoded = BytesMut::with_capacity(body.len());
    let mut rest = body.as_ref();
    loop {
        let (head, after) = line(rest)?;
        let size = head.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some((decoded.freeze(), trailers(after)?));
        }
        decoded.extend_from_slice(after.get(..size)?);
        rest = after.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

fn trailers(mut rest: &[u8]) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (head, after) = line(rest)?;
        rest = after;
        if let Some((name, value)) = head.split_once(':') {
            found.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    Some(found)
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]))
}

fn incomplete(reason: &str) -> ServiceError {
    ServiceError::new(400, "IncompleteBody", format!("The request body could not be read: {reason}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_signed_body_with_trailers_becomes_its_data() {
        let mut headers = headers(&[
            ("content-encoding", "aws-chunked,gzip"),
            ("x-amz-decoded-content-length", "11"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
        ]);
        let body = "6;chunk-signature=ab\r\nhello \r\n5;chunk-signature=cd\r\nworld\r\n0;chunk-signature=ef\r\nx-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:00\r\n\r\n";
        assert_eq!(decode(&mut headers, Bytes::from(body)).unwrap(), "hello world");
        assert_eq!(headers["x-amz-checksum-crc32"], "AAAAAA==");
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(headers["content-length"], "11");
    }

    #[test]
    fn an_unsigned_body_is_recognised_by_its_encoding_alone() {
        let mut headers = headers(&[("content-encoding", "aws-chunked")]);
        assert_eq!(decode(&mut headers, Bytes::from("3\r\na\r\n\r\n0\r\n\r\n")).unwrap(), "a\r\n");
        assert!(!headers.contains_key("content-encoding"));
    }

    #[test]
    fn a_body_cut_short_or_of_another_length_is_refused() {
        let streaming = [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")];
        for body in ["5\r\nhel", "5\r\nhello\r\n", "x\r\n\r\n", ""] {
            let error = decode(&mut headers(&streaming), Bytes::from(body)).unwrap_err();
            assert_eq!(error.code, "IncompleteBody", "{body:?}");
        }
        let mut short =
            headers(&[("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "4")]);
        assert!(decode(&mut short, Bytes::from("3\r\nabc\r\n0\r\n\r\n")).is_err());
    }

    #[test]
    fn a_plain_body_passes_untouched() {
        let body = Bytes::from("5\r\nhello\r\n0\r\n\r\n");
        assert_eq!(decode(&mut HeaderMap::new(), body.clone()).unwrap(), body);
    }
}
