//! Exit codes: one meaning each, the same for every command.

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitCode {
    /// Done, or there was nothing to do.
    Done = 0,
    /// It failed: some of it may have been done.
    Failed = 1,
    /// Wrong usage or configuration, wrong account or no credentials: nothing was done.
    Usage = 2,
    /// `preview --exit-code`: changes are pending.
    ChangesPending = 3,
    /// Another run holds the environment's lock.
    Locked = 4,
    /// Everything else was done, but a check did not pass.
    CheckFailed = 5,
    /// Stopped on request: by a signal, or by a "no" to the question whether to go on.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// The table for the help text.
pub(crate) const EXIT_CODES_HELP: &str = "\
Exit codes:
  0    done, or nothing to do
  1    failed; the same command goes on where it stopped
  2    wrong usage or configuration, wrong account, no credentials
  3    changes are pending (preview --exit-code)
  4    another run holds the lock
  5    a check failed
  130  interrupted";
