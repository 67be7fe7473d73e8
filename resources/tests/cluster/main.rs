//! The Kubernetes types against a real control plane, through the engine: what is declared comes about, what others have in
//! an object is left alone, what they change of ours is found and mended, and what is not ours is not touched.
//!
//! All runs in an environment whose kubeconfig and proxies lead elsewhere. What these tests need is built by
//! `lsinfra sandbox install`; without it they are skipped, by name.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod life;
mod refusals;
mod rig;
mod whole;

use std::process::{Command, ExitCode};
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Failed, Trial};
use lsinfra_sandbox::Binaries;
use tokio::runtime::Runtime;

/// A kubeconfig that leads nowhere.
const ELSEWHERE: &str = "apiVersion: v1\nkind: Config\ncurrent-context: other\ncontexts: [{name: other, context: {cluster: other, user: other}}]\n\
clusters: [{name: other, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: other, user: {token: other}}]\n";

fn main() -> ExitCode {
    if std::env::var_os("LSINFRA_TEST_ELSEWHERE").is_none() {
        return elsewhere();
    }
    let arguments = Arguments::from_args();
    let trials = [life::trials(), whole::trials(), refusals::trials()];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}

/// Runs all of it where the environment's own Kubernetes is another one.
fn elsewhere() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, ELSEWHERE).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(std::env::args_os().skip(1))
        .env("LSINFRA_TEST_ELSEWHERE", "yes")
        .env("KUBECONFIG", &kubeconfig)
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .status()
        .unwrap();
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A test that needs a control plane.
fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    let is_there = Binaries::installed().is_some();
    Trial::test(name, move || -> Result<(), Failed> {
        rig::shared();
        test();
        Ok(())
    })
    .with_ignored_flag(!is_there)
}

/// Runs a future where all others run, too: the clients of the shared cluster live there.
fn wait<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap()).block_on(future)
}

/// Looks until there is something.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("never: {what}")
}
