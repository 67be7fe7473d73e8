//! Error codes: each names one kind of problem for good, and has a page in `docs/errors/`.

use lsinfra_resources::kubernetes;

use crate::exit_code::ExitCode;

/// Defines the codes; each names its page once.
macro_rules! error_codes {
    ($($(#[doc = $text:literal])* $name:ident = $code:literal, $exit:ident;)*) => {
        /// What went wrong, as far as a person must act differently.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum ErrorCode {
            $($(#[doc = $text])* $name,)*
        }

        impl ErrorCode {
            /// Every code.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as shown, such as `LS0101`.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The exit code of a command that ends with it.
            pub(crate) fn exit_code(self) -> ExitCode {
                match self { $(Self::$name => ExitCode::$exit,)* }
            }

            /// Its page, in Markdown.
            pub(crate) fn page(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("../../../docs/errors/", $code, ".md")),)*
                }
            }
        }
    };
}

error_codes! {
    /// The configuration file is not there or cannot be read.
    ConfigUnreadable = "LS0101", Usage;
    /// The configuration file has problems.
    ConfigInvalid = "LS0102", Usage;
    /// A question would have to be asked, but nobody can answer.
    NotInteractive = "LS0103", Usage;
    /// A target or another named resource is unknown or ambiguous.
    UnknownResource = "LS0104", Usage;
    /// A saved plan cannot be read, or was made for something else.
    PlanUnusable = "LS0105", Usage;
    /// The value of `--state` is no place for state.
    StateLocation = "LS0106", Usage;
    /// `explain` was asked for a code that there is not.
    NoSuchCode = "LS0107", Usage;
    /// `outputs` was asked for an output that there is not.
    UnknownOutput = "LS0108", Usage;
    /// The stack declares something impossible.
    StackInvalid = "LS0109", Usage;
    /// A file that was asked for cannot be written.
    FileUnwritable = "LS0110", Failed;
    /// `history show`, `state diff` or `state restore` was asked for a serial that there is not.
    UnknownOperation = "LS0111", Usage;
    /// Given secrets cannot be used.
    SecretsUnusable = "LS0112", Usage;
    /// What is recorded of Kubernetes would be left out.
    KubernetesRecorded = "LS0113", Usage;

    /// There are no AWS credentials.
    NoCredentials = "LS0201", Usage;
    /// The AWS credentials have expired.
    CredentialsExpired = "LS0202", Usage;
    /// The credentials belong to another account.
    WrongAccount = "LS0203", Usage;
    /// AWS did not say whose credentials these are.
    IdentityUnknown = "LS0204", Usage;
    /// What should give the credentials did not.
    CredentialsUnobtainable = "LS0205", Usage;

    /// Another run holds the lock.
    Locked = "LS0301", Locked;
    /// State cannot be read or written.
    StateUnavailable = "LS0302", Failed;
    /// What is stored is damaged.
    StateDamaged = "LS0303", Failed;
    /// What is stored was written by a newer version.
    StateNewer = "LS0304", Failed;
    /// Another run wrote the state meanwhile.
    StateMoved = "LS0305", Failed;
    /// The state describes other objects.
    StateLineage = "LS0306", Failed;
    /// The state belongs to another account, region or sandbox.
    WrongHome = "LS0307", Usage;
    /// The state belongs to another environment.
    WrongEnvironment = "LS0308", Usage;
    /// The journal became unwritable in the middle.
    JournalLost = "LS0309", Failed;
    /// The journal does not fit the snapshot.
    JournalMismatch = "LS0310", Failed;
    /// Recorded values cannot be brought to the present version.
    Migration = "LS0311", Failed;
    /// Nothing is recorded for the environment.
    NoState = "LS0312", Failed;
    /// Recorded resources depend on what was to be forgotten.
    StillNeeded = "LS0313", Usage;
    /// A resource cannot go on under that URN.
    RenameImpossible = "LS0314", Usage;
    /// A file that was to be recorded is no snapshot, or an unsound one.
    SnapshotUnusable = "LS0315", Usage;
    /// A file that was to be recorded was made from another serial.
    SerialDiffers = "LS0316", Failed;
    /// An interrupted operation must be finished first.
    OperationUnfinished = "LS0317", Failed;
    /// The state was moved to another place.
    StateMovedAway = "LS0325", Failed;
    /// The place that state is to be moved to has a state of its own.
    StateOccupied = "LS0326", Failed;
    /// The bucket or the table for state is not there.
    NoStateStore = "LS0318", Failed;
    /// An earlier snapshot is not kept any more.
    SnapshotNotKept = "LS0319", Failed;
    /// What is recorded is as no operation leaves it.
    StateImpossible = "LS0320", Failed;

    /// Inputs are invalid.
    InputsInvalid = "LS0401", Usage;
    /// The plan would delete or replace protected resources.
    Protected = "LS0402", Usage;
    /// No provider serves a resource type.
    UnknownType = "LS0403", Failed;
    /// A call that planning needs failed.
    PlanningCall = "LS0404", Failed;
    /// The plan's steps wait for each other.
    PlanCycle = "LS0405", Failed;
    /// More would be done than was approved.
    ExceedsApproved = "LS0406", Failed;
    /// The approved plan was made from another state.
    StalePlan = "LS0407", Failed;
    /// Objects cannot be imported.
    ImportRefused = "LS0408", Failed;
    /// The plan would change what other things rely on.
    BreaksReliance = "LS0409", Usage;
    /// Secrets that the plan needs are not given.
    SecretsNotGiven = "LS0410", Usage;
    /// An environment of the same name is recorded under another stack or in another region.
    RecordedElsewhere = "LS0411", Usage;
    /// The helm program is missing or too old.
    HelmUnusable = "LS0412", Usage;
    /// A chart of the plan cannot be had.
    ChartUnavailable = "LS0413", Usage;

    /// Some steps failed.
    StepsFailed = "LS0501", Failed;
    /// A check did not pass.
    CheckFailed = "LS0502", CheckFailed;
    /// Stopped on request.
    Interrupted = "LS0503", Interrupted;
    /// AWS does not know an object.
    ObjectNotFound = "LS0511", Failed;
    /// A name is taken.
    NameTaken = "LS0512", Failed;
    /// Calls were refused for their rate.
    Throttled = "LS0513", Failed;
    /// There was no clear answer.
    NoClearAnswer = "LS0514", Failed;
    /// Something else still uses the object.
    InUse = "LS0515", Failed;
    /// A permission is missing.
    Denied = "LS0516", Failed;
    /// A quota is exhausted.
    QuotaExhausted = "LS0517", Failed;
    /// A request was refused as wrong.
    RequestInvalid = "LS0518", Failed;
    /// AWS gave a new object up.
    CreationFailed = "LS0519", Failed;
    /// A wait took too long.
    TimedOut = "LS0520", Failed;
    /// Nobody answers where a cluster is.
    ClusterUnreachable = "LS0521", Failed;
    /// A cluster does not answer in time.
    ClusterSlow = "LS0522", Failed;
    /// A cluster does not know the caller.
    ClusterUnauthorized = "LS0523", Failed;
    /// Who answers is not the cluster.
    ClusterUntrusted = "LS0524", Failed;

    /// The sandbox cannot be started or does not answer.
    SandboxUnavailable = "LS0601", Failed;
    /// The sandbox's configuration is wrong.
    SandboxOptions = "LS0602", Usage;
    /// The sandbox's Kubernetes cannot be built.
    SandboxKubernetes = "LS0603", Failed;

    /// A defect of `lsinfra`.
    Internal = "LS0901", Failed;
}

impl ErrorCode {
    /// The code of that name, in any case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text.trim()))
    }

    /// The code of what is said of a cluster by a code of its own.
    pub(crate) fn of_cluster(code: Option<&str>) -> Option<Self> {
        Some(match code? {
            kubernetes::UNREACHABLE => Self::ClusterUnreachable,
            kubernetes::SLOW => Self::ClusterSlow,
            kubernetes::UNTRUSTED => Self::ClusterUntrusted,
            kubernetes::UNAUTHORIZED => Self::ClusterUnauthorized,
            _ => return None,
        })
    }

    /// The code of a failed step, from the kind of its error and the service's own code in events and reports.
    pub(crate) fn of_step_error(kind: &str, code: Option<&str>) -> Self {
        if let Some(code) = Self::of_cluster(code) {
            return code;
        }
        match kind {
            "not_found" => Self::ObjectNotFound,
            "already_exists" => Self::NameTaken,
            "throttled" => Self::Throttled,
            "unclear" => Self::NoClearAnswer,
            "conflict" => Self::InUse,
            "denied" => Self::Denied,
            "credentials_expired" => Self::CredentialsExpired,
            "limit_exceeded" => Self::QuotaExhausted,
            "invalid" => Self::RequestInvalid,
            "creation_failed" => Self::CreationFailed,
            "timed_out" => Self::TimedOut,
            "abandoned" => Self::Interrupted,
            "check_failed" => Self::CheckFailed,
            _ => Self::StepsFailed,
        }
    }

    /// The title of its page, without the code.
    pub(crate) fn title(self) -> &'static str {
        let first = self.page().lines().next().unwrap_or_default();
        first.split_once(": ").map_or(first, |(_, title)| title)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use lsinfra_engine::provider::ErrorKind;

    use super::*;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors");
        let pages: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "README.md")
            .collect();
        let codes: BTreeSet<String> =
            ErrorCode::ALL.iter().map(|code| format!("{}.md", code.as_str())).collect();
        assert_eq!(pages, codes);
    }

    #[test]
    fn pages_have_one_form() {
        for code in ErrorCode::ALL {
            let page = code.page();
            assert!(page.starts_with(&format!("# {}: ", code.as_str())), "{}: title", code.as_str());
            let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
            assert_eq!(
                headings,
                ["## What it means", "## Common causes", "## What to do"],
                "{}: headings",
                code.as_str()
            );
            let exit = format!("Exit code: {}", code.exit_code() as u8);
            assert!(page.contains(&exit), "{}: {exit}", code.as_str());
            assert!(page.lines().all(|line| line.chars().count() <= 100), "{}: long line", code.as_str());
        }
    }

    #[test]
    fn the_list_of_pages_is_complete() {
        let list = include_str!("../../../docs/errors/README.md");
        for code in ErrorCode::ALL {
            let line = format!("- [{0}]({0}.md): {1}", code.as_str(), code.title());
            assert!(list.lines().any(|listed| listed == line), "missing: {line}");
        }
    }

    #[test]
    fn every_kind_of_step_error_has_a_code() {
        let kinds = [
            ErrorKind::NotFound,
            ErrorKind::AlreadyExists,
            ErrorKind::Throttled,
            ErrorKind::Unclear,
            ErrorKind::Conflict,
            ErrorKind::Denied,
            ErrorKind::CredentialsExpired,
            ErrorKind::LimitExceeded,
            ErrorKind::Invalid,
            ErrorKind::CreationFailed,
            ErrorKind::TimedOut,
            ErrorKind::Abandoned,
            ErrorKind::CheckFailed,
        ];
        for kind in kinds {
            assert_ne!(ErrorCode::of_step_error(kind.name(), None), ErrorCode::StepsFailed, "{kind:?}");
        }
    }

    #[test]
    fn codes_are_found_in_any_case() {
        assert_eq!(ErrorCode::parse(" ls0301 "), Some(ErrorCode::Locked));
        assert_eq!(ErrorCode::parse("LS9999"), None);
    }
}
