//! Second opinions: the same commands against AWS emulators by other people, reached as AWS is.
//!
//! What an emulator gets wrong is listed here by operation, as far as it shows in these commands, and must be seen:
//! what it has mended fails the scenario. What shows only in single operations is listed with the tests of the resource
//! types.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use lsinfra_tests::{Declared, Emulator, EnvironmentFile, Mend, Planned, Product, Project, Recorded, python};

use crate::scenario_with;
use crate::secrets::{GIVEN, with};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario_with("moto_up_second_up_destroy", python(), |python| live(Product::Moto, &python)),
        scenario_with("ministack_up_second_up_destroy", python(), |python| live(Product::Ministack, &python)),
        scenario_with("moto_resource_types", python(), |python| resource_types(Product::Moto, &python)),
        scenario_with("moto_state_store", python(), |python| state_store(Product::Moto, &python)),
        scenario_with("ministack_state_store", python(), |python| state_store(Product::Ministack, &python)),
        scenario_with("ministack_resource_types", python(), |python| {
            resource_types(Product::Ministack, &python);
        }),
    ]
}

/// What an emulator gets wrong as far as it shows in these commands.
struct Gaps {
    /// Answers that no AWS client can read, or that leave out what there is no going on without: put right on their way.
    mends: &'static [Mend],
    /// Types that it lacks, and why: what depends on them is left out, too.
    without: &'static [(&'static str, &'static str)],
    /// Properties that it does not show as they were set, by type and path, and why: they drift from the beginning.
    loses: &'static [(&'static str, &'static str, &'static str)],
    /// Sections of the configuration without which it cannot be met.
    more: &'static str,
    /// What is given beside the usual for those sections.
    given: &'static [(&'static str, &'static str)],
}

const MOTO: Gaps = Gaps {
    mends: &[Mend {
        what: "GetBucketVersioning: names the root element after the operation",
        wrong: "GetBucketVersioningResponse",
        right: "VersioningConfiguration",
    }],
    without: &[
        (
            "aws:eks:Cluster",
            "UpdateClusterConfig: names no update, and there are no add-ons or access entries",
        ),
        ("aws:elasticache:ParameterGroup", "ListTagsForResource: knows no parameter groups of ElastiCache"),
        ("aws:elasticache:SubnetGroup", "DeleteCacheSubnetGroup: answers with a server error"),
        ("aws:cloudwatch:MetricAlarm", "monitoring: does not read CBOR, which the SDK speaks"),
    ],
    loses: &[(
        "aws:rds:Instance",
        "performance_insights_retention_days",
        "DescribeDBInstances: does not tell how long Performance Insights keeps what it saw",
    )],
    more: "",
    given: &[],
};

const MINISTACK: Gaps = Gaps {
    mends: &[
        Mend {
            what: "DescribeCluster: leaves out the support type, and UpdateClusterConfig is not there",
            wrong: "\"accessConfig\":",
            right: "\"upgradePolicy\":{\"supportType\":\"STANDARD\"},\"accessConfig\":",
        },
        Mend {
            what: "DescribeNodegroup: leaves out the update config, and UpdateNodegroupConfig is not there",
            wrong: "\"scalingConfig\":",
            right: "\"updateConfig\":{\"maxUnavailable\":1},\"scalingConfig\":",
        },
        Mend {
            what: "DescribeCluster: has an issuer that is not one of TLS",
            wrong: "http://EMULATOR/oidc/",
            right: "https://oidc.eks.us-west-2.amazonaws.com/",
        },
    ],
    without: &[],
    loses: &[
        ("aws:ec2:FlowLog", "deliver_logs_permission_arn", "DescribeFlowLogs: leaves out the role"),
        ("aws:rds:Instance", "log_exports", "CreateDBInstance: ignores log exports"),
        ("aws:eks:NodeGroup", "launch_template_id", "DescribeNodegroup: leaves out the launch template"),
    ],
    // DescribeLaunchTemplateVersions answers for one template only: so there is but that of the general nodes.
    more: "\n[clickhouse]\nmode = \"external\"\nhost = \"clickhouse.example.com\"\n",
    given: &[("LSINFRA_SECRET_CLICKHOUSE_PASSWORD", "Tin-of-nails-0123")],
};

fn gaps(product: Product) -> &'static Gaps {
    match product {
        Product::Moto => &MOTO,
        Product::Ministack => &MINISTACK,
    }
}

/// Everything that prod declares, as far as nothing protects or keeps it.
fn everything(product: Product) -> EnvironmentFile {
    EnvironmentFile {
        account: product.account().to_owned(),
        protect: Some(false),
        created_zone: Some("example.com"),
        more: format!(
            "\n[blobs]\non_destroy = \"delete\"\n\n[postgres]\nfinal_snapshot = false\n{}",
            gaps(product).more
        ),
        ..EnvironmentFile::prod()
    }
}

/// The resources that neither are of a type that an emulator lacks, nor depend on one that is.
fn supported(declared: &Declared, gaps: &Gaps) -> Vec<String> {
    let lacking = gaps.without.iter().flat_map(|(resource_type, _)| declared.of_type(resource_type));
    let lacking: BTreeSet<&str> = lacking.flat_map(|urn| declared.dependents(urn)).collect();
    let urns = declared.resources.iter().map(|resource| resource.urn.as_str());
    urns.filter(|urn| !lacking.contains(urn)).map(str::to_owned).collect()
}

/// What lists the kinds of objects of the network and the roles, and the element with the id of each.
const LISTS: &[(&str, &str, &str)] = &[
    ("ec2", "DescribeVpcs", "vpcId"),
    ("ec2", "DescribeSubnets", "subnetId"),
    ("ec2", "DescribeInternetGateways", "internetGatewayId"),
    ("ec2", "DescribeAddresses", "allocationId"),
    ("ec2", "DescribeNatGateways", "natGatewayId"),
    ("ec2", "DescribeRouteTables", "routeTableId"),
    ("ec2", "DescribeSecurityGroups", "groupId"),
    // Moto lists deleted ones for good.
    ("ec2", "DescribeVpcEndpoints", "vpcEndpointId"),
    ("iam", "ListRoles", "RoleName"),
];

fn live(product: Product, python: &Path) {
    let gaps = gaps(product);
    let emulator = Emulator::start(product, python, gaps.mends);
    let project = match product {
        // It takes the TLS-only policy of the bucket for state as one that denies everything.
        Product::Moto => Project::with_state_in_folder(&everything(product)),
        Product::Ministack => Project::new(&everything(product)),
    };
    let declared = Declared::ask(project.lsinfra(["graph", "--env", "dev"])).outside_of_clusters();
    let supported = supported(&declared, gaps);
    for (resource_type, _) in gaps.without {
        assert!(declared.of_type(resource_type).next().is_some(), "{resource_type} is not in use");
    }
    let targets: Vec<&str> = match gaps.without {
        [] => Vec::new(),
        _ => supported.iter().flat_map(|urn| ["--target", urn]).collect(),
    };
    let on_targets = |command: &[&'static str]| emulator.lsinfra(&project, command).args(&targets);

    with(with(on_targets(&["up", "--yes"]), &GIVEN), gaps.given).succeed();
    let recorded = Recorded::ask(emulator.lsinfra(&project, &["state", "list"]));
    assert!(recorded.objects.iter().all(|object| object.role == "current" && object.status == "ready"));
    let urns: BTreeSet<&str> = recorded.objects.iter().map(|object| object.urn.as_str()).collect();
    assert_eq!(urns, supported.iter().map(String::as_str).collect());
    for (service, action, element) in LISTS {
        assert!(!living(&emulator, service, action, element).is_empty(), "{action} shows nothing of ours");
    }
    assert!(!buckets(&emulator).is_empty(), "ListBuckets shows nothing of ours");

    let planned = Planned::ask(on_targets(&["preview"]));
    let drifted = planned.drift.iter().flat_map(|drift| {
        let resource_type = &declared.resource(&drift.urn).resource_type;
        drift.changes.iter().map(move |change| (resource_type.as_str(), change.path.as_str()))
    });
    let lost = gaps.loses.iter().map(|(resource_type, path, _)| (*resource_type, *path));
    assert_eq!(drifted.collect::<BTreeSet<_>>(), lost.collect(), "{planned:#?}");
    assert_eq!(planned.touched(), planned.drifted());
    let second = on_targets(&["up", "--yes", "--output", "json"]).succeed();
    assert_eq!(
        second.json()["steps"].as_array().unwrap().len(),
        planned.steps.len(),
        "{}",
        second.transcript()
    );

    emulator.lsinfra(&project, &["destroy", "--yes"]).succeed();
    assert_eq!(Recorded::ask(emulator.lsinfra(&project, &["state", "list"])).objects.len(), 0);
    for (service, action, element) in LISTS {
        assert_eq!(living(&emulator, service, action, element), [""; 0], "{action}");
    }
    assert_eq!(buckets(&emulator), [""; 0]);
    assert_eq!(emulator.unused_mends(), [""; 0], "mended by now: take them off the list");
}

/// The tests of the resource types, which go against the sandbox otherwise.
fn resource_types(product: Product, python: &Path) {
    tests_of("aws", product, python, &[]);
}

/// The tests of the state store for teams, which go against the sandbox otherwise.
fn state_store(product: Product, python: &Path) {
    tests_of("s3", product, python, gaps(product).mends);
}

fn tests_of(target: &str, product: Product, python: &Path, mends: &'static [Mend]) {
    let emulator = Emulator::start(product, python, mends);
    let output = Command::new(env!("CARGO"))
        // From the workspace, for the same features of dependencies.
        .args(["test", "--test", target, "--locked"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env("LSINFRA_TEST_ENDPOINT", emulator.url())
        .env("LSINFRA_TEST_EMULATOR", product.name())
        .output()
        .expect("cargo can be run: it runs these tests");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// The names of all buckets but the one for state.
fn buckets(emulator: &Emulator) -> Vec<String> {
    let answer = emulator.wire().exchange("s3", "GET", "/", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let names = answer.body.split("<Name>").skip(1);
    let names = names.map(|rest| rest.split('<').next().unwrap_or_default().to_owned());
    names.filter(|name| !name.starts_with("lsinfra-state-")).collect()
}

/// The ids in an answer whose objects are ours and not deleted: deleted NAT gateways are listed for a while by AWS too.
fn living(emulator: &Emulator, service: &str, action: &str, element: &str) -> Vec<String> {
    let body = emulator.wire().query(service, action, &[]);
    body.split(&format!("<{element}>"))
        .skip(1)
        .filter(|rest| rest.contains("langsmith-dev") && !rest.contains("<state>deleted</state>"))
        .map(|rest| rest.split('<').next().unwrap_or_default().to_owned())
        .collect()
}
