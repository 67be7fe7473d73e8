//! Recorded operations: as a list, and one of them with its steps.

use std::fmt::Write as _;

use jiff::Timestamp;
use lsinfra_engine::events::{OperationOutcome, StepOutcome};
use lsinfra_engine::store::{InterruptedOperation, OperationRecord, StepRecord};

use crate::error::ErrorCode;
use crate::render::summary::{error_lines, tally, tally_words};
use crate::render::{Canvas, Tone, Verb, counts_planned, duration, edit, label, participle, plural};

/// The columns of the longest step's bar.
const BAR_COLUMNS: f64 = 20.0;

/// A line per operation, in the order given.
pub(crate) fn list(records: &[OperationRecord], canvas: Canvas) -> String {
    let paint = canvas.paint;
    let heading = ["serial", "began", "command", "outcome", "time", "by", "done"];
    let cells: Vec<[String; 6]> = records
        .iter()
        .map(|record| {
            [
                record.serial.to_string(),
                moment(record.operation.started_at),
                record.operation.kind.command().to_owned(),
                word(record.outcome).0.to_owned(),
                duration::measured(record.seconds()),
                record.operation.by.clone(),
            ]
        })
        .collect();
    let width = |column: usize| {
        let widest = cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        widest.max(heading[column].len())
    };
    let mut text = String::new();
    if records.is_empty() {
        return text;
    }
    let mut columns: Vec<String> =
        (0..6).map(|column| format!("{:<1$}", heading[column], width(column))).collect();
    columns.push(heading[6].to_owned());
    let _ = writeln!(text, "{}", paint.paint(Tone::Faint, columns.join("  ")));
    for (record, row) in records.iter().zip(&cells) {
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(width(column) - cell.chars().count());
            let cell = match column {
                0 => paint.paint(Tone::Strong, cell),
                3 => paint.paint(word(record.outcome).1, cell),
                _ => cell.clone(),
            };
            // Numbers end where their column ends.
            let _ = match column {
                0 | 4 => write!(text, "{padding}{cell}  "),
                _ => write!(text, "{cell}{padding}  "),
            };
        }
        let done = match record.edits.len() {
            0 => tally_words(&tally(&record.counts, &record.steps), paint),
            edits => plural(edits, "edit"),
        };
        let _ = writeln!(text, "{done}");
    }
    text
}

/// One operation with its steps.
pub(crate) fn operation(environment: &str, record: &OperationRecord, canvas: Canvas) -> String {
    let paint = canvas.paint;
    let operation = &record.operation;
    let (outcome, tone) = word(record.outcome);
    let heading = format!("{} of {environment}, serial {}", operation.kind.command(), record.serial);
    let mut text = format!("{}: {}\n\n", paint.paint(Tone::Strong, heading), paint.paint(tone, outcome));
    let lines = [
        ("began", format!("{}, by {}", moment(operation.started_at), operation.by)),
        ("ended", format!("{}, after {}", moment(record.ended_at), duration::measured(record.seconds()))),
        ("planned", counts_planned(&record.counts, paint)),
        ("done", tally_words(&tally(&record.counts, &record.steps), paint)),
        ("operation", operation.id.to_string()),
        ("lsinfra", operation.tool_version.clone()),
        ("configuration", format!("SHA-256 {}", operation.config_digest)),
    ];
    // Surgery plans nothing.
    let has_plan = record.edits.is_empty() || !record.steps.is_empty();
    for (name, value) in
        lines.into_iter().filter(|(name, _)| has_plan || !matches!(*name, "planned" | "done"))
    {
        let _ = writeln!(text, "{}{}  {value}", paint.paint(Tone::Faint, name), " ".repeat(13 - name.len()));
    }
    for interrupted in &record.interrupted {
        let operation = interrupted_operation(interrupted);
        let _ = writeln!(text, "{}      {operation}", paint.paint(Tone::Faint, "took over"));
    }
    text.push_str(&steps("Steps", &record.steps, canvas));
    if !record.edits.is_empty() {
        let _ = writeln!(text, "\n{}", paint.paint(Tone::Strong, "Edits"));
        text.push_str(&edit::edits(&record.edits, canvas));
    }
    for interrupted in &record.interrupted {
        let heading = format!("Steps of {}", interrupted_operation(interrupted));
        text.push_str(&steps(&heading, &interrupted.steps, canvas));
    }
    text
}

fn interrupted_operation(InterruptedOperation { operation, .. }: &InterruptedOperation) -> String {
    let (command, begun) = (operation.kind.command(), moment(operation.started_at));
    format!("{command} by {}, begun {begun} and interrupted", operation.by)
}

fn steps(heading: &str, steps: &[StepRecord], canvas: Canvas) -> String {
    let paint = canvas.paint;
    let mut text = String::new();
    let longest = steps.iter().map(|step| step.seconds).fold(0.0, f64::max);
    let width = steps.iter().map(|step| step.urn.as_str().len()).max().unwrap_or_default();
    for (index, step) in steps.iter().enumerate() {
        if index == 0 {
            let _ = writeln!(text, "\n{}", paint.paint(Tone::Strong, heading));
        }
        let (words, tone) = outcome_words(step);
        let _ = write!(
            text,
            "{} {}{}  {}{}",
            label(Verb::of(step.action), paint),
            step.urn,
            " ".repeat(width - step.urn.as_str().len()),
            paint.paint(tone, words),
            " ".repeat(15_usize.saturating_sub(words.len())),
        );
        if !matches!(step.outcome, StepOutcome::Blocked { .. } | StepOutcome::NotStarted) {
            let _ = write!(
                text,
                "{:>8}  at {:>8}  {}",
                duration::measured(step.seconds),
                duration::measured(step.started_seconds),
                paint.paint(Tone::Look, bar(step.seconds, longest)),
            );
        }
        let trimmed = text.trim_end().len();
        text.truncate(trimmed);
        text.push('\n');
        match &step.outcome {
            StepOutcome::Failed { error } => {
                let code = ErrorCode::of_step_error(&error.kind, error.code.as_deref()).as_str();
                let _ = writeln!(text, "      {}", paint.paint(Tone::Bad, code));
                text.push_str(&error_lines(error, canvas));
            }
            StepOutcome::Unfinished { error } => text.push_str(&error_lines(error, canvas)),
            StepOutcome::Blocked { by } => {
                let _ = writeln!(text, "      waits for {by}");
            }
            StepOutcome::Done { .. } | StepOutcome::NotStarted => {}
        }
    }
    text
}

/// As long beside the longest as the step took beside the slowest.
fn bar(seconds: f64, longest: f64) -> String {
    let columns = if longest > 0.0 { (seconds / longest * BAR_COLUMNS).round() } else { 0.0 };
    "#".repeat(columns as usize)
}

fn outcome_words(step: &StepRecord) -> (&'static str, Tone) {
    match &step.outcome {
        StepOutcome::Done { done: Some(done) } => (participle(*done), Verb::of(*done).tone()),
        StepOutcome::Done { done: None } => ("unchanged", Tone::Faint),
        StepOutcome::Failed { .. } => ("failed", Tone::Bad),
        StepOutcome::Blocked { .. } | StepOutcome::NotStarted => ("not started", Tone::Change),
        StepOutcome::Unfinished { .. } => ("not seen to end", Tone::Change),
    }
}

fn word(outcome: OperationOutcome) -> (&'static str, Tone) {
    match outcome {
        OperationOutcome::Succeeded => ("succeeded", Tone::Good),
        OperationOutcome::Failed => ("failed", Tone::Bad),
        OperationOutcome::Interrupted => ("interrupted", Tone::Change),
    }
}

/// A moment, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Paint, samples};

    const CANVAS: Canvas = Canvas { paint: Paint::PLAIN, columns: 120 };

    #[test]
    fn operations() {
        let older = OperationRecord { serial: 3, ..samples::record(OperationOutcome::Succeeded) };
        let newer = OperationRecord { serial: 112, ..samples::record(OperationOutcome::Interrupted) };
        let surgery = OperationRecord {
            serial: 113,
            operation: samples::info(lsinfra_engine::OperationKind::StateRemove),
            outcome: OperationOutcome::Succeeded,
            counts: Default::default(),
            steps: Vec::new(),
            edits: samples::edits(),
            ..newer.clone()
        };
        insta::assert_snapshot!(list(&[surgery, newer, older], CANVAS));
        assert_eq!(list(&[], CANVAS), "");
    }

    #[test]
    fn one_operation() {
        let edits = samples::edits();
        let surgery = OperationRecord { edits, ..samples::record(OperationOutcome::Succeeded) };
        let surgery = OperationRecord { steps: Vec::new(), ..surgery };
        insta::assert_snapshot!("surgery", operation("langsmith/dev", &surgery, CANVAS));
        let record = samples::record(OperationOutcome::Interrupted);
        insta::assert_snapshot!(operation("langsmith/dev", &record, CANVAS));
    }
}
