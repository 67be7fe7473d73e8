//! A project folder of its own for each scenario, with a home folder beside it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use lsinfra_sandbox::Binaries;
use tempfile::TempDir;

use crate::binary::lsinfra;
use crate::environment_file::EnvironmentFile;
use crate::invocation::Invocation;

/// A folder in which a user runs `lsinfra`. It goes with the value.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    keeps_state_in_folder: bool,
    has_kubernetes: bool,
    /// The folder of the charts that are installed in its cluster.
    charts: Option<PathBuf>,
}

/// The commands that can leave something out.
const OPERATIONS: [&str; 4] = ["up", "preview", "destroy", "refresh"];

/// Where a project's state is that is kept in its folder.
pub const STATE_FOLDER: &str = "state";

impl Project {
    /// A folder with one environment, `dev`.
    pub fn new(file: &EnvironmentFile) -> Self {
        let folder = tempfile::Builder::new().prefix("lsinfra-").tempdir().unwrap();
        let project = Self { folder, keeps_state_in_folder: false, has_kubernetes: false, charts: None };
        for folder in ["home", "project/environments"] {
            std::fs::create_dir_all(project.folder.path().join(folder)).unwrap();
        }
        project.write(file);
        project
    }

    /// The same with its state in [`STATE_FOLDER`] below its folder, instead of the account's bucket.
    pub fn with_state_in_folder(file: &EnvironmentFile) -> Self {
        Self { keeps_state_in_folder: true, ..Self::new(file) }
    }

    /// The same, in which operations take in what runs in the cluster.
    pub fn with_kubernetes(file: &EnvironmentFile) -> Self {
        Self { has_kubernetes: true, ..Self::new(file) }
    }

    /// The same, whose cluster runs what the charts of a folder install.
    ///
    /// # Panics
    /// If there are no programs to run one.
    pub fn with_charts(file: &EnvironmentFile, charts: PathBuf) -> Self {
        let project = Self { charts: Some(charts), ..Self::with_kubernetes(file) };
        // What is built for all sandboxes of a user is in their home folder, and this is another one.
        let programs = Binaries::installed().unwrap();
        let built = programs.folder().ancestors().nth(2).unwrap();
        let cache = project.folder.path().join("home/.cache/lsinfra");
        std::fs::create_dir_all(&cache).unwrap();
        std::os::unix::fs::symlink(built, cache.join("kubernetes")).unwrap();
        project
    }

    /// Whether its cluster runs what charts install.
    pub fn has_cluster(&self) -> bool {
        self.charts.is_some()
    }

    /// Replaces the environment's file.
    pub fn write(&self, file: &EnvironmentFile) {
        self.write_text(&file.to_string());
    }

    /// Replaces the environment's file by any text.
    pub fn write_text(&self, text: &str) {
        std::fs::write(self.path().join("environments/dev.toml"), text).unwrap();
    }

    /// The present folder of the user.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// A file's contents, relative to the folder.
    pub fn read(&self, file: impl AsRef<Path>) -> String {
        let path = self.path().join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Every file below a folder, relative to the project's, with its contents; in order.
    pub fn files(&self, folder: impl AsRef<Path>) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let contents = std::fs::read(&path).unwrap();
                    files.push((path.strip_prefix(self.path()).unwrap().to_owned(), contents));
                }
            }
        }
        files.sort();
        files
    }

    /// A command line for `lsinfra` in this folder: no environment variables but the home folder and what finds programs,
    /// no terminal. Operations leave out what runs in the cluster, unless the project is made with it.
    pub fn lsinfra<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Invocation {
        let mut args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let is_operation = args.first().is_some_and(|command| OPERATIONS.iter().any(|name| command == name));
        if is_operation && !self.has_kubernetes {
            args.extend(["--skip", "kubernetes"].map(OsString::from));
        }
        let invocation = Invocation::new(lsinfra(), self.path(), args);
        let invocation = match self.keeps_state_in_folder {
            true => invocation.environment("LSINFRA_STATE", format!("file://{STATE_FOLDER}")),
            false => invocation,
        };
        let invocation = match &self.charts {
            Some(charts) => invocation.environment("LSINFRA_CHARTS", charts),
            None => invocation,
        };
        invocation
            .environment("HOME", self.folder.path().join("home"))
            .environment("PATH", std::env::var_os("PATH").unwrap_or_default())
            .environment("USER", "scenario")
            .environment("RUST_BACKTRACE", "1")
            // No scenario may reach for a network that is not there.
            .environment("AWS_EC2_METADATA_DISABLED", "true")
    }

    /// `lsinfra COMMAND --env dev --sandbox`, and more arguments.
    pub fn sandboxed<'a>(&self, command: &'a [&'a str]) -> Invocation {
        self.lsinfra(command.iter().copied().chain(["--env", "dev", "--sandbox"]))
    }
}
