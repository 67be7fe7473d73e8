//! A cloud without a listener, on a clock that stands still until told: what the unit tests of services stand on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use tempfile::TempDir;

use crate::cloud::Cloud;
use crate::cloud::clock::Clock;
use crate::protocol::Response;
use crate::protocol::credentials::CredentialScope;
use crate::protocol::request::{Request, pairs};
use crate::storage::Store;
use crate::{FaultPlan, Item, Pace};

/// A cloud in a folder of its own.
pub(crate) struct TestCloud {
    folder: TempDir,
    cloud: Cloud,
    pace: Pace,
}

/// The answer to one call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A success's body.
    Ok(String),
    /// An error's code and body.
    Refused(String, String),
    /// The connection closed without an answer.
    Nothing,
}

impl TestCloud {
    /// A new account with seed 1; lifecycles take AWS's time if the pace says so.
    pub(crate) fn new(pace: Pace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cloud = open(&folder, pace);
        Self { folder, cloud, pace }
    }

    /// A new account whose lifecycles take AWS's time.
    pub(crate) fn realistic() -> Self {
        Self::new(Pace::Realistic { speed: 1.0 })
    }

    /// The same account served by another process.
    pub(crate) fn reopened(self) -> Self {
        let Self { folder, cloud, pace } = self;
        drop(cloud);
        let cloud = open(&folder, pace);
        Self { folder, cloud, pace }
    }

    /// Lets sandbox time pass.
    pub(crate) fn advance(&mut self, seconds: u64) {
        self.cloud.advance(Duration::from_secs(seconds));
    }

    /// Puts a fault plan in force.
    pub(crate) fn faults(&mut self, plan: FaultPlan) {
        self.cloud.faults.replace(plan);
    }

    /// What exists.
    pub(crate) fn inventory(&mut self) -> Vec<Item> {
        self.cloud.inventory().unwrap()
    }

    /// How many bodies of objects the folder has.
    pub(crate) fn blobs(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("objects")).unwrap().count()
    }

    /// The cloud itself.
    pub(crate) fn cloud(&mut self) -> &mut Cloud {
        &mut self.cloud
    }

    /// Carries out any request.
    pub(crate) fn request(&mut self, request: &Request) -> Option<Response> {
        let admitted = self.cloud.admit(request);
        self.cloud.carry_out(&admitted, request).unwrap()
    }

    /// Carries out a call of a Query service in us-east-1, as the sandbox's own user.
    pub(crate) fn query(&mut self, service: &str, action: &str, params: &[(&str, &str)]) -> Answer {
        self.query_as("AKIATEST", service, action, params)
    }

    /// Carries out a call of a Query service in us-east-1 with an access key.
    pub(crate) fn query_as(
        &mut self,
        access_key: &str,
        service: &str,
        action: &str,
        params: &[(&str, &str)],
    ) -> Answer {
        let mut form = vec![("Action", action), ("Version", "1")];
        form.extend(params);
        let query = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut request = Request { query, ..post(service) };
        request.credentials.access_key = access_key.to_owned();
        let Some(response) = self.request(&request) else { return Answer::Nothing };
        let body = String::from_utf8(response.body().to_vec()).unwrap();
        if response.status().is_success() {
            Answer::Ok(body)
        } else {
            Answer::Refused(text(&body, "Code"), body)
        }
    }

    /// Carries out a call of an awsJson service in us-east-1; `target` is `TARGET.Operation`.
    pub(crate) fn json(
        &mut self,
        service: &str,
        target: &str,
        body: &Value,
    ) -> Option<http::Response<Value>> {
        let mut request = Request { body: Bytes::from(body.to_string()), ..post(service) };
        request.headers.insert("x-amz-target", target.parse().unwrap());
        request.headers.insert("content-type", "application/x-amz-json-1.0".parse().unwrap());
        let response = self.request(&request)?;
        Some(response.map(|body| serde_json::from_slice(&body).unwrap()))
    }

    /// Carries out a call of a restJson service in us-east-1; `path` may have a query.
    pub(crate) fn rest(
        &mut self,
        service: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Option<http::Response<Value>> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = Request { method, path: path.to_owned(), query: pairs(query), body, ..post(service) };
        let response = self.request(&request)?;
        Some(response.map(|body| serde_json::from_slice(&body).unwrap()))
    }

    /// Carries out a call of a REST service with XML in us-east-1; `target` is a path with its query.
    pub(crate) fn rest_xml(&mut self, service: &str, method: Method, target: &str, body: &str) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method,
            path: path.to_owned(),
            query: pairs(query),
            body: Bytes::from(body.to_owned()),
            ..post(service)
        };
        let Some(response) = self.request(&request) else { return Answer::Nothing };
        let body = String::from_utf8(response.body().to_vec()).unwrap();
        if response.status().is_success() {
            Answer::Ok(body)
        } else {
            Answer::Refused(text(&body, "Code"), body)
        }
    }

    /// The body of an EC2 call that must succeed.
    pub(crate) fn ec2(&mut self, action: &str, params: &[(&str, &str)]) -> String {
        match self.query("ec2", action, params) {
            Answer::Ok(body) => body,
            other => panic!("{action} {params:?}: {other:?}"),
        }
    }

    /// The code of an EC2 call that must be refused.
    pub(crate) fn refused(&mut self, action: &str, params: &[(&str, &str)]) -> String {
        match self.query("ec2", action, params) {
            Answer::Refused(code, _) => code,
            other => panic!("{action} {params:?}: {other:?}"),
        }
    }

    /// A VPC's id.
    pub(crate) fn vpc(&mut self, range: &str) -> String {
        text(&self.ec2("CreateVpc", &[("CidrBlock", range)]), "vpcId")
    }

    /// A subnet's id.
    pub(crate) fn subnet(&mut self, vpc: &str, range: &str) -> String {
        text(&self.ec2("CreateSubnet", &[("VpcId", vpc), ("CidrBlock", range)]), "subnetId")
    }

    /// The id of an internet gateway attached to a VPC.
    pub(crate) fn internet_gateway(&mut self, vpc: &str) -> String {
        let id = text(&self.ec2("CreateInternetGateway", &[]), "internetGatewayId");
        self.ec2("AttachInternetGateway", &[("InternetGatewayId", &id), ("VpcId", vpc)]);
        id
    }

    /// An address's allocation id.
    pub(crate) fn address(&mut self) -> String {
        text(&self.ec2("AllocateAddress", &[]), "allocationId")
    }
}

/// A request to a service in us-east-1 that asks for nothing yet.
fn post(service: &str) -> Request {
    Request {
        credentials: CredentialScope {
            access_key: "AKIATEST".to_owned(),
            region: "us-east-1".to_owned(),
            service: service.to_owned(),
        },
        method: Method::POST,
        path: "/".to_owned(),
        query: Vec::new(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}

fn open(folder: &TempDir, pace: Pace) -> Cloud {
    let opened = Store::open(folder.path(), Some(1)).unwrap();
    let mut clock = Clock::manual(opened.epoch);
    clock.advance(opened.elapsed);
    Cloud::new(opened, clock, pace, "123456789012".to_owned())
}

/// The text of the first element of a name, empty if there is none.
pub(crate) fn text(xml: &str, name: &str) -> String {
    texts(xml, name).into_iter().next().unwrap_or_default()
}

/// The texts of all elements of a name that have no elements in them.
pub(crate) fn texts(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1);
    parts
        .filter_map(|part| part.split(&close).next())
        .filter(|text| !text.contains('<'))
        .map(str::to_owned)
        .collect()
}
