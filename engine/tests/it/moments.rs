//! Moments: the points of an operation at which its process may die.
//!
//! Store and cloud pass through here before and after each of their effects. One moment can be
//! chosen at which everything stops: whatever passes then or later never goes on, so that the
//! operation can be dropped like the memory of a killed process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Which process passes: numbered from 1 in the order of their starts.
pub(crate) type ProcessNumber = u64;

/// A point at which a process may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// A call was decided on, and has no effect yet.
    BeforeCall,
    /// A changing call has had its effect, and its answer has not arrived.
    AfterCall,
    /// A batch of entries was handed to the store, and is not durable.
    BeforeAppend,
    /// A batch is durable, and nobody knows.
    AfterAppend,
    /// A snapshot was handed to the store, and is not durable.
    BeforeSave,
    /// A snapshot is durable, and nobody knows.
    AfterSave,
}

/// Counts the moments of the living process and ends it at the chosen one. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Moments {
    state: Arc<Mutex<State>>,
    /// The last process that died, and where.
    dead: Arc<watch::Sender<(ProcessNumber, Moment)>>,
}

#[derive(Default)]
struct State {
    process: ProcessNumber,
    passed: usize,
    fatal: Option<usize>,
}

impl Moments {
    pub(crate) fn new() -> Self {
        Self { state: Arc::default(), dead: Arc::new(watch::Sender::new((0, Moment::BeforeCall))) }
    }

    /// Starts a process; all earlier ones are dead from now on. It dies at its moment number
    /// `fatal`, counted from 0.
    pub(crate) fn start_process(&self, fatal: Option<usize>) -> ProcessNumber {
        let mut state = self.lock();
        state.process += 1;
        state.passed = 0;
        state.fatal = fatal;
        state.process
    }

    /// The last process.
    pub(crate) fn process(&self) -> ProcessNumber {
        self.lock().process
    }

    /// Passes a moment; never returns if the process is dead or dies here.
    pub(crate) async fn pass(&self, process: ProcessNumber, moment: Moment) {
        if !self.survives(process, moment) {
            std::future::pending::<()>().await;
        }
    }

    fn survives(&self, process: ProcessNumber, moment: Moment) -> bool {
        let mut state = self.lock();
        if !self.is_alive_in(&state, process) {
            return false;
        }
        let number = state.passed;
        state.passed += 1;
        if state.fatal == Some(number) {
            self.dead.send_replace((process, moment));
            return false;
        }
        true
    }

    /// Returns when the process has died, with the fatal moment.
    pub(crate) async fn death(&self, process: ProcessNumber) -> Moment {
        let mut dead = self.dead.subscribe();
        // The sender lives as long as `self`.
        let died = dead.wait_for(|dead| dead.0 >= process).await.unwrap();
        died.1
    }

    /// Whether the process may still have effects.
    pub(crate) fn is_alive(&self, process: ProcessNumber) -> bool {
        self.is_alive_in(&self.lock(), process)
    }

    fn is_alive_in(&self, state: &State, process: ProcessNumber) -> bool {
        process == state.process && self.dead.borrow().0 < process
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
