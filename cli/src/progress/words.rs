//! Events in words: what plain lines and the finished lines of a live display have in common.

use lsinfra_engine::events::{EventKind, StepError, StepOutcome};
use lsinfra_engine::plan::Action;
use lsinfra_engine::snapshot::PhysicalId;

use crate::render::duration::measured;
use crate::render::{Canvas, Pace, Tone, Verb, cut, label, participle, plural};

/// Columns of the symbol that a line begins with, and the space after it.
const LABEL_COLUMNS: usize = 3;

/// What an event says by itself, without the running number of steps; `None` for events that are
/// shown in another way or only in the summary. A physical id is cut to what `canvas` has room for.
pub(crate) fn words(
    event: &EventKind,
    physical_id: Option<&PhysicalId>,
    pace: Pace,
    canvas: Canvas,
) -> Option<String> {
    let paint = canvas.paint;
    Some(match event {
        EventKind::RecoveryStarted { urn, .. } => {
            format!("looking for {urn}, whose creation was not seen to end")
        }
        EventKind::RecoveryFinished { urn, physical_id: Some(id), .. } => format!("found {urn}: {id}"),
        EventKind::RecoveryFinished { urn, physical_id: None, .. } => {
            format!("{urn}: nothing was left behind")
        }
        EventKind::RefreshFinished { objects, drifted, gone, .. } => {
            let differing = match (drifted, gone) {
                (0, 0) => "all as last applied".to_owned(),
                (drifted, 0) => paint.paint(Tone::Change, format!("{drifted} changed outside lsinfra")),
                (0, gone) => paint.paint(Tone::Change, format!("{gone} no longer there")),
                (drifted, gone) => paint.paint(
                    Tone::Change,
                    format!("{drifted} changed outside lsinfra, {gone} no longer there"),
                ),
            };
            format!("read {}: {differing}", plural(*objects, "object"))
        }
        EventKind::StepFinished { urn, action, replacement, outcome, seconds, .. } => {
            let time = measured(pace.shown(*seconds));
            match outcome {
                StepOutcome::Done { done: Some(done) } => {
                    let label = label(Verb::of(*done), paint);
                    let text =
                        format!("{urn} {}{} in {time}", participle(*done), half(*action, *replacement));
                    match (done, physical_id) {
                        (Action::Create | Action::Adopt, Some(id)) => {
                            let used = LABEL_COLUMNS + text.chars().count() + 2;
                            let id = cut(id.as_str(), canvas.columns.saturating_sub(used));
                            format!("{label} {text}  {}", paint.paint(Tone::Faint, id))
                        }
                        _ => format!("{label} {text}"),
                    }
                }
                StepOutcome::Done { done: None } => {
                    format!("{} {urn} nothing to do after all", label(Verb::of(*action), paint))
                }
                StepOutcome::Failed { error } => format!(
                    "{} {urn} {} {} after {time}: {}",
                    paint.paint(Tone::Bad, "x "),
                    action.name(),
                    paint.paint(Tone::Bad, "failed"),
                    error_words(error)
                ),
                StepOutcome::Unfinished { error } => format!(
                    "{} {urn} {} not seen to end after {time}: {}",
                    paint.paint(Tone::Change, "x "),
                    action.name(),
                    error_words(error)
                ),
                // The summary lists these together.
                StepOutcome::Blocked { .. } | StepOutcome::NotStarted => return None,
            }
        }
        EventKind::StepRetrying { urn, attempt, error, pause_seconds, .. } => format!(
            "{} {urn} attempt {attempt} in {}: {}",
            paint.paint(Tone::Change, "^ "),
            measured(pace.shown(*pause_seconds)),
            error_words(error)
        ),
        EventKind::CancelRequested { abandon_waits: false } => paint.paint(
            Tone::Change,
            "stopping: finishing what is in flight; Ctrl-C again to stop waiting for it",
        ),
        EventKind::CancelRequested { abandon_waits: true } => paint.paint(
            Tone::Change,
            "stopping at once, with what is in flight on record; Ctrl-C again to exit now",
        ),
        EventKind::OperationStarted { .. }
        | EventKind::RefreshStarted { .. }
        | EventKind::Planned { .. }
        | EventKind::ApplyStarted { .. }
        | EventKind::StepStarted { .. }
        | EventKind::StepIdentified { .. }
        | EventKind::StepWaiting { .. }
        | EventKind::OperationFinished { .. } => return None,
    })
}

/// Which half of a replacement a step is.
pub(crate) fn half(action: Action, replacement: bool) -> &'static str {
    match (action, replacement) {
        (Action::Create, true) => " (replacement)",
        (Action::Delete, true) => " (replaced)",
        _ => "",
    }
}

/// The cloud's words on one line, with its code where the words lack it.
pub(crate) fn error_words(error: &StepError) -> String {
    let message = error.message.split_whitespace().collect::<Vec<_>>().join(" ");
    match &error.code {
        Some(code) if !message.contains(code.as_str()) => format!("{message} ({code})"),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::render::Paint;

    #[test]
    fn a_physical_id_is_cut_to_the_terminal() {
        let event = EventKind::StepFinished {
            step: 0,
            urn: "network/aws:ec2:Vpc/main".parse().unwrap(),
            action: Action::Create,
            replacement: false,
            outcome: StepOutcome::Done { done: Some(Action::Create) },
            seconds: 1.0,
        };
        let id = PhysicalId::new("vpc-0ee17484a34ad9b73");
        let shown =
            |columns| words(&event, Some(&id), Pace::Wall, Canvas { paint: Paint::PLAIN, columns }).unwrap();
        assert_eq!(shown(80), "+  network/aws:ec2:Vpc/main created in 1.0s  vpc-0ee17484a34ad9b73");
        assert_eq!(shown(60), "+  network/aws:ec2:Vpc/main created in 1.0s  vpc-0ee17484a3…");
    }
}
