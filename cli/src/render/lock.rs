//! A lock that somebody holds.

use std::fmt::Write as _;

use lsinfra_engine::store::{HeldLease, HeldLock, HolderProcess};

use crate::render::history::moment;
use crate::render::{Canvas, Tone, duration, plural};

/// Everything that is known of it. `location` is the environment's place.
pub(crate) fn held(held: &HeldLock, location: &str, canvas: Canvas) -> String {
    let HeldLock { holder, process, lease } = held;
    let process = match process {
        HolderProcess::Alive => "which is alive on this machine",
        HolderProcess::Dead => "which has ended",
        HolderProcess::Unknown => "of which this machine cannot tell whether it is alive",
    };
    let lease = match lease {
        Some(HeldLease { length, renewals }) => format!(
            "{}, renewed {} so far",
            duration::measured(length.as_secs_f64()),
            plural(usize::try_from(*renewals).unwrap_or(usize::MAX), "time")
        ),
        None => "none: it ends with its process".to_owned(),
    };
    let lines = [
        ("holder", format!("{} on {}", holder.user, holder.host)),
        ("process", format!("{}, {process}", holder.process_id)),
        ("command", holder.command.clone()),
        ("operation", holder.operation.to_string()),
        ("since", moment(holder.since)),
        ("lease", lease),
    ];
    let mut text = format!("{}\n", canvas.paint.paint(Tone::Strong, format!("The lock of {location}")));
    for (name, value) in lines {
        let padding = " ".repeat("operation".len() - name.len());
        let _ = writeln!(text, "  {}{padding}  {value}", canvas.paint.paint(Tone::Faint, name));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lsinfra_engine::store::LockHolder;

    use super::*;
    use crate::render::{Paint, samples};

    #[test]
    fn of_a_bucket_and_of_a_folder() {
        let canvas = Canvas { paint: Paint::PLAIN, columns: 100 };
        let holder = LockHolder {
            operation: uuid::Uuid::nil(),
            command: "up".to_owned(),
            user: "ada".to_owned(),
            host: "build-7".to_owned(),
            process_id: 4711,
            since: samples::time(0.0),
        };
        let lease = Some(HeldLease { length: Duration::from_secs(120), renewals: 7 });
        let lock = HeldLock { holder, process: HolderProcess::Unknown, lease };
        insta::assert_snapshot!("in_a_bucket", held(&lock, "s3://states/langsmith/dev", canvas));
        let lock = HeldLock { process: HolderProcess::Alive, lease: None, ..lock };
        insta::assert_snapshot!("in_a_folder", held(&lock, ".lsinfra/state/langsmith/dev", canvas));
    }
}
