//! The end of an operation: what was done, what failed and why, what is left.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lsinfra_engine::Urn;
use lsinfra_engine::events::{OperationOutcome, StepError, StepOutcome};
use lsinfra_engine::operation::Report;
use lsinfra_engine::plan::{Action, PlanCounts};
use lsinfra_engine::store::StepRecord;

use crate::error::ErrorCode;
use crate::render::{Canvas, Pace, Paint, Tone, counts_done, duration, for_support, plural};

/// How many resources are listed in one place before the rest is only counted.
const LISTED: usize = 8;

/// How many steps ended in which way, and what was done by those that ended well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// What was done.
    pub(crate) done: PlanCounts,
    /// Steps that failed.
    pub(crate) failed: usize,
    /// Of these, checks that did not pass.
    pub(crate) checks_failed: usize,
    /// Steps not started because of a failure, or because the operation was to stop.
    pub(crate) not_started: usize,
    /// Steps not seen to end.
    pub(crate) unfinished: usize,
}

/// Counts the steps of an operation that planned `planned`.
pub(crate) fn tally(planned: &PlanCounts, steps: &[StepRecord]) -> Tally {
    let mut tally = Tally {
        done: PlanCounts { unchanged: planned.unchanged, ..PlanCounts::default() },
        ..Tally::default()
    };
    for step in steps {
        match &step.outcome {
            StepOutcome::Done { done: Some(done) } => count(&mut tally.done, *done, step.replacement),
            StepOutcome::Done { done: None } => tally.done.unchanged += 1,
            StepOutcome::Failed { error } => {
                tally.failed += 1;
                tally.checks_failed += usize::from(error.kind == "check_failed");
            }
            StepOutcome::Blocked { .. } | StepOutcome::NotStarted => tally.not_started += 1,
            StepOutcome::Unfinished { .. } => tally.unfinished += 1,
        }
    }
    tally
}

fn count(counts: &mut PlanCounts, done: Action, replacement: bool) {
    match done {
        Action::Create if replacement => counts.replace += 1,
        Action::Create => counts.create += 1,
        Action::Adopt => counts.adopt += 1,
        Action::Update => counts.update += 1,
        Action::Delete if replacement => {}
        Action::Delete => counts.delete += 1,
        Action::Retain => counts.retain += 1,
        Action::Read => counts.read += 1,
        Action::Run => counts.run += 1,
    }
}

/// The summary; `real_seconds` is how long the steps took by the wall's clock.
pub(crate) fn summary(report: &Report, pace: Pace, real_seconds: f64, canvas: Canvas) -> String {
    let paint = canvas.paint;
    let tally = tally(&report.counts, &report.steps);
    let word = match report.outcome {
        OperationOutcome::Succeeded => paint.paint(Tone::Good, "Done"),
        OperationOutcome::Failed => paint.paint(Tone::Bad, "Failed"),
        OperationOutcome::Interrupted => paint.paint(Tone::Change, "Interrupted"),
    };
    let mut time = duration::measured(pace.shown(report.seconds));
    if pace == Pace::Sandbox {
        time = format!("{time} of the sandbox's time ({} of yours)", duration::measured(real_seconds));
    }
    let mut text = format!("\n{word}: {}, in {time}\n", tally_words(&tally, paint));
    text.push_str(&failures(&report.steps, canvas));
    text.push_str(&left_over(&report.steps, canvas));
    text
}

/// `2 created; 40 unchanged; 1 failed`.
pub(crate) fn tally_words(tally: &Tally, paint: Paint) -> String {
    let left = [
        (tally.failed, "failed", Tone::Bad),
        (tally.unfinished, "not seen to end", Tone::Change),
        (tally.not_started, "not started", Tone::Change),
    ];
    let left: Vec<String> = left
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, words, tone)| paint.paint(tone, format!("{count} {words}")))
        .collect();
    let left = if left.is_empty() { String::new() } else { format!("; {}", left.join(", ")) };
    format!("{}{left}", counts_done(&tally.done, paint))
}

fn failures(steps: &[StepRecord], canvas: Canvas) -> String {
    let mut blocked: BTreeMap<&Urn, Vec<&Urn>> = BTreeMap::new();
    for step in steps {
        if let StepOutcome::Blocked { by } = &step.outcome {
            blocked.entry(by).or_default().push(&step.urn);
        }
    }
    let mut text = String::new();
    for step in steps {
        let StepOutcome::Failed { error } = &step.outcome else { continue };
        let code = ErrorCode::of_step_error(&error.kind, error.code.as_deref());
        let _ = writeln!(
            text,
            "\n  {} {}: {} failed  [{}]",
            canvas.paint.paint(Tone::Bad, "x"),
            canvas.paint.paint(Tone::Strong, &step.urn),
            step.action.name(),
            code.as_str()
        );
        text.push_str(&error_lines(error, canvas));
        if let Some(hint) = hint(code) {
            let _ = writeln!(text, "      {} {hint}", canvas.paint.paint(Tone::Look, "hint:"));
        }
        if let Some(waiting) = blocked.remove(&step.urn) {
            let verb = if waiting.len() == 1 { "waits" } else { "wait" };
            let _ = writeln!(text, "      {} {verb} for it:", plural(waiting.len(), "resource"));
            text.push_str(&list(&waiting, "        "));
        }
    }
    // Steps behind one that was stopped rather than failed.
    for (by, waiting) in blocked {
        let verb = if waiting.len() == 1 { "waits" } else { "wait" };
        let _ = writeln!(text, "\n  {} {verb} for {by}:", plural(waiting.len(), "resource"));
        text.push_str(&list(&waiting, "    "));
    }
    text
}

/// The cloud's words about a failed step, with what its support asks for.
pub(crate) fn error_lines(error: &StepError, canvas: Canvas) -> String {
    let mut text = String::new();
    for line in error.message.lines() {
        let _ = writeln!(text, "      {line}");
    }
    if let Some(cloud) = for_support(error.code.as_deref(), error.request_id.as_deref()) {
        let _ = writeln!(text, "      {}", canvas.paint.paint(Tone::Faint, cloud));
    }
    text
}

fn left_over(steps: &[StepRecord], canvas: Canvas) -> String {
    let mut text = String::new();
    let unfinished: Vec<&StepRecord> =
        steps.iter().filter(|step| matches!(step.outcome, StepOutcome::Unfinished { .. })).collect();
    if !unfinished.is_empty() {
        let heading = "Not seen to end, recorded for the next run:";
        let _ = writeln!(text, "\n  {}", canvas.paint.paint(Tone::Change, heading));
        for step in unfinished {
            let StepOutcome::Unfinished { error } = &step.outcome else { continue };
            let _ = writeln!(text, "    {}: {}: {}", step.urn, step.action.name(), error.message);
        }
    }
    let not_started: Vec<&Urn> =
        steps.iter().filter(|step| step.outcome == StepOutcome::NotStarted).map(|step| &step.urn).collect();
    if !not_started.is_empty() {
        let _ = writeln!(text, "\n  {}", canvas.paint.paint(Tone::Change, "Not started:"));
        text.push_str(&list(&not_started, "    "));
    }
    text
}

fn list(urns: &[&Urn], indent: &str) -> String {
    let mut text = String::new();
    for urn in urns.iter().take(LISTED) {
        let _ = writeln!(text, "{indent}{urn}");
    }
    if urns.len() > LISTED {
        let _ = writeln!(text, "{indent}… and {} more", urns.len() - LISTED);
    }
    text
}

/// The next thing to do about a failed step, in one line.
fn hint(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::NameTaken => {
            "choose another name; or, if the object that has it is yours, take it over with `lsinfra import`"
        }
        ErrorCode::Throttled | ErrorCode::NoClearAnswer => "run the same command again in a few minutes",
        ErrorCode::InUse => "remove what uses the object and is not managed here, then run the command again",
        ErrorCode::Denied => "give the role that runs lsinfra this permission, then run the command again",
        ErrorCode::QuotaExhausted => "ask AWS for a higher quota, or free what you no longer need",
        ErrorCode::CredentialsExpired => "sign in again, then run the same command",
        ErrorCode::TimedOut => "the object is recorded: the next run goes on waiting for it",
        ErrorCode::CreationFailed => "the next run replaces the object; mend the cause that AWS names first",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    const CANVAS: Canvas = Canvas { paint: Paint::PLAIN, columns: 110 };

    #[test]
    fn all_done() {
        insta::assert_snapshot!(summary(
            &samples::report(OperationOutcome::Succeeded),
            Pace::Wall,
            64.0,
            CANVAS
        ));
    }

    #[test]
    fn all_done_in_the_sandbox() {
        let report = samples::report(OperationOutcome::Succeeded);
        insta::assert_snapshot!("paced", summary(&report, Pace::Sandbox, 0.84, CANVAS));
        insta::assert_snapshot!("instant", summary(&report, Pace::Instant { speed: 1000.0 }, 0.84, CANVAS));
    }

    #[test]
    fn some_failed() {
        insta::assert_snapshot!(summary(
            &samples::report(OperationOutcome::Failed),
            Pace::Wall,
            64.0,
            CANVAS
        ));
    }

    #[test]
    fn interrupted() {
        insta::assert_snapshot!(summary(
            &samples::report(OperationOutcome::Interrupted),
            Pace::Wall,
            64.0,
            CANVAS
        ));
    }

    #[test]
    fn long_lists_are_cut() {
        let mut report = samples::report(OperationOutcome::Interrupted);
        let template = report.steps[5].clone();
        report.steps.extend((0..20).map(|number| StepRecord {
            urn: samples::urn(&format!("network/aws:ec2:Subnet/extra-{number}")),
            ..template.clone()
        }));
        insta::assert_snapshot!(summary(&report, Pace::Wall, 64.0, CANVAS));
    }
}
