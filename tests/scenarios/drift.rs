//! What a colleague changed or deleted behind the tool's back is shown by `preview` and mended by `up`.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Planned, Project, Recorded, Sandbox, SandboxOptions, Wire, compare};

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    CASES
        .iter()
        .map(|case| {
            Trial::test(format!("drift_{}_is_shown_and_mended", case.name), move || {
                mend(case);
                Ok(())
            })
        })
        .chain([
            scenario("drift_of_a_detached_internet_gateway_is_shown_and_mended_in_place", detached_gateway),
            scenario("drift_that_nobody_mends_is_recorded_by_refresh", refresh),
            scenario("storage_that_grows_by_itself_moves_its_alarm_and_nothing_else", grown_storage),
        ])
        .collect()
}

/// One thing done behind the tool's back.
struct Case {
    name: &'static str,
    /// The resource that it is done to: type and name.
    resource: (&'static str, &'static str),
    act: fn(&Wire, &Recorded),
    /// Whether the object is gone then.
    gone: bool,
    /// What mends it: the first path that changes, or, if the object is gone, nothing.
    path: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "of_a_changed_vpc_attribute",
        resource: ("aws:ec2:Vpc", "main"),
        act: |wire, recorded| {
            let vpc = recorded.id("aws:ec2:Vpc", "main");
            wire.query("ec2", "ModifyVpcAttribute", &[("VpcId", vpc), ("EnableDnsHostnames.Value", "false")]);
        },
        gone: false,
        path: "enable_dns_hostnames",
    },
    Case {
        name: "of_a_changed_tag",
        resource: ("aws:ec2:Subnet", "private-1"),
        act: |wire, recorded| {
            let subnet = recorded.id("aws:ec2:Subnet", "private-1");
            let tag = [("ResourceId.1", subnet), ("Tag.1.Key", "owner"), ("Tag.1.Value", "nobody")];
            wire.query("ec2", "CreateTags", &tag);
        },
        gone: false,
        path: "tags.owner",
    },
    Case {
        name: "of_a_deleted_security_group_rule",
        resource: ("aws:ec2:SecurityGroupRule", "postgres-from-cluster"),
        act: |wire, recorded| {
            let group = recorded.id("aws:ec2:SecurityGroup", "postgres");
            let rule = recorded.id("aws:ec2:SecurityGroupRule", "postgres-from-cluster");
            let parameters = [("GroupId", group), ("SecurityGroupRuleId.1", rule)];
            wire.query("ec2", "RevokeSecurityGroupIngress", &parameters);
        },
        gone: true,
        path: "",
    },
    Case {
        name: "of_a_deleted_route",
        resource: ("aws:ec2:Route", "public-internet"),
        act: |wire, recorded| {
            let table = recorded.id("aws:ec2:RouteTable", "public");
            let parameters = [("RouteTableId", table), ("DestinationCidrBlock", "0.0.0.0/0")];
            wire.query("ec2", "DeleteRoute", &parameters);
        },
        gone: true,
        path: "",
    },
    Case {
        name: "of_a_route_sent_elsewhere",
        resource: ("aws:ec2:Route", "private-1-internet"),
        act: |wire, recorded| {
            let parameters = [
                ("RouteTableId", recorded.id("aws:ec2:RouteTable", "private-1")),
                ("DestinationCidrBlock", "0.0.0.0/0"),
                ("GatewayId", recorded.id("aws:ec2:InternetGateway", "main")),
            ];
            wire.query("ec2", "ReplaceRoute", &parameters);
        },
        gone: false,
        path: "nat_gateway_id",
    },
    Case {
        name: "of_a_rule_put_into_the_default_group",
        resource: ("aws:ec2:DefaultSecurityGroup", "default"),
        act: |wire, recorded| {
            let parameters = [
                ("GroupId", recorded.id("aws:ec2:DefaultSecurityGroup", "default")),
                ("IpPermissions.1.IpProtocol", "tcp"),
                ("IpPermissions.1.FromPort", "22"),
                ("IpPermissions.1.ToPort", "22"),
                ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
            ];
            wire.query("ec2", "AuthorizeSecurityGroupIngress", &parameters);
        },
        gone: false,
        path: "rules",
    },
    Case {
        name: "of_a_detached_policy",
        resource: ("aws:iam:Role", "node"),
        act: |wire, recorded| {
            let policy = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy";
            let parameters = [("RoleName", recorded.id("aws:iam:Role", "node")), ("PolicyArn", policy)];
            wire.query("iam", "DetachRolePolicy", &parameters);
        },
        gone: false,
        path: "managed_policy_arns",
    },
    Case {
        name: "of_an_opened_bucket",
        resource: ("aws:s3:Bucket", "blobs"),
        act: |wire, recorded| {
            let path = format!("/{}?publicAccessBlock", recorded.id("aws:s3:Bucket", "blobs"));
            let answer = wire.exchange("s3", "DELETE", &path, "");
            assert_eq!(answer.status, 204, "{}", answer.body);
        },
        gone: false,
        path: "public_access_block",
    },
    Case {
        name: "of_deleted_ownership_controls",
        resource: ("aws:s3:Bucket", "blobs"),
        act: |wire, recorded| {
            let path = format!("/{}?ownershipControls", recorded.id("aws:s3:Bucket", "blobs"));
            let answer = wire.exchange("s3", "DELETE", &path, "");
            assert_eq!(answer.status, 204, "{}", answer.body);
        },
        gone: false,
        path: "object_ownership",
    },
    Case {
        name: "of_a_deleted_bucket",
        resource: ("aws:s3:Bucket", "blobs"),
        act: |wire, recorded| {
            let path = format!("/{}", recorded.id("aws:s3:Bucket", "blobs"));
            let answer = wire.exchange("s3", "DELETE", &path, "");
            assert_eq!(answer.status, 204, "{}", answer.body);
        },
        gone: true,
        path: "",
    },
];

fn mend(case: &Case) {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let (resource_type, name) = case.resource;
    let urn = recorded.only(resource_type, name).urn.clone();
    (case.act)(&sandbox.wire(), &recorded);

    let planned = Planned::ask(project.sandboxed(&["preview"]));
    assert_eq!(planned.drifted(), BTreeSet::from([urn.as_str()]), "{planned:#?}");
    assert_eq!(planned.drift[0].gone, case.gone, "{planned:#?}");
    let action = if case.gone { "create" } else { "update" };
    assert_eq!(planned.urns(action), BTreeSet::from([urn.as_str()]), "{planned:#?}");
    assert_eq!(planned.touched(), BTreeSet::from([urn.as_str()]), "{planned:#?}");
    let paths: Vec<&str> = planned.drift[0].changes.iter().map(|change| change.path.as_str()).collect();
    assert!(paths.first().is_none_or(|path| path.starts_with(case.path)), "{paths:?}");
    let shown = project.sandboxed(&["preview", "--exit-code"]).run().expect_code(3);
    assert!(shown.stdout.to_lowercase().contains("drift"), "{}", shown.transcript());

    project.sandboxed(&["up", "--yes"]).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    let difference = compare(&sandbox.account(), &Recorded::ask(project.sandboxed(&["state", "list"])));
    assert!(difference.is_empty(), "{difference}");
}

/// A gateway can be detached only where nothing has a public address: its NAT gateway goes first.
fn detached_gateway() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let (gateway, vpc) =
        (recorded.only("aws:ec2:InternetGateway", "main"), recorded.id("aws:ec2:Vpc", "main"));
    let id = recorded.id("aws:ec2:InternetGateway", "main");
    let wire = sandbox.wire();
    let nat = recorded.id("aws:ec2:NatGateway", "nat-1");
    wire.query("ec2", "DeleteNatGateway", &[("NatGatewayId", nat)]);
    wire.query("ec2", "DetachInternetGateway", &[("InternetGatewayId", id), ("VpcId", vpc)]);

    let planned = Planned::ask(project.sandboxed(&["preview"]));
    let drift = planned.drift.iter().find(|drift| drift.urn == gateway.urn).expect("the gateway drifted");
    let paths: Vec<&str> = drift.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["vpc_id"]);
    assert!(planned.urns("update").contains(gateway.urn.as_str()), "{planned:#?}");

    project.sandboxed(&["up", "--yes"]).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
    let after = Recorded::ask(project.sandboxed(&["state", "list"]));
    assert_eq!(after.id("aws:ec2:InternetGateway", "main"), id, "no new gateway");
    let difference = compare(&sandbox.account(), &after);
    assert!(difference.is_empty(), "{difference}");
}

fn refresh() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let vpc = recorded.id("aws:ec2:Vpc", "main");
    let parameters = [("VpcId", vpc), ("EnableDnsHostnames.Value", "false")];
    sandbox.wire().query("ec2", "ModifyVpcAttribute", &parameters);
    sandbox.take_calls();
    project.sandboxed(&["refresh"]).succeed();
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);

    // What refresh recorded is known without asking AWS again.
    let planned = Planned::ask(project.sandboxed(&["preview", "--no-refresh"]));
    assert_eq!(planned.urns("update"), BTreeSet::from([recorded.only("aws:ec2:Vpc", "main").urn.as_str()]));
    assert_eq!(sandbox.take_calls(), []);
}

fn grown_storage() {
    let more = "\n[alarms]\nenabled = true\n".to_owned();
    let project = Project::with_state_in_folder(&EnvironmentFile { more, ..EnvironmentFile::dev() });
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let grow = "Action=ModifyDBInstance&Version=2014-10-31&DBInstanceIdentifier=langsmith-dev-postgres\
                &AllocatedStorage=40&ApplyImmediately=true";
    let answer = sandbox.wire().exchange("rds", "POST", "/", grow);
    assert_eq!(answer.status, 200, "{}", answer.body);

    let planned = Planned::ask(project.sandboxed(&["preview"]));
    let alarm = "monitoring/aws:cloudwatch:MetricAlarm/postgres-storage";
    assert_eq!(planned.urns("update"), [alarm].into());
    assert_eq!(planned.steps.len(), 1);
    assert_eq!(planned.steps[0].changes[0].path, "threshold");
    project.sandboxed(&["up", "--yes"]).succeed();
    project.sandboxed(&["preview", "--exit-code"]).succeed();
}
