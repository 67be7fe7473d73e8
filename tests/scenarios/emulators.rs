//! Second opinions: the same commands against AWS emulators by other people, reached as AWS is.

use std::path::Path;

use libtest_mimic::Trial;
use lsinfra_tests::{Emulator, EnvironmentFile, Planned, Product, Project, Recorded, python};

use crate::scenario_with;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario_with("moto_up_second_up_destroy", python(), |python| live(Product::Moto, &python)),
        scenario_with("ministack_up_second_up_destroy", python(), |python| live(Product::Ministack, &python)),
    ]
}

/// What an emulator itself gets wrong, as far as it shows in these commands.
struct Gap {
    product: Product,
    /// The operation.
    operation: &'static str,
    /// What AWS does and it does not.
    what: &'static str,
    /// The resources that drift because of it: the end of their URNs, and the path.
    drifts: (&'static str, &'static str),
}

/// Each must be seen: one that the emulator has mended fails the scenario, so that the list stays short.
const GAPS: &[Gap] = &[];

fn live(product: Product, python: &Path) {
    let emulator = Emulator::start(product, python);
    let project =
        Project::new(&EnvironmentFile { account: product.account().to_owned(), ..EnvironmentFile::dev() });
    emulator.lsinfra(&project, &["up", "--yes"]).succeed();
    let recorded = Recorded::ask(project.lsinfra(["state", "list", "--env", "dev"]));
    assert!(recorded.objects.iter().all(|object| object.role == "current" && object.status == "ready"));

    let planned = Planned::ask(emulator.lsinfra(&project, &["preview"]));
    let gaps: Vec<&Gap> = GAPS.iter().filter(|gap| gap.product == product).collect();
    for drift in &planned.drift {
        for change in &drift.changes {
            let is_listed =
                |gap: &&&Gap| drift.urn.ends_with(gap.drifts.0) && change.path.starts_with(gap.drifts.1);
            assert!(gaps.iter().any(|gap| is_listed(&gap)), "{} {}: {planned:#?}", drift.urn, change.path);
        }
    }
    for gap in &gaps {
        let is_seen = planned.drift.iter().any(|drift| {
            drift.urn.ends_with(gap.drifts.0)
                && drift.changes.iter().any(|change| change.path.starts_with(gap.drifts.1))
        });
        assert!(is_seen, "{}: {} is mended: take it off the list", gap.operation, gap.what);
    }
    if gaps.is_empty() {
        let second = emulator.lsinfra(&project, &["up", "--yes", "--output", "json"]).succeed();
        assert_eq!(second.json()["steps"], serde_json::json!([]), "{}", second.transcript());
    }

    emulator.lsinfra(&project, &["destroy", "--yes"]).succeed();
    assert_eq!(Recorded::ask(project.lsinfra(["state", "list", "--env", "dev"])).objects.len(), 0);
    for (service, action) in LISTS {
        let body = emulator.wire().query(service, action, &[]);
        assert!(!body.contains("lsinfra:lineage") && !body.contains("langsmith-dev"), "{action}: {body}");
    }
}

/// What lists what the slice makes. Deleted NAT gateways are listed for an hour, by AWS too.
const LISTS: &[(&str, &str)] = &[
    ("ec2", "DescribeVpcs"),
    ("ec2", "DescribeSubnets"),
    ("ec2", "DescribeInternetGateways"),
    ("ec2", "DescribeAddresses"),
    ("ec2", "DescribeRouteTables"),
    ("ec2", "DescribeSecurityGroups"),
    ("ec2", "DescribeVpcEndpoints"),
    ("iam", "ListRoles"),
];
