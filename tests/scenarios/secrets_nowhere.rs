//! No secret value is in state, journal, plans, events, logs or arguments: everything that runs wrote and
//! printed is searched for every value that Secrets Manager holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Leaks, Project, Running, Sandbox, SandboxOptions, charts_for_clusters};

use crate::secrets::{in_account, with};
use crate::{scenario, scenario_with};

/// Where the account itself is, below the project's folder.
const ACCOUNT: &str = ".lsinfra/sandbox";

const GIVEN: [(&str, &str); 2] = [
    ("LSINFRA_SECRET_LANGSMITH_LICENSE_KEY", "lcl_0123456789/abcdef+?&=%"),
    ("LSINFRA_SECRET_INITIAL_ORG_ADMIN_PASSWORD", "Correct-horse \"battery\" \\staple"),
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("a_secret_that_shows_is_found_in_every_form", found),
        scenario("secrets_appear_nowhere_with_state_in_a_folder", in_a_folder),
        scenario("secrets_appear_nowhere_with_state_in_a_bucket", in_a_bucket),
        scenario_with("secrets_appear_nowhere_with_a_cluster", charts_for_clusters(), in_a_cluster),
    ]
}

/// The search itself, by values that are shown on purpose.
fn found() {
    let value = GIVEN[1].1;
    let mut leaks = Leaks::default();
    leaks.add("password", value.as_bytes());
    let percent: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert!(leaks.found_in(percent.as_bytes()).is_empty(), "a form that nobody writes");
    let json = serde_json::json!({ "deep": [{ "value": value }] }).to_string();
    let shown = [
        format!("before {value} after"),
        json,
        format!("{value:?}"),
        "postgres://a:Correct-horse%20%22battery%22%20%5Cstaple@host".to_owned(),
        value.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for text in shown {
        assert_eq!(leaks.found_in(text.as_bytes()), ["password"].into(), "{text}");
    }
    for before in ["", "a", "ab", "abc"] {
        for after in ["", "a", "ab"] {
            let text = base64(&format!("{before}{value}{after}"));
            assert_eq!(
                leaks.found_in(text.as_bytes()),
                ["password"].into(),
                "{before}{value}{after}: {text}"
            );
        }
    }
    assert!(leaks.found_in(b"Correct-horse and something else").is_empty());

    // What a run prints is searched as it is: here a tag, which a plan shows.
    let tags = BTreeMap::from([("note".to_owned(), "Correct-horse-battery".to_owned())]);
    let project = Project::with_state_in_folder(&EnvironmentFile { tags, ..EnvironmentFile::dev() });
    leaks.add("tag", b"Correct-horse-battery");
    let preview = project.lsinfra(["preview", "--env", "dev", "--no-refresh", "--output", "json"]).succeed();
    assert_eq!(leaks.found_in(preview.stdout.as_bytes()), ["tag"].into());
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    bits.chunks(6)
        .map(|chunk| {
            let value = chunk.iter().fold(0, |value, bit| value << 1 | bit) << (6 - chunk.len());
            char::from(ALPHABET[usize::from(value)])
        })
        .collect()
}

fn in_a_folder() {
    nowhere(&Project::with_state_in_folder(&environment()));
}

fn in_a_bucket() {
    nowhere(&Project::new(&environment()));
}

/// By the way on which they are in the hands of the program itself.
fn in_a_cluster(charts: PathBuf) {
    let more = "\n[secrets]\ndelivery = \"direct\"\n".to_owned();
    nowhere(&Project::with_charts(&EnvironmentFile { more, ..environment() }, charts));
}

fn environment() -> EnvironmentFile {
    EnvironmentFile { protect: Some(false), ..EnvironmentFile::prod() }
}

fn nowhere(project: &Project) {
    let kubernetes = project.has_cluster();
    let sandbox = Sandbox::start(project, &SandboxOptions { kubernetes, ..SandboxOptions::default() });
    sandbox.make_hosted_zone("example.com");

    // Where it was found, and what: names and bytes.
    let mut shown: Vec<(String, Vec<u8>)> = Vec::new();
    let mut arguments: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut run = |command: &[&str]| {
        let mut running = with(in_account(project, &sandbox, command), &GIVEN).start();
        // While it works, and not while it prints what it knows.
        while command.contains(&"--events") && running.next_line().is_some() {
            arguments.extend(Running::command_lines_of_all());
        }
        let ended = running.wait().expect_code(0);
        shown.push((ended.line.clone(), [ended.stdout, ended.stderr].concat().into_bytes()));
    };
    for command in [
        &["preview", "--save-plan", "plan.json"][..],
        &["preview", "--output", "json"],
        &["up", "--yes", "--events", "json"],
        &["up", "--yes", "--output", "json"],
        &["preview", "--destroy", "--save-plan", "destroy.json"],
        &["refresh", "--output", "json"],
        &["outputs"],
        &["outputs", "--output", "json"],
        &["graph", "--output", "json"],
        &["state", "list", "--output", "json"],
        &["state", "show", "secrets/aws:secretsmanager:Secret/app"],
        &["state", "show", "data/aws:rds:Instance/postgres", "--output", "json"],
        &["state", "pull"],
        &["history", "--output", "json"],
        &["history", "show", "2", "--output", "json"],
    ] {
        run(command);
    }
    let leaks = Leaks::of_secrets_manager(&sandbox.wire());
    let while_it_stands = everything(project, &sandbox);
    run(&["destroy", "--yes", "--events", "json"]);
    shown.extend(while_it_stands);
    shown.extend(everything(project, &sandbox));
    let is_ours = |line: &Vec<u8>| line.windows(b"lsinfra".len()).any(|window| window == b"lsinfra");
    assert!(arguments.iter().any(is_ours), "no process was seen");
    shown.push(("the arguments of a process".to_owned(), arguments.into_iter().flatten().collect()));

    // The search finds values where they are: in the account.
    let account: Vec<u8> = project.files(ACCOUNT).into_iter().flat_map(|(_, contents)| contents).collect();
    let in_account = leaks.found_in(&account);
    for name in ["langsmith-dev-app/langsmith_license_key", "langsmith-dev-app/api_key_salt"] {
        assert!(in_account.contains(name), "{name} is not found in the account: {in_account:?}");
    }
    assert!(
        shown.iter().any(|(place, _)| place.contains("snapshot.json")),
        "there is a state to be searched"
    );
    for (place, contents) in &shown {
        let found = leaks.found_in(contents);
        assert!(found.is_empty(), "{place} shows {found:?}");
    }
}

/// Every file of the project but the account's own, and every object of the bucket for state.
fn everything(project: &Project, sandbox: &Sandbox) -> Vec<(String, Vec<u8>)> {
    let files = project.files(".").into_iter();
    let mut all: Vec<(String, Vec<u8>)> = files
        .map(|(path, contents)| (path.display().to_string(), contents))
        .filter(|(path, _)| !path.trim_start_matches("./").starts_with(ACCOUNT))
        .collect();
    let bucket = "lsinfra-state-111122223333-us-west-2";
    let listed = sandbox.wire().exchange("s3", "GET", &format!("/{bucket}?list-type=2"), "").body;
    for key in listed.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()) {
        let object = sandbox.wire().exchange("s3", "GET", &format!("/{bucket}/{key}"), "");
        all.push((format!("s3://{bucket}/{key}"), object.body.into_bytes()));
    }
    all
}
