//! `sandbox install`: what it asks of Go, and what is there afterwards. Go is a stand-in that notes its calls; that the real
//! one builds what runs is for the tests of the sandbox's clusters.

use std::os::unix::fs::PermissionsExt;

use libtest_mimic::Trial;
use lsinfra_tests::{EnvironmentFile, Invocation, Project};

use crate::scenario;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        scenario("sandbox_install_builds_once", once),
        scenario("two_sandbox_installs_meet", together),
        scenario("a_sandbox_install_that_fails_leaves_nothing", fails),
        scenario("sandbox_install_says_which_go_is_needed", which_go),
    ]
}

/// Answers as Go does, as far as is asked of it.
pub(crate) const GO: &str = r#"#!/bin/sh
case "$1 $2" in
"env GOVERSION") echo go1.26.1 ;;
"mod download") echo '{"GoMod": "/nowhere/go.mod"}' ;;
"mod edit") echo '{"Go": "1.26.0"}' ;;
"build "*)
    while [ "$1" != -o ]; do shift; done
    echo "$3 in $(sed -n 's/^require //p' go.mod)" >> "$CALLS"
    echo program > "$2"
    ;;
esac
"#;

const PROGRAMS: [&str; 6] =
    ["etcd", "helm", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"];

/// Makes a script the only Go that [`with_go`] finds.
pub(crate) fn put_go(project: &Project, script: &str) {
    let folder = project.path().join("path");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("go");
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A command on a machine that has this Go, and has built nothing yet.
pub(crate) fn with_go(project: &Project, command: Invocation) -> Invocation {
    let folder = project.path();
    command
        .environment("XDG_CACHE_HOME", folder.join("cache"))
        .environment("PATH", format!("{}:/usr/bin:/bin", folder.join("path").display()))
        .environment("CALLS", folder.join("calls"))
}

struct Machine {
    project: Project,
}

impl Machine {
    fn new() -> Self {
        Self { project: Project::new(&EnvironmentFile::dev()) }
    }

    fn go(&self, script: &str) {
        put_go(&self.project, script);
    }

    /// An install on a machine whose only Go is the stand-in.
    fn install(&self) -> Invocation {
        with_go(&self.project, self.project.lsinfra(["sandbox", "install"]))
    }

    fn builds(&self) -> Vec<String> {
        self.project.read("calls").lines().map(str::to_owned).collect()
    }

    /// The files in the cache folder.
    fn cached(&self) -> Vec<String> {
        let files = self.project.files("cache").into_iter();
        let names = files.map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name != "install.lock").collect();
        names.sort();
        names
    }
}

fn once() {
    let machine = Machine::new();
    machine.go(GO);
    let first = machine.install().succeed();
    assert!(first.stderr.contains("[2/6] building kube-apiserver\n"), "{}", first.transcript());
    assert_eq!(machine.cached(), PROGRAMS);
    let builds = machine.builds();
    assert_eq!(builds[0], "go.etcd.io/etcd/server/v3 in go.etcd.io/etcd/server/v3 v3.7.3");
    assert_eq!(builds[1], "k8s.io/kubernetes/cmd/kube-apiserver in k8s.io/kubernetes v1.36.3");

    let second = machine.install().succeed();
    assert!(second.stderr.starts_with("nothing to do"), "{}", second.transcript());
    assert_eq!(machine.builds(), builds);
    // What is there takes no Go.
    std::fs::remove_file(machine.project.path().join("path/go")).unwrap();
    machine.install().succeed();
}

fn together() {
    let machine = Machine::new();
    machine.go(GO);
    let installs: Vec<_> = (0..4).map(|_| machine.install().start()).collect();
    for install in installs {
        install.wait().expect_code(0);
    }
    assert_eq!(machine.builds().len(), PROGRAMS.len());
    assert_eq!(machine.cached(), PROGRAMS);
}

fn fails() {
    let machine = Machine::new();
    let fault = r#"case "$*" in build*kube-scheduler) echo "out of memory" >&2; exit 1 ;; esac"#;
    machine.go(&GO.replacen('\n', &format!("\n{fault}\n"), 1));
    let failed = machine.install().run().expect_code(1);
    for part in ["LS0603", "kube-scheduler", "out of memory"] {
        assert!(failed.stderr.contains(part), "{}", failed.transcript());
    }
    machine.go(GO);
    machine.install().succeed();
    assert_eq!(machine.cached(), PROGRAMS, "nothing of the first try is left");
}

fn which_go() {
    let machine = Machine::new();
    machine.go("#!/bin/sh\necho go1.24.9\n");
    let refused = machine.install().run().expect_code(1);
    assert!(
        refused.stderr.contains("LS0603") && refused.stderr.contains("go1.24.9"),
        "{}",
        refused.transcript()
    );
    assert_eq!(machine.cached(), [""; 0]);
}
