//! S3's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod buckets;
mod multipart;
mod objects;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::Pace;
use crate::protocol::Response;
use crate::protocol::credentials::CredentialScope;
use crate::protocol::request::{Request, pairs};
use crate::testing::{TestCloud, text};

/// The account of the key `AKIATEST`.
const ACCOUNT: &str = "123456789012";

/// A request under construction.
struct Ask {
    access_key: &'static str,
    region: &'static str,
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

/// A request of the account's, to us-west-2: a method, and a path with a query.
fn ask(method: &str, target: &str) -> Ask {
    Ask {
        access_key: "AKIATEST",
        region: "us-west-2",
        method: method.parse().unwrap(),
        target: target.to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}

impl Ask {
    fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    /// Adds the digest that some operations insist on.
    fn digested(self) -> Self {
        use base64::Engine;
        let digest = super::wire::checksums::md5_raw(&self.body);
        let digest = base64::prelude::BASE64_STANDARD.encode(digest);
        self.header("content-md5", &digest)
    }

    fn of(mut self, access_key: &'static str) -> Self {
        self.access_key = access_key;
        self
    }

    fn to(mut self, region: &'static str) -> Self {
        self.region = region;
        self
    }

    fn send(self, cloud: &mut TestCloud) -> Response {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let credentials = CredentialScope {
            access_key: self.access_key.to_owned(),
            region: self.region.to_owned(),
            service: "s3".to_owned(),
        };
        let request = Request {
            credentials,
            method: self.method,
            path: path.to_owned(),
            query: pairs(query),
            headers: self.headers,
            body: self.body,
        };
        cloud.request(&request).expect("no fault plan is in force")
    }

    /// The answer of a call that must succeed.
    fn ok(self, cloud: &mut TestCloud) -> Response {
        let what = format!("{} {}", self.method, self.target);
        let response = self.send(cloud);
        assert!(response.status().is_success(), "{what}: {response:?}");
        response
    }

    /// The body of a call that must succeed.
    fn read(self, cloud: &mut TestCloud) -> String {
        String::from_utf8(self.ok(cloud).body().to_vec()).unwrap()
    }

    /// Status and code of a call that must be refused.
    fn refused(self, cloud: &mut TestCloud) -> (u16, String) {
        let what = format!("{} {}", self.method, self.target);
        let response = self.send(cloud);
        assert!(!response.status().is_success(), "{what}: {response:?}");
        (response.status().as_u16(), text(std::str::from_utf8(response.body()).unwrap(), "Code"))
    }
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn in_us_west_2() -> Bytes {
    let constraint = "<LocationConstraint>us-west-2</LocationConstraint>";
    Bytes::from(format!("<CreateBucketConfiguration>{constraint}</CreateBucketConfiguration>"))
}

/// A cloud with a bucket `abc` in us-west-2.
fn with_bucket() -> TestCloud {
    let mut cloud = TestCloud::new(Pace::Instant);
    ask("PUT", "/abc").body(in_us_west_2()).ok(&mut cloud);
    cloud
}

fn keep_versions(cloud: &mut TestCloud, status: &str) {
    let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    ask("PUT", "/abc?versioning").body(body).ok(cloud);
}
