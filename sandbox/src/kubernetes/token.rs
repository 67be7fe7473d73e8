//! The tokens that callers of a cluster bring: a presigned `GetCallerIdentity` of STS that names the cluster in a signed
//! header, which is how `aws eks get-token` makes them.
//! <https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>
//!
//! Elsewhere the sandbox takes every signature; here it checks it, since only the signature tells for which cluster a token
//! was made.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::fmt::strtime;
use sha2::{Digest, Sha256};

use crate::protocol::request::pairs;

/// What every token begins with.
const PREFIX: &str = "k8s-aws-v1.";
/// The signed header that names the cluster.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// How long after its date a token is taken, whatever it says itself.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How far the caller's clock may be ahead.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// The longest that a token is looked at, in bytes.
const LONGEST: usize = 4 * 1024;
/// Every parameter that such a request may have.
const PARAMETERS: &[&str] = &[
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];

/// A token, read but not believed.
#[derive(Debug)]
pub(crate) struct Token {
    host: String,
    parameters: Vec<(String, String)>,
    date: String,
    /// `DATE/REGION/sts/aws4_request`.
    scope: String,
    signature: String,
    /// Whose it says it is.
    pub(crate) access_key: String,
}

impl Token {
    /// Reads a token. `None` for anything that no `GetCallerIdentity` for a cluster is, or that is too old at `now`, which is
    /// real time: so are the clocks of callers.
    pub(crate) fn read(text: &str, now: Timestamp) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let url = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?.trim_end_matches('=')).ok()?;
        let url = String::from_utf8(url).ok()?;
        let (address, query) = url.split_once('?')?;
        let (_, authority) = address.split_once("://")?;
        let (host, path) = authority.split_once('/').unwrap_or((authority, ""));
        let parameters = pairs(query);
        let names = parameters.iter().map(|(name, _)| name.as_str());
        let is_known = names.clone().all(|name| PARAMETERS.contains(&name));
        let is_single = names.clone().all(|name| names.clone().filter(|other| *other == name).count() == 1);
        if !path.is_empty() || !is_known || !is_single {
            return None;
        }
        let value =
            |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let is_right = value("Action") == Some("GetCallerIdentity")
            && value("X-Amz-Algorithm") == Some("AWS4-HMAC-SHA256")
            && value("X-Amz-SignedHeaders") == Some("host;x-k8s-aws-id")
            && value("X-Amz-Expires")?.parse::<u64>().is_ok_and(|seconds| seconds <= LIFETIME.as_secs());
        let date = value("X-Amz-Date")?;
        let made = strtime::parse("%Y%m%dT%H%M%SZ", date).ok()?.to_datetime().ok()?;
        let made = made.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        let is_young = made <= now + AHEAD && now <= made + LIFETIME;
        let (access_key, scope) = value("X-Amz-Credential")?.split_once('/')?;
        let is_for_sts = matches!(
            scope.split('/').collect::<Vec<_>>().as_slice(),
            [day, _region, "sts", "aws4_request"] if date.starts_with(day)
        );
        (is_right && is_young && is_for_sts).then(|| Self {
            host: host.to_owned(),
            date: date.to_owned(),
            scope: scope.to_owned(),
            signature: value("X-Amz-Signature").unwrap_or_default().to_owned(),
            access_key: access_key.to_owned(),
            parameters: parameters.clone(),
        })
    }

    /// Whether it was signed with this secret, for this cluster.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
    pub(crate) fn is_signed(&self, secret: &str, cluster: &str) -> bool {
        let unsigned = self.parameters.iter().filter(|(name, _)| name != "X-Amz-Signature");
        let mut query: Vec<String> =
            unsigned.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        query.sort();
        let request = format!(
            "GET\n/\n{}\nhost:{}\n{CLUSTER_HEADER}:{cluster}\n\nhost;{CLUSTER_HEADER}\n{}",
            query.join("&"),
            self.host,
            hexadecimal(&Sha256::digest([])),
        );
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            self.date,
            self.scope,
            hexadecimal(&Sha256::digest(request))
        );
        let key = self
            .scope
            .split('/')
            .fold(format!("AWS4{secret}").into_bytes(), |key, part| keyed(&key, part.as_bytes()));
        hexadecimal(&keyed(&key, to_sign.as_bytes())) == self.signature
    }
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As a canonical request has it: everything but letters, digits and four signs is percent-encoded.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// As botocore 1.43 signs it, for the cluster `c`, with the secret `sandbox`, at 2026-11-26 04:00.
    const URL: &str = "https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=111122223333%2F20261126%2Fus-west-2%2Fsts%2Faws4_request&X-Amz-Date=20261126T040000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=e4c89c0b49e26cb7d1793657a65957f828d91cc3894e4c4449993a70d4a5701f";
    /// The same of a session, for `langsmith-dev`, with the secret `se/cret`.
    const OF_SESSION: &str = "https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIATEST%2F20261126%2Fus-west-2%2Fsts%2Faws4_request&X-Amz-Date=20261126T040000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Security-Token=to%2Bken%2F%3D&X-Amz-Signature=91f8e01fb58ee37a72d7c5a69a79bfcb8a523cc9122a14d94655b7690304cd59";

    fn read(url: &str, now: &str) -> Option<Token> {
        Token::read(&format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url)), now.parse().unwrap())
    }

    #[test]
    fn the_signature_tells_secret_and_cluster() {
        let token = read(URL, "2026-11-26T04:01:00Z").unwrap();
        assert_eq!(token.access_key, "111122223333");
        assert!(token.is_signed("sandbox", "c"));
        assert!(!token.is_signed("sandbox", "other"));
        assert!(!token.is_signed("x", "c"));
        let of_session = read(OF_SESSION, "2026-11-26T04:01:00Z").unwrap();
        assert!(of_session.is_signed("se/cret", "langsmith-dev"));
        let of_another = read(&URL.replace("111122223333", "444455556666"), "2026-11-26T04:01:00Z").unwrap();
        assert!(!of_another.is_signed("sandbox", "c"));
    }

    #[test]
    fn a_token_holds_for_a_quarter_of_an_hour() {
        for (now, is_young) in [
            ("2026-11-26T03:54:59Z", false),
            ("2026-11-26T03:55:00Z", true),
            ("2026-11-26T04:15:00Z", true),
            ("2026-11-26T04:15:01Z", false),
        ] {
            assert_eq!(read(URL, now).is_some(), is_young, "{now}");
        }
    }

    #[test]
    fn what_is_no_such_request_is_no_token() {
        let now = "2026-11-26T04:01:00Z";
        for (part, other) in [
            ("GetCallerIdentity", "GetSessionToken"),
            ("Expires=60", "Expires=901"),
            ("host%3Bx-k8s-aws-id", "host"),
            ("%2Fsts%2F", "%2Fs3%2F"),
            ("com/?", "com/path?"),
            ("&Version", "&Other=1&Version"),
            ("&Version", "&Action=GetCallerIdentity&Version"),
        ] {
            assert!(read(&URL.replacen(part, other, 1), now).is_none(), "{part}: {other}");
        }
        for text in ["", "abc", "k8s-aws-v1.", "k8s-aws-v1.!", &"k8s-aws-v1.A".repeat(1000)] {
            assert!(Token::read(text, now.parse().unwrap()).is_none(), "{text}");
        }
    }
}
