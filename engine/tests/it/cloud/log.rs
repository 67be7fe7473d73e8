//! The call log of the simulated cloud.

use lsinfra_engine::provider::ErrorKind;
use tokio::time::Instant;

/// What a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Create,
    Modify,
    Delete,
    Describe,
    Find,
    Lookup,
    Run,
}

impl Verb {
    /// Whether such a call changes something, or leaves a trace that someone pays for.
    pub(crate) fn is_changing(self) -> bool {
        matches!(self, Self::Create | Self::Modify | Self::Delete | Self::Run)
    }
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    /// The resource whose step made it; empty for a batched read.
    pub(crate) urn: String,
    pub(crate) generation: u32,
    /// The object, once it is known.
    pub(crate) id: Option<String>,
    /// When it had its effect.
    pub(crate) at: Instant,
    /// What the caller was told; `None` while it is under way.
    pub(crate) answer: Option<Result<(), ErrorKind>>,
    /// Whether it had an effect.
    pub(crate) effective: bool,
}

impl Call {
    /// The call in few words.
    pub(crate) fn told(&self) -> String {
        let effect = if self.effective { "" } else { ", without effect" };
        let id = self.id.as_deref().unwrap_or_default();
        format!("    {:?} {} ({}) {id}: {:?}{effect}", self.verb, self.urn, self.generation, self.answer)
    }
}
