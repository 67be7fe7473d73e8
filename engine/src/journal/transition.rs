//! The transition function: what each entry does to the state, and which sequences are illegal.

use std::sync::Arc;

use jiff::Timestamp;

use crate::journal::Entry;
use crate::plan::{Action, duration_key};
use crate::snapshot::{Generation, Object, Record, Role, Snapshot, Status};
use crate::urn::Urn;
use crate::value::{Properties, Value};

/// An entry that cannot follow the state before it: the journal is damaged or not this snapshot's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{entry} of {urn} (generation {generation}) cannot follow: {reason}")]
pub struct IllegalTransition {
    /// The entry's name.
    pub entry: &'static str,
    /// The resource.
    pub urn: Urn,
    /// The object.
    pub generation: Generation,
    /// What is in the way.
    pub reason: &'static str,
}

/// Applies entries in order.
///
/// # Errors
/// [`IllegalTransition`] at the first entry that cannot follow; the entries before it are applied.
pub fn replay<'a>(
    snapshot: &mut Snapshot,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Result<(), IllegalTransition> {
    entries.into_iter().try_for_each(|entry| snapshot.apply(entry))
}

/// Drops records that hold no object, have none forgotten and that no object depends on, and dependencies on resources
/// that never came to be. Done when a snapshot is saved.
pub fn prune(snapshot: &mut Snapshot) {
    let recorded: std::collections::HashSet<Urn> = snapshot.resources.keys().cloned().collect();
    for object in snapshot.resources.values_mut().flat_map(|record| &mut record.objects) {
        if object.dependencies.iter().any(|dependency| !recorded.contains(dependency)) {
            Arc::make_mut(object).dependencies.retain(|dependency| recorded.contains(dependency));
        }
    }
    let needed: std::collections::HashSet<Urn> = snapshot
        .resources
        .values()
        .flat_map(|record| &record.objects)
        .flat_map(|object| object.dependencies.iter().cloned())
        .collect();
    snapshot
        .resources
        .retain(|urn, record| !record.objects.is_empty() || record.forgotten || needed.contains(urn));
}

impl Snapshot {
    /// Applies one entry: total over states and entries, so that every sequence is either a legal
    /// history or an error that names what is wrong.
    ///
    /// # Errors
    /// [`IllegalTransition`] if the entry cannot follow; the snapshot is unchanged then.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), IllegalTransition> {
        match entry {
            Entry::OperationStarted(_) | Entry::StepEnded(_) => Ok(()),
            Entry::Facts(facts) => {
                self.facts.extend(facts.iter().map(|(name, value)| (name.clone(), value.clone())));
                Ok(())
            }
            Entry::Outputs(outputs) => {
                self.outputs.clone_from(outputs);
                Ok(())
            }
            Entry::Renamed { from, to } => self.apply_rename(from, to),
            Entry::Recorded { urn, schema_version, object } => {
                let target = Target { entry: "Recorded", urn, generation: object.generation };
                let record = self.record(&target)?;
                let index = target.index(record)?;
                if record.objects[index].role != object.role {
                    return Err(target.illegal("recording does not change an object's role"));
                }
                record.schema_version = *schema_version;
                record.objects[index] = Arc::clone(object);
                Ok(())
            }
            Entry::Forgotten { urn, generation } => {
                let target = Target { entry: "Forgotten", urn, generation: *generation };
                let record = self.record(&target)?;
                let index = target.index(record)?;
                record.objects.remove(index);
                Ok(())
            }
            Entry::Imported { urn, schema_version, object } => self.imported(urn, *schema_version, object),
            Entry::Ran { urn, schema_version, object } => {
                let target = Target { entry: "Ran", urn, generation: object.generation };
                if object.role != Role::Current || object.physical_id.is_some() {
                    return Err(target.illegal("a task owns no object"));
                }
                let record = self.resources.entry(urn.clone()).or_default();
                record.schema_version = *schema_version;
                record.last_generation = record.last_generation.max(object.generation);
                record.objects = vec![Arc::clone(object)];
                Ok(())
            }
            Entry::CreateStarted { urn, schema_version, object } => {
                self.create_started(urn, *schema_version, object)
            }
            Entry::Identified { urn, generation, physical_id } => {
                let target = Target { entry: "Identified", urn, generation: *generation };
                let object = self.object(&target)?;
                if object.role != Role::Incoming {
                    return Err(target.illegal("it is not under creation"));
                }
                if object.physical_id.as_ref().is_some_and(|known| known != physical_id) {
                    return Err(target.illegal("it already has another physical id"));
                }
                Arc::make_mut(object).physical_id = Some(physical_id.clone());
                Ok(())
            }
            Entry::UpdateStarted { urn, generation, change } => {
                let target = Target { entry: "UpdateStarted", urn, generation: *generation };
                let record = self.record(&target)?;
                let index = target.index(record)?;
                if record.objects[index].physical_id.is_none() {
                    return Err(target.illegal("its physical id is not known"));
                }
                if record.objects[index].role == Role::Superseded {
                    return Err(target.illegal("it is replaced already"));
                }
                record.schema_version = change.schema_version;
                let object = Arc::make_mut(&mut record.objects[index]);
                object.inputs.clone_from(&change.inputs);
                object.connection.clone_from(&change.connection);
                object.dependencies.clone_from(&change.dependencies);
                object.options.clone_from(&change.options);
                // A retained object stays retained, and an incoming one under creation, until the
                // step has succeeded: only then does the URN mean it.
                if object.role == Role::Current {
                    object.status = Status::Updating;
                }
                Ok(())
            }
            Entry::DeleteStarted { urn, generation } => {
                let target = Target { entry: "DeleteStarted", urn, generation: *generation };
                let object = self.object(&target)?;
                let before = Box::new(object.status.but_for_deletion().clone());
                Arc::make_mut(object).status = Status::Deleting { before };
                Ok(())
            }
            Entry::Succeeded { urn, generation, outputs, at, seconds } => {
                let target = Target { entry: "Succeeded", urn, generation: *generation };
                let action = self.succeeded(&target, outputs, *at)?;
                self.learn(urn, action, *seconds);
                Ok(())
            }
            Entry::Deleted { urn, generation, seconds } => {
                let target = Target { entry: "Deleted", urn, generation: *generation };
                let record = self.record(&target)?;
                let index = target.index(record)?;
                record.objects.remove(index);
                self.learn(urn, Action::Delete, *seconds);
                Ok(())
            }
            Entry::DeleteRefused { urn, generation } => {
                let target = Target { entry: "DeleteRefused", urn, generation: *generation };
                let object = self.object(&target)?;
                let Status::Deleting { before } = &object.status else {
                    return Err(target.illegal("no deletion was started"));
                };
                let before = before.as_ref().clone();
                Arc::make_mut(object).status = before;
                Ok(())
            }
            Entry::Retained { urn, generation } => {
                let target = Target { entry: "Retained", urn, generation: *generation };
                let object = Arc::make_mut(self.object(&target)?);
                object.role = Role::Retained;
                object.status = Status::Ready;
                // What it stood on may now go; a retained object holds nothing back.
                object.dependencies.clear();
                Ok(())
            }
            Entry::Cleared { urn, generation } => {
                let target = Target { entry: "Cleared", urn, generation: *generation };
                let record = self.record(&target)?;
                let index = target.index(record)?;
                let object = &record.objects[index];
                if object.role != Role::Incoming || object.physical_id.is_some() {
                    return Err(target.illegal("its physical id is known: it is there"));
                }
                record.objects.remove(index);
                Ok(())
            }
            Entry::CreationFailed { urn, generation, reason } => {
                let target = Target { entry: "CreationFailed", urn, generation: *generation };
                let object = self.object(&target)?;
                if object.role != Role::Incoming || object.physical_id.is_none() {
                    return Err(target.illegal("it is not an identified object under creation"));
                }
                Arc::make_mut(object).status = Status::CreationFailed { reason: reason.clone() };
                Ok(())
            }
        }
    }

    fn create_started(
        &mut self,
        urn: &Urn,
        schema_version: u32,
        object: &Arc<Object>,
    ) -> Result<(), IllegalTransition> {
        let target = Target { entry: "CreateStarted", urn, generation: object.generation };
        if object.role != Role::Incoming || object.status != Status::Creating {
            return Err(target.illegal("it does not describe an object under creation"));
        }
        if let Some(record) = self.resources.get(urn) {
            if record.incoming().is_some() {
                return Err(target.illegal("another object is under creation"));
            }
            if object.generation <= record.last_generation {
                return Err(target.illegal("its generation was given out before"));
            }
        }
        let record = self.resources.entry(urn.clone()).or_default();
        record.schema_version = schema_version;
        record.last_generation = object.generation;
        record.last_name_generation = record.last_name_generation.max(object.name_generation);
        record.objects.push(Arc::clone(object));
        Ok(())
    }

    fn imported(
        &mut self,
        urn: &Urn,
        schema_version: u32,
        object: &Arc<Object>,
    ) -> Result<(), IllegalTransition> {
        let target = Target { entry: "Imported", urn, generation: object.generation };
        if object.role != Role::Current || object.status != Status::Ready || object.physical_id.is_none() {
            return Err(target.illegal("it does not describe an object that is there"));
        }
        if let Some(record) = self.resources.get(urn) {
            if record.current().is_some() || record.incoming().is_some() {
                return Err(target.illegal("the resource has an object"));
            }
            if object.generation <= record.last_generation {
                return Err(target.illegal("its generation was given out before"));
            }
        }
        let record = self.resources.entry(urn.clone()).or_default();
        record.schema_version = schema_version;
        record.last_generation = object.generation;
        record.last_name_generation = record.last_name_generation.max(object.name_generation);
        record.objects.push(Arc::clone(object));
        Ok(())
    }

    fn succeeded(
        &mut self,
        target: &Target<'_>,
        outputs: &Properties,
        at: Timestamp,
    ) -> Result<Action, IllegalTransition> {
        let record = self.record(target)?;
        let index = target.index(record)?;
        if record.objects[index].physical_id.is_none() {
            return Err(target.illegal("its physical id is not known"));
        }
        if record.objects[index].role == Role::Superseded {
            return Err(target.illegal("it is replaced already"));
        }
        for (other, object) in record.objects.iter_mut().enumerate() {
            if other != index && object.role == Role::Current {
                Arc::make_mut(object).role = Role::Superseded;
            }
        }
        let object = Arc::make_mut(&mut record.objects[index]);
        let action = match (object.role, &object.status) {
            (Role::Incoming, _) => Action::Create,
            (Role::Retained, _) => Action::Adopt,
            _ => Action::Update,
        };
        object.role = Role::Current;
        object.status = Status::Ready;
        object.observed = None;
        object.owner.tags_pending = false;
        // What went back to its default is not managed from now on.
        object.inputs.retain(|_, value| *value != Value::Null);
        object.changed_at = at;
        object.outputs.clone_from(outputs);
        Ok(action)
    }

    /// Lets the expected duration of a kind of step follow what is seen, the newest half. A step without
    /// a duration teaches nothing: it went with its container, or through a sandbox that answers at once.
    fn learn(&mut self, urn: &Urn, action: Action, seconds: f64) {
        if seconds <= 0.0 {
            return;
        }
        let learned = self.durations.entry(duration_key(urn.resource_type(), action)).or_insert(seconds);
        *learned = f64::midpoint(*learned, seconds);
    }

    fn apply_rename(&mut self, from: &Urn, to: &Urn) -> Result<(), IllegalTransition> {
        let target = Target { entry: "Renamed", urn: from, generation: 0 };
        if self.resources.contains_key(to) {
            return Err(target.illegal("the new URN is taken"));
        }
        let Some(index) = self.resources.get_index_of(from) else {
            return Err(target.illegal("there is no such resource"));
        };
        if let Some(record) = self.resources.swap_remove(from) {
            self.resources.insert(to.clone(), record);
            let last = self.resources.len() - 1;
            self.resources.swap_indices(index, last);
        }
        for object in self.resources.values_mut().flat_map(|record| &mut record.objects) {
            let deleted_with_moves = object.options.deleted_with.as_ref() == Some(from);
            if object.dependencies.contains(from) || deleted_with_moves {
                let object = Arc::make_mut(object);
                if object.dependencies.remove(from) {
                    object.dependencies.insert(to.clone());
                }
                if deleted_with_moves {
                    object.options.deleted_with = Some(to.clone());
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, target: &Target<'_>) -> Result<&mut Record, IllegalTransition> {
        self.resources.get_mut(target.urn).ok_or_else(|| target.illegal("there is no such resource"))
    }

    fn object(&mut self, target: &Target<'_>) -> Result<&mut Arc<Object>, IllegalTransition> {
        let record = self.record(target)?;
        let index = target.index(record)?;
        Ok(&mut record.objects[index])
    }
}

/// What an entry is about.
struct Target<'a> {
    entry: &'static str,
    urn: &'a Urn,
    generation: Generation,
}

impl Target<'_> {
    fn index(&self, record: &Record) -> Result<usize, IllegalTransition> {
        record
            .objects
            .iter()
            .position(|object| object.generation == self.generation)
            .ok_or_else(|| self.illegal("there is no such object"))
    }

    fn illegal(&self, reason: &'static str) -> IllegalTransition {
        IllegalTransition { entry: self.entry, urn: self.urn.clone(), generation: self.generation, reason }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::snapshot::samples::{object, snapshot, urn};

    #[test]
    fn an_import_is_the_current_object_of_a_resource_that_has_none() {
        let imported =
            |object: Object| Entry::Imported { urn: urn("new"), schema_version: 1, object: Arc::new(object) };
        let sound = || object("new", 1, Role::Current, Status::Ready);
        let mut state = snapshot();
        for unsound in [
            Object { role: Role::Incoming, ..sound() },
            Object { status: Status::Updating, ..sound() },
            Object { physical_id: None, ..sound() },
        ] {
            assert!(state.apply(&imported(unsound)).is_err());
        }
        state.apply(&imported(sound())).unwrap();
        let record = &state.resources[&urn("new")];
        assert_eq!((record.current().unwrap(), record.last_generation), (&sound(), 1));
        // Not twice, whatever the generation.
        let again = state.apply(&imported(Object { generation: 2, ..sound() })).unwrap_err();
        assert_eq!(again.reason, "the resource has an object");
        state.apply(&Entry::Forgotten { urn: urn("new"), generation: 1 }).unwrap();
        let reused = state.apply(&imported(sound())).unwrap_err();
        assert_eq!(reused.reason, "its generation was given out before");
    }

    #[test]
    fn an_update_that_ended_well_has_put_the_tags_on() {
        let mut state = snapshot();
        let mut imported = object("new", 1, Role::Current, Status::Ready);
        imported.owner.tags_pending = true;
        let entry = Entry::Imported { urn: urn("new"), schema_version: 1, object: Arc::new(imported) };
        state.apply(&entry).unwrap();
        let succeeded = Entry::Succeeded {
            urn: urn("new"),
            generation: 1,
            outputs: Properties::new(),
            at: Timestamp::UNIX_EPOCH,
            seconds: 0.0,
        };
        state.apply(&succeeded).unwrap();
        assert!(!state.current(&urn("new")).unwrap().owner.tags_pending);
    }
}
