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
            let modules = [
                "acm",
                "dynamodb",
                "ec2",
                "ec2ids",
                "eks",
                "elasticache",
                "iam",
                "kms",
                "monitoring",
                "rds",
                "route53",
                "s3",
                "secretsmanager",
                "sns",
                "sts",
            ];
            let report = ask(&python, &scripts, "conformance.py", &modules);
            check(&report, NOT_IN_USE, OPERATIONS_ROWS);
            let shapes = report.remarks.iter().filter_map(|remark| remark.strip_prefix("#    "));
            assert_eq!(shapes.collect::<Vec<_>>(), OUTSIDE_THE_MODEL);
        }),
        scenario_with("conformance_of_refusals_and_client_tokens", needed(), |(python, scripts)| {
            check(&ask(&python, &scripts, "semantics.py", &[]), REFUSALS_NOT_IN_USE, REFUSALS_ROWS);
        }),
        scenario_with("conformance_of_transitions", needed(), |(python, scripts)| {
            transitions(&python, &scripts)
        }),
        scenario_with("conformance_of_database_transitions", needed(), |(python, scripts)| {
            database_transitions(&python, &scripts);
        }),
        scenario_with("conformance_of_races", needed(), |(python, scripts)| races(&python, &scripts)),
    ]
}

/// Rows about resource kinds that the stack does not use yet: parts of their names.
const NOT_IN_USE: &[&str] = &[
    // It begins with a log group.
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
    "kms.create_grant",
    "secretsmanager.put_resource_policy",
    "secretsmanager.get_random_password",
    // The stack makes the master user's password itself, and one token serves all of Redis.
    "managed secret in Secrets Manager",
    "elasticache.user_group",
    "eks.describe_addon_configuration",
    "eks.fargate_profile",
    "eks.associate_identity_provider_config",
    "route53.associate_vpc_with_hosted_zone",
    // The SDK speaks CBOR, other clients JSON.
    "cloudwatch(query)",
    "put_dashboard",
    "logs.put_metric_filter",
];

/// The same for the rows of `semantics.py`.
const REFUSALS_NOT_IN_USE: &[&str] = &[
    "load_balancer",
    "load balancer",
    "Fargate",
    "listener",
    "backup",
    "dynamodb.transact_write_items",
    // A new sandbox account has no default VPC, so the row counts none.
    "default VPC",
    // A key that is no account's id belongs to the account that the sandbox was started with, as it does with moto.
    "another AKIA key",
];

/// How many rows `conformance.py` has at least for these modules: fewer are read only if its form has changed.
const OPERATIONS_ROWS: usize = 490;
/// The same for `semantics.py`.
const REFUSALS_ROWS: usize = 60;

/// Values that AWS answers with although its API's model does not have them.
const OUTSIDE_THE_MODEL: &[&str] = &[
    "ec2.CreateNetworkInterface [\".NetworkInterface.Status='pending' not in enum\"]",
    "ec2.CreateVpcEndpoint [\".VpcEndpoint.State='available' not in enum\", \".VpcEndpoint.State='pending' not in enum\"]",
    "ec2.DescribeInternetGateways [\".InternetGateways[].Attachments[].State='available' not in enum\"]",
    "ec2.DescribeNetworkInterfaces [\".NetworkInterfaces[].InterfaceType='nat_gateway' not in enum\"]",
    "ec2.DescribeVpcEndpoints [\".VpcEndpoints[].State='available' not in enum\"]",
    "iam.GetRole [\".Role.PermissionsBoundary.PermissionsBoundaryType='Policy' not in enum\"]",
];

/// What a script gets wrong about AWS, or takes for granted: the file, its text, and what stands in its place.
const CORRECTIONS: &[(&str, &str, &str)] = &[
    // Names of security groups cannot begin with `sg-`:
    // <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
    ("svc_ec2.py", "f\"sg-{u}\"", "f\"group-{u}\""),
    // The stack makes the master user's password itself.
    ("svc_rds.py", "ManageMasterUserPassword=True", "MasterUserPassword=\"passw0rd123\""),
    ("svc_rds.py", "o.want(m.get(\"SecretArn\"), \"no MasterUserSecret.SecretArn\"); ", ""),
    // A new sandbox account has no default VPC, which databases without a subnet group would stand in.
    (
        "transitions.py",
        "rds.create_db_instance(DBInstanceIdentifier=\"d\" + u,",
        "rds.create_db_instance(DBInstanceIdentifier=\"d\" + u, DBSubnetGroupName=rds.create_db_subnet_group(DBSubnetGroupName=\"d\" + u, DBSubnetGroupDescription=\"d\", SubnetIds=sn)[\"DBSubnetGroup\"][\"DBSubnetGroupName\"],",
    ),
    (
        "transitions.py",
        "ec.create_replication_group(ReplicationGroupId=\"r\" + u,",
        "ec.create_replication_group(ReplicationGroupId=\"r\" + u, CacheSubnetGroupName=ec.create_cache_subnet_group(CacheSubnetGroupName=\"r\" + u, CacheSubnetGroupDescription=\"d\", SubnetIds=sn)[\"CacheSubnetGroup\"][\"CacheSubnetGroupName\"],",
    ),
    // Nodes and pods take on roles of their own, which EKS looks at:
    // <https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html>
    // <https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html>
    (
        "semantics.py",
        "try: ra = role(\"idem\")",
        "try: ra, rn, rp = role(\"idem\"), role(\"idemn\", \"ec2.amazonaws.com\"), role(\"idemp\", \"pods.eks.amazonaws.com\")",
    ),
    ("semantics.py", "nodeRole=ra,", "nodeRole=rn,"),
    ("semantics.py", "roleArn=ra, clientRequestToken=\"p\" + u", "roleArn=rp, clientRequestToken=\"p\" + u"),
    // A subscription that is not confirmed cannot be deleted:
    // <https://docs.aws.amazon.com/sns/latest/dg/sns-delete-subscription-topic.html>
    (
        "svc_sns.py",
        "x.need(s.get(\"sub\")); c.unsubscribe(SubscriptionArn=s[\"sub\"]); o.eq(c.list_subscriptions_by_topic(TopicArn=s[\"topic\"])[\"Subscriptions\"], [], \"list\")",
        "x.need(s.get(\"sub\")); o.fails(lambda: c.unsubscribe(SubscriptionArn=s[\"sub\"]), \"InvalidParameter\"); q = c.subscribe(TopicArn=s[\"topic\"], Protocol=\"sqs\", Endpoint=f\"arn:aws:sqs:{x.region}:123456789012:q\")[\"SubscriptionArn\"]; c.unsubscribe(SubscriptionArn=q); o.eq([k[\"Protocol\"] for k in c.list_subscriptions_by_topic(TopicArn=s[\"topic\"])[\"Subscriptions\"]], [\"email\"], \"list\")",
    ),
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

/// The services that the sandbox has, as the scripts name them.
const SERVICES: &[&str] = &[
    "acm.",
    "cloudwatch.",
    "dynamodb.",
    "ec2.",
    "eks.",
    "elasticache.",
    "iam.",
    "kms.",
    "logs.",
    "rds.",
    "route53.",
    "s3.",
    "secretsmanager.",
    "sns.",
    "sts.",
];

/// What a script calls right.
const RIGHT: &[&str] = &["ok", "ENFORCED", "HONOURED", "SEPARATE"];

/// One line of a script: the row's name, its status, and the rest of the line from the status on.
struct Row {
    name: String,
    status: &'static str,
    text: String,
}

/// What a script said.
struct Report {
    rows: Vec<Row>,
    /// Lines that begin with `#`: headings, times, and what it noticed beside the rows.
    remarks: Vec<String>,
}

fn ask(python: &Path, scripts: &Path, script: &str, args: &[&str]) -> Report {
    let output = run(python, scripts, script, args, None);
    let (remarks, rows): (Vec<&str>, Vec<&str>) = output.lines().partition(|line| line.starts_with('#'));
    let read =
        |line: &&str| row(line).unwrap_or_else(|| panic!("{script} has a line that is no row: {line:?}"));
    Report {
        rows: rows.iter().map(read).collect(),
        remarks: remarks.into_iter().map(str::to_owned).collect(),
    }
}

/// The row of a line. A name takes 66 columns or more; the status is the first word in capitals after it, or `ok`.
fn row(line: &str) -> Option<Row> {
    let line = format!("{line} ");
    let from = line.char_indices().nth(60)?.0;
    let (at, status) = STATUSES
        .iter()
        .filter_map(|status| Some((from + line[from..].find(&format!(" {status} "))?, *status)))
        .min_by_key(|(at, _)| *at)?;
    let (name, text) = line.split_at(at);
    Some(Row { name: name.trim().to_owned(), status, text: text.trim().to_owned() })
}

/// The scripts with their corrections, in a folder below the project's.
fn corrected(scripts: &Path, project: &Project) -> PathBuf {
    let folder = project.path().join("scripts");
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(scripts).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "py") {
            std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
    for (file, wrong, right) in CORRECTIONS {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains(wrong), "{file} has no {wrong:?} any more: take it off the list");
        std::fs::write(folder.join(file), text.replace(wrong, right)).unwrap();
    }
    folder
}

fn run(python: &Path, scripts: &Path, script: &str, args: &[&str], pace: Option<u32>) -> String {
    let project = Project::new(&EnvironmentFile::dev());
    // Not 111122223333, which the scripts take for another account.
    let options = SandboxOptions { account: "123456789012".to_owned(), pace, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(&project, &options);
    let script = corrected(scripts, &project).join(script);
    let output = Command::new(python).arg(script).arg(sandbox.url()).args(args).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

/// Every row is right, or is about something that is not in use; nothing is called not in use that is right; and no
/// service that the sandbox has broke down.
fn check(Report { rows, remarks }: &Report, not_in_use: &[&str], at_least: usize) {
    assert!(rows.len() >= at_least, "{} rows are fewer than {at_least}", rows.len());
    let broken =
        remarks.iter().find_map(|remark| Some(remark.split_once("http 5xx")?.1)).expect("a list of 5xx");
    // Whole services that are not there answer 501.
    for answer in broken.split("('").skip(1) {
        let is_absent = !SERVICES.iter().any(|service| answer.starts_with(service));
        assert!(is_absent && answer.contains(", 501)"), "{broken}");
    }
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
    let output = run(python, scripts, "races.py", &["50"], None);
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
    pass_through(
        python,
        scripts,
        100,
        &[
            // The script's network has no internet gateway, so that AWS gives a public NAT gateway in it up:
            // <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>
            ("nat create", "answer:pending > pending > failed"),
            ("nat delete", "answer:accepted > deleting > deleted"),
            ("vpc endpoint create", "answer:pending > pending > available"),
            ("vpc endpoint delete", "answer:200 > deleting > InvalidVpcEndpointId.NotFound"),
            ("dynamodb create", "answer:CREATING > CREATING > ACTIVE"),
            // Nothing proves its domain.
            ("acm request", "answer:requested > PENDING_VALIDATION"),
        ],
    );
    // Clusters take minutes, and what is in them waits for them.
    pass_through(
        python,
        scripts,
        500,
        &[
            ("eks cluster create", "answer:CREATING > CREATING > ACTIVE"),
            ("eks nodegroup create", "answer:CREATING > CREATING > ACTIVE"),
            ("eks nodegroup delete", "answer:DELETING > DELETING > ResourceNotFoundException"),
            ("eks cluster delete", "answer:DELETING > DELETING > ResourceNotFoundException"),
        ],
    );
}

fn pass_through(python: &Path, scripts: &Path, pace: u32, rows: &[(&str, &str)]) {
    let output = run(python, scripts, "transitions.py", &[], Some(pace));
    for (what, states) in rows {
        let line = output.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{output}"));
        assert!(line.trim_end().ends_with(states), "{line}");
    }
}

/// Those of databases, which take minutes: the looks, two minutes apart at this pace, need not see short ones.
fn database_transitions(python: &Path, scripts: &Path) {
    let output = run(python, scripts, "transitions.py", &[], Some(500));
    for (what, first, last) in [
        ("rds create", "answer:creating > creating", "available"),
        ("rds modify", "answer:available > ", "modifying > storage-optimization"),
        ("rds delete", "answer:deleting > deleting", "DBInstanceNotFound"),
        ("elasticache create", "answer:creating > creating", "available"),
        ("elasticache delete", "answer:deleting > deleting", "ReplicationGroupNotFoundFault"),
    ] {
        let line = output.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{output}"));
        assert!(line.contains(first) && line.trim_end().ends_with(last), "{line}");
    }
}
