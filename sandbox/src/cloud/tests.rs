//! What a call passes through, whatever it does: faults, visibility, the log, the store.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::testing::{Answer, TestCloud, text, texts};
use crate::{Effect, FaultPlan, Outcome, Pace};

const RANGE: &[(&str, &str)] = &[("CidrBlock", "10.0.0.0/16")];

fn outcomes(plan: &FaultPlan, between: usize) -> Vec<String> {
    let mut cloud = TestCloud::new(Pace::Instant);
    cloud.faults(plan.clone());
    (0..40)
        .map(|_| {
            for _ in 0..between {
                cloud.query("ec2", "DescribeVpcs", &[]);
            }
            match cloud.query("ec2", "CreateVpc", RANGE) {
                Answer::Ok(_) => "ok".to_owned(),
                Answer::Refused(code, _) => code,
                Answer::Nothing => "nothing".to_owned(),
            }
        })
        .collect()
}

#[test]
fn faults_follow_from_the_seed_and_not_from_other_operations() {
    let plan = FaultPlan {
        seed: 4,
        throttle: 0.2,
        server_error: 0.2,
        dropped_connection: 0.1,
        lost_response: 0.2,
        ..Default::default()
    };
    let once = outcomes(&plan, 0);
    assert_eq!(once, outcomes(&plan, 3));
    assert_ne!(once, outcomes(&FaultPlan { seed: 5, ..plan }, 0));
    for expected in ["ok", "RequestLimitExceeded", "InternalError", "nothing"] {
        assert!(once.iter().any(|outcome| outcome == expected), "{expected} in {once:?}");
    }
}

#[test]
fn only_a_lost_response_has_its_effect() {
    for (plan, vpcs) in [
        (FaultPlan { throttle: 1.0, ..Default::default() }, 0),
        (FaultPlan { server_error: 1.0, ..Default::default() }, 0),
        (FaultPlan { dropped_connection: 1.0, ..Default::default() }, 0),
        (FaultPlan { deny: vec!["ec2:Create*".to_owned()], ..Default::default() }, 0),
        (FaultPlan { lost_response: 1.0, ..Default::default() }, 1),
    ] {
        let mut cloud = TestCloud::new(Pace::Instant);
        cloud.faults(plan.clone());
        let answer = cloud.query("ec2", "CreateVpc", RANGE);
        assert!(!matches!(answer, Answer::Ok(_)), "{plan:?}");
        assert_eq!(cloud.inventory().len(), vpcs, "{plan:?}");
    }
}

#[test]
fn each_protocol_has_its_own_codes_for_faults() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let code = |cloud: &mut TestCloud, service: &str, action: &str| match cloud.query(service, action, &[]) {
        Answer::Refused(code, _) => code,
        other => panic!("{other:?}"),
    };
    cloud.faults(FaultPlan { throttle: 1.0, ..Default::default() });
    assert_eq!(code(&mut cloud, "ec2", "DescribeVpcs"), "RequestLimitExceeded");
    assert_eq!(code(&mut cloud, "sts", "GetCallerIdentity"), "Throttling");
    let deny = vec!["ec2:DescribeVpcs".to_owned(), "sts:GetCallerIdentity".to_owned()];
    cloud.faults(FaultPlan { deny, ..Default::default() });
    assert_eq!(code(&mut cloud, "ec2", "DescribeVpcs"), "UnauthorizedOperation");
    assert_eq!(code(&mut cloud, "sts", "GetCallerIdentity"), "AccessDenied");
}

#[test]
fn a_plan_can_be_confined_to_operations() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let only = vec!["ec2:DescribeS*".to_owned()];
    cloud.faults(FaultPlan { throttle: 1.0, only, ..Default::default() });
    cloud.ec2("DescribeVpcs", &[]);
    assert_eq!(cloud.refused("DescribeSubnets", &[]), "RequestLimitExceeded");
}

#[test]
fn within_the_window_readers_lag_behind_and_writers_miss_what_is_new() {
    let mut cloud = TestCloud::new(Pace::Instant);
    cloud.faults(FaultPlan { seed: 1, consistency_window_ms: 5_000, ..Default::default() });
    let vpc = cloud.vpc("10.0.0.0/16");
    cloud.advance(5);
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    let look = |cloud: &mut TestCloud| match cloud.query("ec2", "DescribeSubnets", &[("SubnetId.1", &subnet)])
    {
        Answer::Ok(_) => "there".to_owned(),
        Answer::Refused(code, _) => code,
        Answer::Nothing => panic!(),
    };
    let seen: std::collections::BTreeSet<_> = (0..32).map(|_| look(&mut cloud)).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["InvalidSubnetID.NotFound", "there"]);
    let tag = |cloud: &mut TestCloud| {
        let params = [("ResourceId.1", subnet.as_str()), ("Tag.1.Key", "k"), ("Tag.1.Value", "v")];
        match cloud.query("ec2", "CreateTags", &params) {
            Answer::Ok(_) => "done".to_owned(),
            Answer::Refused(code, _) => code,
            Answer::Nothing => panic!(),
        }
    };
    let tagged: std::collections::BTreeSet<_> = (0..32).map(|_| tag(&mut cloud)).collect();
    assert_eq!(tagged.into_iter().collect::<Vec<_>>(), ["InvalidSubnetID.NotFound", "done"]);
    // What must hold of all rows is not missed by anyone.
    let same = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.0.0/24")];
    assert!((0..16).all(|_| cloud.refused("CreateSubnet", &same) == "InvalidSubnet.Conflict"));
    let log = cloud.cloud().calls.log().clone();
    let stale: std::collections::BTreeSet<_> =
        log.calls.iter().filter(|call| call.stale).map(|call| call.operation.as_str()).collect();
    assert_eq!(stale.into_iter().collect::<Vec<_>>(), ["CreateTags", "DescribeSubnets"]);
    cloud.advance(5);
    assert!((0..32).all(|_| look(&mut cloud) == "there"));
    assert!((0..32).all(|_| tag(&mut cloud) == "done"));
    cloud.ec2("DeleteSubnet", &[("SubnetId", &subnet)]);
    let listed: std::collections::BTreeSet<_> =
        (0..32).map(|_| texts(&cloud.ec2("DescribeSubnets", &[]), "subnetId").len()).collect();
    assert_eq!(listed.into_iter().collect::<Vec<_>>(), [0, 1]);
    cloud.ec2("DeleteVpc", &[("VpcId", &vpc)]);
}

#[test]
fn without_a_window_nothing_is_behind_even_what_changed_under_another_plan() {
    let mut cloud = TestCloud::new(Pace::Instant);
    cloud.faults(FaultPlan { consistency_window_ms: 5_000, stale_reads: 3, ..Default::default() });
    let vpc = cloud.vpc("10.0.0.0/16");
    assert_eq!(cloud.refused("DescribeVpcs", &[("VpcId.1", &vpc)]), "InvalidVpcID.NotFound");
    cloud.faults(FaultPlan::default());
    cloud.ec2("DescribeVpcs", &[("VpcId.1", &vpc)]);
}

#[test]
fn a_new_role_may_be_missed_as_a_principal_and_as_what_a_call_names() {
    let mut cloud = TestCloud::new(Pace::Instant);
    cloud.faults(FaultPlan { seed: 2, consistency_window_ms: 5_000, ..Default::default() });
    let trust = |principal: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"}}}}"#
        )
    };
    let create = |cloud: &mut TestCloud, name: &str, trust: &str| {
        cloud.query("iam", "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", trust)])
    };
    assert!(matches!(
        create(&mut cloud, "new", &trust(r#"{"Service": "eks.amazonaws.com"}"#)),
        Answer::Ok(_)
    ));
    let names = trust(r#"{"AWS": "arn:aws:iam::123456789012:role/new"}"#);
    let mut codes = std::collections::BTreeSet::new();
    for index in 0..16 {
        codes.insert(match create(&mut cloud, &format!("r{index}"), &names) {
            Answer::Ok(_) => "created".to_owned(),
            Answer::Refused(code, body) => {
                assert!(body.contains("Invalid principal"), "{body}");
                code
            }
            Answer::Nothing => panic!(),
        });
        codes.insert(
            match cloud.query(
                "iam",
                "TagRole",
                &[("RoleName", "new"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")],
            ) {
                Answer::Ok(_) => "tagged".to_owned(),
                Answer::Refused(code, _) => code,
                Answer::Nothing => panic!(),
            },
        );
    }
    let expected = ["MalformedPolicyDocument", "NoSuchEntity", "created", "tagged"];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn another_account_and_another_region_see_nothing() {
    let mut cloud = TestCloud::new(Pace::Instant);
    cloud.vpc("10.0.0.0/16");
    let trust = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}"#;
    let role = [("RoleName", "r"), ("AssumeRolePolicyDocument", trust)];
    cloud.query_as("111122223333", "iam", "CreateRole", &role);
    let role = [("RoleArn", "arn:aws:iam::111122223333:role/r"), ("RoleSessionName", "me")];
    let Answer::Ok(session) = cloud.query("sts", "AssumeRole", &role) else { panic!() };
    let ask = |cloud: &mut TestCloud, key: &str, region: &str, service: &str, action: &str| {
        let request = crate::protocol::request::Request {
            credentials: crate::protocol::credentials::CredentialScope {
                access_key: key.to_owned(),
                region: region.to_owned(),
                service: service.to_owned(),
            },
            method: http::Method::POST,
            path: "/".to_owned(),
            query: vec![("Action".to_owned(), action.to_owned())],
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
        };
        String::from_utf8(cloud.request(&request).unwrap().body().to_vec()).unwrap()
    };
    let key = text(&session, "AccessKeyId");
    let identity = ask(&mut cloud, &key, "us-east-1", "sts", "GetCallerIdentity");
    assert_eq!(text(&identity, "Arn"), "arn:aws:sts::111122223333:assumed-role/r/me");
    for (key, region, expected) in [
        ("AKIAOTHER", "us-east-1", 1),
        ("AKIAOTHER", "us-west-2", 0),
        ("111122223333", "us-east-1", 0),
        (&key, "us-east-1", 0),
    ] {
        let vpcs = ask(&mut cloud, key, region, "ec2", "DescribeVpcs");
        assert_eq!(texts(&vpcs, "vpcId").len(), expected, "{key} {region}");
    }
}

#[test]
fn the_log_has_every_call_with_its_outcome() {
    let mut cloud = TestCloud::new(Pace::Instant);
    cloud.vpc("10.0.0.0/16");
    cloud.ec2("DescribeVpcs", &[]);
    cloud.ec2("DescribeVpcs", &[]);
    cloud.refused("DeleteVpc", &[("VpcId", "vpc-0123456789abcdef0")]);
    let log = cloud.cloud().calls.log().clone();
    assert_eq!((log.total, log.changing, log.counts["ec2:DescribeVpcs"]), (4, 2, 2));
    let rows: Vec<_> =
        log.calls.iter().map(|call| (call.number, call.operation.as_str(), call.effect)).collect();
    let reads = |number| (number, "DescribeVpcs", Effect::Reads);
    let expected = [(1, "CreateVpc", Effect::Changes), reads(2), reads(3), (4, "DeleteVpc", Effect::Changes)];
    assert_eq!(rows, expected);
    assert_eq!(log.calls[3].outcome, Outcome::Error("InvalidVpcID.NotFound".to_owned()));
    assert_eq!(log.calls[1].digest, log.calls[2].digest);
    assert_ne!(log.calls[0].digest, log.calls[1].digest);
    cloud.cloud().calls.reset();
    cloud.ec2("DescribeVpcs", &[]);
    assert_eq!(cloud.cloud().calls.log().calls[0].number, 5);
}

#[test]
fn lifecycles_go_on_where_they_were_in_another_process() {
    let mut cloud = TestCloud::realistic();
    let vpc = cloud.vpc("10.0.0.0/16");
    let subnet = cloud.subnet(&vpc, "10.0.0.0/24");
    let params = [("SubnetId", subnet.as_str()), ("ConnectivityType", "private")];
    let id = text(&cloud.ec2("CreateNatGateway", &params), "natGatewayId");
    let state =
        |cloud: &mut TestCloud| text(&cloud.ec2("DescribeNatGateways", &[("NatGatewayId.1", &id)]), "state");
    cloud.advance(60);
    assert_eq!(state(&mut cloud), "pending");
    let mut cloud = cloud.reopened();
    cloud.advance(39);
    assert_eq!(state(&mut cloud), "pending");
    cloud.advance(1);
    assert_eq!(state(&mut cloud), "available");
    let before = cloud.inventory();
    let mut cloud = cloud.reopened();
    assert_eq!(cloud.inventory(), before);
    assert_ne!(cloud.vpc("10.1.0.0/16"), vpc, "identifiers are not given twice");
}

#[test]
fn a_client_token_stands_for_what_was_made_with_it_for_a_day() {
    let mut cloud = TestCloud::new(Pace::Instant);
    let vpc = cloud.vpc("10.0.0.0/16");
    let make = |cloud: &mut TestCloud| {
        text(&cloud.ec2("CreateRouteTable", &[("VpcId", &vpc), ("ClientToken", "t")]), "routeTableId")
    };
    let first = make(&mut cloud);
    cloud.advance(24 * 60 * 60 - 1);
    assert_eq!(make(&mut cloud), first);
    cloud.advance(1);
    assert_ne!(make(&mut cloud), first);
}
