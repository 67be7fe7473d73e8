//! Credentials that are missing, expired or another account's are refused before any other call, with exit code 2.

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Project, Refusing, Sandbox, SandboxOptions};

use crate::scenario;
use crate::secrets::{GIVEN, with};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("credentials_of_another_account_are_refused_before_any_other_call", wrong_account),
        scenario("missing_credentials_are_refused_without_a_call", missing),
        scenario("expired_credentials_are_refused_at_the_first_call", expired),
        scenario("an_expired_single_sign_on_session_is_told_as_expired", expired_session),
        scenario("a_profile_that_gives_no_credentials_is_told_from_none_at_all", broken_profile),
        scenario("a_refused_access_key_is_said", refused_key),
        scenario("credentials_appear_nowhere", appear_nowhere),
        scenario("state_of_another_account_or_of_the_sandbox_is_refused", wrong_home),
    ]
}

fn wrong_account() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    for command in ["up", "destroy"] {
        sandbox.take_all_calls();
        let ended = project
            .lsinfra([command, "--env", "dev", "--yes"])
            .environment("AWS_ENDPOINT_URL", sandbox.url())
            .environment("AWS_ACCESS_KEY_ID", "444455556666")
            .environment("AWS_SECRET_ACCESS_KEY", "not-a-secret")
            .run()
            .expect_code(2);
        assert!(
            ended.stderr.contains("LS0203") && ended.stderr.contains("444455556666"),
            "{}",
            ended.transcript()
        );
        let calls: Vec<String> = sandbox.take_all_calls().into_iter().map(|call| call.operation).collect();
        assert_eq!(calls, ["GetCallerIdentity"]);
    }
}

fn missing() {
    let project = Project::new(&EnvironmentFile::dev());
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    let ended = project
        .lsinfra(["up", "--env", "dev", "--yes"])
        .environment("AWS_ENDPOINT_URL", sandbox.url())
        .run()
        .expect_code(2);
    assert!(ended.stderr.contains("LS0201"), "{}", ended.transcript());
    assert_eq!(sandbox.take_calls(), []);
}

fn expired() {
    let project = Project::new(&EnvironmentFile::dev());
    let refusing = Refusing::start(
        403,
        "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>\
         <Message>The security token included in the request is expired</Message></Error></ErrorResponse>",
    );
    let ended = project
        .lsinfra(["up", "--env", "dev", "--yes"])
        .environment("AWS_ENDPOINT_URL", refusing.url())
        .environment("AWS_ACCESS_KEY_ID", "111122223333")
        .environment("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        .environment("AWS_SESSION_TOKEN", "old")
        .run()
        .expect_code(2);
    assert!(
        ended.stderr.contains("LS0202") && ended.stderr.contains("ExpiredToken"),
        "{}",
        ended.transcript()
    );
    assert_eq!(refusing.requests(), 1);
}

/// What a command says that gets no credentials from the profile `work` of that AWS configuration.
fn with_profile(project: &Project, config: &str) -> String {
    std::fs::create_dir_all(project.path().join(".aws")).unwrap();
    std::fs::write(project.path().join(".aws/config"), config).unwrap();
    let ended = project
        .lsinfra(["up", "--env", "dev", "--yes"])
        .environment("HOME", project.path())
        .environment("AWS_PROFILE", "work")
        .run()
        .expect_code(2);
    assert!(!ended.stderr.contains(['{', '}']), "debug output: {}", ended.transcript());
    ended.stderr
}

fn expired_session() {
    let project = Project::new(&EnvironmentFile::dev());
    // The name of the file is the SHA-1 of the session's, `work`.
    let cache = project.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    std::fs::write(
        cache.join("e274eeff768c6396088ec6eb091f4bf4d47ab1e0.json"),
        r#"{"accessToken": "old", "expiresAt": "2020-01-01T00:00:00Z", "region": "us-west-2",
            "startUrl": "https://example.awsapps.com/start"}"#,
    )
    .unwrap();
    let said = with_profile(
        &project,
        "[profile work]\nsso_session = work\nsso_account_id = 111122223333\nsso_role_name = Admin\n\
         [sso-session work]\nsso_region = us-west-2\nsso_start_url = https://example.awsapps.com/start\n",
    );
    assert!(said.contains("LS0202") && said.contains("the SSO token has expired"), "{said}");
}

fn broken_profile() {
    let project = Project::new(&EnvironmentFile::dev());
    let said = with_profile(&project, "[profile work]\ncredential_process = /bin/false\n");
    assert!(said.contains("LS0205") && said.contains("external process exited"), "{said}");
    let said = with_profile(&project, "[profile other]\nregion = us-west-2\n");
    assert!(said.contains("LS0201"), "{said}");
}

fn refused_key() {
    let project = Project::new(&EnvironmentFile::dev());
    let refusing = Refusing::start(
        403,
        "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>\
         <Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>",
    );
    let ended = project
        .lsinfra(["up", "--env", "dev", "--yes"])
        .environment("AWS_ENDPOINT_URL", refusing.url())
        .environment("AWS_ACCESS_KEY_ID", "AKIANOTAKEY")
        .environment("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        .run()
        .expect_code(2);
    assert!(ended.stderr.contains("LS0204") && ended.stderr.contains("access key"), "{}", ended.transcript());
}

fn appear_nowhere() {
    for project in [Project::new, Project::with_state_in_folder] {
        appear_nowhere_of(&project(&EnvironmentFile::dev()));
    }
}

fn appear_nowhere_of(project: &Project) {
    let sandbox = Sandbox::start(project, &SandboxOptions::default());
    let secrets = ["c2VjcmV0LWtleS1vZi1hLXNjZW5hcmlv", "c2Vzc2lvbi10b2tlbi1vZi1hLXNjZW5hcmlv"];
    let reach = |command: &[&str]| {
        with(project.lsinfra(command.iter().chain(&["--env", "dev"])), &GIVEN)
            .environment("AWS_ENDPOINT_URL", sandbox.url())
            .environment("AWS_ACCESS_KEY_ID", "111122223333")
            .environment("AWS_SECRET_ACCESS_KEY", secrets[0])
            .environment("AWS_SESSION_TOKEN", secrets[1])
            .succeed()
    };
    let mut shown = Vec::new();
    for command in [
        &["preview", "--save-plan", "plan.json"][..],
        &["up", "--yes", "--events", "json"],
        &["up", "--yes", "--output", "json"],
        &["outputs"],
        &["state", "list", "--output", "json"],
        &["destroy", "--yes", "--events", "json"],
    ] {
        let ended = reach(command);
        shown.push((ended.line.clone(), [ended.stdout, ended.stderr].concat().into_bytes()));
    }
    shown.extend(
        project.files(".").into_iter().map(|(path, contents)| (path.display().to_string(), contents)),
    );
    assert!(
        shown.iter().any(|(place, _)| place.ends_with("snapshot.json") || place.ends_with("account.log")),
        "there is a state to be looked at"
    );
    for (place, contents) in shown {
        for secret in secrets {
            let is_there = contents.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "{place} contains {secret}");
        }
    }
}

fn wrong_home() {
    let mut file = EnvironmentFile::dev();
    let project = Project::with_state_in_folder(&file);
    let sandbox = Sandbox::start(&project, &SandboxOptions::default());
    project.sandboxed(&["up", "--yes"]).succeed();
    sandbox.take_calls();
    let real = project
        .lsinfra(["up", "--env", "dev", "--yes"])
        .environment("AWS_ENDPOINT_URL", sandbox.url())
        .environment("AWS_ACCESS_KEY_ID", "111122223333")
        .environment("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        .run()
        .expect_code(2);
    assert!(real.stderr.contains("LS0307"), "{}", real.transcript());

    file.region = "eu-central-1";
    project.write(&file);
    let elsewhere = project.sandboxed(&["up", "--yes"]).run().expect_code(2);
    assert!(
        elsewhere.stderr.contains("LS0307") && elsewhere.stderr.contains("us-west-2"),
        "{}",
        elsewhere.transcript()
    );
    assert_eq!(sandbox.take_changing_calls(), [""; 0]);
}
