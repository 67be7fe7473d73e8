//! Imports asked for on the command line: from names to declared resources.

use std::collections::BTreeSet;

use lsinfra_engine::{Graph, PhysicalId, Urn};
use lsinfra_stacks::config::{ConfigError, Imports};
use lsinfra_stacks::imports::find;

use crate::error::{CommandError, ErrorCode};

/// What a command imports.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Nothing: it is no import.
    Nothing,
    /// One object.
    One {
        /// The resource's type, or its end.
        resource_type: String,
        /// The resource's URN, or its end.
        name: String,
        /// The object's id.
        id: String,
    },
    /// What a file lists.
    List(Imports),
}

/// Declares what is wanted in `graph`. Returns the resources.
///
/// # Errors
/// [`ErrorCode::UnknownResource`], [`ErrorCode::ConfigInvalid`] for a file.
pub(crate) fn declare(wanted: &Wanted, graph: &mut Graph) -> Result<BTreeSet<Urn>, CommandError> {
    match wanted {
        Wanted::Nothing => Ok(BTreeSet::new()),
        Wanted::One { resource_type, name, id } => {
            let urn = find(graph, Some(resource_type), name).map_err(|error| {
                CommandError::new(ErrorCode::UnknownResource, error.to_string()).hint(error.help())
            })?;
            graph.import(&urn, PhysicalId::new(id));
            Ok(BTreeSet::from([urn]))
        }
        Wanted::List(imports) => Ok(imports.declare(graph).map_err(ConfigError::Invalid)?),
    }
}
