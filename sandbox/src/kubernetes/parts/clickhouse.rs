//! placeholder
use super::{Context, Controller, PartError};
pub(super) struct Operator { _context: Context }
impl Controller for Operator {
    async fn begin(context: Context) -> Result<Self, PartError> { Ok(Self { _context: context }) }
    async fn reconcile(&mut self) -> Result<(), PartError> { Ok(()) }
}
