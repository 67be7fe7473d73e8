//! The witness: before each effect on the cloud it looks at what the state store holds durably, and
//! objects if the effect was not announced there.

use std::time::Duration;

use lsinfra_engine::{Object, Role, Snapshot, Status};
use tokio::time::Instant;

use crate::cloud::log::{Call, Verb};
use crate::cloud::world::World;
use crate::store::Disk;

/// Looks at the durable state. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Witness {
    disk: Disk,
}

impl Witness {
    pub(crate) fn new(disk: Disk) -> Self {
        Self { disk }
    }

    /// Why a call must not have its effect now; `log` holds the calls so far.
    pub(crate) fn objection(&self, call: &Call, log: &[Call], now: Instant) -> Option<String> {
        let reason = self.disk.with_state(|state| match call.verb {
            Verb::Create | Verb::Modify | Verb::Delete => unannounced(state, call),
            Verb::Describe => unrecorded(state, call, log, now),
            Verb::Find | Verb::Lookup | Verb::Run => None,
        })?;
        Some(format!("{:?} of {} (generation {}): {reason}", call.verb, call.urn, call.generation))
    }
}

/// An id is durable before anything waits: before a second look, some time after the first.
fn unrecorded(state: &Snapshot, call: &Call, log: &[Call], now: Instant) -> Option<&'static str> {
    let object = object_of(state, call)?;
    let same = |earlier: &&Call| (&earlier.urn, earlier.generation) == (&call.urn, call.generation);
    let looked_before = log
        .iter()
        .rev()
        .filter(same)
        .take_while(|earlier| earlier.verb != Verb::Create)
        .any(|earlier| earlier.verb == Verb::Describe && earlier.at + Duration::from_secs(1) < now);
    (looked_before && object.physical_id.is_none()).then_some("its id is not durable")
}

fn unannounced(state: &Snapshot, call: &Call) -> Option<&'static str> {
    let Some(object) = object_of(state, call) else {
        return Some("the durable state does not know the object");
    };
    match call.verb {
        Verb::Create if object.role != Role::Incoming => Some("it is not under creation"),
        Verb::Create if object.physical_id.is_some() => Some("its id is known already"),
        Verb::Modify if object.status == Status::Ready && object.role == Role::Current => {
            Some("no update was announced")
        }
        Verb::Delete if !object.status.is_deleting() => Some("no deletion was announced"),
        Verb::Delete if object.physical_id.as_ref().map(|id| id.as_str()) != call.id.as_deref() => {
            Some("another object's deletion was announced")
        }
        _ => None,
    }
}

fn object_of<'a>(state: &'a Snapshot, call: &Call) -> Option<&'a Object> {
    let (_, record) = state.resources.iter().find(|(urn, _)| urn.as_str() == call.urn)?;
    record.generation(call.generation)
}

/// No orphan: every object in the cloud that carries our tags is one that the durable state knows,
/// by its id, or by owner and generation as long as its creation is unfinished.
pub(crate) fn orphan(world: &World, state: &Snapshot, now: Instant) -> Option<String> {
    let mut known = std::collections::HashSet::new();
    let mut intended = std::collections::HashSet::new();
    for object in state.resources.values().flat_map(|record| &record.objects) {
        match &object.physical_id {
            Some(id) => known.insert(id.as_str().to_owned()),
            None => intended.insert((object.owner.urn.to_string(), object.generation.to_string())),
        };
    }
    world
        .existing(now)
        .filter(|object| object.phase(now) != crate::cloud::object::Phase::Deleting)
        .find(|object| {
            let Some((urn, generation)) = object.owner() else { return false };
            !known.contains(&object.id) && !intended.contains(&(urn.to_owned(), generation.to_owned()))
        })
        .map(|object| format!("orphan: {} of {:?} is not in the durable state", object.id, object.owner()))
}
