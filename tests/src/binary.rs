//! The binary under test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The `lsinfra` binary of this workspace, built when first asked for, with the profile and into the target folder of
/// the tests themselves: what is compiled for the one is there for the other.
///
/// # Panics
/// If it does not build.
pub fn lsinfra() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

fn build() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        // As the readme's `cargo run --bin lsinfra` does it, from the workspace: naming the package would choose other
        // features of its dependencies, and compile them again.
        .args(["build", "--bin", "lsinfra", "--locked", "--message-format", "json-render-diagnostics"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be run: it runs these tests");
    assert!(output.status.success(), "the lsinfra binary does not build");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == "lsinfra")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the executable that it built")
}
