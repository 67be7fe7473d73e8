//! Keeps Ctrl-C from being echoed as `^C` into the lines that are drawn in place.

use std::sync::Mutex;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// How the terminal was before it was changed. Kept where the end of the process finds it, too, since
/// nothing is dropped then.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// While it lives, control characters are not echoed visibly; then the terminal is as before.
pub(crate) struct QuietControls(());

impl QuietControls {
    /// Changes the terminal that stderr is; does nothing where that is not possible.
    pub(crate) fn new() -> Self {
        if let Ok(before) = tcgetattr(std::io::stderr()) {
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHOCTL);
            if let Ok(mut kept) = BEFORE.lock() {
                *kept = Some(before);
            }
            // Only looks: a terminal that refuses shows `^C`.
            let _ = tcsetattr(std::io::stderr(), OptionalActions::Now, &quiet);
        }
        Self(())
    }
}

impl Drop for QuietControls {
    fn drop(&mut self) {
        restore();
    }
}

/// Makes the terminal as it was before, if it was changed. Waits for nobody.
pub(crate) fn restore() {
    if let Ok(mut kept) = BEFORE.try_lock()
        && let Some(before) = kept.take()
    {
        let _ = tcsetattr(std::io::stderr(), OptionalActions::Now, &before);
    }
}
