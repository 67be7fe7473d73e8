//! What can go wrong with a sandbox as a process and as files. Errors that AWS would answer with live in `protocol`.

use std::path::PathBuf;
use std::time::Duration;

/// A sandbox could not be started, found, asked or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or a socket could not be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Another process serves the folder.
    #[error("the sandbox folder {} is served by another process", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The account's file was written by a newer release.
    #[error(
        "{} has format {found}, and this release reads formats up to {known}; use the newer release, or empty the sandbox with `lsinfra sandbox reset`",
        file.display()
    )]
    NewerFormat {
        /// The file.
        file: PathBuf,
        /// The format that it has.
        found: u32,
        /// The newest format that this release reads.
        known: u32,
    },
    /// The account's file is damaged before its last record.
    #[error("{} is damaged at byte {offset}: {reason}; empty the sandbox with `lsinfra sandbox reset`", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it, counted in bytes.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The speed-up is not a number above zero.
    #[error("the pace must be a number above zero, not {speed}")]
    Pace {
        /// What was given.
        speed: f64,
    },
    /// The account is not twelve digits.
    #[error("an AWS account id has twelve digits, which {account:?} has not")]
    Account {
        /// What was given.
        account: String,
    },
    /// A process that was started in the background did not answer in time.
    #[error("the sandbox did not answer within {waited:?}; its output is in {}", log.display())]
    NotStarted {
        /// How long was waited.
        waited: Duration,
        /// Where its output went.
        log: PathBuf,
    },
    /// A process that was asked to stop still holds the folder.
    #[error("the sandbox process {pid} did not stop within {waited:?}")]
    NotStopped {
        /// The process.
        pid: u32,
        /// How long was waited.
        waited: Duration,
    },
    /// The control endpoint answered with something else than what was asked for.
    #[error("the sandbox answered {path} with {status}: {body}")]
    Control {
        /// The path that was asked for.
        path: String,
        /// The HTTP status.
        status: u16,
        /// What came with it.
        body: String,
    },
}
