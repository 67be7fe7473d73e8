//! Calls to an account behind the binary's back: what a colleague does in the console.

use std::io::{Read, Write};
use std::net::TcpStream;

/// A client of the sandbox or an emulator. They read the credential scope and check no signature, so this signs nothing.
#[derive(Clone, Debug)]
pub struct Wire {
    address: String,
    account: String,
    region: String,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: XML, or an object's content.
    pub body: String,
}

impl Wire {
    /// A client of the endpoint `http://HOST:PORT`, as the account and in the region.
    pub fn new(endpoint: &str, account: &str, region: &str) -> Self {
        Self {
            address: endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
        }
    }

    /// The same as another account.
    #[must_use]
    pub fn of_account(self, account: &str) -> Self {
        Self { account: account.to_owned(), ..self }
    }

    /// The same in another region.
    #[must_use]
    pub fn in_region(self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self }
    }

    /// A call to EC2 or IAM, which must succeed.
    ///
    /// # Panics
    /// With the answer, if it is refused.
    pub fn query(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> String {
        let version = if service == "iam" { "2010-05-08" } else { "2016-11-15" };
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            body.push_str(&format!("&{name}={}", escape(value)));
        }
        let answer = self.exchange(service, "POST", "/", &body);
        assert_eq!(answer.status, 200, "{action} {parameters:?}: {}", answer.body);
        answer.body
    }

    /// A call to a service that speaks JSON, which must succeed.
    ///
    /// # Panics
    /// With the answer, if it is refused.
    pub fn json(&self, service: &str, target: &str, body: &str) -> serde_json::Value {
        let head = ["content-type: application/x-amz-json-1.1".to_owned(), format!("x-amz-target: {target}")];
        let answer = self.send(service, "POST", "/", head, body);
        assert_eq!(answer.status, 200, "{target} {body}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Any other call; `path` with its query.
    pub fn exchange(&self, service: &str, method: &str, path: &str, body: &str) -> Answer {
        let head = ["content-type: application/x-www-form-urlencoded".to_owned()];
        self.send(service, method, path, head, body)
    }

    fn send<const N: usize>(
        &self,
        service: &str,
        method: &str,
        path: &str,
        more: [String; N],
        body: &str,
    ) -> Answer {
        let region = if service == "iam" { "us-east-1" } else { &self.region };
        let scope = format!("{}/20260101/{region}/{service}/aws4_request", self.account);
        let head = [
            format!("{method} {path} HTTP/1.1"),
            format!("host: {}", self.address),
            "connection: close".to_owned(),
            "x-amz-date: 20260101T000000Z".to_owned(),
            format!("authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            format!("content-length: {}", body.len()),
        ];
        let head: Vec<String> = head.into_iter().chain(more).collect();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(format!("{}\r\n\r\n{body}", head.join("\r\n")).as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
        Answer { status, body: body.to_owned() }
    }
}

fn escape(value: &str) -> String {
    let mut escaped = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
