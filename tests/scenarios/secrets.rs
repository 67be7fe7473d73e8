//! Secrets that a person gives, and those that are drawn once and never again by themselves.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use libtest_mimic::Trial;
use lsinfra_sandbox::Binaries;
use lsinfra_tests::{
    EnvironmentFile, Invocation, Planned, Project, STATE_FOLDER, Sandbox, SandboxOptions, Wire,
};

use crate::scenario;

const LICENSE: &str = "lcl_0123456789abcdef";
const PASSWORD: &str = "Correct-horse-\"battery\\";

/// What a development environment takes.
pub(crate) const GIVEN: [(&str, &str); 2] = [
    ("LSINFRA_SECRET_LANGSMITH_LICENSE_KEY", LICENSE),
    ("LSINFRA_SECRET_INITIAL_ORG_ADMIN_PASSWORD", PASSWORD),
];

const APP: &str = "secrets/aws:secretsmanager:Secret/app";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("secrets_to_be_given_stop_the_first_up_before_anything_is_changed", not_given),
        scenario("secrets_are_given_once_and_another_value_whenever_it_is_given", given_once),
        scenario("an_identity_provider_takes_secrets_of_its_own", oidc),
        scenario("a_saved_plan_takes_the_secrets_that_it_left_open", saved_plan),
        scenario("secrets_come_through_a_pipe", piped),
        scenario("given_secrets_that_cannot_be_used_are_refused_before_anything_else", unusable),
        scenario("the_sandbox_makes_up_what_nobody_gave", made_up),
        scenario("secrets_that_stay_with_kept_data_are_not_asked_for_again", kept),
        scenario(
            "keys_stay_with_a_last_snapshot_and_are_missed_when_somebody_deletes_them",
            kept_for_snapshot,
        ),
        scenario("a_key_that_data_relies_on_is_drawn_anew_only_when_told", never_rotated),
        scenario("a_key_that_somebody_took_out_is_missed_and_not_drawn_anew", taken_out),
    ]
}

/// `lsinfra COMMAND --env dev` towards an account for which nothing is made up: the sandbox by its address.
pub(crate) fn in_account(project: &Project, sandbox: &Sandbox, command: &[&str]) -> Invocation {
    let invocation = project
        .lsinfra(command.iter().chain(&["--env", "dev"]))
        .environment("AWS_ENDPOINT_URL", sandbox.url())
        .environment("AWS_ACCESS_KEY_ID", "111122223333")
        // By which clusters know who calls.
        .environment("AWS_SECRET_ACCESS_KEY", "sandbox");
    match Binaries::installed() {
        Some(programs) => invocation.environment("LSINFRA_HELM", programs.program("helm")),
        None => invocation,
    }
}

fn file(license: &str) -> String {
    // Between '…' TOML takes a value as it is.
    format!("langsmith_license_key = \"{license}\"\ninitial_org_admin_password = '{PASSWORD}'\n")
}

/// Writes a file in the project's folder that only its owner can read.
fn write(project: &Project, name: &str, text: &str, mode: u32) {
    let path = project.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The value of a secret.
fn value(wire: &Wire, role: &str) -> BTreeMap<String, String> {
    let question = format!("{{\"SecretId\": \"langsmith-dev-{role}\"}}");
    let answer = wire.json("secretsmanager", "secretsmanager.GetSecretValue", &question);
    serde_json::from_str(answer["SecretString"].as_str().unwrap()).unwrap()
}

fn not_given() {
    for project in [Project::new, Project::with_state_in_folder] {
        let project = project(&EnvironmentFile::dev());
        let sandbox = Sandbox::start(&project, &SandboxOptions::default());
        sandbox.take_all_calls();
        let refused = in_account(&project, &sandbox, &["up", "--yes"]).run().expect_code(2);
        for said in [
            "LS0410",
            "langsmith_license_key: the license of LangSmith",
            "initial_org_admin_password",
            "--secrets FILE",
            "LSINFRA_SECRET_LANGSMITH_LICENSE_KEY",
        ] {
            assert!(refused.stderr.contains(said), "no {said}: {}", refused.transcript());
        }
        let one = [("LSINFRA_SECRET_LANGSMITH_LICENSE_KEY", LICENSE)];
        let refused = with(in_account(&project, &sandbox, &["up", "--yes"]), &one).run().expect_code(2);
        assert!(
            refused.stderr.contains("1 secret must be given")
                && refused.stderr.contains("initial_org_admin_password"),
            "{}",
            refused.transcript()
        );
        assert_eq!(sandbox.take_changing_calls(), [""; 0]);
        assert_eq!(sandbox.account(), []);

        let preview = in_account(&project, &sandbox, &["preview"]).succeed();
        let line = "Secrets to be given: initial_org_admin_password, langsmith_license_key";
        assert!(preview.stdout.contains(line), "{}", preview.transcript());
    }
}

/// With these environment variables.
pub(crate) fn with(invocation: Invocation, variables: &[(&str, &str)]) -> Invocation {
    variables.iter().fold(invocation, |invocation, (name, value)| invocation.environment(name, value))
}

fn given_once() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    write(&project, "secrets.toml", &file(LICENSE), 0o640);
    let up =
        |more: &[&str]| in_account(&project, &sandbox, &[&["up", "--yes", "--target", APP], more].concat());
    let preview = |variables: &[(&str, &str)]| {
        with(in_account(&project, &sandbox, &["preview", "--target", APP]), variables)
    };
    up(&["--secrets", "secrets.toml"]).succeed();
    let first = value(&sandbox.wire(), "app");
    assert_eq!(first["langsmith_license_key"], LICENSE);
    assert_eq!(first["initial_org_admin_password"], PASSWORD);
    assert_eq!(
        first.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "agent_builder_encryption_key",
            "api_key_salt",
            "engine_encryption_key",
            "initial_org_admin_password",
            "insights_encryption_key",
            "jwt_secret",
            "langsmith_license_key",
            "polly_encryption_key",
        ]
    );

    // Secrets Manager has them: nobody is asked, and the same value changes nothing.
    assert_eq!(Planned::ask(preview(&[])).steps.len(), 0);
    up(&[]).succeed();
    up(&["--secrets", "secrets.toml"]).succeed();
    assert_eq!(value(&sandbox.wire(), "app"), first);

    let renewed = [("LSINFRA_SECRET_LANGSMITH_LICENSE_KEY", "lcl_fedcba9876543210")];
    let planned = Planned::ask(preview(&renewed));
    assert_eq!(planned.urns("update"), [APP].into());
    assert_eq!(planned.steps[0].changes[0].path, "values.langsmith_license_key");
    let shown = preview(&renewed).succeed();
    assert!(shown.stdout.contains("(secret) -> (another secret)"), "{}", shown.transcript());
    with(up(&[]), &renewed).succeed();
    let second = value(&sandbox.wire(), "app");
    assert_eq!(second["langsmith_license_key"], "lcl_fedcba9876543210");
    let others = |value: &BTreeMap<String, String>| {
        let mut value = value.clone();
        value.remove("langsmith_license_key");
        value
    };
    assert_eq!(others(&second), others(&first), "only what was given is another one");
}

fn oidc() {
    let mut file = EnvironmentFile { hostname: Some("langsmith.example.com"), ..EnvironmentFile::dev() };
    let project = Project::with_state_in_folder(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    sandbox.make_hosted_zone("example.com");
    let up = || in_account(&project, &sandbox, &["up", "--yes", "--target", APP]);
    with(up(), &GIVEN).succeed();
    file.more = "\n[auth]\nmode = \"oidc\"\nissuer_url = \"https://login.example.com\"\n".to_owned();
    project.write(&file);

    // What Secrets Manager has is not asked for, and what it lacks is.
    let refused = up().run().expect_code(2);
    let said = ["LS0410", "2 secrets must be given", "oauth_client_id", "oauth_client_secret"];
    assert!(said.iter().all(|said| refused.stderr.contains(said)), "{}", refused.transcript());
    let client = [
        ("LSINFRA_SECRET_OAUTH_CLIENT_ID", "0oa1b2c3d4"),
        ("LSINFRA_SECRET_OAUTH_CLIENT_SECRET", "of-the-client"),
    ];
    with(up(), &client).succeed();
    let value = value(&sandbox.wire(), "app");
    assert_eq!(value["oauth_client_id"], "0oa1b2c3d4");
    assert_eq!(value["oauth_client_secret"], "of-the-client");
    assert_eq!(value["oauth_issuer_url"], "https://login.example.com");
    assert_eq!(value["langsmith_license_key"], LICENSE);
    assert!(!value.contains_key("initial_org_admin_password"));
}

fn saved_plan() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    write(&project, "secrets.toml", &file(LICENSE), 0o600);
    in_account(&project, &sandbox, &["preview", "--target", APP, "--save-plan", "plan.json"]).succeed();
    let plan = project.read("plan.json");
    assert!(plan.contains("\"asked\""), "{plan}");

    let refused = in_account(&project, &sandbox, &["state", "bootstrap"]).succeed();
    assert!(refused.stderr.contains("made the bucket"), "{}", refused.transcript());
    let refused = in_account(&project, &sandbox, &["up", "--plan", "plan.json"]).run().expect_code(2);
    assert!(refused.stderr.contains("LS0410"), "{}", refused.transcript());
    let up = ["up", "--plan", "plan.json", "--secrets", "secrets.toml"];
    in_account(&project, &sandbox, &up).succeed();
    assert_eq!(value(&sandbox.wire(), "app")["langsmith_license_key"], LICENSE);
}

fn piped() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    in_account(&project, &sandbox, &["up", "--yes", "--target", APP, "--secrets", "-"])
        .piped(file(LICENSE))
        .succeed();
    assert_eq!(value(&sandbox.wire(), "app")["initial_org_admin_password"], PASSWORD);
}

fn unusable() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    write(&project, "open.toml", &file(LICENSE), 0o644);
    write(&project, "other.toml", "langsmith_license_key = \"lcl_fedcba9876543210\"\n", 0o600);
    write(&project, "slip.toml", &format!("langsmith_licence_key = \"{LICENSE}\"\n"), 0o600);
    write(&project, "no.toml", &format!("langsmith_license_key = {LICENSE}\n"), 0o600);
    let file = |file: &'static str, said: &'static str| (vec!["--secrets", file], vec![], said);
    let variable =
        |name: &'static str, value: &'static str, said: &'static str| (vec![], vec![(name, value)], said);
    let cases = [
        file("open.toml", "chmod 600 open.toml"),
        file("none.toml", "cannot read secrets from none.toml"),
        file("slip.toml", "did you mean langsmith_license_key?"),
        file("no.toml", "no.toml:1"),
        (vec!["--secrets", "other.toml"], vec![GIVEN[0]], "another value"),
        variable("LSINFRA_SECRET_OAUTH_CLIENT_SECRET", LICENSE, "takes no such secret"),
        variable("LSINFRA_SECRET_LANGSMITH_LICENSE_KEY", "", "it is empty"),
        variable("LSINFRA_SECRET_INITIAL_ORG_ADMIN_PASSWORD", LICENSE, "12 characters"),
    ];
    sandbox.take_all_calls();
    for (more, variables, said) in cases {
        for command in [&["up", "--yes"][..], &["preview"], &["preview", "--output", "json"]] {
            let line = [command, &more].concat();
            let refused = with(in_account(&project, &sandbox, &line), &variables).run().expect_code(2);
            assert!(
                refused.stderr.contains("LS0112") && refused.stderr.contains(said),
                "no {said}: {}",
                refused.transcript()
            );
            let all = [refused.stdout.as_str(), refused.stderr.as_str()].concat();
            assert!(!all.contains("lcl_"), "a value is told: {}", refused.transcript());
        }
    }
    assert_eq!(sandbox.take_all_calls(), []);
}

fn made_up() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let preview = project.sandboxed(&["preview", "--target", APP]).succeed();
    assert!(preview.stdout.contains("made up in the sandbox"), "{}", preview.transcript());
    project.sandboxed(&["up", "--yes", "--target", APP]).succeed();
    let made_up = value(&sandbox.wire(), "app");
    assert!(made_up["langsmith_license_key"].starts_with("Placeholder"), "{made_up:?}");
    project.sandboxed(&["preview", "--target", APP, "--exit-code"]).succeed();
    assert!(
        project
            .files(STATE_FOLDER)
            .iter()
            .all(|(_, contents)| { !String::from_utf8_lossy(contents).contains("Placeholder") })
    );

    // What is given counts, there as well.
    write(&project, "secrets.toml", &file(LICENSE), 0o600);
    project.sandboxed(&["up", "--yes", "--target", APP, "--secrets", "secrets.toml"]).succeed();
    assert_eq!(value(&sandbox.wire(), "app")["langsmith_license_key"], LICENSE);
}

fn kept() {
    let file =
        EnvironmentFile { more: "\n[blobs]\non_destroy = \"keep\"\n".to_owned(), ..EnvironmentFile::dev() };
    let project = Project::with_state_in_folder(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let up = || in_account(&project, &sandbox, &["up", "--yes", "--target", APP]);
    with(up(), &GIVEN).succeed();
    let first = value(&sandbox.wire(), "app");
    in_account(&project, &sandbox, &["destroy", "--yes"]).succeed();
    assert_eq!(value(&sandbox.wire(), "app"), first);
    let adopted = up().args(["--output", "json"]).succeed();
    assert_eq!(adopted.json()["steps"][0]["action"], "adopt", "{}", adopted.transcript());
    assert_eq!(value(&sandbox.wire(), "app"), first);
}

fn kept_for_snapshot() {
    let more = "\n[postgres]\nfinal_snapshot = true\n".to_owned();
    let project = Project::with_state_in_folder(&EnvironmentFile { more, ..EnvironmentFile::dev() });
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    let first = value(&sandbox.wire(), "app");
    project.sandboxed(&["destroy", "--yes"]).succeed();
    project.sandboxed(&["up", "--yes"]).succeed();
    assert_eq!(value(&sandbox.wire(), "app"), first);

    project.sandboxed(&["destroy", "--yes"]).succeed();
    delete_app(&sandbox);
    refuses_another(&project, &sandbox, &[]);
}

/// As somebody does by hand, for good.
fn delete_app(sandbox: &Sandbox) {
    sandbox.wire().json(
        "secretsmanager",
        "secretsmanager.DeleteSecret",
        r#"{"SecretId": "langsmith-dev-app", "ForceDeleteWithoutRecovery": true}"#,
    );
}

fn never_rotated() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes", "--target", APP]).succeed();
    let first = value(&sandbox.wire(), "app");
    delete_app(&sandbox);
    refuses_another(&project, &sandbox, &["--target", APP]);

    project.sandboxed(&["up", "--yes", "--target", APP, "--unprotect", APP]).succeed();
    let second = value(&sandbox.wire(), "app");
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    assert_ne!(first["api_key_salt"], second["api_key_salt"]);
}

/// Of a secret that is gone: it is neither previewed nor made anew, and what that would break is said.
fn refuses_another(project: &Project, sandbox: &Sandbox, more: &[&str]) {
    sandbox.take_all_calls();
    for command in [&["preview"][..], &["up", "--yes"]] {
        let refused = project.sandboxed(&[command, more].concat()).run().expect_code(2);
        for said in [
            "LS0409",
            "generated.api_key_salt: the secret is gone",
            "every API key of LangSmith",
            "generated.jwt_secret",
            "generated.polly_encryption_key",
            "--unprotect secrets/aws:secretsmanager:Secret/app",
        ] {
            assert!(refused.stderr.contains(said), "no {said}: {}", refused.transcript());
        }
    }
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
}

fn taken_out() {
    let project = Project::with_state_in_folder(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes", "--target", APP]).succeed();
    let mut by_hand = value(&sandbox.wire(), "app");
    by_hand.remove("api_key_salt");
    // Twice, so that the version before has it no more either.
    for (version, jwt_secret) in ["one by hand", "another one"].iter().enumerate() {
        by_hand.insert("jwt_secret".to_owned(), (*jwt_secret).to_owned());
        let request = serde_json::json!({
            "SecretId": "langsmith-dev-app",
            "SecretString": serde_json::to_string(&by_hand).unwrap(),
            "ClientRequestToken": format!("00000000-0000-0000-0000-{version:012}"),
        });
        sandbox.wire().json("secretsmanager", "secretsmanager.PutSecretValue", &request.to_string());
    }
    let refused = project.sandboxed(&["up", "--yes", "--target", APP]).run().expect_code(2);
    let said = "generated.api_key_salt: the value was taken out, and another one breaks every API key";
    assert!(refused.stderr.contains("LS0409") && refused.stderr.contains(said), "{}", refused.transcript());
    assert!(!value(&sandbox.wire(), "app").contains_key("api_key_salt"));
    project.sandboxed(&["up", "--yes", "--target", APP, "--unprotect", APP]).succeed();
    let mended = value(&sandbox.wire(), "app");
    assert_eq!((mended["api_key_salt"].len(), mended["jwt_secret"].as_str()), (44, "another one"));
    project.sandboxed(&["preview", "--target", APP, "--exit-code"]).succeed();
}
