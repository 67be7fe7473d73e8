//! The metrics API, by which pods are scaled: an add-on serves it, and here it is seen to.

use lsinfra_engine::{Resource, Stack};
use lsinfra_resources::kubernetes::metrics::NodeMetrics;

use super::super::StackError;
use super::Foundation;

pub(super) fn declare(stack: &Stack, foundation: &Foundation<'_>) -> Result<Resource<()>, StackError> {
    let seen = stack.run("metrics", NodeMetrics::default())?;
    Ok(seen.depends_on(&foundation.addons.metrics_server).erased())
}
