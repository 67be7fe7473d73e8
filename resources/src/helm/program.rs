//! The helm program: which one, how old, and how it is run.
//!
//! Each run has folders of its own in the place of the user's: no plugin, repository, registry login or kubeconfig of
//! theirs is seen. What is secret, or long, is given in files that only this user may read.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use lsinfra_engine::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::helm::HelmError;
use crate::helm::guarded::{Ended, Guarded, OutputLock, Program};

/// The variable that names the program.
pub(crate) const PROGRAM_VARIABLE: &str = "LSINFRA_HELM";
/// The variable that names a folder of chart archives.
const CHARTS_VARIABLE: &str = "LSINFRA_CHARTS";
/// The oldest version that is used: helm 4 knows `--rollback-on-failure`, server-side apply and labels of releases.
/// <https://helm.sh/docs/overview>
pub(crate) const LEAST_VERSION: &str = "4.0";
const LEAST_MAJOR: u32 = 4;
/// How much of an unknown program's answer is shown, in characters.
const SHOWN_ANSWER: usize = 80;
/// How much of what helm complains of is shown, in characters.
const SHOWN_COMPLAINT: usize = 4000;
/// What downloads need of the environment: the way out of this host's network.
const NETWORK_VARIABLES: [&str; 8] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// The helm program and where charts come from. It is looked at when it is first needed.
pub struct Helm {
    program: Option<PathBuf>,
    /// A folder of chart archives in the place of all repositories.
    pub(crate) charts: Option<PathBuf>,
    /// Where downloaded charts and the locks of running programs are kept.
    pub(crate) cache: PathBuf,
    version: OnceCell<String>,
}

impl Helm {
    /// The program that `LSINFRA_HELM` names, or the one on `PATH`, or else `fallback`; and charts of the folder that
    /// `LSINFRA_CHARTS` names, or of their repositories.
    pub fn from_environment(fallback: Option<PathBuf>) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = set("PATH").unwrap_or_default();
        let program = match set(PROGRAM_VARIABLE) {
            Some(named) => Some(named_program(&named, &path)),
            None => on_path(OsStr::new("helm"), &path).or(fallback),
        };
        let absolute = |name: &str| set(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
        let cache = cache.unwrap_or_else(std::env::temp_dir).join("lsinfra").join("helm");
        // Helm runs in folders of its own.
        let charts = set(CHARTS_VARIABLE).map(|folder| absolute_path(Path::new(&folder)));
        Self::new(program, charts, cache)
    }

    /// That program, charts of that folder or else of their repositories, and a folder to keep downloads in.
    pub fn new(program: Option<PathBuf>, charts: Option<PathBuf>, cache: PathBuf) -> Self {
        Self { program, charts, cache, version: OnceCell::new() }
    }

    /// The program's version, such as `4.3.1`.
    ///
    /// # Errors
    /// [`HelmError::Missing`], [`HelmError::NotRun`], [`HelmError::TooOld`] or [`HelmError::NoHelm`].
    pub async fn check(&self) -> Result<&str, HelmError> {
        let version = self.version.get_or_try_init(|| async {
            let program = self.program()?.to_owned();
            let ended = self.folder()?.run(&program, "version", vec!["--short".into()]).await?;
            read_version(&program, &ended)
        });
        Ok(version.await?)
    }

    fn program(&self) -> Result<&Path, HelmError> {
        self.program.as_deref().ok_or(HelmError::Missing)
    }

    /// A folder for one task with helm.
    pub(crate) fn folder(&self) -> Result<HelmFolder, HelmError> {
        HelmFolder::new()
    }

    /// Runs a subcommand that ends by itself in no time, and returns what it writes.
    ///
    /// # Errors
    /// [`HelmError`]; [`HelmError::Refused`] if it fails.
    pub(crate) async fn run(
        &self,
        folder: &HelmFolder,
        command: &'static str,
        args: Vec<OsString>,
    ) -> Result<String, HelmError> {
        self.check().await?;
        let ended = folder.run(self.program()?, command, args).await?;
        finished(command, ended)
    }

    /// Starts a subcommand that may take long, whose output is where `lock` is.
    ///
    /// # Errors
    /// [`HelmError`].
    pub(crate) async fn start(
        &self,
        folder: &HelmFolder,
        command: &'static str,
        args: Vec<OsString>,
        lock: OutputLock,
    ) -> Result<Running, HelmError> {
        self.check().await?;
        let program = self.program()?;
        let guarded = folder.spawn(program, command, args, lock);
        let guarded = guarded.map_err(|source| HelmError::NotRun { program: program.to_owned(), source })?;
        Ok(Running { guarded, command })
    }
}

/// A subcommand under way; dropping it kills it.
pub(crate) struct Running {
    guarded: Guarded,
    command: &'static str,
}

impl Running {
    /// Waits until it ends, and returns what it wrote. To stop waiting changes nothing.
    ///
    /// # Errors
    /// [`HelmError::Refused`] if it failed.
    pub(crate) async fn ended(&mut self) -> Result<String, HelmError> {
        let ended = self.guarded.ended().await.map_err(HelmError::file(self.command))?;
        finished(self.command, ended)
    }
}

fn finished(command: &'static str, ended: Ended) -> Result<String, HelmError> {
    if ended.status.success() {
        return Ok(ended.output);
    }
    Err(HelmError::Refused { command, message: complaint(&ended) })
}

/// What helm complains of. Output beside it may be a manifest, which is not repeated.
fn complaint(ended: &Ended) -> String {
    // As shells tell what a signal has ended.
    if let Some(signal) = ended.status.code().and_then(|code| code.checked_sub(128)).filter(|code| *code > 0)
    {
        return format!("it was killed (signal {signal})");
    }
    let is_noise = |line: &&str| line.is_empty() || line.starts_with("level=") || line.starts_with("WARNING");
    let lines: Vec<&str> = ended.errors.lines().map(str::trim_end).filter(|line| !is_noise(line)).collect();
    let text = lines.join("\n");
    let text = text.strip_prefix("Error: ").unwrap_or(&text);
    match text.is_empty() {
        true => format!("it ended with {}", ended.status),
        false => text.chars().take(SHOWN_COMPLAINT).collect(),
    }
}

fn read_version(program: &Path, ended: &Ended) -> Result<String, HelmError> {
    let first = ended.output.lines().next().unwrap_or_default().trim();
    let version = first.strip_prefix('v').map(|text| text.split('+').next().unwrap_or_default());
    let major = version.and_then(|text| text.split('.').next()?.parse::<u32>().ok());
    match (version, major) {
        (Some(version), Some(major)) if ended.status.success() && major >= LEAST_MAJOR => {
            Ok(version.to_owned())
        }
        (Some(version), Some(_)) if ended.status.success() => {
            Err(HelmError::TooOld { program: program.to_owned(), version: version.to_owned() })
        }
        _ => {
            let said = if first.is_empty() { complaint(ended) } else { first.to_owned() };
            let answer = said.chars().take(SHOWN_ANSWER).collect();
            Err(HelmError::NoHelm { program: program.to_owned(), answer })
        }
    }
}

/// The program that a user names: a file, or a name that is looked for like any other.
fn named_program(named: &OsStr, path: &OsStr) -> PathBuf {
    let is_file = Path::new(named).components().count() > 1;
    let found = if is_file { None } else { on_path(named, path) };
    found.unwrap_or_else(|| absolute_path(Path::new(named)))
}

fn absolute_path(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The first file of that name on `PATH` that can be run.
fn on_path(name: &OsStr, path: &OsStr) -> Option<PathBuf> {
    let is_program = |file: &PathBuf| {
        std::fs::metadata(file).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(path).map(|folder| absolute_path(&folder.join(name))).find(is_program)
}

/// A folder for one task with helm, of this user alone, which goes when the task ends.
pub(crate) struct HelmFolder(TempDir);

impl HelmFolder {
    fn new() -> Result<Self, HelmError> {
        let own = PermissionsExt::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("lsinfra-helm-").permissions(own).tempdir();
        Ok(Self(folder.map_err(HelmError::file(std::env::temp_dir()))?))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file that only this user may read, and returns where it is. A file that is there is replaced at once,
    /// so that a helm that reads it meanwhile sees the one or the other.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, HelmError> {
        let (path, new) = (self.path().join(name), self.path().join(format!("{name}.new")));
        let mut options = std::fs::OpenOptions::new();
        let file = options.create(true).truncate(true).write(true).mode(0o600).open(&new);
        let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
        written.and_then(|()| std::fs::rename(&new, &path)).map_err(HelmError::file(&path))?;
        Ok(path)
    }

    /// Writes values for a chart. JSON is YAML, too.
    pub(crate) fn write_values(&self, values: &Value) -> Result<PathBuf, HelmError> {
        // Secrets and unknowns have no plain form: inputs with them do not get here.
        self.write("values.json", &values.to_plain_json().unwrap_or_default().to_string())
    }

    fn spawn(
        &self,
        program: &Path,
        command: &'static str,
        args: Vec<OsString>,
        lock: OutputLock,
    ) -> std::io::Result<Guarded> {
        let folder = self.path();
        let mut environment: Vec<(&'static str, OsString)> = vec![
            ("HOME", folder.into()),
            ("HELM_CACHE_HOME", folder.join("cache").into()),
            ("HELM_CONFIG_HOME", folder.join("config").into()),
            ("HELM_DATA_HOME", folder.join("data").into()),
            ("HELM_PLUGINS", folder.join("plugins").into()),
            // Where a task has a cluster, its kubeconfig is there; elsewhere there is none.
            ("KUBECONFIG", folder.join(KUBECONFIG).into()),
        ];
        // The way to a cluster is straight, as it is for all other calls.
        let passed: &[&'static str] = if command == "pull" { &NETWORK_VARIABLES } else { &[] };
        let names = ["PATH", "TMPDIR"].iter().chain(passed);
        environment.extend(names.filter_map(|name| Some((*name, std::env::var_os(name)?))));
        let args = std::iter::once(OsString::from(command)).chain(args).collect();
        Guarded::spawn(Program { path: program, args, environment, folder }, lock)
    }

    async fn run(
        &self,
        program: &Path,
        command: &'static str,
        args: Vec<OsString>,
    ) -> Result<Ended, HelmError> {
        let not_run = |source| HelmError::NotRun { program: program.to_owned(), source };
        let output = tempfile::Builder::new().prefix("output-").tempfile_in(self.path());
        let output = output.map_err(HelmError::file(self.path()))?;
        if !program.is_file() {
            return Err(not_run(std::io::ErrorKind::NotFound.into()));
        }
        let lock = OutputLock::take(output.path()).map_err(HelmError::file(output.path()))?;
        // Nobody else knows the file.
        let lock = lock.ok_or_else(|| not_run(std::io::ErrorKind::ResourceBusy.into()))?;
        let mut guarded = self.spawn(program, command, args, lock).map_err(not_run)?;
        guarded.ended().await.map_err(not_run)
    }
}

/// The name of the kubeconfig in a [`HelmFolder`].
pub(crate) const KUBECONFIG: &str = "kubeconfig";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A program that answers like helm, or not.
    fn fake(folder: &Path, script: &str) -> Helm {
        let program = folder.join("helm");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        Helm::new(Some(program), None, folder.join("cache"))
    }

    async fn checked(script: &str) -> Result<String, HelmError> {
        let folder = tempfile::tempdir().unwrap();
        fake(folder.path(), script).check().await.map(str::to_owned)
    }

    #[tokio::test]
    async fn the_version_is_that_of_helm_4_or_later() {
        assert_eq!(checked("echo v4.3.1").await.unwrap(), "4.3.1");
        assert_eq!(checked("echo v5.0.0-rc.1+g1234").await.unwrap(), "5.0.0-rc.1");
        let error = checked("echo v3.19.0+g3d8990f").await.unwrap_err();
        assert!(matches!(&error, HelmError::TooOld { version, .. } if version == "3.19.0"), "{error}");
        assert!(error.to_string().contains("https://helm.sh/docs/intro/install"), "{error}");
        for script in ["echo hello", "exit 1", "echo v4.3.1; exit 1"] {
            let error = checked(script).await.unwrap_err();
            assert!(matches!(error, HelmError::NoHelm { .. }), "{script}: {error}");
        }
    }

    #[test]
    fn a_program_is_named_by_its_file_or_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        fake(folder.path(), "");
        let (helm, path) = (folder.path().join("helm"), folder.path().as_os_str());
        assert_eq!(on_path(OsStr::new("helm"), path).as_ref(), Some(&helm));
        assert_eq!(on_path(OsStr::new("helm4"), path), None);
        std::fs::set_permissions(&helm, PermissionsExt::from_mode(0o644)).unwrap();
        assert_eq!(on_path(OsStr::new("helm"), path), None, "it cannot be run");
        assert_eq!(named_program(OsStr::new("/opt/helm"), path), Path::new("/opt/helm"));
        let relative = named_program(OsStr::new("bin/helm"), path);
        assert!(relative.is_absolute() && relative.ends_with("bin/helm"), "{relative:?}");
    }

    #[tokio::test]
    async fn a_missing_program_is_told_apart_from_one_that_cannot_be_run() {
        let none = Helm::new(None, None, PathBuf::new());
        assert!(matches!(none.check().await, Err(HelmError::Missing)));
        let gone = Helm::new(Some("/nowhere/helm".into()), None, PathBuf::new());
        assert!(matches!(gone.check().await, Err(HelmError::NotRun { .. })));
    }

    #[tokio::test]
    async fn nothing_of_the_users_environment_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let helm = fake(folder.path(), "[ \"$1\" = version ] && echo v4.0.0 || env");
        let task = helm.folder().unwrap();
        let seen = helm.run(&task, "template", Vec::new()).await.unwrap();
        let names: Vec<&str> = seen.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        let known = ["PATH", "TMPDIR", "HOME", "KUBECONFIG", "PWD", "OLDPWD", "SHLVL", "_"];
        let unknown = names.iter().find(|name| !known.contains(name) && !name.starts_with("HELM_"));
        assert_eq!(unknown, None, "{seen}");
        let outside = seen
            .lines()
            .find(|line| line.starts_with("HELM_") && !line.contains(task.path().to_str().unwrap()));
        assert_eq!(outside, None);
    }

    #[tokio::test]
    async fn files_are_the_users_own_and_go_with_the_task() {
        let helm = Helm::new(None, None, PathBuf::new());
        let task = helm.folder().unwrap();
        let file = task.write("token", "hunter2").unwrap();
        task.write("token", "again").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "again");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(task.path()).unwrap().permissions().mode() & 0o777, 0o700);
        drop(task);
        assert!(!file.exists());
    }

    #[tokio::test]
    async fn a_failure_says_why_without_the_output() {
        let folder = tempfile::tempdir().unwrap();
        let script = "[ \"$1\" = version ] && echo v4.0.0 && exit\necho secret\necho 'level=WARN x' >&2\n\
                      echo 'Error: no such chart' >&2\nexit 1";
        let helm = fake(folder.path(), script);
        let error = helm.run(&helm.folder().unwrap(), "show", Vec::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "helm show: no such chart");
    }
}
