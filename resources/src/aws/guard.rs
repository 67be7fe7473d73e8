//! The last question before a call is sent: whether this run still holds the lock of its environment.
//!
//! A process may be put to sleep between any two instructions, and another run may take its environment
//! over meanwhile. What it wakes up to send must then stay unsent.

use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use lsinfra_engine::store::Guard;

/// Keeps calls back once the lock is lost. Clones are the same guard.
#[derive(Clone, Default)]
pub(crate) struct CallGuard(Arc<OnceLock<Guard>>);

/// Another run may hold the lock by now.
#[derive(Debug, thiserror::Error)]
#[error("this run no longer holds the lock of its environment, so nothing more is sent")]
pub(crate) struct LockLost;

impl CallGuard {
    /// From now on `guard` is asked. Only the first one counts: a run holds one lock.
    pub(crate) fn set(&self, guard: Guard) {
        // A second one would be of the same run.
        let _ = self.0.set(guard);
    }
}

impl std::fmt::Debug for CallGuard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CallGuard")
    }
}

#[dyn_dispatch_hint]
impl Intercept for CallGuard {
    fn name(&self) -> &'static str {
        "CallGuard"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        match self.0.get() {
            Some(guard) if !guard() => Err(LockLost.into()),
            _ => Ok(()),
        }
    }
}
