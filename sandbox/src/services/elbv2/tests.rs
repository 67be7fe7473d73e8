//! Load balancers as a controller makes them and as everybody sees them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use super::listener::{self, Action};
use super::load_balancer::{self, INTERNET_FACING, Kind, Specification};
use super::rule::{self, Rule};
use super::target_group::{self, HealthCheck, Target};
use crate::Pace;
use crate::cloud::call::Call;
use crate::cloud::principal::Principal;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;
use crate::services::common::tag_list::Tags;
use crate::testing::{Answer, TestCloud, text, texts};

fn change<T>(
    cloud: &mut TestCloud,
    change: impl FnOnce(&mut Call<'_>) -> Result<T, ServiceError>,
) -> Result<T, String> {
    let scope = Scope::new("123456789012", "us-east-1");
    let done = cloud.cloud().change(&scope, &Principal::aws("123456789012"), change).unwrap();
    done.map_err(|error| error.code)
}

fn ask(cloud: &mut TestCloud, action: &str, params: &[(&str, &str)]) -> String {
    match cloud.query("elasticloadbalancing", action, params) {
        Answer::Ok(body) => body,
        Answer::Refused(code, _) => code,
        Answer::Nothing => panic!(),
    }
}

fn tags(value: &str) -> Tags {
    Tags::from([("elbv2.k8s.aws/cluster".to_owned(), value.to_owned())])
}

fn specification(name: &str, subnets: &[String]) -> Specification {
    Specification {
        name: name.to_owned(),
        kind: Kind::Application,
        scheme: INTERNET_FACING.to_owned(),
        subnets: subnets.to_vec(),
        groups: Vec::new(),
        attributes: BTreeMap::from([("idle_timeout.timeout_seconds".to_owned(), "360".to_owned())]),
        tags: tags("c"),
    }
}

/// A VPC with an internet gateway and subnets in two zones.
fn network(cloud: &mut TestCloud) -> (String, String, Vec<String>) {
    let vpc = cloud.vpc("10.0.0.0/16");
    let gateway = cloud.internet_gateway(&vpc);
    let subnets = [("10.0.0.0/24", "us-east-1a"), ("10.0.1.0/24", "us-east-1b")].map(|(range, zone)| {
        let params = [("VpcId", vpc.as_str()), ("CidrBlock", range), ("AvailabilityZone", zone)];
        text(&cloud.ec2("CreateSubnet", &params), "subnetId")
    });
    (vpc, gateway, subnets.to_vec())
}

fn settings(vpc_id: &str) -> target_group::Settings {
    target_group::Settings {
        name: "t".to_owned(),
        vpc_id: vpc_id.to_owned(),
        protocol: "HTTP".to_owned(),
        port: 8080,
        target_type: "ip".to_owned(),
        health_check: HealthCheck {
            protocol: "HTTP".to_owned(),
            port: "traffic-port".to_owned(),
            path: Some("/health".to_owned()),
            success_codes: Some("200".to_owned()),
            interval_seconds: 15,
            timeout_seconds: 5,
            healthy_threshold: 2,
            unhealthy_threshold: 2,
        },
        attributes: BTreeMap::new(),
    }
}

#[test]
fn a_load_balancer_is_provisioned_blocks_its_network_and_lets_it_go_a_while_after_its_end() {
    let mut cloud = TestCloud::realistic();
    let (vpc, gateway, subnets) = network(&mut cloud);
    let arn = change(&mut cloud, |call| load_balancer::make(call, specification("web", &subnets))).unwrap();
    let described = ask(&mut cloud, "DescribeLoadBalancers", &[("LoadBalancerArns.member.1", &arn)]);
    assert_eq!(text(&described, "Code"), "provisioning");
    assert_eq!(text(&described, "CanonicalHostedZoneId"), "Z35SXDOTRQ7X7K");
    assert!(text(&described, "DNSName").starts_with("web-"), "{described}");
    assert_eq!(texts(&described, "SubnetId"), subnets);
    cloud.advance(120);
    let described = ask(&mut cloud, "DescribeLoadBalancers", &[("Names.member.1", "web")]);
    assert_eq!(text(&described, "Code"), "active");
    let attributes = ask(&mut cloud, "DescribeLoadBalancerAttributes", &[("LoadBalancerArn", &arn)]);
    assert!(attributes.contains("<Value>360</Value>"), "{attributes}");

    let interfaces = cloud.ec2("DescribeNetworkInterfaces", &[]);
    let descriptions = texts(&interfaces, "description");
    assert_eq!(descriptions.len(), 2);
    assert!(descriptions.iter().all(|text| text.starts_with("ELB app/web/")), "{descriptions:?}");
    assert_eq!(cloud.refused("DeleteSubnet", &[("SubnetId", &subnets[0])]), "DependencyViolation");
    let detach = [("InternetGatewayId", gateway.as_str()), ("VpcId", vpc.as_str())];
    assert_eq!(cloud.refused("DetachInternetGateway", &detach), "DependencyViolation");

    let protect = [
        ("LoadBalancerArn", arn.as_str()),
        ("Attributes.member.1.Key", "deletion_protection.enabled"),
        ("Attributes.member.1.Value", "true"),
    ];
    ask(&mut cloud, "ModifyLoadBalancerAttributes", &protect);
    assert_eq!(ask(&mut cloud, "DeleteLoadBalancer", &[("LoadBalancerArn", &arn)]), "OperationNotPermitted");
    let unprotect = [protect[0], protect[1], ("Attributes.member.1.Value", "false")];
    ask(&mut cloud, "ModifyLoadBalancerAttributes", &unprotect);
    ask(&mut cloud, "DeleteLoadBalancer", &[("LoadBalancerArn", &arn)]);
    assert_eq!(
        ask(&mut cloud, "DescribeLoadBalancers", &[("LoadBalancerArns.member.1", &arn)]),
        "LoadBalancerNotFound"
    );
    assert_eq!(cloud.refused("DeleteSubnet", &[("SubnetId", &subnets[0])]), "DependencyViolation");
    cloud.advance(60);
    cloud.ec2("DeleteSubnet", &[("SubnetId", &subnets[0])]);
    cloud.ec2("DetachInternetGateway", &detach);
}

#[test]
fn a_name_is_taken_once_and_an_application_needs_two_zones() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let (_, _, subnets) = network(&mut cloud);
    let make = |cloud: &mut TestCloud, name: &str, subnets: &[String]| {
        change(cloud, |call| load_balancer::make(call, specification(name, subnets)))
    };
    make(&mut cloud, "web", &subnets).unwrap();
    assert_eq!(make(&mut cloud, "web", &subnets).unwrap_err(), "DuplicateLoadBalancerName");
    assert_eq!(make(&mut cloud, "other", &subnets[..1]).unwrap_err(), "ValidationError");
    assert_eq!(
        make(&mut cloud, "other", &["subnet-0".to_owned(), subnets[0].clone()]).unwrap_err(),
        "SubnetNotFound"
    );
    assert_eq!(
        ask(&mut cloud, "DescribeLoadBalancers", &[("Names.member.1", "other")]),
        "LoadBalancerNotFound"
    );
}

#[test]
fn targets_become_healthy_and_drain_once_something_forwards_to_them() {
    let mut cloud = TestCloud::realistic();
    let (vpc, _, subnets) = network(&mut cloud);
    let balancer =
        change(&mut cloud, |call| load_balancer::make(call, specification("web", &subnets))).unwrap();
    let group = change(&mut cloud, |call| target_group::make(call, settings(&vpc), tags("c"))).unwrap();
    let register = |cloud: &mut TestCloud, ids: &[&str]| {
        let targets: BTreeSet<Target> =
            ids.iter().map(|id| Target { id: (*id).to_owned(), port: 8080 }).collect();
        change(cloud, |call| target_group::register(call, &group, &targets)).unwrap();
    };
    register(&mut cloud, &["10.0.0.9", "10.0.1.9"]);
    let states = |cloud: &mut TestCloud| {
        texts(&ask(cloud, "DescribeTargetHealth", &[("TargetGroupArn", &group)]), "State")
    };
    assert_eq!(states(&mut cloud), ["unused", "unused"]);
    let action = Action::Forward { target_group_arn: group.clone() };
    let listener = listener::Settings {
        protocol: "HTTP".to_owned(),
        port: 80,
        certificates: Vec::new(),
        ssl_policy: None,
        action: action.clone(),
    };
    let make = |cloud: &mut TestCloud, settings: &listener::Settings| {
        change(cloud, |call| listener::make(call, &balancer, settings.clone(), tags("c")))
    };
    let listener_arn = make(&mut cloud, &listener).unwrap();
    assert_eq!(make(&mut cloud, &listener).unwrap_err(), "DuplicateListener");
    assert_eq!(states(&mut cloud), ["initial", "initial"]);
    cloud.advance(30);
    assert_eq!(states(&mut cloud), ["healthy", "healthy"]);
    register(&mut cloud, &["10.0.0.9"]);
    assert_eq!(states(&mut cloud), ["healthy", "draining"]);
    cloud.advance(300);
    assert_eq!(states(&mut cloud), ["healthy"]);

    let groups = ask(&mut cloud, "DescribeTargetGroups", &[("LoadBalancerArn", &balancer)]);
    assert_eq!(texts(&groups, "TargetGroupArn"), [group.as_str()]);
    assert_eq!(text(&groups, "HealthCheckPath"), "/health");
    assert_eq!(ask(&mut cloud, "DeleteTargetGroup", &[("TargetGroupArn", &group)]), "ResourceInUse");
    change(&mut cloud, |call| {
        let hosts = vec!["a.example.com".to_owned()];
        let paths = vec!["/*".to_owned()];
        rule::set(call, &listener_arn, vec![Rule { priority: 1, hosts, paths, action, tags: tags("c") }]);
        Ok(())
    })
    .unwrap();
    let rules = ask(&mut cloud, "DescribeRules", &[("ListenerArn", &listener_arn)]);
    assert_eq!(texts(&rules, "Priority"), ["1", "default"]);
    let listeners = ask(&mut cloud, "DescribeListeners", &[("LoadBalancerArn", &balancer)]);
    assert_eq!(text(&listeners, "Port"), "80");
    ask(&mut cloud, "DeleteLoadBalancer", &[("LoadBalancerArn", &balancer)]);
    let gone = [("ListenerArns.member.1", listener_arn.as_str())];
    assert_eq!(ask(&mut cloud, "DescribeListeners", &gone), "ListenerNotFound");
    ask(&mut cloud, "DeleteTargetGroup", &[("TargetGroupArn", &group)]);
    let gone = [("TargetGroupArns.member.1", group.as_str())];
    assert_eq!(ask(&mut cloud, "DescribeTargetGroups", &gone), "TargetGroupNotFound");
}

#[test]
fn a_certificate_must_be_issued_and_stays_while_it_is_shown() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let (_, _, subnets) = network(&mut cloud);
    let balancer =
        change(&mut cloud, |call| load_balancer::make(call, specification("web", &subnets))).unwrap();
    let answer = cloud
        .json(
            "acm",
            "CertificateManager.RequestCertificate",
            &serde_json::json!({"DomainName": "a.example.com", "ValidationMethod": "DNS"}),
        )
        .unwrap();
    let certificate = answer.body()["CertificateArn"].as_str().unwrap().to_owned();
    let make = |cloud: &mut TestCloud, certificates: &[&str]| {
        let settings = listener::Settings {
            protocol: "HTTPS".to_owned(),
            port: 443,
            certificates: certificates.iter().map(|arn| (*arn).to_owned()).collect(),
            ssl_policy: None,
            action: Action::FixedResponse { status_code: "404".to_owned() },
        };
        change(cloud, |call| listener::make(call, &balancer, settings, Tags::new()))
    };
    assert_eq!(make(&mut cloud, &[]).unwrap_err(), "ValidationError");
    assert_eq!(make(&mut cloud, &[&format!("{certificate}0")]).unwrap_err(), "CertificateNotFound");
    assert_eq!(make(&mut cloud, &[&certificate]).unwrap_err(), "UnsupportedCertificate");
}

#[test]
fn tags_are_on_everything_and_what_is_not_there_is_named() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let (vpc, _, subnets) = network(&mut cloud);
    let balancer =
        change(&mut cloud, |call| load_balancer::make(call, specification("web", &subnets))).unwrap();
    let group = change(&mut cloud, |call| target_group::make(call, settings(&vpc), tags("c"))).unwrap();
    let both = [("ResourceArns.member.1", balancer.as_str()), ("ResourceArns.member.2", group.as_str())];
    let described = ask(&mut cloud, "DescribeTags", &both);
    assert_eq!(texts(&described, "Value"), ["c", "c"]);
    let added = [both[0], ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    ask(&mut cloud, "AddTags", &added);
    assert_eq!(texts(&ask(&mut cloud, "DescribeTags", &both[..1]), "Key"), ["elbv2.k8s.aws/cluster", "k"]);
    ask(&mut cloud, "RemoveTags", &[both[0], ("TagKeys.member.1", "k")]);
    assert_eq!(texts(&ask(&mut cloud, "DescribeTags", &both[..1]), "Key"), ["elbv2.k8s.aws/cluster"]);
    let Answer::Refused(code, body) = cloud.query("elasticloadbalancing", "CreateLoadBalancer", &[]) else {
        panic!()
    };
    assert!(body.contains("CreateLoadBalancer"), "{code}: {body}");
    let kinds: Vec<String> = cloud.inventory().into_iter().map(|item| item.kind).collect();
    assert!(["loadbalancer", "targetgroup"].iter().all(|kind| kinds.iter().any(|one| one == kind)));
}
