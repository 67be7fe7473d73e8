//! A resource that is recorded twice, by somebody's hand: one record of both, and which object is the present one.

use std::sync::Arc;

use crate::snapshot::{Edit, Finding, Object, PhysicalId, Record, Role, Snapshot, Status};
use crate::urn::Urn;

/// One record of two: what both say is in it once. `None` if they are written at different versions of the type's
/// schema, so that one record cannot say both.
pub fn merged(first: &Record, second: &Record) -> Option<Record> {
    if first.schema_version != second.schema_version {
        return None;
    }
    let mut objects = first.objects.clone();
    objects.extend(second.objects.iter().filter(|object| !first.objects.contains(object)).cloned());
    objects.sort_by_key(|object| object.generation);
    Some(Record {
        schema_version: first.schema_version,
        last_generation: first.last_generation.max(second.last_generation),
        last_name_generation: first.last_name_generation.max(second.last_name_generation),
        forgotten: first.forgotten || second.forgotten,
        objects,
    })
}

/// Settles which object each of these resources means, as far as that is sure: of several present ones that of the
/// newest generation. Another record of the same object is dropped, and another object is retained: it goes on
/// existing, and nothing deletes it. An older one on which a step is unfinished is left, and so is the integrity
/// problem that it makes.
pub fn settle(snapshot: &mut Snapshot, twice: &[Urn]) -> Vec<Edit> {
    let mut edits = Vec::new();
    for urn in twice {
        let Some(record) = snapshot.resources.get_mut(urn) else { continue };
        let mut finding = Finding::RecordedTwice { urn: urn.clone() }.to_string();
        for settled in settle_record(record) {
            finding.push_str("; ");
            finding.push_str(&settled);
        }
        edits.push(Edit::Repaired { urn: urn.clone(), finding });
    }
    edits
}

/// What became of each object that is not the present one any more.
fn settle_record(record: &mut Record) -> Vec<String> {
    let mut settled = Vec::new();
    let is_current = |object: &&Arc<Object>| object.role == Role::Current;
    let Some(newest) = record.objects.iter().rfind(is_current).cloned() else { return settled };
    record.objects.retain_mut(|object| {
        if object.role != Role::Current
            || object.generation == newest.generation
            || object.status != Status::Ready
        {
            return true;
        }
        let (generation, id) =
            (object.generation, object.physical_id.as_ref().map_or("", PhysicalId::as_str));
        if object.physical_id == newest.physical_id {
            settled.push(format!("generation {generation} is the same object, and was dropped"));
            return false;
        }
        settled.push(format!(
            "generation {generation} ({id}) is retained: it goes on existing, and nothing deletes it"
        ));
        let object = Arc::make_mut(object);
        object.role = Role::Retained;
        // As of every retained object: it holds nothing back.
        object.dependencies.clear();
        true
    });
    settled
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::snapshot::samples::{object, record, snapshot, urn};
    use crate::snapshot::{IntegrityProblem, check_integrity};

    fn current(generation: u32) -> Object {
        object("a", generation, Role::Current, Status::Ready)
    }

    /// The sample whose `a` has these two records.
    fn with(first: Object, second: Object) -> Snapshot {
        let mut snapshot = snapshot();
        snapshot.resources[&urn("a")] = merged(&record(vec![first]), &record(vec![second])).unwrap();
        snapshot
    }

    fn settled(mut snapshot: Snapshot) -> (Snapshot, String) {
        let edits = settle(&mut snapshot, &[urn("a")]);
        let [Edit::Repaired { finding, .. }] = edits.as_slice() else { panic!("{edits:?}") };
        (snapshot, finding.clone())
    }

    #[test]
    fn the_same_record_twice_is_one() {
        let (settled, finding) = settled(with(current(1), current(1)));
        assert_eq!(settled, snapshot());
        assert!(finding.ends_with("is recorded twice"), "{finding}");
    }

    #[test]
    fn of_two_present_objects_the_newer_stays_and_the_other_is_retained() {
        for records in [[1, 2], [2, 1]] {
            let twice = with(current(records[0]), current(records[1]));
            assert_ne!(check_integrity(&twice), []);
            let (settled, finding) = settled(twice);
            let record = &settled.resources[&urn("a")];
            assert_eq!(record.current(), Some(&current(2)));
            assert_eq!((record.retained().unwrap().generation, record.last_generation), (1, 2));
            assert_eq!(check_integrity(&settled), []);
            assert!(finding.contains("generation 1 (a-1) is retained"), "{finding}");
        }
    }

    #[test]
    fn the_same_object_of_two_generations_is_kept_once() {
        let (settled, finding) =
            settled(with(current(1), Object { physical_id: current(1).physical_id, ..current(2) }));
        assert_eq!(settled.resources[&urn("a")].objects.len(), 1);
        assert!(finding.contains("generation 1 is the same object"), "{finding}");
    }

    #[test]
    fn what_is_not_sure_is_left() {
        let differs = Object { name_generation: 7, ..current(1) };
        let (settled_one, _) = settled(with(current(1), differs));
        assert!(
            check_integrity(&settled_one)
                .iter()
                .any(|one| matches!(one, IntegrityProblem::DuplicateGeneration { .. }))
        );
        let (settled_other, _) = settled(with(Object { status: Status::Updating, ..current(1) }, current(2)));
        assert!(matches!(
            check_integrity(&settled_other).as_slice(),
            [IntegrityProblem::DuplicateRole { .. }]
        ));
        let other_version = Record { schema_version: 9, ..record(vec![current(1)]) };
        assert_eq!(merged(&other_version, &record(vec![current(1)])), None);
    }
}
