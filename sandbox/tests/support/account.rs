//! An account with what a cluster needs, and the clients of its clusters.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "each test uses its own part")]

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{call, receive};

/// An account of a sandbox at an endpoint.
pub(crate) struct Account {
    url: String,
    subnets: Vec<String>,
}

impl Account {
    /// One with a VPC of three subnets and the roles that EKS and nodes take on, which are made.
    pub(crate) fn new(url: &str) -> Self {
        let ec2 = |form: &str, element: &str| {
            let (status, body) = call(url, "ec2", &format!("Version=2016-11-15&{form}")).unwrap();
            assert_eq!(status, 200, "{form}: {body}");
            element_of(&body, element)
        };
        let vpc = ec2("Action=CreateVpc&CidrBlock=10.0.0.0%2F16", "vpcId");
        let subnets = ["a", "b", "c"].iter().enumerate().map(|(index, zone)| {
            let range = format!("10.0.{index}.0%2F24");
            let form =
                format!("Action=CreateSubnet&VpcId={vpc}&CidrBlock={range}&AvailabilityZone=us-east-1{zone}");
            ec2(&form, "subnetId")
        });
        let account = Self { url: url.to_owned(), subnets: subnets.collect() };
        account.role("cluster", &json!({"Service": "eks.amazonaws.com"}));
        account.role("node", &json!({"Service": "ec2.amazonaws.com"}));
        account
    }

    /// One in which all is made already.
    pub(crate) fn of(url: &str) -> Self {
        Self { url: url.to_owned(), subnets: Vec::new() }
    }

    fn role(&self, name: &str, principal: &Value) {
        let statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let form = format!(
            "Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument={}",
            encoded(&policy)
        );
        let (status, body) = call(&self.url, "iam", &form).unwrap();
        assert_eq!(status, 200, "{body}");
    }

    /// Calls Secrets Manager.
    pub(crate) fn secrets_manager(&self, operation: &str, body: &Value) -> Value {
        let (target, body) = (format!("x-amz-target: secretsmanager.{operation}\r\n"), body.to_string());
        self.json("POST", "/", "secretsmanager", &target, "application/x-amz-json-1.1", &body)
    }

    /// The ARN of a new certificate for a domain, which is issued: its zone is made, and its record.
    pub(crate) fn certificate(&self, domain: &str) -> String {
        let route53 =
            |path: &str, body: &str| self.send("POST", path, "route53", "", "application/xml", body);
        let zone = format!(
            "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>{domain}</Name>\
             <CallerReference>1</CallerReference></CreateHostedZoneRequest>"
        );
        let zone = route53("/2013-04-01/hostedzone", &zone);
        let zone = element_of(zone.split("<HostedZone>").nth(1).unwrap(), "Id");
        let wanted = json!({"DomainName": domain, "ValidationMethod": "DNS"});
        let made = self.acm("RequestCertificate", &wanted);
        let arn = made["CertificateArn"].as_str().unwrap().to_owned();
        let record = self.describe_certificate(&arn)["DomainValidationOptions"][0]["ResourceRecord"].take();
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        let change = format!(
            "<ChangeResourceRecordSetsRequest><ChangeBatch><Changes><Change><Action>CREATE</Action><ResourceRecordSet>\
             <Name>{}</Name><Type>CNAME</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{}</Value>\
             </ResourceRecord></ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch>\
             </ChangeResourceRecordSetsRequest>",
            text("Name"),
            text("Value")
        );
        route53(&format!("/2013-04-01{zone}/rrset"), &change);
        assert_eq!(self.describe_certificate(&arn)["Status"], "ISSUED");
        arn
    }

    /// What is told of a certificate.
    pub(crate) fn describe_certificate(&self, arn: &str) -> Value {
        self.acm("DescribeCertificate", &json!({"CertificateArn": arn}))["Certificate"].take()
    }

    fn acm(&self, operation: &str, body: &Value) -> Value {
        let target = format!("x-amz-target: CertificateManager.{operation}\r\n");
        self.json("POST", "/", "acm", &target, "application/x-amz-json-1.1", &body.to_string())
    }

    /// Calls a Query service, which must answer with success; `form` is in its encoded form.
    pub(crate) fn query(&self, service: &str, form: &str) -> String {
        let (status, body) = call(&self.url, service, form).unwrap();
        assert_eq!(status, 200, "{form}: {body}");
        body
    }

    /// Puts a tag on all subnets.
    pub(crate) fn tag_subnets(&self, key: &str, value: &str) {
        for subnet in &self.subnets {
            let (key, value) = (encoded(key), encoded(value));
            let form = format!(
                "Action=CreateTags&Version=2016-11-15&ResourceId.1={subnet}&Tag.1.Key={key}&Tag.1.Value={value}"
            );
            self.query("ec2", &form);
        }
    }

    /// Lets the service accounts of a cluster take on roles.
    pub(crate) fn federate(&self, cluster: &str) {
        let issuer = self.issuer(cluster);
        let form = format!(
            "Action=CreateOpenIDConnectProvider&Version=2010-05-08&Url={}&ClientIDList.member.1=sts.amazonaws.com",
            encoded(&issuer)
        );
        self.query("iam", &form);
    }

    fn issuer(&self, cluster: &str) -> String {
        self.describe(cluster)["identity"]["oidc"]["issuer"].as_str().unwrap().to_owned()
    }

    /// Makes a role that one service account of a cluster may take on, and that may do these actions; answers with its ARN.
    pub(crate) fn role_of_service_account(
        &self,
        name: &str,
        cluster: &str,
        service_account: &str,
        actions: &[&str],
    ) -> String {
        let issuer = self.issuer(cluster);
        let host = issuer.trim_start_matches("https://");
        let statement = json!({
            "Effect": "Allow",
            "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{host}")},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {
                format!("{host}:aud"): "sts.amazonaws.com",
                format!("{host}:sub"): format!("system:serviceaccount:{service_account}"),
            }},
        });
        let trust = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let form = format!(
            "Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument={}",
            encoded(&trust)
        );
        self.query("iam", &form);
        self.allow(name, actions);
        Self::arn(name)
    }

    /// Replaces what a role may do.
    pub(crate) fn allow(&self, role: &str, actions: &[&str]) {
        let statement = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let form = format!(
            "Action=PutRolePolicy&Version=2010-05-08&RoleName={role}&PolicyName=p&PolicyDocument={}",
            encoded(&policy)
        );
        self.query("iam", &form);
    }

    /// Installs an add-on, which must become `ACTIVE`.
    pub(crate) fn addon(&self, cluster: &str, name: &str, role_arn: Option<&str>) {
        let mut request = json!({"addonName": name});
        if let Some(role) = role_arn {
            request["serviceAccountRoleArn"] = json!(role);
        }
        self.eks("POST", &format!("/clusters/{cluster}/addons"), &request);
        let addon = self.eks("GET", &format!("/clusters/{cluster}/addons/{name}"), &Value::Null);
        assert_eq!(addon["addon"]["status"], "ACTIVE");
    }

    /// Removes an add-on.
    pub(crate) fn delete_addon(&self, cluster: &str, name: &str) {
        self.eks("DELETE", &format!("/clusters/{cluster}/addons/{name}"), &Value::Null);
    }

    /// Access key and secret of a session of a new role that everybody may take on.
    pub(crate) fn session(&self, role: &str, name: &str) -> (String, String) {
        self.role(role, &json!("*"));
        let arn = format!("arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2F{role}");
        let form = format!("Action=AssumeRole&Version=2011-06-15&RoleArn={arn}&RoleSessionName={name}");
        let (status, body) = call(&self.url, "sts", &form).unwrap();
        assert_eq!(status, 200, "{body}");
        (element_of(&body, "AccessKeyId"), element_of(&body, "SecretAccessKey"))
    }

    fn eks(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.json(method, path, "eks", "", "application/json", &body)
    }

    fn json(&self, method: &str, path: &str, service: &str, more: &str, kind: &str, body: &str) -> Value {
        serde_json::from_str(&self.send(method, path, service, more, kind, body)).unwrap()
    }

    fn send(&self, method: &str, path: &str, service: &str, more: &str, kind: &str, body: &str) -> String {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {service}.us-east-1.amazonaws.com\r\nconnection: close\r\nuser-agent: test/1\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=123456789012/20261123/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\
             {more}content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let (status, answer) = receive(stream).unwrap();
        assert!((200..300).contains(&status), "{method} {path} {body}: {answer}");
        answer
    }

    fn arn(role: &str) -> String {
        format!("arn:aws:iam::123456789012:role/{role}")
    }

    /// Makes a cluster, and waits until it is `ACTIVE`.
    pub(crate) fn cluster(&self, name: &str) {
        self.begin_cluster(name);
        assert_eq!(self.describe(name)["status"], "ACTIVE");
    }

    /// Makes a cluster.
    pub(crate) fn begin_cluster(&self, name: &str) {
        let request = json!({
            "name": name,
            "version": "1.36",
            "roleArn": Self::arn("cluster"),
            "resourcesVpcConfig": {"subnetIds": self.subnets},
            "accessConfig": {"authenticationMode": "API"},
        });
        let made = self.eks("POST", "/clusters", &request);
        assert_eq!(made["cluster"]["status"], "CREATING");
    }

    /// What is told of a cluster, once there is something to tell.
    pub(crate) fn describe(&self, name: &str) -> Value {
        self.eks("GET", &format!("/clusters/{name}"), &Value::Null)["cluster"].take()
    }

    /// Deletes a cluster.
    pub(crate) fn delete_cluster(&self, name: &str) {
        self.eks("DELETE", &format!("/clusters/{name}"), &Value::Null);
    }

    /// Where a cluster's API is.
    pub(crate) fn endpoint(&self, name: &str) -> String {
        self.describe(name)["endpoint"].as_str().unwrap().to_owned()
    }

    /// Makes a node group, and waits until it is `ACTIVE`.
    pub(crate) fn group(&self, cluster: &str, name: &str, more: Value) {
        let mut request = json!({
            "nodegroupName": name,
            "nodeRole": Self::arn("node"),
            "subnets": self.subnets,
            "instanceTypes": ["m7i.2xlarge"],
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let groups = format!("/clusters/{cluster}/node-groups");
        let made = self.eks("POST", &groups, &request);
        assert_eq!(made["nodegroup"]["status"], "CREATING");
        let group = self.eks("GET", &format!("{groups}/{name}"), &Value::Null);
        assert_eq!(group["nodegroup"]["status"], "ACTIVE");
    }

    /// Changes how many nodes a group has.
    pub(crate) fn scale(&self, cluster: &str, name: &str, nodes: u32) {
        let path = format!("/clusters/{cluster}/node-groups/{name}/update-config");
        self.eks("POST", &path, &json!({"scalingConfig": {"desiredSize": nodes}}));
    }

    /// Deletes a node group.
    pub(crate) fn delete_group(&self, cluster: &str, name: &str) {
        self.eks("DELETE", &format!("/clusters/{cluster}/node-groups/{name}"), &Value::Null);
    }

    /// Gives a principal an access entry with a policy for the whole cluster.
    pub(crate) fn admit(&self, cluster: &str, principal: &str, policy: &str) {
        let entries = format!("/clusters/{cluster}/access-entries");
        self.eks("POST", &entries, &json!({"principalArn": principal}));
        let policies = format!("{entries}/{}/access-policies", encoded(principal));
        let policy = format!("arn:aws:eks::aws:cluster-access-policy/{policy}");
        self.eks("POST", &policies, &json!({"policyArn": policy, "accessScope": {"type": "cluster"}}));
    }

    /// Takes a principal's access entry away.
    pub(crate) fn dismiss(&self, cluster: &str, principal: &str) {
        let path = format!("/clusters/{cluster}/access-entries/{}", encoded(principal));
        self.eks("DELETE", &path, &Value::Null);
    }

    /// A client of a cluster as the account's own user, who made it.
    pub(crate) async fn client(&self, cluster: &str) -> kube::Client {
        self.client_with(cluster, token("123456789012", "sandbox", cluster)).await
    }

    /// A client of a cluster with a token.
    pub(crate) async fn client_with(&self, cluster: &str, token: String) -> kube::Client {
        let description = self.describe(cluster);
        let kubeconfig = json!({
            "clusters": [{"name": "c", "cluster": {
                "server": description["endpoint"],
                "certificate-authority-data": description["certificateAuthority"]["data"],
            }}],
            "users": [{"name": "c", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
            "current-context": "c",
        });
        let kubeconfig = serde_json::from_value(kubeconfig).unwrap();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
        kube::Client::try_from(config).unwrap()
    }
}

/// The text of the first element of a name.
pub(crate) fn element_of(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split('<').next().unwrap().to_owned()
}

pub(crate) fn encoded(text: &str) -> String {
    let encode = |byte: u8| {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || "-._~".contains(character) {
            character.to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}

/// A token of a key for a cluster, made now, as `aws eks get-token` makes them. No two are the same: API servers remember
/// whose a token is for some seconds.
pub(crate) fn token(access_key: &str, secret: &str, cluster: &str) -> String {
    let now = jiff::Timestamp::now();
    let (day, date) = (now.strftime("%Y%m%d").to_string(), now.strftime("%Y%m%dT%H%M%SZ").to_string());
    static MADE: AtomicU32 = AtomicU32::new(0);
    let expires = 60 + MADE.fetch_add(1, Ordering::Relaxed);
    let host = "sts.us-east-1.amazonaws.com";
    let query = format!(
        "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential={access_key}%2F{day}%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date={date}&X-Amz-Expires={expires}\
         &X-Amz-SignedHeaders=host%3Bx-k8s-aws-id"
    );
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let request = format!(
        "GET\n/\n{query}\nhost:{host}\nx-k8s-aws-id:{cluster}\n\nhost;x-k8s-aws-id\n{}",
        hexadecimal(&Sha256::digest(""))
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date}\n{day}/us-east-1/sts/aws4_request\n{}",
        hexadecimal(&Sha256::digest(request))
    );
    let keyed = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let parts = [day.as_str(), "us-east-1", "sts", "aws4_request"];
    let key = parts.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| keyed(&key, part));
    let signature = hexadecimal(&keyed(&key, &to_sign));
    format!(
        "k8s-aws-v1.{}",
        URL_SAFE_NO_PAD.encode(format!("https://{host}/?{query}&X-Amz-Signature={signature}"))
    )
}
