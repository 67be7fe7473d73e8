//! The conformance scripts against a sandbox: every row of an operation that the slice uses is right, strict ones
//! included.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Project, Sandbox, SandboxOptions, conformance_scripts, python};

use crate::scenario_with;

pub(crate) fn trials() -> Vec<Trial> {
    let needed = || Ok((python()?, conformance_scripts()?));
    vec![
        scenario_with("conformance_of_operations", needed(), |(python, scripts)| {
            let modules = ["dynamodb", "ec2", "ec2ids", "iam", "s3", "sts"];
            check(&ask(&python, &scripts, "conformance.py", &modules, None), NOT_IN_USE);
        }),
        scenario_with("conformance_of_refusals_and_client_tokens", needed(), |(python, scripts)| {
            check(&ask(&python, &scripts, "semantics.py", &[], None), REFUSALS_NOT_IN_USE);
        }),
        scenario_with("conformance_of_transitions", needed(), |(python, scripts)| {
            transitions(&python, &scripts)
        }),
        scenario_with("conformance_of_races", needed(), |(python, scripts)| races(&python, &scripts)),
    ]
}

/// Rows about resource kinds that the stack does not use yet: parts of their names.
const NOT_IN_USE: &[&str] = &[
    "flow_logs",
    "launch_template",
    "instance_type",
    "describe_account_attributes",
    "describe_instances",
    "volumes",
    "ebs_encryption",
    "assume_role_with_web_identity",
    "dynamodb.transact_write_items",
    // It looks for items that `transact_write_items` has put.
    "dynamodb.query+scan",
    "dynamodb.update_time_to_live",
    // Deletion protection is in use; the row goes on to provisioned throughput, which is not.
    "dynamodb.update_table",
];

/// The same for the rows of `semantics.py`.
const REFUSALS_NOT_IN_USE: &[&str] = &[
    "EKS cluster",
    "load_balancer",
    "load balancer",
    "delete_cluster",
    "db_",
    "cache_subnet_group",
    "hosted_zone",
    "listener",
    "backup",
    "nodegroup",
    "addon",
    "access_entry",
    "launch_template",
    "idem.eks",
    "acm.",
    "secretsmanager",
    "dynamodb.transact_write_items",
    // A new sandbox account has no default VPC, so the row counts none.
    "default VPC",
    // A key that is no account's id belongs to the account that the sandbox was started with, as it does with moto.
    "another AKIA key",
];

/// What a script may say of a row, and anything else; two-word ones first.
const STATUSES: &[&str] = &[
    "NOT ENFORCED",
    "NOT HONOURED",
    "ok",
    "ENFORCED",
    "HONOURED",
    "SEPARATE",
    "SHARED",
    "WRONG",
    "NOTIMPL",
    "ERROR",
    "SKIP",
    "OTHER",
    "UNTESTABLE",
    "CRASH",
    "0",
];

/// What a script calls right.
const RIGHT: &[&str] = &["ok", "ENFORCED", "HONOURED", "SEPARATE"];

/// One line of a script: the row's name, its status, and the rest of the line from the status on.
struct Row {
    name: String,
    status: &'static str,
    text: String,
}

fn ask(python: &Path, scripts: &Path, script: &str, args: &[&str], pace: Option<u32>) -> Vec<Row> {
    let output = run(python, &scripts.join(script), args, pace);
    output
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            // A name takes 66 columns or more; the status is the first word in capitals after it, or `ok`.
            let from = line.char_indices().nth(60)?.0;
            let (at, status) = STATUSES
                .iter()
                .filter_map(|status| Some((from + line[from..].find(&format!(" {status} "))?, *status)))
                .min_by_key(|(at, _)| *at)?;
            let (name, text) = line.split_at(at);
            Some(Row { name: name.trim().to_owned(), status, text: text.trim().to_owned() })
        })
        .collect()
}

fn run(python: &Path, script: &PathBuf, args: &[&str], pace: Option<u32>) -> String {
    let project = Project::new(&EnvironmentFile::dev());
    // Not 111122223333, which the scripts take for another account.
    let options = SandboxOptions { account: "123456789012".to_owned(), pace, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(&project, &options);
    let output = Command::new(python).arg(script).arg(sandbox.url()).args(args).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

/// Every row is right, or is about something that is not in use; and nothing is called not in use that is right.
fn check(rows: &[Row], not_in_use: &[&str]) {
    let (right, other): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| RIGHT.contains(&row.status));
    let is_exempt = |row: &&&Row| not_in_use.iter().any(|part| row.name.contains(part));
    let wrong: Vec<String> =
        other.iter().filter(|row| !is_exempt(row)).map(|row| format!("{} {}", row.name, row.text)).collect();
    assert!(wrong.is_empty(), "{} rows are not right:\n{}", wrong.len(), wrong.join("\n"));
    for part in not_in_use {
        assert!(other.iter().any(|row| row.name.contains(part)), "{part:?} is in use: take it off the list");
    }
    eprintln!("{} rows right, {} about what is not in use", right.len(), other.len());
}

/// Of twenty writers at once with one condition exactly one succeeds, every time: what locks stand on.
fn races(python: &Path, scripts: &Path) {
    let output = run(python, &scripts.join("races.py"), &["50"], None);
    for (what, rounds) in [
        ("s3 PUT If-None-Match: *", 50),
        ("s3 PUT If-Match: <etag>", 50),
        ("dynamodb put attribute_not_exists", 50),
        ("ec2 CreateSecurityGroup same name", 50),
        ("iam CreateRole same name", 50),
    ] {
        let line = output.lines().find(|line| line.starts_with(what)).unwrap_or_else(|| panic!("{output}"));
        assert!(line.contains(&format!(" {rounds}/{rounds} right")), "{line}");
    }
}

/// Lifecycles at a pace at which the script's eight looks, a quarter of a second apart, see them whole.
fn transitions(python: &Path, scripts: &Path) {
    let output = run(python, &scripts.join("transitions.py"), &[], Some(100));
    for (what, states) in [
        // The script's network has no internet gateway, so that AWS gives a public NAT gateway in it up:
        // <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>
        ("nat create", "answer:pending > pending > failed"),
        ("nat delete", "answer:accepted > deleting > deleted"),
        ("vpc endpoint create", "answer:pending > pending > available"),
        ("vpc endpoint delete", "answer:200 > deleting > InvalidVpcEndpointId.NotFound"),
        ("dynamodb create", "answer:CREATING > CREATING > ACTIVE"),
    ] {
        let line = output.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{output}"));
        assert!(line.trim_end().ends_with(states), "{line}");
    }
}
