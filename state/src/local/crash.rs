//! A process that dies at a chosen effect on the disk, for tests.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// Counts effects, and lets them fail from the chosen one on.
#[derive(Clone, Debug, Default)]
pub(super) struct Crash {
    plan: Arc<Mutex<Plan>>,
}

/// One effect on the disk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effect {
    pub(super) name: &'static str,
    /// The bytes of a write, 0 of anything else.
    pub(super) length: usize,
}

#[derive(Debug, Default)]
struct Plan {
    effects: Vec<Effect>,
    /// The effect that fails, and how many bytes of it arrive all the same.
    at: Option<(usize, usize)>,
    /// Whether everything after it fails too: the process is dead, not only the disk full.
    forever: bool,
}

impl Crash {
    /// From now on: the process dies at effect number `effect`, of which `bytes` arrive.
    pub(super) fn die_at(&self, effect: usize, bytes: usize) {
        *self.lock() = Plan { effects: Vec::new(), at: Some((effect, bytes)), forever: true };
    }

    /// From now on: effect number `effect` fails, of which `bytes` arrive, and the rest goes well.
    pub(super) fn fail_at(&self, effect: usize, bytes: usize) {
        *self.lock() = Plan { effects: Vec::new(), at: Some((effect, bytes)), forever: false };
    }

    /// From now on nothing fails, and effects are counted anew.
    pub(super) fn never(&self) {
        *self.lock() = Plan::default();
    }

    /// The effects since then.
    pub(super) fn effects(&self) -> Vec<Effect> {
        self.lock().effects.clone()
    }

    pub(super) fn before_effect(&self, name: &'static str) -> io::Result<()> {
        self.next(name, 0).map_or(Ok(()), |_| Err(io::Error::other("the process died")))
    }

    pub(super) fn before_write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let Some(arriving) = self.next("write", bytes.len()) else { return Ok(()) };
        file.write_all(&bytes[..arriving])?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    /// How many bytes of the next effect arrive if it fails.
    fn next(&self, name: &'static str, length: usize) -> Option<usize> {
        let mut plan = self.lock();
        let index = plan.effects.len();
        plan.effects.push(Effect { name, length });
        match plan.at {
            Some((at, bytes)) if index == at => Some(bytes.min(length)),
            Some((at, _)) if index > at && plan.forever => Some(0),
            _ => None,
        }
    }

    #[expect(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
    fn lock(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }
}
