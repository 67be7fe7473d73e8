//! Edits: changes of what is recorded that touch nothing outside.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::journal::Entry;
use crate::snapshot::{Object, PhysicalId, Record, Snapshot};
use crate::urn::Urn;

/// One change of what is recorded, made by hand and not by a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum Edit {
    /// A resource is recorded that was not.
    Added {
        /// The resource.
        urn: Urn,
        /// Its objects, as far as their ids are known.
        physical_ids: Vec<PhysicalId>,
    },
    /// What is recorded of a resource is something else.
    Changed {
        /// The resource.
        urn: Urn,
    },
    /// A resource is no longer recorded. Its objects go on existing.
    Forgotten {
        /// The resource.
        urn: Urn,
        /// Its objects, as far as their ids are known.
        physical_ids: Vec<PhysicalId>,
    },
    /// A resource goes on under another URN.
    Renamed {
        /// Its URN so far.
        from: Urn,
        /// Its URN from now on.
        to: Urn,
    },
    /// A part of the snapshot beside its resources is something else.
    Replaced {
        /// Such as `outputs`.
        part: String,
    },
    /// What an earlier serial says is recorded once more; the other edits say what that changed.
    Restored {
        /// The serial.
        serial: u64,
    },
    /// A finding was put right by its rule.
    Repaired {
        /// The resource.
        urn: Urn,
        /// What was found.
        finding: String,
    },
}

/// Why an edit is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The resource is not recorded.
    #[error("{urn} is not recorded")]
    NotRecorded {
        /// The resource.
        urn: Urn,
    },
    /// Resources that stay depend on what was to be forgotten.
    #[error("other recorded resources depend on what is to be forgotten")]
    StillNeeded {
        /// Each with what it depends on.
        dependants: Vec<(Urn, Urn)>,
    },
    /// The new URN is of another type.
    #[error("{to} is of another type than {from}")]
    OtherType {
        /// The URN so far.
        from: Urn,
        /// The new one.
        to: Urn,
    },
    /// The new URN is recorded already.
    #[error("{urn} is recorded already")]
    Taken {
        /// The new URN.
        urn: Urn,
    },
}

impl Snapshot {
    /// Forgets resources with all their objects, which go on existing.
    ///
    /// # Errors
    /// [`EditError::NotRecorded`], [`EditError::StillNeeded`]; the snapshot is unchanged then.
    pub fn forget(&mut self, urns: &BTreeSet<Urn>) -> Result<Vec<Edit>, EditError> {
        let is_recorded =
            |urn: &&Urn| self.resources.get(*urn).is_some_and(|record| !record.objects.is_empty());
        if let Some(urn) = urns.iter().find(|urn| !is_recorded(urn)) {
            return Err(EditError::NotRecorded { urn: urn.clone() });
        }
        let staying = self.resources.iter().filter(|(urn, _)| !urns.contains(*urn));
        let needs = staying.flat_map(|(urn, record)| {
            let objects = record.objects.iter();
            let needed =
                objects.flat_map(|object| object.dependencies.iter().chain(&object.options.deleted_with));
            needed.filter(|needed| urns.contains(*needed)).map(|needed| (urn.clone(), needed.clone()))
        });
        let dependants: BTreeSet<(Urn, Urn)> = needs.collect();
        if !dependants.is_empty() {
            return Err(EditError::StillNeeded { dependants: dependants.into_iter().collect() });
        }
        let mut edits = Vec::new();
        for urn in urns {
            let Some(record) = self.resources.get_mut(urn) else { continue };
            edits.push(Edit::Forgotten { urn: urn.clone(), physical_ids: physical_ids(record) });
            *record = remains(record);
        }
        Ok(edits)
    }

    /// Keeps of what `other` records what must not be given out again once this snapshot is in its place. What
    /// is the same resource under another URN here, since it was renamed in between, stays that: its other URN
    /// remains free.
    pub fn keep_remains(&mut self, other: &Self) {
        for (urn, record) in &other.resources {
            let renamed =
                if self.resources.contains_key(urn) { None } else { self.same_resource(urn, record) };
            let Some(kept) = self.resources.get_mut(renamed.as_ref().unwrap_or(urn)) else {
                if record.forgotten || !record.objects.is_empty() {
                    self.resources.insert(urn.clone(), remains(record));
                }
                continue;
            };
            let is_kept = |object: &Arc<Object>| {
                let id = |object: &Object| (object.generation, object.physical_id.clone());
                kept.objects.iter().any(|kept| id(kept) == id(object))
            };
            kept.forgotten |= record.forgotten || !record.objects.iter().all(is_kept);
            kept.last_generation = kept.last_generation.max(record.last_generation);
            kept.last_name_generation = kept.last_name_generation.max(record.last_name_generation);
        }
    }

    /// The URN under which the present object of that resource is recorded here.
    fn same_resource(&self, urn: &Urn, record: &Record) -> Option<Urn> {
        let id = record.current()?.physical_id.as_ref()?;
        let is_same = |(other, record): &(&Urn, &Record)| {
            let has_it = |current: &Object| current.physical_id.as_ref() == Some(id);
            other.resource_type() == urn.resource_type() && record.current().is_some_and(has_it)
        };
        self.resources.iter().find(is_same).map(|(other, _)| other.clone())
    }

    /// Lets a resource go on under another URN of the same type.
    ///
    /// # Errors
    /// [`EditError`]; the snapshot is unchanged then.
    pub fn rename(&mut self, from: &Urn, to: &Urn) -> Result<Edit, EditError> {
        if from.resource_type() != to.resource_type() {
            return Err(EditError::OtherType { from: from.clone(), to: to.clone() });
        }
        if self.resources.contains_key(to) {
            return Err(EditError::Taken { urn: to.clone() });
        }
        let (from, to) = (from.clone(), to.clone());
        match self.apply(&Entry::Renamed { from: from.clone(), to: to.clone() }) {
            Ok(()) => Ok(Edit::Renamed { from, to }),
            Err(_) => Err(EditError::NotRecorded { urn: from }),
        }
    }

    /// The edits that lead from this snapshot to `other`. What only an operation leaves (serial,
    /// approval) does not count.
    pub fn edits_to(&self, other: &Self) -> Vec<Edit> {
        let mut edits = Vec::new();
        let objects =
            |snapshot: &Self, urn: &Urn| snapshot.resources.get(urn).map_or(0, |one| one.objects.len());
        for (urn, record) in self.resources.iter().filter(|(_, record)| !record.objects.is_empty()) {
            if objects(other, urn) == 0 {
                edits.push(Edit::Forgotten { urn: urn.clone(), physical_ids: physical_ids(record) });
            } else if other.resources.get(urn) != Some(record) {
                edits.push(Edit::Changed { urn: urn.clone() });
            }
        }
        for (urn, record) in other.resources.iter().filter(|(_, record)| !record.objects.is_empty()) {
            if objects(self, urn) == 0 {
                edits.push(Edit::Added { urn: urn.clone(), physical_ids: physical_ids(record) });
            }
        }
        let parts = [
            ("outputs", self.outputs != other.outputs),
            ("facts", self.facts != other.facts),
            ("durations", self.durations != other.durations),
        ];
        let replaced = parts.into_iter().filter(|(_, is_replaced)| *is_replaced);
        edits.extend(replaced.map(|(part, _)| Edit::Replaced { part: part.to_owned() }));
        edits
    }
}

/// What stays of a forgotten resource. The objects that go on existing carry their generations in their
/// tags: no other object of the resource may ever be taken for one of them.
fn remains(record: &Record) -> Record {
    Record { objects: Vec::new(), forgotten: true, ..record.clone() }
}

fn physical_ids(record: &Record) -> Vec<PhysicalId> {
    record.objects.iter().filter_map(|object| object.physical_id.clone()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::journal::prune;
    use crate::snapshot::samples::{object, snapshot, urn};
    use crate::snapshot::{Role, Status};

    #[test]
    fn what_is_needed_is_not_forgotten_without_those_that_need_it() {
        let mut changed = snapshot();
        let before = changed.clone();
        let refused = changed.forget(&[urn("a")].into()).unwrap_err();
        assert_eq!(refused, EditError::StillNeeded { dependants: vec![(urn("b"), urn("a"))] });
        let refused = changed.forget(&[urn("z")].into()).unwrap_err();
        assert_eq!(refused, EditError::NotRecorded { urn: urn("z") });
        assert_eq!(changed, before);
        let edits = changed.forget(&[urn("a"), urn("b")].into()).unwrap();
        assert_eq!(edits.len(), 2);
        assert_eq!(edits[0], Edit::Forgotten { urn: urn("a"), physical_ids: vec![PhysicalId::new("a-1")] });
    }

    #[test]
    fn the_generations_of_what_is_forgotten_are_not_given_out_again() {
        let mut changed = snapshot();
        changed.forget(&[urn("a"), urn("b")].into()).unwrap();
        for _ in 0..2 {
            prune(&mut changed);
            let record = &changed.resources[&urn("a")];
            assert!(record.objects.is_empty() && record.last_generation == 1);
        }
    }

    /// An older snapshot in the place of one in which a resource was replaced since.
    #[test]
    fn the_generations_of_what_was_created_since_are_not_given_out_again() {
        let (mut older, mut present) = (snapshot(), snapshot());
        let record = &mut present.resources[&urn("a")];
        record.objects = vec![object("a", 2, Role::Current, Status::Ready).into()];
        (record.last_generation, record.last_name_generation) = (2, 2);
        older.keep_remains(&present);
        let kept = &older.resources[&urn("a")];
        assert_eq!(kept.objects, snapshot().resources[&urn("a")].objects);
        assert_eq!((kept.last_generation, kept.last_name_generation, kept.forgotten), (2, 2, true));
        assert!(!older.resources[&urn("b")].forgotten, "its objects are all recorded");
    }

    #[test]
    fn what_was_renamed_since_leaves_nothing_under_its_other_name() {
        let (mut older, mut present) = (snapshot(), snapshot());
        present.rename(&urn("a"), &urn("z")).unwrap();
        present.resources[&urn("z")].last_generation = 3;
        older.keep_remains(&present);
        assert!(!older.resources.contains_key(&urn("z")));
        let kept = &older.resources[&urn("a")];
        assert_eq!((kept.last_generation, kept.forgotten), (3, false));
    }

    #[test]
    fn a_resource_that_only_goes_along_is_a_dependant_too() {
        let mut changed = snapshot();
        let mut along = object("c", 1, Role::Current, Status::Ready);
        along.options.deleted_with = Some(urn("b"));
        changed.resources[&urn("c")].objects = vec![along.into()];
        let refused = changed.forget(&[urn("b")].into()).unwrap_err();
        assert_eq!(refused, EditError::StillNeeded { dependants: vec![(urn("c"), urn("b"))] });
    }

    #[test]
    fn there_and_back_is_nothing() {
        let (before, mut changed) = (snapshot(), snapshot());
        changed.rename(&urn("a"), &urn("z")).unwrap();
        assert_eq!(changed.resources[&urn("b")].current().unwrap().dependencies, [urn("z")].into());
        assert!(!before.edits_to(&changed).is_empty());
        changed.rename(&urn("z"), &urn("a")).unwrap();
        assert_eq!(changed, before);
        assert_eq!(before.edits_to(&changed), []);
    }

    #[test]
    fn impossible_names_are_refused() {
        let mut changed = snapshot();
        let before = changed.clone();
        let other: Urn = "aws:ec2:Vpc/a".parse().unwrap();
        assert!(matches!(changed.rename(&urn("a"), &other), Err(EditError::OtherType { .. })));
        assert!(matches!(changed.rename(&urn("a"), &urn("b")), Err(EditError::Taken { .. })));
        assert!(matches!(changed.rename(&urn("y"), &urn("z")), Err(EditError::NotRecorded { .. })));
        assert_eq!(changed, before);
    }

    #[test]
    fn every_difference_is_an_edit() {
        let (before, mut after) = (snapshot(), snapshot());
        std::sync::Arc::make_mut(&mut after.resources[&urn("b")].objects[0]).dependencies.clear();
        after.forget(&[urn("a")].into()).unwrap();
        after.resources.shift_remove(&urn("c"));
        let added = crate::snapshot::samples::record(vec![object("d", 1, Role::Current, Status::Ready)]);
        after.resources.insert(urn("d"), added);
        after.outputs.insert("url".to_owned(), "x".into());
        after.serial = 99;
        // What stays of the forgotten ones is no edit, and neither is a serial.
        after.keep_remains(&before);
        assert_eq!(after.resources[&urn("c")].last_generation, 1);
        assert_eq!(
            before.edits_to(&after),
            [
                Edit::Forgotten { urn: urn("a"), physical_ids: vec![PhysicalId::new("a-1")] },
                Edit::Changed { urn: urn("b") },
                Edit::Forgotten { urn: urn("c"), physical_ids: vec![PhysicalId::new("c-1")] },
                Edit::Added { urn: urn("d"), physical_ids: vec![PhysicalId::new("d-1")] },
                Edit::Replaced { part: "outputs".to_owned() },
            ]
        );
    }
}
