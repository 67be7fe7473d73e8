//! A plain HTTP client that signs like an AWS client, as far as the sandbox looks.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "each test uses its own part")]

use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a call of a Query service on a connection of its own, and does not wait for the answer.
pub(crate) fn send(url: &str, service: &str, form: &str) -> TcpStream {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {service}.us-east-1.amazonaws.com\r\nconnection: close\r\nuser-agent: test/1\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=AKIATEST/20261123/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Reads an answer to its end: the status and the body, or `None` if the connection was closed without one.
pub(crate) fn receive(mut stream: TcpStream) -> Option<(u16, String)> {
    let mut answer = String::new();
    // A connection that is cut off may also report an error, which says the same.
    let _ = stream.read_to_string(&mut answer);
    let status = answer.get(9..12)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    Some((status, body))
}

/// Sends a call and reads its answer.
pub(crate) fn call(url: &str, service: &str, form: &str) -> Option<(u16, String)> {
    receive(send(url, service, form))
}

/// Makes a VPC.
pub(crate) fn create_vpc(url: &str) -> Option<(u16, String)> {
    call(url, "ec2", "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16")
}

/// How many VPCs there are.
pub(crate) fn vpcs(url: &str) -> usize {
    let (status, body) = call(url, "ec2", "Action=DescribeVpcs&Version=2016-11-15").unwrap();
    assert_eq!(status, 200, "{body}");
    body.matches("<vpcId>").count()
}
