//! Signals: the one place that listens to them, and the one that may end the process.
//!
//! SIGINT, SIGTERM and SIGHUP count alike. They are taken by a thread of their own, so that the third
//! one ends the process even when everything else hangs. The stages fit CI runners that send SIGINT,
//! SIGTERM 7.5 seconds later, and SIGKILL after another 2.5 seconds.

use std::sync::mpsc::sync_channel;

use lsinfra_engine::cancel::{CancelStage, Cancellation, Canceller, cancellation};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{CommandError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::printer::Printer;
use crate::progress::restore_terminal;

/// Starts listening. The first signal asks to start nothing new, the second to abandon waits too; the
/// third ends the process.
///
/// # Errors
/// [`ErrorCode::Internal`] if the system does not let the process listen.
pub(crate) fn stages(printer: Printer) -> Result<Cancellation, CommandError> {
    let (canceller, cancellation) = cancellation();
    let mut count = 0;
    listen(move || {
        count += 1;
        on_signal(count, &canceller, printer);
    })?;
    Ok(cancellation)
}

fn on_signal(count: usize, canceller: &Canceller, printer: Printer) {
    match count {
        1 => canceller.request(CancelStage::Finish),
        2 => canceller.request(CancelStage::Abandon),
        _ => {
            printer.note("\nexiting at once; the journal tells the next run what was in flight\n");
            restore_terminal();
            exit_at_once();
        }
    }
}

#[expect(clippy::exit, reason = "the third signal asks for exactly this")]
fn exit_at_once() {
    std::process::exit(i32::from(ExitCode::Interrupted as u8));
}

/// Calls `on_signal` at each signal, on a thread of its own.
///
/// # Errors
/// As [`stages`].
pub(crate) fn listen(mut on_signal: impl FnMut() + Send + 'static) -> Result<(), CommandError> {
    let (ready, registered) = sync_channel(1);
    std::thread::spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(error))),
        };
        runtime.block_on(async {
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let [mut interrupt, mut terminate, mut hangup] = match register(kinds) {
                Ok(signals) => {
                    let _ = ready.send(Ok(()));
                    signals
                }
                Err(error) => return drop(ready.send(Err(error))),
            };
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                on_signal();
            }
        });
    });
    let failed = |error: &dyn std::error::Error| {
        CommandError::new(ErrorCode::Internal, "cannot listen to signals").because(error)
    };
    match registered.recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(failed(&error)),
        Err(error) => Err(failed(&error)),
    }
}

fn register(kinds: [SignalKind; 3]) -> std::io::Result<[tokio::signal::unix::Signal; 3]> {
    let [first, second, third] = kinds;
    Ok([signal(first)?, signal(second)?, signal(third)?])
}
