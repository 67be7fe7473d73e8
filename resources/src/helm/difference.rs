//! What changes between two manifests, object by object, for whoever reviews a plan.
//!
//! What a chart makes up anew at each render (certificates, passwords, times) is found by rendering twice: where two
//! renders of the same inputs differ, nothing changes that anybody asked for.

use std::collections::BTreeMap;

use lsinfra_engine::Value;
use lsinfra_engine::provider::{ChangedPart, PartChange};
use similar::TextDiff;

use crate::helm::manifest::{Manifest, ObjectKey, is_hook, to_yaml};

/// What stands in the place of what is made up anew at each render.
const GENERATED: &str = "(generated at each render)";
/// Labels that carry a version of the chart or of its application: a new version changes them in every object. Some charts
/// have them as annotations, too.
const VERSION_LABELS: [&str; 2] = ["helm.sh/chart", "app.kubernetes.io/version"];
/// How many unchanged lines are shown around a change.
const CONTEXT_LINES: usize = 3;

/// What changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The objects, but for those in which only version labels change.
    pub(crate) parts: Vec<ChangedPart>,
    /// In how many objects only version labels change.
    pub(crate) relabelled: usize,
}

/// What changes from `previous` to `planned`; `again` is another render of the same inputs as `planned`. All digested.
pub(crate) fn difference(previous: &Manifest, planned: &Manifest, again: &Manifest) -> Difference {
    let mut difference = Difference::default();
    let mut parts: BTreeMap<&ObjectKey, ChangedPart> = BTreeMap::new();
    for (key, planned_object) in &planned.objects {
        let Some(previous_object) = previous.objects.get(key) else {
            parts.insert(key, whole(PartChange::Added, key, planned_object));
            continue;
        };
        let (mut old, mut new) = (previous_object.clone(), planned_object.clone());
        if let Some(again) = again.objects.get(key) {
            mask_generated(&mut new, again, &mut old);
        }
        if old == new {
            continue;
        }
        let (mut unlabelled_old, mut unlabelled_new) = (old.clone(), new.clone());
        remove_version_labels(&mut unlabelled_old);
        remove_version_labels(&mut unlabelled_new);
        if unlabelled_old == unlabelled_new {
            difference.relabelled += 1;
            continue;
        }
        let diff = unified(&to_yaml(&old), &to_yaml(&new));
        let part = ChangedPart { change: PartChange::Changed, name: named(key, planned_object), diff };
        parts.insert(key, part);
    }
    for (key, object) in previous.objects.iter().filter(|(key, _)| !planned.objects.contains_key(*key)) {
        parts.insert(key, whole(PartChange::Removed, key, object));
    }
    difference.parts = parts.into_values().collect();
    difference
}

fn whole(change: PartChange, key: &ObjectKey, object: &Value) -> ChangedPart {
    ChangedPart { change, name: named(key, object), diff: String::new() }
}

fn named(key: &ObjectKey, object: &Value) -> String {
    if is_hook(object) { format!("{key} (hook)") } else { key.to_string() }
}

/// Replaces what differs between two renders by a mark, and what was there before in the same place, too.
fn mask_generated(planned: &mut Value, again: &Value, previous: &mut Value) {
    if planned == again {
        return;
    }
    match (planned, again, previous) {
        (Value::Map(planned), Value::Map(again), Value::Map(previous)) => {
            for (name, value) in planned {
                match (again.get(name), previous.get_mut(name)) {
                    (Some(again), Some(previous)) => mask_generated(value, again, previous),
                    (again, _) if again != Some(value) => *value = Value::text(GENERATED),
                    _ => {}
                }
            }
        }
        (Value::List(planned), Value::List(again), Value::List(previous))
            if planned.len() == again.len() && planned.len() == previous.len() =>
        {
            let items = planned.iter_mut().zip(again).zip(previous);
            items.for_each(|((planned, again), previous)| mask_generated(planned, again, previous));
        }
        (planned, _, previous) => {
            *planned = Value::text(GENERATED);
            *previous = Value::text(GENERATED);
        }
    }
}

/// Takes version labels away, of the object and of the pods that it describes.
fn remove_version_labels(value: &mut Value) {
    match value {
        Value::Map(members) => {
            for carrier in ["labels", "annotations"] {
                if let Some(Value::Map(labels)) = members.get_mut(carrier) {
                    labels.retain(|name, _| !VERSION_LABELS.contains(&name.as_str()));
                }
            }
            members.values_mut().for_each(remove_version_labels);
        }
        Value::List(items) => items.iter_mut().for_each(remove_version_labels),
        _ => {}
    }
}

fn unified(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().context_radius(CONTEXT_LINES).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn manifest(text: &str) -> Manifest {
        Manifest::parse(text).unwrap()
    }

    fn deployment(replicas: u32, version: &str, certificate: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: n\n  labels: {{helm.sh/chart: c-{version}}}\n\
             spec:\n  replicas: {replicas}\n  template:\n    metadata:\n      labels: {{app: web, helm.sh/chart: c-{version}}}\n\
             \x20     annotations: {{checksum: {certificate}}}\n    spec: {{containers: [{{name: a, image: web}}, {{name: b, image: side}}]}}\n"
        )
    }

    #[test]
    fn only_what_changes_is_named() {
        let other = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\n";
        let hook = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}\n";
        let same = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: n}\n";
        let previous = manifest(&format!("{}{other}{same}", deployment(1, "1", "x")));
        let planned = manifest(&format!("{}{hook}{same}", deployment(3, "1", "x")));
        let difference = difference(&previous, &planned, &planned);
        insta::assert_debug_snapshot!(difference);
    }

    #[test]
    fn what_each_render_makes_up_is_no_change() {
        let previous = manifest(&deployment(1, "1", "first"));
        let (planned, again) =
            (manifest(&deployment(1, "1", "second")), manifest(&deployment(1, "1", "third")));
        assert_eq!(difference(&previous, &planned, &again), Difference::default());
        // What changes beside it is shown without it.
        let (planned, again) =
            (manifest(&deployment(2, "1", "second")), manifest(&deployment(2, "1", "third")));
        let parts = difference(&previous, &planned, &again).parts;
        assert!(parts[0].diff.contains("+  replicas: 2"), "{}", parts[0].diff);
        assert!(!parts[0].diff.contains("second"), "{}", parts[0].diff);
    }

    #[test]
    fn a_new_version_is_counted_where_it_changes_nothing_else() {
        let previous = manifest(&deployment(1, "1", "x"));
        let planned = manifest(&deployment(1, "2", "x"));
        let relabelled = Difference { parts: Vec::new(), relabelled: 1 };
        assert_eq!(difference(&previous, &planned, &planned), relabelled);
        let annotated = |version: &str| {
            let annotations = format!("annotations: {{helm.sh/chart: c-{version}, note: x}}");
            manifest(&format!("apiVersion: v1\nkind: Service\nmetadata: {{name: web, {annotations}}}\n"))
        };
        assert_eq!(difference(&annotated("1"), &annotated("2"), &annotated("2")), relabelled);
    }

    #[test]
    fn before_there_is_a_release_everything_is_new() {
        let planned = manifest(&deployment(1, "1", "x"));
        let difference = difference(&Manifest::default(), &planned, &planned);
        assert_eq!(difference.parts.len(), 1);
        assert_eq!(difference.parts[0].change, PartChange::Added);
        assert_eq!(difference.parts[0].name, "apps/v1 Deployment n/web");
    }
}
