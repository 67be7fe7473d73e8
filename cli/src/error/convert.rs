//! Typed errors of the libraries become messages, hints and codes: here and nowhere else.

use std::collections::BTreeSet;

use lsinfra_engine::operation::OperationError;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::snapshot::EditError;
use lsinfra_engine::store::{Home, StoreError};
use lsinfra_engine::{GraphError, ImportProblem, Urn};
use lsinfra_resources::helm::HelmError;
use lsinfra_stacks::config::{ConfigError, InvalidConfig, Problem};
use lsinfra_stacks::langsmith::StackError;
use lsinfra_state::{EnvironmentNameError, MigrateError};

use crate::error::{Cloud, CommandError, ErrorCode, Place};
use crate::render::plural;

/// Of the program itself, before anything is done with it.
impl From<HelmError> for CommandError {
    fn from(error: HelmError) -> Self {
        Self::new(ErrorCode::HelmUnusable, error.to_string())
            .because(&error)
            .hint("install helm 4 (https://helm.sh/docs/intro/install), or name it with LSINFRA_HELM")
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match &error {
            StoreError::Locked { holder } => {
                let message = format!(
                    "another run holds the lock: `{}` by {} on {}, process {}, since {}",
                    holder.command,
                    holder.user,
                    holder.host,
                    holder.process_id,
                    holder.since.strftime("%Y-%m-%d %H:%M:%S UTC")
                );
                Self::new(ErrorCode::Locked, message)
                    .hint("wait for it to end; the lock frees itself when its process is gone")
            }
            StoreError::Io { source, .. } => {
                let hint = match source.kind() {
                    std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                        "make room on the disk, then run the same command again: what was done is in the journal beside it"
                    }
                    std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                        "make the folder writable for you, then run the same command again: what was done is in the journal"
                    }
                    _ => {
                        "make the place available again, then run the same command again: what was done is in the journal"
                    }
                };
                Self::new(ErrorCode::StateUnavailable, message).because(source).hint(hint)
            }
            StoreError::Call { location, source, .. } if source.kind == ErrorKind::NotFound => {
                let mut command =
                    Self::new(ErrorCode::NoStateStore, format!("there is no bucket or table for {location}"))
                        .because(&**source)
                        .hint("`lsinfra up` offers to make them, `lsinfra state bootstrap` makes them; or correct --state");
                command.cloud = Cloud { code: source.code.clone(), request_id: source.request_id.clone() };
                command
            }
            StoreError::Call { source, .. } => {
                let code = match (source.kind, &source.code) {
                    (ErrorKind::CredentialsExpired, Some(_)) => ErrorCode::CredentialsExpired,
                    (ErrorKind::CredentialsExpired, None) => ErrorCode::CredentialsUnobtainable,
                    _ => ErrorCode::StateUnavailable,
                };
                let hint = match source.kind {
                    ErrorKind::CredentialsExpired => {
                        "sign in (`aws sso login`), set AWS_PROFILE or keys; state is kept in the account, \
                         unless --state says otherwise"
                    }
                    ErrorKind::Denied => {
                        "check that bucket and table belong to the environment's account, and that these \
                         credentials may use them"
                    }
                    _ => "nothing is lost: run the same command again, which goes on from the journal",
                };
                let mut command = Self::new(code, message).because(&**source).hint(hint);
                command.cloud = Cloud { code: source.code.clone(), request_id: source.request_id.clone() };
                command
            }
            StoreError::LockLost { .. } => Self::new(ErrorCode::Locked, message)
                .hint("nothing is lost: what was done is in the journal; run the same command again"),
            StoreError::Damaged { location, reason } => {
                let mut command = Self::new(ErrorCode::StateDamaged, message);
                if location.ends_with("snapshot.json") {
                    command = command
                        .hint(
                            "`lsinfra state restore N` records once more what a serial says, the newest one if that can \
                             be had, and keeps what is there now; `lsinfra history` lists the serials",
                        )
                        .hint("`lsinfra state repair` tells what each problem means, if all of it can be read");
                }
                if let Some(hint) = journal_hint(location, reason) {
                    command = command.hint(hint);
                }
                command.hint(match location.starts_with("s3://") {
                    true => "nothing was overwritten, and the bucket keeps earlier versions of each object",
                    false => "nothing was overwritten: keep a copy of the folder before you change anything in it",
                })
            }
            StoreError::Moved { to, .. } => Self::new(ErrorCode::StateMovedAway, message)
                .hint(format!("name the place where it is now: --state {to}; the account's own bucket needs no --state")),
            StoreError::NewerFormat { .. } => Self::new(ErrorCode::StateNewer, message)
                .hint("use the version of lsinfra that wrote it, or a later one"),
            StoreError::SerialMoved { .. } => {
                Self::new(ErrorCode::StateMoved, message)
                    .hint("run the same command again; if an older snapshot was put back by hand, put the newest one back")
                    .hint("if that is lost: `lsinfra state restore N` records what an earlier serial says; `lsinfra history` lists them")
            }
            StoreError::LineageMismatch { .. } => Self::new(ErrorCode::StateLineage, message)
                .hint("check that --state names this environment's own state")
                .hint("if what is stored was changed: `lsinfra state restore N` records what an earlier serial says"),
        }
    }
}

impl From<OperationError> for CommandError {
    fn from(error: OperationError) -> Self {
        let message = error.to_string();
        match error {
            OperationError::Store(error) => error.into(),
            OperationError::JournalLost { location, in_flight, source } => {
                let details = in_flight.iter().map(|urn| format!("in flight: {urn}")).collect::<Vec<_>>();
                let message = format!("the journal at {location} could not be written, so the run stopped");
                Self::new(ErrorCode::JournalLost, message).details(details).because(&source).hint(
                    "nothing is lost: make the place writable again and run the same command, \
                     which finds what was in flight",
                )
            }
            OperationError::IllegalTransition(error) => {
                Self::new(ErrorCode::JournalMismatch, "the journal does not fit the snapshot").because(&error)
            }
            OperationError::JournalFollows { expected, journal, .. } => {
                Self::new(ErrorCode::OperationUnfinished, message)
                    .hint(format!(
                        "record serial {expected}, with `lsinfra state restore {expected}` or with a file that was \
                         pulled then: what the journal says is taken in"
                    ))
                    .hint(format!(
                        "if that is lost for good: move what is at {journal} elsewhere, record what you have, and look \
                         in AWS for what the operation made, by the tag lsinfra:environment"
                    ))
            }
            OperationError::JournalShorter { journal, .. } => Self::new(ErrorCode::OperationUnfinished, message)
                .hint(format!(
                    "what is at {journal} was cut, or is another operation's: put it back, then run the same command again"
                ))
                .hint(
                    "if it is lost for good: move what is there elsewhere, run the same command again, and look in AWS for \
                     what the operation made since, by the tag lsinfra:environment",
                ),
            OperationError::Impossible { findings } => {
                let findings_found = plural(findings.len(), "finding");
                let message = format!("what is recorded is as no operation leaves it: {findings_found}");
                Self::new(ErrorCode::StateImpossible, message)
                    .details(findings.iter().map(ToString::to_string))
                    .hint("`lsinfra state repair` tells what each of that means, and the way out")
            }
            OperationError::WrongHome { recorded, requested } => Self::new(
                ErrorCode::WrongHome,
                format!("this state belongs to {}, not to {}", home(&recorded), home(&requested)),
            )
            .hint(home_hint(&recorded, &requested)),
            OperationError::WrongEnvironment { .. } => Self::new(ErrorCode::WrongEnvironment, message)
                .hint("check --env and --state: each environment has its own state"),
            OperationError::InvalidInputs { problems } => {
                let details = problems
                    .iter()
                    .map(|(urn, problem)| format!("{urn}: {}: {}", problem.path, problem.message));
                Self::new(ErrorCode::InputsInvalid, plural(problems.len(), "invalid input")).details(details)
            }
            OperationError::ImportRefused { problems } => {
                let message = format!("{} cannot be imported", plural(problems.len(), "object"));
                let details = problems.iter().map(|(urn, id, problem)| format!("{urn}: {id}: {problem}"));
                let mut error = Self::new(ErrorCode::ImportRefused, message).details(details);
                for (_, _, problem) in &problems {
                    error = error.hint(import_hint(problem));
                }
                error
            }
            OperationError::Protected { urns, forced_by } => {
                let message =
                    format!("the plan would delete or replace {}", plural(urns.len(), "protected resource"));
                let flags: Vec<String> = urns.iter().map(|urn| format!("--unprotect {urn}")).collect();
                let details = urns.iter().map(|urn| match forced_by.get(urn) {
                    Some(paths) => format!("{urn}: replaced, because {} changes", paths.join(", ")),
                    None => urn.to_string(),
                });
                Self::new(ErrorCode::Protected, message)
                    .details(details)
                    .hint(format!("if that is really meant: {}", flags.join(" ")))
                    .hint("`lsinfra preview` with the same flags shows the whole plan")
            }
            OperationError::Objections { objections } => {
                let urns: BTreeSet<&Urn> = objections.iter().map(|(urn, _)| urn).collect();
                let flags: Vec<String> = urns.iter().map(|urn| format!("--unprotect {urn}")).collect();
                let details = objections
                    .iter()
                    .map(|(urn, problem)| format!("{urn}: {}: {}", problem.path, problem.message));
                let message =
                    format!("the plan would break what relies on {}", plural(urns.len(), "resource"));
                Self::new(ErrorCode::BreaksReliance, message)
                    .details(details.collect::<Vec<_>>())
                    .hint(format!("if that is really meant: {}", flags.join(" ")))
                    .hint("`lsinfra preview` with the same flags shows the whole plan")
            }
            OperationError::UnknownTarget { .. } => Self::new(ErrorCode::UnknownResource, message),
            OperationError::UnknownType { .. } => Self::new(ErrorCode::UnknownType, message)
                .hint("use the version of lsinfra that made the resource, or a later one"),
            OperationError::Migration { source, .. } => {
                Self::new(ErrorCode::Migration, message).because(&source)
            }
            OperationError::Provider { source, .. } => planning_call(message, &source),
            OperationError::PlanCycle { .. } => Self::new(ErrorCode::PlanCycle, message)
                .hint("this is a defect of planning: report it with this message"),
            OperationError::ExceedsApproved { .. } => Self::new(ErrorCode::ExceedsApproved, message)
                .hint("make a new plan with `preview --save-plan` and have it approved"),
            OperationError::PlanForElsewhere { planned, found } => Self::new(
                ErrorCode::WrongHome,
                format!("the approved plan is for {}, not for {}", home(&planned), home(&found)),
            )
            .hint("make a new plan with `preview --save-plan` and have it approved"),
            OperationError::StalePlan { .. } => Self::new(ErrorCode::StalePlan, message)
                .hint("make a new plan with `preview --save-plan` and have it approved"),
            OperationError::ReadOnly => Self::new(ErrorCode::Internal, message),
        }
    }
}

impl From<MigrateError> for CommandError {
    fn from(error: MigrateError) -> Self {
        let message = error.to_string();
        match error {
            MigrateError::Store(error) => error.into(),
            MigrateError::Nothing { .. } => {
                Self::new(ErrorCode::NoState, message).hint("check --from, and that it is this environment's")
            }
            MigrateError::Unfinished { .. } => Self::new(ErrorCode::OperationUnfinished, message)
                .hint("finish it there first, with `up` or `destroy` and --state as in --from"),
            MigrateError::Occupied { .. } => Self::new(ErrorCode::StateOccupied, message).hint(
                "nothing was changed; find out with `lsinfra state list` which of the two is the right one",
            ),
            MigrateError::Same { .. } => Self::new(ErrorCode::StateLocation, message)
                .hint("name the place that it is to be moved to with --state; --from is where it is now"),
        }
    }
}

impl From<EditError> for CommandError {
    fn from(error: EditError) -> Self {
        let message = error.to_string();
        match error {
            EditError::NotRecorded { .. } => Self::new(ErrorCode::UnknownResource, message),
            EditError::StillNeeded { dependants } => {
                let message = "other recorded resources depend on what is to be forgotten";
                let details =
                    dependants.iter().map(|(dependant, needed)| format!("{dependant} needs {needed}"));
                Self::new(ErrorCode::StillNeeded, message)
                    .details(details)
                    .hint("forget them in the same command, or let the stack no longer use it, then `up`")
            }
            EditError::OtherType { .. } => Self::new(ErrorCode::RenameImpossible, message)
                .hint("an object cannot become another type's: the types of both URNs must be the same"),
            EditError::Taken { .. } => Self::new(ErrorCode::RenameImpossible, message)
                .hint("`lsinfra state show` tells what is recorded there"),
        }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Read { file, source } => {
                let message = format!("cannot read the configuration {}", file.display());
                Self::new(ErrorCode::ConfigUnreadable, message).because(&source)
            }
            ConfigError::Invalid(InvalidConfig { file, problems }) => {
                let file = file.display().to_string();
                let message = format!("{file} has {}", plural(problems.len(), "problem"));
                let mut error = Self::new(ErrorCode::ConfigInvalid, message);
                error.places = problems.into_iter().map(|problem| place(&file, problem)).collect();
                error
            }
        }
    }
}

fn place(file: &str, problem: Problem) -> Place {
    let Problem { line, column, width_characters, source_line, path, message, help } = problem;
    // What the message or the line says already is not said again.
    let key = path.rsplit('.').next().unwrap_or_default();
    let is_named = message.contains(key) || source_line.contains(&path);
    Place {
        file: file.to_owned(),
        line,
        column,
        length: width_characters,
        source_line,
        message: if is_named { message } else { format!("{path}: {message}") },
        help,
    }
}

impl From<StackError> for CommandError {
    fn from(error: StackError) -> Self {
        match error {
            StackError::Imports(invalid) => ConfigError::Invalid(invalid).into(),
            error => Self::new(ErrorCode::StackInvalid, error.to_string()),
        }
    }
}

impl From<EnvironmentNameError> for CommandError {
    fn from(error: EnvironmentNameError) -> Self {
        Self::new(ErrorCode::StateLocation, error.to_string())
    }
}

impl From<GraphError> for CommandError {
    fn from(error: GraphError) -> Self {
        Self::new(ErrorCode::StackInvalid, error.to_string())
    }
}

impl CommandError {
    /// The operation was stopped before anything was changed.
    pub(crate) fn interrupted() -> Self {
        Self::new(ErrorCode::Interrupted, "stopped before anything was changed")
    }
}

/// The way out of a journal in a bucket that does not read back.
fn journal_hint(location: &str, reason: &str) -> Option<String> {
    let (bucket, key) = location.strip_prefix("s3://")?.split_once('/')?;
    if !key.contains("/journal/") || key.ends_with('/') {
        return None;
    }
    Some(match reason {
        "it is no batch of the journal" => {
            format!("nothing of lsinfra has that name: `aws s3 rm {location}` after you have looked at it")
        }
        _ => format!(
            "put back what the bucket has kept: `aws s3api list-object-versions --bucket {bucket} --prefix {key}` names \
             the versions, `aws s3api get-object --bucket {bucket} --key {key} --version-id ID FILE` gets one, \
             `aws s3 cp FILE {location}` puts it back"
        ),
    })
}

/// A call that planning needs failed. Credentials are the user's to mend, whatever was being done.
fn planning_call(message: String, error: &ProviderError) -> CommandError {
    let by_kind = match error.kind {
        ErrorKind::CredentialsExpired => ErrorCode::CredentialsExpired,
        ErrorKind::Denied => ErrorCode::Denied,
        ErrorKind::Throttled => ErrorCode::Throttled,
        _ => ErrorCode::PlanningCall,
    };
    let code = ErrorCode::of_cluster(error.code.as_deref()).unwrap_or(by_kind);
    let mut command = CommandError::new(code, message).because(error);
    command.cloud = Cloud { code: error.code.clone(), request_id: error.request_id.clone() };
    match error.kind {
        ErrorKind::CredentialsExpired => command.hint("sign in again, then run the same command"),
        ErrorKind::Throttled | ErrorKind::Unclear | ErrorKind::TimedOut => {
            command.hint("run the same command again; nothing was changed")
        }
        _ => command,
    }
}

/// `account 111122223333, region us-east-1 in a sandbox`.
fn home(home: &Home) -> String {
    let parts: Vec<String> = home
        .iter()
        .filter(|(key, _)| key.as_str() != crate::connection::HOME_SANDBOX)
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    let sandbox = crate::connection::is_in_sandbox(home);
    format!("{} in {}", parts.join(", "), if sandbox { "a sandbox" } else { "AWS" })
}

/// What to do about an object that cannot be imported.
fn import_hint(problem: &ImportProblem) -> &'static str {
    match problem {
        ImportProblem::Missing { .. } => {
            "check id, account and region; leave out an object that no longer exists"
        }
        ImportProblem::OwnsNothing => "leave it out: there is nothing to import for it",
        ImportProblem::HasObject { .. } | ImportProblem::Recorded { .. } => {
            "`lsinfra state show` tells what is recorded; `lsinfra state rm` forgets it and leaves the object"
        }
        ImportProblem::UnderCreation => "finish that with `lsinfra up` first",
        ImportProblem::Twice { .. } => "import each object for one resource",
        ImportProblem::OwnedElsewhere { .. } => {
            "let the other environment forget it with `lsinfra state rm`, then take its tags `lsinfra:…` off"
        }
        ImportProblem::NeedsReplacement { .. } => {
            "change the configuration until it says what the object has; \
             `lsinfra import` shows every difference and can record it all the same"
        }
        ImportProblem::PlaceUnknown => "let `lsinfra up` create what it lives in first",
    }
}

fn home_hint(recorded: &Home, requested: &Home) -> String {
    let sandbox = crate::connection::HOME_SANDBOX;
    if recorded.get(sandbox) != requested.get(sandbox) {
        return "give --sandbox exactly when the state belongs to a sandbox, or name another place with --state"
            .to_owned();
    }
    "check account and region in the configuration, or name another place with --state".to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;
    use std::path::Path;

    use lsinfra_engine::provider::InputProblem;
    use lsinfra_engine::store::LockHolder;
    use lsinfra_engine::{PhysicalId, Urn};
    use lsinfra_stacks::config::Config;

    use super::*;
    use crate::error::render;
    use crate::render::Paint;

    fn shown(error: impl Into<CommandError>) -> String {
        render(&error.into(), Paint::PLAIN)
    }

    fn urn(text: &str) -> Urn {
        text.parse().unwrap()
    }

    #[test]
    fn every_problem_of_a_configuration_is_shown_in_its_place() {
        let text = "profile = \"dev\"\naccount = 111122223333\nregion = \"us-west-2\"\n\n[network]\n\
                    cidr = \"10.0.0.0/8\"\nzonecount = 2\n";
        let error = Config::parse(Path::new("environments/dev.toml"), text).unwrap_err();
        insta::assert_snapshot!(shown(error));
    }

    #[test]
    fn a_file_that_is_no_toml() {
        let error = Config::parse(Path::new("environments/dev.toml"), "a = [1,\n").unwrap_err();
        insta::assert_snapshot!(shown(error));
    }

    #[test]
    fn a_held_lock_names_its_holder() {
        insta::assert_snapshot!(shown(StoreError::Locked {
            holder: Box::new(LockHolder {
                operation: uuid::Uuid::nil(),
                command: "up".to_owned(),
                user: "ada".to_owned(),
                host: "build-7".to_owned(),
                process_id: 4711,
                since: "2026-11-23T12:00:00Z".parse().unwrap(),
            }),
        }));
    }

    #[test]
    fn a_lost_journal_says_where_it_is_and_what_was_in_flight() {
        insta::assert_snapshot!(shown(OperationError::JournalLost {
            location: ".lsinfra/state/langsmith/dev/journal.jsonl".to_owned(),
            in_flight: vec![urn("network/aws:ec2:NatGateway/nat-1")],
            source: StoreError::Io {
                action: "write",
                location: ".lsinfra/state/langsmith/dev/journal.jsonl".to_owned(),
                source: std::io::Error::from(std::io::ErrorKind::StorageFull),
            },
        }));
    }

    #[test]
    fn a_wrong_home_says_whose_state_it_is() {
        let home = |account: &str, sandbox: &str| {
            BTreeMap::from(
                [("account", account), ("region", "us-east-1"), ("sandbox", sandbox)]
                    .map(|(key, value)| (key.to_owned(), value.to_owned())),
            )
        };
        insta::assert_snapshot!(shown(OperationError::WrongHome {
            recorded: home("111122223333", "true"),
            requested: home("111122223333", "false"),
        }));
        insta::assert_snapshot!(shown(OperationError::WrongHome {
            recorded: home("111122223333", "false"),
            requested: home("444455556666", "false"),
        }));
        insta::assert_snapshot!(shown(OperationError::PlanForElsewhere {
            planned: home("111122223333", "true"),
            found: home("111122223333", "false"),
        }));
    }

    #[test]
    fn what_would_break_is_said_with_the_way_out() {
        let breaks = "the value would be drawn anew, which breaks every API key";
        let problem = InputProblem { path: "generated.salt".to_owned(), message: breaks.to_owned() };
        insta::assert_snapshot!(shown(OperationError::Objections {
            objections: vec![(urn("aws:secretsmanager:Secret/app"), problem)],
        }));
    }

    #[test]
    fn protected_resources_are_listed_with_the_way_out() {
        insta::assert_snapshot!(shown(OperationError::Protected {
            urns: vec![urn("data/aws:s3:Bucket/blobs"), urn("data/aws:kms:Key/main")],
            forced_by: BTreeMap::from([(urn("data/aws:s3:Bucket/blobs"), vec!["bucket".to_owned()])]),
        }));
    }

    #[test]
    fn every_object_that_cannot_be_imported_is_listed_with_the_way_out() {
        let problems = [
            ImportProblem::Missing { id_form: "the id that AWS shows" },
            ImportProblem::OwnsNothing,
            ImportProblem::HasObject { id: PhysicalId::new("vpc-2") },
            ImportProblem::UnderCreation,
            ImportProblem::Recorded { urn: urn("network/aws:ec2:Vpc/other") },
            ImportProblem::Twice { urn: urn("network/aws:ec2:Vpc/other") },
            ImportProblem::OwnedElsewhere { owner: "langsmith/prod".to_owned() },
            ImportProblem::NeedsReplacement { fields: vec!["cidr_block".to_owned()] },
            ImportProblem::PlaceUnknown,
        ];
        let problems = problems
            .into_iter()
            .map(|problem| (urn("network/aws:ec2:Vpc/main"), PhysicalId::new("vpc-1"), problem))
            .collect();
        insta::assert_snapshot!(shown(OperationError::ImportRefused { problems }));
    }

    #[test]
    fn invalid_inputs_are_all_listed() {
        let problem =
            |path: &str, message: &str| InputProblem { path: path.to_owned(), message: message.to_owned() };
        insta::assert_snapshot!(shown(OperationError::InvalidInputs {
            problems: vec![
                (
                    urn("network/aws:ec2:Vpc/main"),
                    problem("cidr_block", "/8 is too large, allowed are /16 to /28")
                ),
                (urn("data/aws:s3:Bucket/blobs"), problem("name", "longer than 63 characters")),
            ],
        }));
    }

    #[test]
    fn a_refused_call_carries_what_support_asks_for() {
        insta::assert_snapshot!(shown(OperationError::Provider {
            doing: "read aws:ec2:Vpc".to_owned(),
            source: ProviderError {
                kind: ErrorKind::Denied,
                message: "DescribeVpcs: You are not authorized to perform this operation.".to_owned(),
                code: Some("UnauthorizedOperation".to_owned()),
                request_id: Some("0f1e2d3c-aaaa-bbbb-cccc-000000000000".to_owned()),
            },
        }));
    }
}
