//! Keeps Ctrl-C from being echoed as `^C` into the lines that are drawn in place.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// While it lives, control characters are not echoed visibly; then the terminal is as before.
pub(crate) struct QuietControls {
    before: Option<Termios>,
}

impl QuietControls {
    /// Changes the terminal that stderr is; does nothing where that is not possible.
    pub(crate) fn new() -> Self {
        let before = tcgetattr(std::io::stderr()).ok();
        if let Some(before) = &before {
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHOCTL);
            // Only looks: a terminal that refuses shows `^C`.
            let _ = tcsetattr(std::io::stderr(), OptionalActions::Now, &quiet);
        }
        Self { before }
    }
}

impl Drop for QuietControls {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(std::io::stderr(), OptionalActions::Now, before);
        }
    }
}
