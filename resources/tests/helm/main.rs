//! Releases in a real control plane, through the engine: installed, left alone, changed, broken, interrupted, uninstalled.
//! All runs in an environment whose kubeconfig and proxies lead elsewhere. What these tests need is built by `lsinfra sandbox install`; without it they are skipped, by name. So is the one that
//! takes charts of others if `LSINFRA_CHARTS` names no folder with them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed"
)]

mod chart;
mod lifecycle;
mod rig;
mod trouble;

use std::pin::Pin;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Trial};
use lsinfra_sandbox::Binaries;

type Test = fn() -> Pin<Box<dyn Future<Output = ()>>>;

const CHARTS_OF_OTHERS: [&str; 2] = ["metrics-server-3.13.1.tgz", "aws-load-balancer-controller-3.5.0.tgz"];

/// A kubeconfig that leads nowhere.
const ELSEWHERE: &str = "apiVersion: v1\nkind: Config\ncurrent-context: other\ncontexts: [{name: other, context: {cluster: other, user: other}}]\n\
clusters: [{name: other, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: other, user: {token: other}}]\n";

/// Runs all of it where the environment's own Kubernetes is another one.
fn elsewhere() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, ELSEWHERE).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(std::env::args_os().skip(1))
        .env("LSINFRA_TEST_ELSEWHERE", "yes")
        .env("KUBECONFIG", &kubeconfig)
        .env("HELM_NAMESPACE", "other")
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .status()
        .unwrap();
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    if std::env::var_os("LSINFRA_TEST_ELSEWHERE").is_none() {
        return elsewhere();
    }
    let arguments = Arguments::from_args();
    let tests: [(&str, Test); 4] = [
        ("a_release_from_installation_to_uninstallation", || Box::pin(lifecycle::whole_life())),
        ("charts_of_others", || Box::pin(lifecycle::charts_of_others())),
        ("failures_are_told_and_mended", || Box::pin(trouble::failures())),
        ("what_was_interrupted_is_recovered", || Box::pin(trouble::interruptions())),
    ];
    let trials = tests.map(|(name, test)| {
        let missing = missing(name);
        let trial = Trial::test(name, move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(test());
            Ok(())
        });
        if let Some(missing) = missing {
            println!("skipped: {name}: {missing}");
        }
        trial.with_ignored_flag(missing.is_some())
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

/// What a test lacks, if it lacks something.
fn missing(test: &str) -> Option<&'static str> {
    if Binaries::installed().is_none() {
        return Some("`lsinfra sandbox install` has not built Kubernetes");
    }
    let has_charts = || {
        let folder = chart::of_others()?;
        CHARTS_OF_OTHERS.iter().all(|name| folder.join(name).is_file()).then_some(())
    };
    let is_missing = test == "charts_of_others" && has_charts().is_none();
    is_missing.then_some("LSINFRA_CHARTS names no folder with its charts")
}
