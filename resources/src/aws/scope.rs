//! Which inputs a call has to bring about.

use lsinfra_engine::provider::Changes;
use lsinfra_engine::{Input, Property};

/// The inputs that `complete` and `update` look at: all that are given, or those that a plan changes.
pub(crate) enum Scope<'a, R> {
    /// Every given input: the object was just created, found or adopted.
    Given,
    /// The inputs that the plan changes; one that is no longer given goes back to AWS's default.
    Changed(&'a Changes<R>),
}

impl<R> Clone for Scope<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Scope<'_, R> {}

impl<R> Scope<'_, R> {
    /// What the input `field` has to become; `None` leaves it alone.
    pub(crate) fn wanted<T: Property>(self, field: &str, input: &Input<T>, default: T) -> Option<T> {
        match self {
            Self::Given => input.get(),
            Self::Changed(changes) if changes.contains(field) => Some(input.get().unwrap_or(default)),
            Self::Changed(_) => None,
        }
    }

    /// Whether `field` has to be sent even if a read shows it as wanted: a plan saw it differ, and the
    /// read may be older than what was seen.
    pub(crate) fn is_change(self, field: &str) -> bool {
        matches!(self, Self::Changed(changes) if changes.contains(field))
    }

    /// The inputs as they were before the change.
    pub(crate) fn previous(&self) -> Option<&R> {
        match self {
            Self::Given => None,
            Self::Changed(changes) => Some(&changes.previous),
        }
    }

    /// As [`Self::wanted`] for an input whose default AWS has its own call for: `Some(None)` takes it
    /// back.
    pub(crate) fn wanted_or_reset<T: Property>(self, field: &str, input: &Input<T>) -> Option<Option<T>> {
        match self {
            Self::Given => input.get().map(Some),
            Self::Changed(changes) => changes.contains(field).then(|| input.get()),
        }
    }
}
