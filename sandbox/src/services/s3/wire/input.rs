//! A request to S3 as operations read it. It remembers what was read, so that a header or a query parameter that an
//! operation does not know is refused instead of being dropped.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use bytes::Bytes;

use super::checksums::{ALGORITHMS, Checksum, decoded, md5_raw};
use super::errors::{invalid_argument, invalid_request, not_implemented};
use super::target::Target;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::request::Request;

/// Headers of the protocol, which every operation has.
const OF_THE_PROTOCOL: &[&str] = &[
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-region-set",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
];

/// A request, its bucket and its key.
pub(in crate::services::s3) struct Input<'a> {
    /// The request itself.
    pub(in crate::services::s3) request: &'a Request,
    /// What it is about.
    pub(in crate::services::s3) target: Target,
    read: RefCell<BTreeSet<String>>,
    finished: Cell<bool>,
}

/// Carries out an operation on its input, and makes sure that it accounted for all of it.
pub(in crate::services::s3) fn handled(
    call: &mut Call<'_>,
    operation: fn(&mut Call<'_>, &Input<'_>) -> Reply,
) -> Reply {
    let input = Input {
        request: call.request,
        target: Target::of(call.request),
        read: RefCell::new(BTreeSet::new()),
        finished: Cell::new(false),
    };
    let reply = operation(call, &input);
    if reply.is_ok() && !input.finished.get() {
        return Err(super::errors::internal("the operation did not account for all of its parameters"));
    }
    reply
}

impl<'a> Input<'a> {
    /// The bucket's name; operations without a bucket do not ask.
    pub(in crate::services::s3) fn bucket(&self) -> &str {
        &self.target.bucket
    }

    /// The object's key; operations without one do not ask.
    pub(in crate::services::s3) fn key(&self) -> &str {
        &self.target.key
    }

    /// A header's text.
    pub(in crate::services::s3) fn header(&self, name: &str) -> Option<&'a str> {
        self.read.borrow_mut().insert(name.to_owned());
        std::str::from_utf8(self.request.headers.get(name)?.as_bytes()).ok()
    }

    /// The headers whose names begin so, in lower case.
    pub(in crate::services::s3) fn headers(&self, prefix: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (name, value) in &self.request.headers {
            if name.as_str().starts_with(prefix) {
                self.read.borrow_mut().insert(name.as_str().to_owned());
                found
                    .push((name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
            }
        }
        found
    }

    /// A query parameter's text.
    pub(in crate::services::s3) fn query(&self, name: &str) -> Option<&'a str> {
        self.read.borrow_mut().insert(name.to_owned());
        self.request.query(name)
    }

    /// A query parameter as a number within bounds; more than the most counts as the most.
    pub(in crate::services::s3) fn number(
        &self,
        name: &str,
        most: usize,
    ) -> Result<Option<usize>, ServiceError> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let number: usize = text.parse().map_err(|_| {
            invalid_argument(format!("Provided {name} not an integer or within integer range"), name, text)
        })?;
        Ok(Some(number.min(most)))
    }

    /// Refuses the request if it has something that was not read. An operation calls this after it has read what it
    /// knows and before it changes anything.
    pub(in crate::services::s3) fn finish(&self) -> Result<(), ServiceError> {
        self.finished.set(true);
        let read = self.read.borrow();
        let query = self.request.query.iter().map(|(name, _)| name.as_str());
        let is_query_known = |name: &&str| {
            read.contains(*name)
                || *name == "x-id"
                || name.to_ascii_lowercase().starts_with("x-amz-")
                || crate::services::s3::routes::SUBRESOURCES.contains(name)
        };
        if let Some(name) = query.into_iter().find(|name| !is_query_known(name)) {
            return Err(not_implemented(&format!("the query parameter {name} of this operation")));
        }
        let headers = self.request.headers.keys().map(http::HeaderName::as_str);
        let is_header_known = |name: &&str| {
            !name.starts_with("x-amz-")
                || read.contains(*name)
                || OF_THE_PROTOCOL.contains(name)
                || ALGORITHMS.iter().any(|algorithm| algorithm.header() == **name)
        };
        match headers.into_iter().find(|name| !is_header_known(name)) {
            Some(name) => Err(not_implemented(&format!("the header {name} of this operation"))),
            None => Ok(()),
        }
    }

    /// The body, after it was held against the digests that came with it.
    pub(in crate::services::s3) fn body(&self) -> Result<&'a Bytes, ServiceError> {
        let body = &self.request.body;
        if let Some(given) = self.header("content-md5") {
            let digest = decoded(given).filter(|digest| digest.len() == 16);
            let digest = digest.ok_or_else(|| {
                ServiceError::new(400, "InvalidDigest", "The Content-MD5 you specified is not valid.")
            })?;
            if digest != md5_raw(body) {
                return Err(bad_digest("The Content-MD5 you specified did not match what we received."));
            }
        }
        let hash = self.header("x-amz-content-sha256").unwrap_or_default();
        let is_hash = hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        if is_hash && !hash.eq_ignore_ascii_case(&sha256_hex(body)) {
            return Err(ServiceError::new(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        if let Some(checksum) = self.checksum()? {
            let algorithm = checksum.algorithm;
            if decoded(&checksum.value) != Some(algorithm.raw(body)) {
                let name = algorithm.name();
                return Err(bad_digest(&format!(
                    "The {name} you specified did not match the calculated checksum."
                )));
            }
        }
        Ok(body)
    }

    /// The body of an operation that insists on a digest.
    pub(in crate::services::s3) fn body_with_digest(&self) -> Result<&'a Bytes, ServiceError> {
        if self.header("content-md5").is_none() && self.checksum()?.is_none() {
            return Err(invalid_request("Missing required header for this request: Content-MD5"));
        }
        self.body()
    }

    /// The one checksum that a request may carry, in a header or a trailer.
    pub(in crate::services::s3) fn checksum(&self) -> Result<Option<Checksum>, ServiceError> {
        let given: Vec<Checksum> = ALGORITHMS
            .into_iter()
            .filter_map(|algorithm| {
                let value = self.header(&algorithm.header())?.to_owned();
                Some(Checksum { algorithm, value })
            })
            .collect();
        let announced = self.header("x-amz-sdk-checksum-algorithm");
        let trailer = self.header("x-amz-trailer").filter(|name| self.request.headers.get(*name).is_none());
        if trailer.is_some() {
            return Err(ServiceError::new(
                400,
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            ));
        }
        match given.as_slice() {
            [] if announced.is_some() => Err(invalid_request(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
            )),
            [] => Ok(None),
            [checksum] => Ok(Some(checksum.clone())),
            _ => Err(invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            )),
        }
    }
}

fn bad_digest(text: &str) -> ServiceError {
    ServiceError::new(400, "BadDigest", text)
}

fn sha256_hex(body: &[u8]) -> String {
    super::checksums::Algorithm::Sha256.raw(body).iter().map(|byte| format!("{byte:02x}")).collect()
}
