//! Second opinions: the same commands against AWS emulators by other people, reached as AWS is.
//!
//! What an emulator gets wrong is listed here by operation, as far as it shows in these commands, and must be seen:
//! what it has mended fails the scenario. What shows only in single operations is listed with the tests of the resource
//! types.

use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use lsinfra_tests::{Emulator, EnvironmentFile, Mend, Planned, Product, Project, Recorded, python};

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

/// Answers that no AWS client can read, which the harness puts right on their way.
fn mends(product: Product) -> &'static [Mend] {
    match product {
        Product::Moto => &[Mend {
            what: "GetBucketVersioning: names the root element after the operation",
            wrong: "GetBucketVersioningResponse",
            right: "VersioningConfiguration",
        }],
        Product::Ministack => &[],
    }
}

/// What lists the kinds of objects that the slice makes, and the element with the id of each.
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
    let emulator = Emulator::start(product, python, mends(product));
    let file = EnvironmentFile { account: product.account().to_owned(), ..EnvironmentFile::dev() };
    let project = match product {
        // It takes the TLS-only policy of the bucket for state as one that denies everything.
        Product::Moto => Project::with_state_in_folder(&file),
        Product::Ministack => Project::new(&file),
    };
    with(emulator.lsinfra(&project, &["up", "--yes"]), &GIVEN).succeed();
    let recorded = Recorded::ask(emulator.lsinfra(&project, &["state", "list"]));
    assert!(recorded.objects.iter().all(|object| object.role == "current" && object.status == "ready"));
    for (service, action, element) in LISTS {
        assert!(!living(&emulator, service, action, element).is_empty(), "{action} shows nothing of ours");
    }
    assert!(!buckets(&emulator).is_empty(), "ListBuckets shows nothing of ours");

    let planned = Planned::ask(emulator.lsinfra(&project, &["preview"]));
    assert!(planned.steps.is_empty() && planned.drift.is_empty(), "{planned:#?}");
    let second = emulator.lsinfra(&project, &["up", "--yes", "--output", "json"]).succeed();
    assert_eq!(second.json()["steps"], serde_json::json!([]), "{}", second.transcript());

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
    tests_of("aws", product, python);
}

/// The tests of the state store for teams, which go against the sandbox otherwise.
fn state_store(product: Product, python: &Path) {
    tests_of("s3", product, python);
}

fn tests_of(target: &str, product: Product, python: &Path) {
    let emulator = Emulator::start(product, python, &[]);
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
