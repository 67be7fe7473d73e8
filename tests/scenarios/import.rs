//! Import: objects that someone made by hand become a part of the environment, and nothing changes before `up`.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use lsinfra_tests::{
    Declared, Ended, EnvironmentFile, Planned, Project, Recorded, Sandbox, SandboxOptions, Wire, compare,
};
use serde_json::Value;

use crate::scenario;

const VPC: &str = "network/aws:ec2:Vpc/main";
const BUCKET: &str = "data/aws:s3:Bucket/blobs";
const ROLE: &str = "identity/aws:iam:Role/node";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("import_one_by_one_changes_nothing_and_up_makes_what_was_shown", one_by_one),
        scenario("import_of_a_list_is_all_or_nothing", list),
        scenario("import_by_the_configuration_is_adopted_by_up", configured),
        scenario("import_of_every_type_of_the_stack_finds_no_difference", every_type),
        scenario("import_warns_of_what_would_be_replaced_and_up_refuses_it", replacement),
        scenario("import_leaves_what_is_not_free_alone", not_free),
        scenario("import_says_what_is_wrong_with_the_command", usage),
    ]
}

/// What someone made by hand: a network, a bucket and a role, each other than the stack declares them.
struct ByHand {
    vpc: String,
    bucket: String,
    role: String,
}

impl ByHand {
    fn make(project: &Project, wire: &Wire) -> Self {
        let plan = project.sandboxed(&["preview", "--output", "json"]).succeed().json();
        let name = |urn: &str| {
            let steps = plan["steps"].as_array().unwrap();
            let step = steps.iter().find(|step| step["urn"] == urn).unwrap();
            step["inputs"]["name"].as_str().unwrap().to_owned()
        };
        let (bucket, role) = (name(BUCKET), name(ROLE));
        let location = "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                        <LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>";
        let answer = wire.exchange("s3", "PUT", &format!("/{bucket}"), location);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
                        "Principal":{"Service":"lambda.amazonaws.com"}}]}"#;
        wire.query(
            "iam",
            "CreateRole",
            &[
                ("RoleName", &role),
                ("AssumeRolePolicyDocument", trust),
                ("Tags.member.1.Key", "owner"),
                ("Tags.member.1.Value", "someone"),
            ],
        );
        Self { vpc: vpc(wire, "10.10.0.0/16", &[("Name", "by-hand"), ("left", "over")]), bucket, role }
    }
}

fn vpc(wire: &Wire, cidr: &str, tags: &[(&str, &str)]) -> String {
    let mut parameters =
        vec![("CidrBlock".to_owned(), cidr), ("TagSpecification.1.ResourceType".to_owned(), "vpc")];
    for (index, (key, value)) in (1..).zip(tags) {
        parameters.push((format!("TagSpecification.1.Tag.{index}.Key"), key));
        parameters.push((format!("TagSpecification.1.Tag.{index}.Value"), value));
    }
    let parameters: Vec<(&str, &str)> =
        parameters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let answer = wire.query("ec2", "CreateVpc", &parameters);
    let id = answer.split("<vpcId>").nth(1).and_then(|rest| rest.split('<').next());
    id.expect("an id").to_owned()
}

fn begin() -> (Project, Sandbox) {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    (project, sandbox)
}

fn import(project: &Project, resource_type: &str, name: &str, id: &str) -> Ended {
    project.sandboxed(&["import", resource_type, name, id, "--yes"]).succeed()
}

fn says(ended: &Ended, said: &[&str]) {
    for text in said {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.transcript());
    }
}

/// The paths that change in a plan's step on a resource.
fn paths(plan: &Planned, urn: &str) -> BTreeSet<String> {
    let step = plan.steps.iter().find(|step| step.urn == urn).unwrap();
    step.changes.iter().map(|change| change.path.clone()).collect()
}

/// Brings everything up and down again, and expects that nothing was made twice or is left.
fn up_and_down(project: &Project, sandbox: &Sandbox, adopted: &[&str]) {
    project.sandboxed(&["up", "--yes"]).succeed();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let difference = compare(&sandbox.account(), &recorded);
    assert!(difference.is_empty(), "{difference}");
    let ids = recorded.ids();
    assert!(adopted.iter().all(|id| ids.contains(id)), "{adopted:?}, {ids:?}");
    for item in sandbox.account().iter().filter(|item| adopted.contains(&item.id.as_str())) {
        assert_eq!(item.tags["lsinfra:environment"], "langsmith/dev", "{item:?}");
    }
    assert!(Planned::ask(project.sandboxed(&["preview"])).steps.is_empty());
    project.sandboxed(&["destroy", "--yes"]).succeed();
    assert!(sandbox.account().is_empty(), "{:?}", sandbox.account());
}

fn one_by_one() {
    let (project, sandbox) = begin();
    let by_hand = ByHand::make(&project, &sandbox.wire());
    let before = sandbox.account();
    sandbox.take_calls();
    let asked = project.sandboxed(&["import", "aws:ec2:Vpc", "main", &by_hand.vpc]).run().expect_code(2);
    says(
        &asked,
        &["LS0103", "Import into langsmith/dev", "enable_dns_hostnames", "~ tags.Name: \"by-hand\" -> "],
    );
    let answer = project
        .sandboxed(&["import", "aws:ec2:Vpc", "main", &by_hand.vpc, "--output", "json"])
        .run()
        .expect_code(2)
        .json();
    assert!(answer["error"]["details"].to_string().contains("tags.Name"), "{answer}");
    assert!(project.sandboxed(&["state", "list"]).run().expect_code(1).stderr.contains("LS0312"));
    let vpc = import(&project, "aws:ec2:Vpc", "main", &by_hand.vpc);
    says(
        &vpc,
        &["Import into langsmith/dev", &by_hand.vpc, "tags.Name", "enable_dns_hostnames", "1 adopted"],
    );
    import(&project, "Bucket", BUCKET, &by_hand.bucket);
    let role =
        project.sandboxed(&["import", "aws:iam:Role", "node", &by_hand.role, "--yes", "--output", "json"]);
    let role = role.succeed();
    let imported = role.json()["imports"][0].clone();
    assert_eq!((&imported["urn"], &imported["physical_id"]), (&ROLE.into(), &by_hand.role.as_str().into()));
    let differences = imported["differences"].as_array().unwrap();
    let owner = differences.iter().find(|difference| difference["path"] == "tags.owner").unwrap();
    assert_eq!((&owner["found"], &owner["declared"]), (&"someone".into(), &"platform".into()));
    says(&role, &["assume_role_policy", "tags.owner", "Nothing changes in AWS now"]);
    // Again, as after a stop: it is there.
    says(&import(&project, "aws:iam:Role", "node", &by_hand.role), &["imported already"]);
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    assert_eq!(sandbox.account(), before);

    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    assert_eq!(recorded.ids(), BTreeSet::from([by_hand.vpc.as_str(), &by_hand.bucket, &by_hand.role]));
    assert!(recorded.objects.iter().all(|object| object.role == "current" && object.status == "ready"));
    let shown = project.sandboxed(&["state", "show", "Vpc/main"]).succeed();
    assert!(shown.stdout.contains("the next `up` tags it"), "{}", shown.transcript());
    let newest = project.sandboxed(&["history", "--limit", "1", "--output", "json"]).succeed().json();
    assert_eq!(newest["operations"][0]["command"], "import");

    let planned = Planned::ask(project.sandboxed(&["preview"]));
    assert_eq!(planned.urns("update"), BTreeSet::from([VPC, BUCKET, ROLE]));
    assert!(planned.drift.is_empty() && planned.replaced().is_empty(), "{planned:?}");
    let shown = ["tags.Name", "tags.left", "tags.owner", "enable_dns_hostnames"];
    assert_eq!(paths(&planned, VPC), shown.map(str::to_owned).into());
    sandbox.take_calls();
    project.sandboxed(&["up", "--target", VPC, "--target", BUCKET, "--target", ROLE, "--yes"]).succeed();
    let calls = sandbox.take_changing_calls();
    assert!(
        calls.iter().all(|call| !call.contains(":CreateVpc") && !call.contains(":CreateBucket")),
        "{calls:?}"
    );
    up_and_down(&project, &sandbox, &[&by_hand.vpc, &by_hand.bucket, &by_hand.role]);
}

fn list() {
    let (project, sandbox) = begin();
    let by_hand = ByHand::make(&project, &sandbox.wire());
    let write = |role: &str| {
        let entry = |kind: &str, name: &str, id: &str| {
            format!("[[import]]\ntype = {kind:?}\nname = {name:?}\nid = {id:?}\n")
        };
        let text = entry("aws:ec2:Vpc", "main", &by_hand.vpc)
            + &entry("aws:s3:Bucket", "blobs", &by_hand.bucket)
            + &entry("aws:iam:Role", "node", role);
        std::fs::write(project.path().join("imports.toml"), text).unwrap();
    };
    let command = ["import", "--file", "imports.toml", "--yes"];
    sandbox.take_calls();
    write("nobody");
    let refused = project.sandboxed(&command).run().expect_code(1);
    says(
        &refused,
        &["LS0408", "1 object cannot be imported", "identity/aws:iam:Role/node: nobody", "its name"],
    );
    project.sandboxed(&["state", "list"]).run().expect_code(1);
    write(&by_hand.role);
    let answer = project.sandboxed(&command).args(["--output", "json"]).succeed().json();
    assert_eq!(
        (&answer["outcome"], &answer["planned"]["adopt"]),
        (&"succeeded".into(), &3.into()),
        "{answer}"
    );
    let again = project.sandboxed(&command).args(["--events", "json"]).succeed();
    let events: Vec<Value> = again.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().any(|event| event["operation"]["kind"] == "import"), "{}", again.stdout);
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    let operations = project.sandboxed(&["history", "--output", "json"]).succeed().json();
    assert_eq!(operations["operations"].as_array().unwrap().len(), 1, "{operations}");
    up_and_down(&project, &sandbox, &[&by_hand.vpc, &by_hand.bucket, &by_hand.role]);
}

fn configured() {
    let (project, sandbox) = begin();
    let by_hand = ByHand::make(&project, &sandbox.wire());
    let more = format!(
        "\n[import]\n\"Vpc/main\" = {:?}\nblobs = {:?}\n\"{ROLE}\" = {:?}\n",
        by_hand.vpc, by_hand.bucket, by_hand.role
    );
    project.write(&EnvironmentFile { more, ..EnvironmentFile::dev() });
    let planned = Planned::ask(project.sandboxed(&["preview"]));
    assert_eq!(planned.urns("adopt"), BTreeSet::from([VPC, BUCKET, ROLE]));
    assert!(paths(&planned, VPC).contains("tags.Name"), "{planned:?}");
    assert_eq!(planned.urns("create").len() + 3, planned.steps.len());
    project.sandboxed(&["up", "--yes"]).succeed();
    // What is imported stays in the file for as long as one likes.
    project.sandboxed(&["up", "--yes"]).succeed();
    up_and_down(&project, &sandbox, &[&by_hand.vpc, &by_hand.bucket, &by_hand.role]);
    // The objects are gone: what the file says of them is a mistake now.
    let refused = project.sandboxed(&["up", "--yes"]).run().expect_code(1);
    says(&refused, &["LS0408", "3 objects cannot be imported", &by_hand.vpc]);
}

/// Everything of an environment is forgotten, and comes back by its ids alone.
fn every_type() {
    let (project, sandbox) = begin();
    project.sandboxed(&["up", "--yes"]).succeed();
    let recorded = Recorded::ask(project.sandboxed(&["state", "list"]));
    let declared = Declared::ask(project.lsinfra(["graph", "--env", "dev"])).outside_of_clusters();
    let mut text = String::new();
    for object in recorded.objects.iter().filter(|object| object.physical_id.is_some()) {
        let (kind, urn, id) = (&object.resource_type, &object.urn, object.physical_id.as_deref().unwrap());
        text.push_str(&format!("[[import]]\ntype = {kind:?}\nname = {urn:?}\nid = {id:?}\n"));
    }
    std::fs::write(project.path().join("imports.toml"), text).unwrap();
    let urns: Vec<&str> = recorded.objects.iter().map(|object| object.urn.as_str()).collect();
    assert_eq!(urns.len(), declared.resources.len());
    let forget: Vec<&str> = ["state", "rm"].into_iter().chain(urns).chain(["--yes"]).collect();
    project.sandboxed(&forget).succeed();

    sandbox.take_calls();
    project.sandboxed(&["import", "--file", "imports.toml", "--yes"]).succeed();
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
    let planned = Planned::ask(project.sandboxed(&["preview"]));
    // Nobody can read what a password is: it is set again, and what carries it follows.
    let is_secret =
        |path: &str| ["master_password", "auth_token"].contains(&path) || path.starts_with("values.");
    let changes = planned.steps.iter().flat_map(|step| &step.changes);
    let differing: Vec<_> = changes.filter(|change| !is_secret(&change.path)).collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert_eq!(planned.urns("update"), planned.touched());
    // An object that carries no tags has nothing to get.
    assert!(!planned.touched().contains("network/aws:ec2:Route/public-internet"));
    let ids: Vec<String> = recorded
        .objects
        .iter()
        .filter(|object| object.resource_type == "aws:ec2:Vpc")
        .filter_map(|object| object.physical_id.clone())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    up_and_down(&project, &sandbox, &ids);
}

fn replacement() {
    let (project, sandbox) = begin();
    let id = vpc(&sandbox.wire(), "10.20.0.0/16", &[]);
    project.write(&EnvironmentFile {
        more: format!("\n[import]\n\"Vpc/main\" = {id:?}\n"),
        ..EnvironmentFile::dev()
    });
    let refused = project.sandboxed(&["up", "--yes"]).run().expect_code(1);
    says(&refused, &["LS0408", "differs from it in cidr_block, and would replace it"]);
    let imported = import(&project, "Vpc", "main", &id);
    says(&imported, &["forces replacement", "Danger: the next `up` would replace 1 object", &id]);
    let planned = Planned::ask(project.sandboxed(&["preview"]));
    assert_eq!(planned.replaced(), BTreeSet::from([VPC]));
    // A mistake is taken back without a trace in the account.
    project.sandboxed(&["state", "rm", VPC, "--yes"]).succeed();
    assert!(sandbox.account().iter().any(|item| item.id == id && item.tags.is_empty()));
}

fn not_free() {
    let (project, sandbox) = begin();
    let wire = sandbox.wire();
    let others = vpc(
        &wire,
        "10.10.0.0/16",
        &[
            ("lsinfra:lineage", "00000000-0000-0000-0000-000000000001"),
            ("lsinfra:environment", "langsmith/prod"),
        ],
    );
    let free = vpc(&wire, "10.10.0.0/16", &[]);
    let attempt = |id: &str| project.sandboxed(&["import", "aws:ec2:Vpc", "main", id, "--yes"]).run();
    says(&attempt(&others).expect_code(1), &["LS0408", "its tags say that it belongs to langsmith/prod"]);
    says(&attempt("vpc-00000000000000000").expect_code(1), &["LS0408", "there is no such object"]);
    import(&project, "aws:ec2:Vpc", "main", &free);
    let files = project.files(".lsinfra/sandbox-state");
    let second = vpc(&wire, "10.10.0.0/16", &[]);
    says(&attempt(&second).expect_code(1), &["LS0408", &format!("already has the object {free}")]);
    assert_eq!(project.files(".lsinfra/sandbox-state"), files);
}

fn usage() {
    let (project, sandbox) = begin();
    sandbox.take_calls();
    let run = |args: &[&str]| project.sandboxed(args).run().expect_code(2);
    says(&run(&["import", "aws:ec2:Vpc", "mian", "vpc-1", "--yes"]), &["LS0104", "did you mean main?"]);
    says(
        &run(&["import", "aws:ec2:Vcp", "main", "vpc-1", "--yes"]),
        &["LS0104", "did you mean aws:ec2:Vpc?"],
    );
    run(&["import", "aws:ec2:Vpc", "main", "--yes"]);
    run(&["import", "--yes"]);
    std::fs::write(
        project.path().join("imports.toml"),
        "[[import]]\ntype = \"Vpc\"\nname = \"mian\"\nid = \"x\"\n",
    )
    .unwrap();
    let list = run(&["import", "--file", "imports.toml", "--yes"]);
    says(&list, &["LS0102", "imports.toml:3:8", "did you mean main?"]);
    says(&run(&["import", "--file", "none.toml", "--yes"]), &["LS0101", "none.toml"]);
    let more = "\n[import]\n\"Vpc/mian\" = \"vpc-1\"\n".to_owned();
    project.write(&EnvironmentFile { more, ..EnvironmentFile::dev() });
    says(&run(&["up", "--yes"]), &["LS0102", "environments/dev.toml:12:1", "did you mean Vpc/main?"]);
    assert_eq!(sandbox.take_calls().len(), 0);
}
