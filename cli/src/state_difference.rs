//! What differs between two snapshots of one environment, down to single values.
//!
//! Pure; must not know how that is shown, nor where snapshots come from.

use lsinfra_engine::snapshot::{Object, Record, Snapshot};
use lsinfra_engine::{PhysicalId, Properties, Timeouts, Urn, Value};

use crate::render::difference::differences;
use crate::render::state::{role_name, status_name};

/// What differs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StateDifference {
    /// Each resource that is not the same: those of the older snapshot in its order, then the added ones.
    pub(crate) resources: Vec<ResourceDifference>,
    /// The stack's outputs.
    pub(crate) outputs: Vec<ValueDifference>,
    /// The facts.
    pub(crate) facts: Vec<ValueDifference>,
}

/// A resource that is not the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ResourceDifference {
    pub(crate) urn: Urn,
    pub(crate) kind: DifferenceKind,
    /// Its objects where it is recorded, as far as their ids are known: the newer ones.
    pub(crate) physical_ids: Vec<PhysicalId>,
    /// What differs of one that is recorded in both.
    pub(crate) changes: Vec<ValueDifference>,
}

/// In which way it is not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DifferenceKind {
    /// Only the newer snapshot has objects of it.
    Added,
    /// Only the older one has.
    Removed,
    /// Both have.
    Changed,
}

/// A value that is not the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueDifference {
    /// Where, such as `inputs.tags.owner`.
    pub(crate) path: String,
    /// In the older snapshot, if it is there.
    pub(crate) old: Option<Value>,
    /// In the newer one.
    pub(crate) new: Option<Value>,
}

impl StateDifference {
    /// From one snapshot to another.
    pub(crate) fn between(from: &Snapshot, to: &Snapshot) -> Self {
        let mut resources = Vec::new();
        for (urn, old) in &from.resources {
            resources.extend(resource(urn, Some(old), to.resources.get(urn)));
        }
        for (urn, new) in to.resources.iter().filter(|(urn, _)| !from.resources.contains_key(*urn)) {
            resources.extend(resource(urn, None, Some(new)));
        }
        Self {
            resources,
            outputs: properties(&from.outputs, &to.outputs),
            facts: properties(&from.facts, &to.facts),
        }
    }

    /// Whether nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty() && self.facts.is_empty()
    }

    /// How many resources differ in that way.
    pub(crate) fn count(&self, kind: DifferenceKind) -> usize {
        self.resources.iter().filter(|resource| resource.kind == kind).count()
    }
}

fn resource(urn: &Urn, old: Option<&Record>, new: Option<&Record>) -> Option<ResourceDifference> {
    // A record without objects is no resource any more.
    let with_objects = |record: Option<&'_ Record>| record.is_some_and(|record| !record.objects.is_empty());
    let (kind, recorded) = match (old.filter(|_| with_objects(old)), new.filter(|_| with_objects(new))) {
        (None, None) => return None,
        (None, Some(new)) => (DifferenceKind::Added, new),
        (Some(old), None) => (DifferenceKind::Removed, old),
        (Some(old), Some(new)) => {
            let changes = properties(&told(old), &told(new));
            let physical_ids = ids(new);
            let changed = (!changes.is_empty()).then(|| ResourceDifference {
                urn: urn.clone(),
                kind: DifferenceKind::Changed,
                physical_ids,
                changes,
            });
            return changed;
        }
    };
    Some(ResourceDifference { urn: urn.clone(), kind, physical_ids: ids(recorded), changes: Vec::new() })
}

fn ids(record: &Record) -> Vec<PhysicalId> {
    record.objects.iter().filter_map(|object| object.physical_id.clone()).collect()
}

fn properties(old: &Properties, new: &Properties) -> Vec<ValueDifference> {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let found = names.flat_map(|name| differences(name, old.get(name), new.get(name)));
    // Nothing and null mean the same.
    let is_something = |value: Option<&Value>| value.is_some_and(|value| *value != Value::Null);
    let found = found.filter(|one| is_something(one.old) || is_something(one.new));
    let owned = found.map(|difference| ValueDifference {
        path: difference.path,
        old: difference.old.cloned(),
        new: difference.new.cloned(),
    });
    owned.collect()
}

/// All that is recorded of a resource: of the object that it means in full, of others what they are.
fn told(record: &Record) -> Properties {
    let main = record.current().or(record.incoming()).or(record.retained());
    let main = main.or(record.objects.last().map(|object| &**object));
    let mut told = main.map(whole).unwrap_or_default();
    told.insert("schema_version".to_owned(), i64::from(record.schema_version).into());
    let others =
        record.objects.iter().filter(|object| main.is_none_or(|main| !std::ptr::eq(main, &***object)));
    for object in others {
        let brief = [
            ("id", id(object)),
            ("role", role_name(object.role).into()),
            ("status", status_name(&object.status).into()),
        ];
        told.insert(format!("generation_{}", object.generation), map(brief));
    }
    told
}

fn whole(object: &Object) -> Properties {
    let options = &object.options;
    let urns =
        |urns: &mut dyn Iterator<Item = &Urn>| Value::List(urns.map(|urn| urn.as_str().into()).collect());
    let Timeouts { create, update, delete } = options.timeouts;
    let seconds = |timeout: Option<std::time::Duration>| {
        timeout.and_then(|timeout| serde_json::Number::from_f64(timeout.as_secs_f64())).map(Value::Number)
    };
    let timeouts = [("create", create), ("update", update), ("delete", delete)];
    let timeouts = timeouts.into_iter().filter_map(|(name, timeout)| Some((name, seconds(timeout)?)));
    let parts = [
        ("generation", Some(i64::from(object.generation).into())),
        ("name_generation", Some(i64::from(object.name_generation).into())),
        ("id", Some(id(object))),
        ("role", Some(role_name(object.role).into())),
        ("status", Some(status_name(&object.status).into())),
        ("inputs", Some(Value::Map(object.inputs.clone()))),
        ("observed", object.observed.clone().map(Value::Map)),
        ("outputs", Some(Value::Map(object.outputs.clone()))),
        ("connection", Some(object.connection.clone())),
        ("dependencies", Some(urns(&mut object.dependencies.iter()))),
        ("protect", Some(options.protect.into())),
        ("retain_on_delete", Some(options.retain_on_delete.into())),
        ("deleted_with", options.deleted_with.as_ref().map(|urn| urn.as_str().into())),
        ("timeouts_seconds", Some(map(timeouts))),
        ("tagged_urn", Some(object.owner.urn.as_str().into())),
        ("created_at", Some(object.created_at.to_string().into())),
        ("changed_at", Some(object.changed_at.to_string().into())),
    ];
    parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn id(object: &Object) -> Value {
    object.physical_id.as_ref().map_or(Value::Null, |id| id.as_str().into())
}

fn map(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn a_snapshot_differs_in_nothing_from_itself() {
        let (older, newer) = samples::snapshots();
        for snapshot in [&older, &newer] {
            assert!(StateDifference::between(snapshot, snapshot).is_empty());
        }
        assert!(!StateDifference::between(&older, &newer).is_empty());
    }

    #[test]
    fn there_and_back_swaps_old_and_new() {
        let (older, newer) = samples::snapshots();
        let (there, back) =
            (StateDifference::between(&older, &newer), StateDifference::between(&newer, &older));
        let kinds = |difference: &StateDifference| {
            use DifferenceKind::{Added, Changed, Removed};
            [Added, Removed, Changed].map(|kind| difference.count(kind))
        };
        let [added, removed, changed] = kinds(&there);
        assert_eq!(kinds(&back), [removed, added, changed]);
        assert!(added > 0 && removed > 0 && changed > 0);
        let paths = |difference: &StateDifference| {
            let changed = difference.resources.iter().find(|one| one.kind == DifferenceKind::Changed);
            let changes = changed.map(|one| one.changes.clone()).unwrap_or_default();
            let paths: std::collections::BTreeSet<String> = changes.into_iter().map(|one| one.path).collect();
            paths
        };
        assert_eq!(paths(&there), paths(&back));
    }
}
