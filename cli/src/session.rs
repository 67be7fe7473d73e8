//! One operation from the command line: what `up`, `preview`, `destroy` and `refresh` share.
//!
//! Owns the order of things that a user relies on: usage, configuration, the resources named on the
//! command line, credentials, and only then what locks, calls or writes.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use lsinfra_engine::cancel::{CancelStage, Cancellation};
use lsinfra_engine::events::{Events, OperationOutcome};
use lsinfra_engine::operation::{Access, Engine, Operation, Report, Request};
use lsinfra_engine::plan::Plan;
use lsinfra_engine::store::{LockHolder, StateStore};
use lsinfra_engine::{Graph, OperationInfo, OperationKind, Urn};

use crate::answers::{ImportAnswer, OperationAnswer};
use crate::arguments::{BeginArgs, EnvironmentArgs, OperationOutputArgs, PlaceArgs};
use crate::bootstrap::{BeginError, MissingStore};
#[cfg(feature = "sandbox")]
use crate::commands::sandbox;
use crate::connection::{Connection, is_in_sandbox};
use crate::environment::Environment;
use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::imports::{self, Wanted};
use crate::kubernetes::Kubernetes;
use crate::printer::Printer;
use crate::progress::{Display, Mode};
use crate::recorded::{at_work, note_unfinished, with_journal};
use crate::render::plan::NameFields;
use crate::render::{self, Canvas, plural};
use crate::secrets::Secrets;
use crate::state_place::StatePlace;
use crate::{
    bootstrap, chart_values, charts, known_facts, other_stacks, plan_file, signals, state_place, targets,
};

/// How often a place for state that was just made is looked for, and the pause between.
const LOOKS_FOR_WHAT_WAS_MADE: u32 = 20;
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What a command asks of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    /// What it does.
    pub(crate) kind: OperationKind,
    /// Whether it only looks: then nothing is locked and nothing written.
    pub(crate) read_only: bool,
    /// Which environment.
    pub(crate) environment: &'a EnvironmentArgs,
    /// Where it is.
    pub(crate) place: &'a PlaceArgs,
    /// Whether it leaves out what runs in the cluster.
    pub(crate) skips_kubernetes: bool,
    /// Resources that it is limited to, as named by the user.
    pub(crate) targets: &'a [String],
    /// Protected resources that may go all the same, as named by the user.
    pub(crate) unprotected: &'a [String],
    /// What it takes to begin an environment, if it brings one up.
    pub(crate) begin: Option<&'a BeginArgs>,
    /// The objects that it imports, if that is what it does.
    pub(crate) imports: &'a Wanted,
    /// The saved plan that it must not go beyond: then its limits are that plan's.
    pub(crate) approved: Option<&'a Plan>,
    /// Whether the objects are read first.
    pub(crate) refresh: bool,
    /// How many steps may run at once.
    pub(crate) parallelism: usize,
    /// What happens if bucket or table for the state are missing.
    pub(crate) missing_store: MissingStore,
    /// What is written to stdout.
    pub(crate) output: OperationOutputArgs,
}

/// An operation under way, with everything around it.
pub(crate) struct Session {
    /// `<stack>/<environment>`.
    pub(crate) environment: String,
    kubernetes: Kubernetes,
    /// Asked to stop by signals.
    pub(crate) cancellation: Cancellation,
    /// The field that holds the physical name, by resource type.
    names: NameFields,
    secrets: Secrets,
    operation: Operation,
    connection: Connection,
    graph: Graph,
    display: Display,
    applying: Duration,
    /// Who is at work, if a run that only looks finds somebody.
    at_work: Option<LockHolder>,
    printer: Printer,
}

/// A runtime on the present thread, made when it is needed: `--help` never does.
///
/// # Errors
/// [`ErrorCode::Internal`] if the system gives no resources for it.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::new(ErrorCode::Internal, "cannot start").because(&error))
}

impl Session {
    /// Configuration, named resources, credentials, lock: in this order, and each before the next.
    ///
    /// # Errors
    /// [`CommandError`]; nothing was changed then.
    pub(crate) async fn begin(run: &Run<'_>, printer: Printer) -> Result<Self, CommandError> {
        let kubernetes = Kubernetes::decide(run);
        let environment = Environment::load(run.environment, &kubernetes)?;
        let secrets = match run.begin {
            Some(args) => Secrets::read(args.secrets.as_deref(), &environment.config)?,
            None => Secrets::none(&environment.config),
        };
        let place = StatePlace::parse(run.place, &environment.config)?;
        let opened = place.open(run.place, &environment.config, printer).await?;
        let store = place.opened_store(opened.clone(), run.place, &environment.config).await?;
        let mut graph = environment.graph.clone();
        let imported = imports::declare(run.imports, &mut graph)?;
        let Limits { mut targets, unprotected } = match run.approved {
            Some(approved) => {
                plan_file::check_made_for(approved, run.kind, &environment.name)?;
                Limits { targets: approved.targets.clone(), unprotected: approved.unprotected.clone() }
            }
            None => limits(run, &environment.graph, &*store).await?,
        };
        targets.extend(imported);
        let mut cancellation = signals::stages(printer)?;
        let connection = tokio::select! {
            connection = async {
                let connection = connect(run, &environment, &kubernetes, printer).await?;
                if run.refresh && matches!(run.kind, OperationKind::Up | OperationKind::Refresh) {
                    known_facts::check(&environment.config, &connection, printer).await?;
                }
                if kubernetes.is_declared() && run.kind == OperationKind::Up {
                    chart_values::check(&environment.config, &connection, printer).await?;
                }
                Ok::<_, CommandError>(connection)
            } => connection?,
            () = cancellation.reached(CancelStage::Finish) => return Err(CommandError::interrupted()),
        };
        let graph = match run.kind {
            // What stays keeps its outputs.
            OperationKind::Destroy => Graph::new([], environment.graph.outputs().clone())?,
            _ => graph,
        };
        let operation = info(run.kind, &environment, &connection);
        let request = Request {
            operation,
            environment: environment.name.clone(),
            home: connection.home.clone(),
            refresh: run.refresh,
            targets,
            unprotected,
            parallelism: run.parallelism,
        };
        let mode = if run.output.events.is_some() { Mode::JsonLines } else { Mode::People };
        let display = Display::start(mode, printer, connection.clock.clone(), connection.pace);
        let events = Events::new(connection.clock.clone(), display.listener());
        let names = name_fields(&environment.graph, &connection);
        let begin = async || {
            let holder = || holder(request.operation.id, run.kind.command());
            let access = if run.read_only { Access::ReadOnly } else { Access::Locked(holder()) };
            let key = state_place::secret_key(&opened, run.read_only).await?;
            let is_key_kept = key.is_some();
            let engine = Engine {
                providers: connection.providers.clone(),
                clock: connection.clock.clone(),
                events: events.clone(),
                secret_key: key.unwrap_or_else(state_place::momentary_key),
                learns_durations: connection.pace.has_expectations(),
            };
            let operation = Operation::begin(engine, request.clone(), &*store, access).await?;
            Ok::<_, BeginError>((operation, is_key_kept))
        };
        let stopped = cancellation.clone();
        let open = async {
            match (begin().await, &place) {
                (
                    Err(BeginError::StoreMissing(error)),
                    place_of_state @ StatePlace::Bucket { place, is_named, .. },
                ) if !run.read_only => {
                    if run.begin.is_some() {
                        let config = &environment.config;
                        other_stacks::refuse_elsewhere(place_of_state, run.place, config, printer).await?;
                    }
                    // Of what is not there, nothing is in Secrets Manager either.
                    let missing = secrets.all_missing();
                    if run.begin.is_some()
                        && run.targets.is_empty()
                        && !run.place.sandbox()
                        && !missing.is_empty()
                    {
                        return Err(secrets.not_given(&missing));
                    }
                    let access = state_place::access(run.place, &environment.config)?;
                    // A name that the user gave may be mistyped, or a bucket's that has other uses: to make that
                    // one, or to set it up, takes a command of its own.
                    let missing = match (is_named, run.place.sandbox()) {
                        (true, _) => MissingStore::Refuse,
                        (false, true) => MissingStore::Make,
                        (false, false) => run.missing_store,
                    };
                    let stopped = stopped.clone();
                    bootstrap::offer(missing, error, place, &access, &connection.clock, stopped, printer)
                        .await?;
                    // What was made a moment ago is not seen by every read at once.
                    for _ in 0..LOOKS_FOR_WHAT_WAS_MADE {
                        match begin().await {
                            Err(BeginError::StoreMissing(_)) => connection.clock.sleep(LOOK_AGAIN).await,
                            begun => return Ok(begun?),
                        }
                    }
                    Ok::<_, CommandError>(begin().await?)
                }
                (begun, _) => Ok(begun?),
            }
        };
        let (operation, is_key_kept) = tokio::select! {
            opened = open => opened?,
            () = cancellation.reached(CancelStage::Finish) => return Err(CommandError::interrupted()),
        };
        if let Err(error) = kubernetes.check(operation.snapshot()) {
            // The first error is what the user must see; the lock heals by itself.
            let _ = operation.release().await;
            return Err(error);
        }
        if let Some(guard) = operation.guard() {
            connection.connector.guard(guard);
        }
        let at_work = if run.read_only && operation.has_journal() { at_work(&*store).await? } else { None };
        let is_new = operation.snapshot().serial == 0 && operation.snapshot().resources.is_empty();
        if let Some(args) = run.begin.filter(|_| is_new) {
            let config = &environment.config;
            let mut allowed = other_stacks::refuse_elsewhere(&place, run.place, config, printer).await;
            if allowed.is_ok() && !args.beside {
                allowed = other_stacks::refuse_second(&place, run.place, config, printer).await;
            }
            if let Err(error) = allowed {
                // The first error is what the user must see; the lock heals by itself.
                let _ = operation.release().await;
                return Err(error);
            }
        }
        let mut graph = graph;
        // Under a key for the moment, digests would match nothing later: such a plan leaves open what is given.
        if is_key_kept {
            give(&mut graph, &operation, &secrets);
        }
        Ok(Self {
            environment: environment.name,
            kubernetes,
            cancellation,
            names,
            secrets,
            operation,
            connection,
            graph,
            display,
            applying: Duration::ZERO,
            at_work,
            printer,
        })
    }

    /// Says so if another operation is at work or was interrupted: what is planned is not what will be.
    pub(crate) fn note_unfinished(&self) {
        if self.operation.has_journal() {
            note_unfinished(self.at_work.as_ref(), self.printer);
        }
    }

    /// The plan, for a person.
    pub(crate) fn show_plan(&self, plan: &Plan, canvas: Canvas) -> String {
        let to_be_given = self.secrets.missing(plan.asked_secrets());
        let mut text = render::plan::plan(plan, &self.names, self.connection.pace, canvas);
        text.push_str(&render::plan::to_be_given(&to_be_given, &plan.home, canvas));
        if plan.operation.kind == OperationKind::Up {
            text.push_str(&self.kubernetes.note());
        }
        if plan.operation.kind == OperationKind::Destroy {
            text.push_str(&render::plan::retained(self.operation.snapshot(), canvas));
        }
        text
    }

    /// Refuses a plan that needs secrets which nobody has given. In the sandbox they are made up.
    ///
    /// # Errors
    /// [`ErrorCode::SecretsNotGiven`].
    pub(crate) fn complete_secrets(&mut self, plan: &Plan) -> Result<(), CommandError> {
        let missing = self.secrets.missing(plan.asked_secrets());
        if missing.is_empty() {
            return Ok(());
        }
        if !is_in_sandbox(&plan.home) {
            return Err(self.secrets.not_given(&missing));
        }
        self.secrets.make_up(&missing);
        give(&mut self.graph, &self.operation, &self.secrets);
        Ok(())
    }

    /// Refuses a plan with steps for which a program or a chart is needed that cannot be had.
    ///
    /// # Errors
    /// [`ErrorCode::HelmUnusable`], [`ErrorCode::ChartUnavailable`].
    pub(crate) async fn check_programs(&self, plan: &Plan) -> Result<(), CommandError> {
        charts::check(&self.connection.helm, plan, self.operation.snapshot()).await
    }

    /// Plans, and leaves the terminal free.
    ///
    /// # Errors
    /// [`CommandError`]; nothing was changed then.
    pub(crate) async fn plan(&mut self) -> Result<Plan, CommandError> {
        let mut cancellation = self.cancellation.clone();
        let facts = self.connection.facts.as_ref();
        let planned = tokio::select! {
            planned = self.operation.plan(&self.graph, facts, &self.cancellation) => Some(planned),
            () = cancellation.reached(CancelStage::Finish) => None,
        };
        self.display.pause();
        planned.map_or_else(|| Err(CommandError::interrupted()), |planned| Ok(planned?))
    }

    /// Refuses a plan that does more than the approved one.
    ///
    /// # Errors
    /// [`ErrorCode::StalePlan`], [`ErrorCode::ExceedsApproved`].
    pub(crate) fn check_approved(&mut self, plan: &Plan, approved: &Plan) -> Result<(), CommandError> {
        Ok(self.operation.check_approved(plan, approved)?)
    }

    /// Carries the plan out.
    ///
    /// # Errors
    /// [`CommandError`] if the operation could not go on; steps that fail are in the report.
    pub(crate) async fn apply(&mut self, plan: Plan) -> Result<Report, CommandError> {
        let plan = std::sync::Arc::new(plan);
        self.display.plan(std::sync::Arc::clone(&plan));
        let began = Instant::now();
        let report = self.operation.apply(&self.graph, &plan, self.cancellation.clone()).await;
        self.applying = began.elapsed();
        self.display.pause();
        Ok(report?)
    }

    /// Records what a refresh saw.
    ///
    /// # Errors
    /// [`CommandError`] of the store.
    pub(crate) async fn save_refreshed(&mut self, plan: &Plan) -> Result<(), CommandError> {
        Ok(self.operation.save_refreshed(plan).await?)
    }

    /// Gives the lock back and ends the display.
    ///
    /// # Errors
    /// [`CommandError`] of the store.
    pub(crate) async fn end(self) -> Result<(), CommandError> {
        let released = self.operation.release().await;
        self.display.finish();
        Ok(released?)
    }

    /// Shows how the operation ended, and writes the answer.
    pub(crate) fn show_report(&self, report: &Report, imports: Vec<ImportAnswer>, run: &Run<'_>) -> ExitCode {
        let canvas = self.printer.notes_canvas();
        if !report.steps.is_empty() {
            let real_seconds = self.applying.as_secs_f64();
            self.printer.note(&render::summary::summary(report, self.connection.pace, real_seconds, canvas));
            if run.kind == OperationKind::Up {
                self.printer.note(&self.kubernetes.note());
            }
        }
        let error = report_error(report);
        if let Some(error) = &error {
            self.printer.note(&format!("\n{}", crate::error::render(error, canvas.paint)));
        }
        if run.output.answer.is_json() {
            self.printer.json(&OperationAnswer::new(&self.environment, report, imports));
        } else if run.kind != OperationKind::Import
            && run.output.events.is_none()
            && error.is_none()
            && !report.outputs.is_empty()
        {
            self.printer.note("\n");
            self.printer.data(&render::outputs::outputs(&report.outputs, self.printer.data_canvas()));
        }
        error.map_or(ExitCode::Done, |error| error.code.exit_code())
    }
}

/// Puts what was given where it is asked for.
fn give(graph: &mut Graph, operation: &Operation, secrets: &Secrets) {
    let sealed = secrets.given().map(|(name, value)| (name.to_owned(), operation.seal(value.clone())));
    graph.give(&sealed.collect());
}

/// Why an operation whose steps ended like that did not do what it was asked for.
fn report_error(report: &Report) -> Option<CommandError> {
    let tally = render::summary::tally(&report.counts, &report.steps);
    let steps = plural(report.steps.len(), "step");
    let again = format!("to go on: {}", same_command(std::env::args().skip(1)));
    match report.outcome {
        OperationOutcome::Succeeded => None,
        OperationOutcome::Interrupted => Some(
            CommandError::new(
                ErrorCode::Interrupted,
                "stopped on request; everything done so far is recorded",
            )
            .hint(again),
        ),
        OperationOutcome::Failed if tally.failed > 0 && tally.failed == tally.checks_failed => {
            let message = format!("{} did not pass", plural(tally.failed, "check"));
            Some(CommandError::new(ErrorCode::CheckFailed, message).hint(again))
        }
        OperationOutcome::Failed => {
            let message = format!("{} of {steps} failed; everything done so far is recorded", tally.failed);
            Some(CommandError::new(ErrorCode::StepsFailed, message).hint(again))
        }
    }
}

/// The command as it was typed, ready to be pasted into a shell.
fn same_command(args: impl Iterator<Item = String>) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@,+".contains(character);
    let quoted = args.map(|arg| match !arg.is_empty() && arg.chars().all(is_plain) {
        true => arg,
        false => format!("'{}'", arg.replace('\'', r"'\''")),
    });
    std::iter::once("lsinfra".to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}

async fn connect(
    run: &Run<'_>,
    environment: &Environment,
    kubernetes: &Kubernetes,
    printer: Printer,
) -> Result<Connection, CommandError> {
    let sandbox = run.place.sandbox();
    if run.read_only && !run.refresh {
        return Ok(Connection::offline(&environment.config, sandbox));
    }
    #[cfg(feature = "sandbox")]
    if sandbox && kubernetes.is_declared() {
        let builds = run.kind == OperationKind::Up && !run.read_only;
        sandbox::prepare_kubernetes(&environment.config.account, builds, printer).await?;
    }
    #[cfg(not(feature = "sandbox"))]
    let _ = (kubernetes, printer);
    Connection::to(&environment.config, sandbox).await
}

/// The resources that a command names.
struct Limits {
    targets: BTreeSet<Urn>,
    unprotected: BTreeSet<Urn>,
}

async fn limits(run: &Run<'_>, graph: &Graph, store: &dyn StateStore) -> Result<Limits, CommandError> {
    let known = if run.targets.is_empty() && run.unprotected.is_empty() {
        BTreeSet::new()
    } else {
        known_resources(graph, store).await?
    };
    Ok(Limits {
        targets: targets::resolve(run.targets, &known)?,
        unprotected: targets::resolve(run.unprotected, &known)?,
    })
}

async fn known_resources(graph: &Graph, store: &dyn StateStore) -> Result<BTreeSet<Urn>, CommandError> {
    let snapshot = with_journal(store.load().await?)?;
    let declared = graph.declarations().map(|declaration| declaration.urn.clone());
    let recorded = snapshot.into_iter().flat_map(|snapshot| snapshot.resources.into_keys());
    Ok(declared.chain(recorded).collect())
}

fn name_fields(graph: &Graph, connection: &Connection) -> NameFields {
    graph
        .declarations()
        .filter_map(|declaration| {
            let schema = connection.providers.get(declaration.resource_type)?.schema();
            let field = schema.inputs.iter().find(|field| field.name_limit_characters.is_some())?;
            Some((declaration.resource_type, field.name))
        })
        .collect()
}

/// Who runs what, now.
pub(crate) fn info(kind: OperationKind, environment: &Environment, connection: &Connection) -> OperationInfo {
    OperationInfo {
        id: uuid::Uuid::now_v7(),
        kind,
        started_at: connection.clock.now(),
        by: format!("{}@{}", user(), host()),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        config_digest: environment.config_digest.clone(),
    }
}

/// Who wants the lock for that.
pub(crate) fn holder(operation: uuid::Uuid, command: &str) -> LockHolder {
    LockHolder {
        operation,
        command: command.to_owned(),
        user: user(),
        host: host(),
        process_id: std::process::id(),
        // By the wall's clock, whatever the operation's is: people read it.
        since: jiff::Timestamp::now(),
    }
}

/// Who runs this process: by name, or else by number.
fn user() -> String {
    ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .or_else(|| {
            let id = user_id()?;
            let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
            Some(account_name(&accounts, id).unwrap_or_else(|| format!("uid {id}")))
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The user of this process, where the system tells (it is Linux that does, in `/proc`).
fn user_id() -> Option<u32> {
    Some(std::fs::metadata("/proc/self").ok()?.uid())
}

/// The name of a user by `/etc/passwd`. <https://man7.org/linux/man-pages/man5/passwd.5.html>
fn account_name(accounts: &str, id: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _password, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(id) && !name.is_empty()).then(|| name.to_owned())
    })
}

fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_a_name_in_the_environment_has_that_of_the_account() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\n\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(account_name(accounts, 1000).as_deref(), Some("ada"));
        assert_eq!(account_name(accounts, 100), None);
    }

    #[test]
    fn the_command_can_be_pasted() {
        let args = ["up", "--config", "my envs/it's.toml", "--sandbox"].map(str::to_owned);
        assert_eq!(same_command(args.into_iter()), r"lsinfra up --config 'my envs/it'\''s.toml' --sandbox");
    }
}
