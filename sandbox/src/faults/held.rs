//! Held answers: who waits, and how they are let go. Must not know why a call is held.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// A call whose answer is being held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The call's number in the call log.
    pub number: u64,
    /// `service:Operation`.
    pub operation: String,
}

#[derive(Debug, Clone, Default)]
struct State {
    held: Vec<Held>,
    releases: u64,
}

/// The calls that are held now.
#[derive(Debug)]
pub(crate) struct HeldCalls {
    state: watch::Sender<State>,
}

impl Default for HeldCalls {
    fn default() -> Self {
        Self { state: watch::Sender::new(State::default()) }
    }
}

/// Takes a call off the list when its client goes away while it is held.
struct Leave<'a> {
    calls: &'a HeldCalls,
    number: u64,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.calls.state.send_modify(|state| state.held.retain(|held| held.number != self.number));
    }
}

impl HeldCalls {
    /// Holds a call until the next release.
    pub(crate) async fn hold(&self, held: Held) {
        let mut changes = self.state.subscribe();
        let leave = Leave { calls: self, number: held.number };
        let mut releases = 0;
        self.state.send_modify(|state| {
            releases = state.releases;
            state.held.push(held);
        });
        // The sender lives as long as `self`, so an error cannot happen; it would end the hold.
        let _ = changes.wait_for(|state| state.releases > releases).await;
        drop(leave);
    }

    /// The calls that are held, as soon as there is one.
    pub(crate) async fn wait(&self) -> Vec<Held> {
        let mut changes = self.state.subscribe();
        match changes.wait_for(|state| !state.held.is_empty()).await {
            Ok(state) => state.held.clone(),
            Err(_) => Vec::new(),
        }
    }

    /// Lets every held call go on; answers with how many there were.
    pub(crate) fn release(&self) -> usize {
        let mut released = 0;
        self.state.send_modify(|state| {
            released = state.held.len();
            state.releases += 1;
        });
        released
    }
}
