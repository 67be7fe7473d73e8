//! Resource options: what the stack says of a resource beside its inputs, as in Pulumi.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::snapshot::PhysicalId;
use crate::urn::Urn;

/// The options of one resource. All default to "nothing special".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Resources that must be ready first, beyond those whose outputs are used.
    pub depends_on: BTreeSet<Urn>,
    /// Refuse every plan that would delete or replace it.
    pub protect: bool,
    /// On deletion keep the object and remember it as retained.
    pub retain_on_delete: bool,
    /// Input paths (`tags.owner`, `desired_size`) whose changes are left alone.
    pub ignore_changes: BTreeSet<String>,
    /// Input fields whose change needs a new object although AWS could update them.
    pub replace_on_changes: BTreeSet<String>,
    /// Delete the old object before its replacement is created.
    pub delete_before_replace: bool,
    /// The resource whose deletion takes this one with it: then no delete call is made for it.
    pub deleted_with: Option<Urn>,
    /// URNs under which it was known before: a rename that does not touch the cloud.
    pub aliases: Vec<Urn>,
    /// The existing object to take over instead of creating one, by the id that its type's
    /// [`ID_FORM`](crate::ResourceType::ID_FORM) describes. Means nothing once the resource has an object.
    pub import: Option<PhysicalId>,
    /// Limits of its steps.
    pub timeouts: Timeouts,
}

/// How long the steps of a resource may take; `None` leaves it to the type's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Creation, with the wait until the object is usable.
    pub create: Option<Duration>,
    /// Update.
    pub update: Option<Duration>,
    /// Deletion, with the wait until the object is gone.
    pub delete: Option<Duration>,
}
