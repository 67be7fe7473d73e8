//! What can go wrong between this process and helm, before a cluster is asked.

use std::path::PathBuf;

use lsinfra_engine::provider::{ErrorKind, ProviderError};

use crate::helm::program::{LEAST_VERSION, PROGRAM_VARIABLE};

/// How to get the program, for messages.
const INSTALL: &str = "install it from https://helm.sh/docs/intro/install";

/// Helm, a chart or what helm says cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HelmError {
    /// There is no such program.
    #[error("there is no helm on PATH: {INSTALL}, or name it with {PROGRAM_VARIABLE}")]
    Missing,
    /// The named program cannot be run.
    #[error("{} cannot be run: {source}", program.display())]
    NotRun {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The program is too old.
    #[error(
        "{} is helm {version}, and {LEAST_VERSION} is the oldest that lsinfra works with: {INSTALL}, or name another one \
         with {PROGRAM_VARIABLE}",
        program.display()
    )]
    TooOld {
        /// The program.
        program: PathBuf,
        /// What it says it is.
        version: String,
    },
    /// The program says something that no helm says.
    #[error("{} does not answer as helm does: {answer}", program.display())]
    NoHelm {
        /// The program.
        program: PathBuf,
        /// The beginning of what it says.
        answer: String,
    },
    /// Its files cannot be written or read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended with an error of its own.
    #[error("helm {command}: {message}")]
    Refused {
        /// The subcommand, such as `upgrade`.
        command: &'static str,
        /// What it says.
        message: String,
    },
    /// The chart is not where it should be.
    #[error("there is no {}: LSINFRA_CHARTS names the folder that charts are read from", path.display())]
    NoChart {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The chart is another one than the declared one.
    #[error("the chart {chart} has the digest {found}, and {expected} is declared: it is not used")]
    OtherDigest {
        /// Name and version.
        chart: String,
        /// `sha256:…` of what was found.
        found: String,
        /// `sha256:…` that was expected.
        expected: String,
    },
    /// The chart of a version changed since that version was installed.
    #[error(
        "the chart {chart} is not the one that was installed under that version (its digest is {found}, and was {recorded}…): \
         somebody has put another one in its place; choose another version, or find out who did"
    )]
    ChangedChart {
        /// Name and version.
        chart: String,
        /// `sha256:…` of what was found.
        found: String,
        /// The beginning of the digest on record.
        recorded: String,
    },
    /// What was rendered is no manifest. What it is, is not repeated: secrets may be in it.
    #[error("what the chart renders to is no manifest: {problem}")]
    Manifest {
        /// What is wrong with it.
        problem: String,
    },
}

impl HelmError {
    /// A file that cannot be used, as an error.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

impl From<HelmError> for ProviderError {
    fn from(error: HelmError) -> Self {
        Self::new(ErrorKind::Invalid, error.to_string())
    }
}
