//! A bad configuration is refused at once: with file, line, column, what is allowed, and exit code 2.

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Project, Sandbox, SandboxOptions};

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    CASES
        .iter()
        .map(|case| {
            Trial::test(format!("config_with_{}_is_refused_with_its_place", case.name), move || {
                refuse(case);
                Ok(())
            })
        })
        .chain([
            scenario("config_problems_are_reported_all_at_once", all_at_once),
            scenario("an_environment_that_is_not_there_is_refused_with_a_suggestion", missing),
            scenario("a_version_of_kubernetes_that_aws_soon_drops_is_warned_of", ending_support),
            scenario("up_without_a_terminal_asks_for_yes", no_terminal),
            scenario("a_wrong_flag_is_refused_as_usage", usage),
        ])
        .collect()
}

/// One thing wrong in the file.
struct Case {
    name: &'static str,
    /// The file, in which `>` marks where the problem is.
    text: &'static str,
    /// What is said of what is allowed.
    allowed: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "an_unknown_key",
        text: "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n[network]\n>zone-count = 2\n",
        allowed: "zone_count",
    },
    Case {
        name: "a_wrong_type",
        text: "profile = \"dev\"\naccount = >111122223333\nregion = \"us-west-2\"\n",
        allowed: "expected a string",
    },
    Case {
        name: "a_range_outside_of_the_private_ones",
        text: "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n[network]\ncidr = >\"11.0.0.0/16\"\n",
        allowed: "10.0.0.0/8",
    },
    Case {
        name: "a_prefix_that_is_too_long",
        text: "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n[network]\ncidr = >\"10.0.0.0/29\"\n",
        allowed: "/28",
    },
    Case {
        name: "overlapping_ranges",
        text: "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n[network]\n\
               private_subnets = [\"10.0.0.0/20\", >\"10.0.8.0/21\"]\n",
        allowed: "overlaps",
    },
    Case {
        name: "too_few_zones",
        text: "profile = \"prod\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n[network]\nzone_count = >2\n\
               [edge]\nhostname = \"langsmith.example.com\"\n[auth]\nadmin_email = \"ada@example.com\"\n",
        allowed: "3",
    },
    Case {
        name: "a_name_over_a_limit",
        text: "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n\
               stack = >\"langsmith-of-the-platform-team\"\n",
        allowed: "at most 20",
    },
];

fn refuse(case: &Case) {
    let before = case.text.split('>').next().unwrap();
    let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    let project = Project::new(&EnvironmentFile::dev());
    project.write_text(&case.text.replacen('>', "", 1));

    let ended = project.sandboxed(&["up", "--yes"]).run().expect_code(2);
    let place = format!("environments/dev.toml:{line}:{column}");
    assert!(ended.stderr.contains(&place), "no {place}:\n{}", ended.transcript());
    assert!(ended.stderr.contains(case.allowed), "no {:?}:\n{}", case.allowed, ended.transcript());
    assert!(ended.stderr.contains("LS0102"), "{}", ended.transcript());
    assert_eq!(project.files(".lsinfra"), [], "a sandbox or a state was begun");

    let ended = project.sandboxed(&["preview", "--output", "json"]).run().expect_code(2);
    let places = &ended.json()["error"]["places"][0];
    assert_eq!(
        (places["line"].as_u64(), places["column"].as_u64()),
        (Some(line as u64), Some(column as u64))
    );
}

fn all_at_once() {
    let project = Project::new(&EnvironmentFile::dev());
    project.write_text(
        "profile = \"dev\"\nacount = \"111122223333\"\nregion = \"us-west-2\"\n[network]\nnat = \"none\"\n",
    );
    let ended = project.lsinfra(["preview", "--env", "dev", "--no-refresh"]).run().expect_code(2);
    for place in ["environments/dev.toml:2:1", "environments/dev.toml:5:7"] {
        assert!(ended.stderr.contains(place), "no {place}:\n{}", ended.transcript());
    }
}

fn missing() {
    let project = Project::new(&EnvironmentFile::dev());
    let ended = project.lsinfra(["preview", "--env", "dve", "--no-refresh"]).run().expect_code(2);
    assert!(ended.stderr.contains("hint: there are: dev"), "{}", ended.transcript());
}

fn ending_support() {
    let mut file = EnvironmentFile::dev();
    let project = Project::with_state_in_folder(&file);
    let _sandbox = Sandbox::start(&project, &SandboxOptions::default());
    // Its standard support ended in March 2026: what there is to say depends on the day, but there is something.
    file.more = "\n[cluster]\nversion = \"1.32\"\n".to_owned();
    project.write(&file);
    let warned = project.sandboxed(&["preview"]).succeed();
    let is_told = |line: &str| line.starts_with("warning: ") && line.contains("Kubernetes 1.32 on EKS");
    assert!(warned.stderr.lines().any(is_told), "{}", warned.transcript());
}

fn no_terminal() {
    let project = Project::new(&EnvironmentFile::dev());
    for command in ["up", "destroy"] {
        let ended = project.sandboxed(&[command]).run().expect_code(2);
        assert!(ended.stderr.contains("--yes"), "{}", ended.transcript());
    }
    assert_eq!(project.files(".lsinfra"), [], "a sandbox or a state was begun");
}

fn usage() {
    let project = Project::new(&EnvironmentFile::dev());
    project.lsinfra(["up", "--env", "dev", "--paralelism", "4"]).run().expect_code(2);
    project.lsinfra(["up"]).run().expect_code(2);
    let ended = project.sandboxed(&["preview", "--target", "aws:ec2:Vpc/mian"]).run();
    project.lsinfra(["sandbox", "stop"]).succeed();
    let ended = ended.expect_code(2);
    assert!(
        ended.stderr.contains("LS0104") && ended.stderr.contains("aws:ec2:Vpc/main"),
        "{}",
        ended.transcript()
    );
}
