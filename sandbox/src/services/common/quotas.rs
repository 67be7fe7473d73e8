//! Quotas: how many of a kind there may be. The sandbox's account is one whose quotas have been raised; the fault plan's
//! `quotas` lowers them, by name.

use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;

/// What every quota is unless the fault plan says otherwise.
const RAISED: usize = 200;

/// One quota.
#[derive(Debug)]
pub(crate) struct Quota {
    /// What the fault plan calls it.
    pub(crate) name: &'static str,
    /// AWS's code for one too many.
    pub(crate) code: &'static str,
    /// AWS's text.
    pub(crate) text: &'static str,
}

impl Quota {
    /// Refuses a creation when there are already as many as the quota allows.
    pub(crate) fn check(&self, call: &Call<'_>, existing: usize) -> Result<(), ServiceError> {
        let allowed = call.quotas.get(self.name).copied().unwrap_or(RAISED);
        if existing >= allowed {
            return Err(ServiceError::new(400, self.code, self.text));
        }
        Ok(())
    }
}
