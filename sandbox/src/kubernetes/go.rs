//! The Go toolchain: finding it, and building programs of a pinned module with it. Must not know what is built, or where
//! it goes.
//!
//! A module's programs are built from within a *wrapper*, a module of our own that requires it: a module that takes others
//! from folders beside it cannot be built by its path, and only the main module's replacements count. The wrapper's go.sum is
//! Go's to fill, which asks the checksum database that the environment names. <https://go.dev/ref/mod#go-mod-file-replace>

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::install::InstallError;
use super::versions::{Module, OLDEST_GO};

/// The package cache is filled by so many compilers at once; more take more memory than a laptop has to spare.
const COMPILERS: &str = "2";
/// How much is kept of what Go says when a build fails, in lines.
const LAST_LINES: usize = 12;

/// A Go toolchain that is new enough.
#[derive(Debug)]
pub(super) struct Go {
    program: PathBuf,
}

/// What `go mod download -json` tells.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Downloaded {
    go_mod: PathBuf,
}

/// What `go mod edit -json` tells of a go.mod.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModFile {
    go: String,
    #[serde(default)]
    godebug: Option<Vec<Setting>>,
    #[serde(default)]
    replace: Option<Vec<Replacement>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Setting {
    key: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replacement {
    old: Replaced,
    new: Replaced,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replaced {
    path: String,
    #[serde(default)]
    version: String,
}

impl Go {
    /// The one on PATH.
    ///
    /// # Errors
    /// [`InstallError::NoGo`] and [`InstallError::OldGo`].
    pub(super) fn find() -> Result<Self, InstallError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut candidates = std::env::split_paths(&path).map(|folder| folder.join("go"));
        let program = candidates.find(|candidate| candidate.is_file()).ok_or(InstallError::NoGo)?;
        let output = Command::new(&program).args(["env", "GOVERSION"]).stdin(Stdio::null()).output()?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match parse_version(&version) {
            Some(found) if found >= OLDEST_GO => Ok(Self { program }),
            _ => Err(InstallError::OldGo { program, version }),
        }
    }

    /// Builds the programs of a module into a folder, calling `begin` before each. The wrapper is written into `scratch`,
    /// which must be empty.
    ///
    /// # Errors
    /// [`InstallError::Build`] with the end of what Go said; [`InstallError::Io`].
    pub(super) fn build(
        &self,
        module: &Module,
        scratch: &Path,
        into: &Path,
        begin: &mut dyn FnMut(&'static str),
    ) -> Result<(), InstallError> {
        for (name, package) in module.programs {
            begin(name);
            if !scratch.join("go.mod").exists() {
                fs_err::write(scratch.join("go.mod"), self.wrapper(module, scratch)?)?;
            }
            let mut link = String::from("-s -w");
            for (variable, value) in module.variables {
                let _ = write!(link, " -X {variable}={value}");
            }
            let output = self
                .command(scratch)
                .args(["build", "-p", COMPILERS, "-trimpath", "-buildvcs=false", "-ldflags", &link, "-o"])
                .arg(into.join(name))
                .arg(format!("{}{package}", module.path))
                .output()?;
            succeeded(name, &output)?;
        }
        Ok(())
    }

    /// The go.mod of a module's wrapper. The `go` and `godebug` lines count for the main module only, so they are the
    /// module's own.
    fn wrapper(&self, module: &Module, folder: &Path) -> Result<String, InstallError> {
        let pinned = format!("{}@{}", module.path, module.version);
        let downloaded: Downloaded = self.ask(module, folder, &["mod", "download", "-json", &pinned])?;
        let go_mod = downloaded.go_mod.to_string_lossy().into_owned();
        let own: ModFile = self.ask(module, folder, &["mod", "edit", "-json", &go_mod])?;
        Ok(wrapper_text(module, &own))
    }

    fn ask<T: DeserializeOwned>(
        &self,
        module: &Module,
        folder: &Path,
        args: &[&str],
    ) -> Result<T, InstallError> {
        let output = self.command(folder).args(args).output()?;
        succeeded(module.path, &output)?;
        serde_json::from_slice(&output.stdout).map_err(|error| InstallError::Build {
            program: module.path.to_owned(),
            output: format!("`go {}` answered with something else than expected: {error}", args.join(" ")),
        })
    }

    /// Go at low priority, since it takes everything that it gets, for minutes. What would change the outcome does not
    /// come from the environment; where modules come from does.
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new("nice");
        command.args(["-n", "10"]).arg(&self.program).current_dir(folder).stdin(Stdio::null());
        command.envs([
            ("GOFLAGS", "-mod=mod"),
            ("GOWORK", "off"),
            ("CGO_ENABLED", "0"),
            ("GOMAXPROCS", COMPILERS),
            ("GO111MODULE", "on"),
        ]);
        for name in ["GOOS", "GOARCH"] {
            command.env_remove(name);
        }
        command
    }
}

/// `go1.26.8` as (1, 26).
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("go")?.split('.');
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    Some((parts.next()?.parse().ok()?, digits(parts.next()?).parse().ok()?))
}

fn wrapper_text(module: &Module, own: &ModFile) -> String {
    let mut text = format!("module lsinfra.invalid/wrapper\n\ngo {}\n\n", own.go);
    for Setting { key, value } in own.godebug.iter().flatten() {
        let _ = writeln!(text, "godebug {key}={value}");
    }
    let _ = writeln!(text, "require {} {}", module.path, module.version);
    for Replacement { old, new } in own.replace.iter().flatten() {
        let (path, version) =
            if new.version.is_empty() { (&old.path, module.siblings) } else { (&new.path, &*new.version) };
        let _ = writeln!(text, "replace {} => {path} {version}", old.path);
    }
    text
}

fn succeeded(what: &str, output: &Output) -> Result<(), InstallError> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("go: downloading ")).collect();
    let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
    Err(InstallError::Build { program: what.to_owned(), output: last.join("\n") })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_of_go_are_understood() {
        assert_eq!(parse_version("go1.26.8"), Some((1, 26)));
        assert_eq!(parse_version("go1.25rc1"), Some((1, 25)));
        assert_eq!(parse_version("devel go1.27-abcdef"), None);
        assert_eq!(parse_version(""), None);
    }

    #[test]
    fn a_wrapper_takes_siblings_by_their_version() {
        let module = Module {
            label: "",
            path: "example.com/all",
            version: "v1.2.3",
            siblings: "v0.2.3",
            programs: &[],
            variables: &[],
        };
        let own = r#"{
            "Go": "1.26.0",
            "Godebug": [{"Key": "default", "Value": "go1.26"}],
            "Replace": [
                {"Old": {"Path": "example.com/part"}, "New": {"Path": "./staging/part"}},
                {"Old": {"Path": "example.com/other"}, "New": {"Path": "example.com/fork", "Version": "v9.0.0"}}
            ]
        }"#;
        let own: ModFile = serde_json::from_str(own).unwrap();
        assert_eq!(
            wrapper_text(&module, &own),
            "module lsinfra.invalid/wrapper\n\ngo 1.26.0\n\ngodebug default=go1.26\nrequire example.com/all v1.2.3\n\
             replace example.com/part => example.com/part v0.2.3\nreplace example.com/other => example.com/fork v9.0.0\n"
        );
    }
}
