//! EKS's rules, through whole requests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod addons;
mod clusters;
mod control_planes;
mod node_groups;

use http::Method;
use serde_json::{Value, json};

use crate::Pace;
use crate::testing::{Answer, TestCloud};

/// An account with a VPC of two subnets and the roles that EKS and nodes take on.
struct Account {
    cloud: TestCloud,
    vpc: String,
    subnets: Vec<String>,
}

impl Account {
    fn new(pace: Pace) -> Self {
        let mut cloud = TestCloud::new(pace);
        let vpc = cloud.vpc("10.0.0.0/16");
        cloud.advance(5);
        let mut subnet = |range: &str, zone: &str| {
            let body = cloud
                .ec2("CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", range), ("AvailabilityZone", zone)]);
            crate::testing::text(&body, "subnetId")
        };
        let subnets = vec![subnet("10.0.0.0/24", "us-east-1a"), subnet("10.0.1.0/24", "us-east-1b")];
        let mut account = Self { cloud, vpc, subnets };
        for (name, service) in [
            ("cluster", "eks.amazonaws.com"),
            ("node", "ec2.amazonaws.com"),
            ("pod", "pods.eks.amazonaws.com"),
        ] {
            account.role(name, service);
        }
        account
    }

    fn role(&mut self, name: &str, service: &str) {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        });
        let params = [("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
        assert!(matches!(self.cloud.query("iam", "CreateRole", &params), Answer::Ok(_)));
    }

    fn delete_role(&mut self, name: &str) {
        assert!(matches!(self.cloud.query("iam", "DeleteRole", &[("RoleName", name)]), Answer::Ok(_)));
    }

    fn arn(name: &str) -> String {
        format!("arn:aws:iam::123456789012:role/{name}")
    }

    fn send(&mut self, method: &str, path: &str, body: &Value) -> http::Response<Value> {
        self.cloud.rest("eks", Method::from_bytes(method.as_bytes()).unwrap(), path, body).unwrap()
    }

    /// The success that a request must be answered with.
    fn ok(&mut self, method: &str, path: &str, body: Value) -> Value {
        let response = self.send(method, path, &body);
        assert!(response.status().is_success(), "{method} {path} {body}: {:?}", response.body());
        response.into_body()
    }

    /// Code and text of the refusal that a request must be answered with.
    fn refused(&mut self, method: &str, path: &str, body: Value) -> (String, String) {
        let response = self.send(method, path, &body);
        assert!(!response.status().is_success(), "{method} {path} {body}: {:?}", response.body());
        let code = response.headers()["x-amzn-errortype"].to_str().unwrap().to_owned();
        (code, response.body()["message"].as_str().unwrap().to_owned())
    }

    fn cluster_request(&self) -> Value {
        json!({
            "name": "c",
            "version": "1.34",
            "roleArn": Self::arn("cluster"),
            "resourcesVpcConfig": {"subnetIds": self.subnets},
            "accessConfig": {"authenticationMode": "API"},
        })
    }

    /// Makes the cluster `c`.
    fn cluster(&mut self) {
        let request = self.cluster_request();
        self.ok("POST", "/clusters", request);
    }

    /// The member of the cluster `c` at a pointer.
    fn cluster_at(&mut self, pointer: &str) -> Value {
        let body = self.ok("GET", "/clusters/c", Value::Null);
        body["cluster"].pointer(pointer).cloned().unwrap_or_default()
    }

    fn group_request(&self, name: &str) -> Value {
        json!({"nodegroupName": name, "nodeRole": Self::arn("node"), "subnets": self.subnets})
    }

    /// Makes a node group in `c`.
    fn group(&mut self, name: &str) {
        let request = self.group_request(name);
        self.ok("POST", "/clusters/c/node-groups", request);
    }

    /// The status of a node group, an add-on or an update, by its path.
    fn status(&mut self, path: &str) -> String {
        let body = self.ok("GET", path, Value::Null);
        let (_, object) = body.as_object().unwrap().iter().next().unwrap();
        object["status"].as_str().unwrap().to_owned()
    }

    /// How many network interfaces there are.
    fn interfaces(&mut self) -> usize {
        let body = self.cloud.ec2("DescribeNetworkInterfaces", &[]);
        crate::testing::texts(&body, "networkInterfaceId").len()
    }

    fn groups(&mut self) -> Vec<String> {
        let body = self.cloud.ec2("DescribeSecurityGroups", &[]);
        crate::testing::texts(&body, "groupName")
    }
}
