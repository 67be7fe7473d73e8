//! Comparing the inputs of one resource: what differs, and how severe that is.

use std::collections::BTreeSet;

use crate::options::Options;
use crate::plan::PropertyChange;
use crate::schema::{Compare, InputField, Schema};
use crate::snapshot::Generation;
use crate::urn::Urn;
use crate::value::{Properties, Value};

/// How severe a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing to do.
    Same,
    /// An update in place.
    Update,
    /// A new object.
    Replace,
}

/// The inputs to compare. `desired` and `recorded` are as declared; `observed` is effective.
pub struct Comparison<'a> {
    /// The type's fields.
    pub schema: &'a Schema,
    /// What the stack declares, as far as it is known.
    pub desired: &'a Properties,
    /// What was last applied.
    pub recorded: &'a Properties,
    /// What a refresh read, if there was one: [`Value::Null`] for what it found not to be there.
    pub observed: Option<&'a Properties>,
    /// The generation that the object's physical name carries.
    pub name_generation: Generation,
    /// The resource's options.
    pub options: &'a Options,
}

/// What differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// How severe the whole is.
    pub severity: Severity,
    /// Each property that changes, by path.
    pub changes: Vec<PropertyChange>,
    /// The fields that change, each once.
    pub fields: Vec<String>,
    /// The inputs to apply and record: the desired ones, except where changes are ignored.
    pub inputs: Properties,
}

impl Difference {
    /// The fields that go back to their defaults.
    pub fn leaving(&self) -> Vec<String> {
        self.fields.iter().filter(|field| !self.inputs.contains_key(*field)).cloned().collect()
    }

    /// The inputs to record while they are being applied: what goes back to its default stays on
    /// record as [`Value::Null`], so that an interrupted update is not forgotten halfway.
    pub fn inputs_under_way(&self) -> Properties {
        let leaving = self.leaving().into_iter().map(|field| (field, Value::Null));
        self.inputs.clone().into_iter().chain(leaving).collect()
    }
}

impl Difference {
    /// The fields that force a replacement.
    pub fn forcing_fields(&self) -> Vec<String> {
        let mut fields: Vec<String> = self
            .changes
            .iter()
            .filter(|change| change.forces_replacement)
            .map(|change| top_field(&change.path).to_owned())
            .collect();
        fields.dedup();
        fields
    }
}

/// Compares. `causes` names the changing resources that a field's value comes from.
pub fn compare(comparison: &Comparison<'_>, causes: &dyn Fn(&str) -> BTreeSet<Urn>) -> Difference {
    let mut difference = Difference {
        severity: Severity::Same,
        changes: Vec::new(),
        fields: Vec::new(),
        inputs: Properties::new(),
    };
    for field in comparison.schema.inputs {
        compare_field(comparison, field, causes, &mut difference);
    }
    difference
}

fn compare_field(
    comparison: &Comparison<'_>,
    field: &InputField,
    causes: &dyn Fn(&str) -> BTreeSet<Urn>,
    difference: &mut Difference,
) {
    let recorded = comparison.recorded.get(field.name);
    // A field that an unfinished update takes back to its default is not what was applied.
    let is_leaving = recorded == Some(&Value::Null);
    let applied = recorded.filter(|_| !is_leaving);
    let seen = comparison.observed.and_then(|observed| observed.get(field.name));
    let is_absent = seen == Some(&Value::Null);
    let observed = seen
        .filter(|_| !is_absent)
        .map(|value| declared_form(field, value, applied, comparison.name_generation));
    // What was not read is as it was applied; what was read and is not there is nothing.
    let actual = if is_absent { None } else { observed.as_ref().or(applied) };
    let drift = seen.is_some() && applied.is_some() && !same_optional(field.compare, actual, applied);
    let is_ignored = comparison.options.ignore_changes.contains(field.name);
    let forces_replacement =
        needs_new_object(field, is_absent) || comparison.options.replace_on_changes.contains(field.name);
    let desired = match comparison.desired.get(field.name) {
        // Taken away behind our back, and ignored: it stays on record, or it would be set again.
        Some(_) if let (Some(applied), true) = (applied, is_absent && is_ignored) => {
            difference.inputs.insert(field.name.to_owned(), applied.clone());
            return;
        }
        Some(desired) => keep_given(keep_ignored(field.name, desired, actual, comparison.options), actual),
        None => {
            let keeps = is_ignored || field.computed;
            if let (Some(applied), true) = (applied, keeps) {
                difference.inputs.insert(field.name.to_owned(), applied.clone());
            } else if recorded.is_some() && !keeps && (is_leaving || !is_absent) {
                let leaves = vec![(field.name.to_owned(), actual.cloned(), None)];
                push(field, leaves, forces_replacement, drift, causes, difference);
            }
            return;
        }
    };
    if !actual.is_some_and(|actual| same(field.compare, actual, &desired)) {
        let leaves = leaves(field, actual, &desired);
        push(field, leaves, forces_replacement, drift, causes, difference);
    }
    difference.inputs.insert(field.name.to_owned(), desired);
}

/// Whether a difference in a field needs a new object.
fn needs_new_object(field: &InputField, is_absent: bool) -> bool {
    field.replace && !(field.restorable && is_absent)
}

fn push(
    field: &InputField,
    leaves: Vec<(String, Option<Value>, Option<Value>)>,
    forces_replacement: bool,
    drift: bool,
    causes: &dyn Fn(&str) -> BTreeSet<Urn>,
    difference: &mut Difference,
) {
    let severity = if forces_replacement { Severity::Replace } else { Severity::Update };
    difference.severity = difference.severity.max(severity);
    difference.fields.push(field.name.to_owned());
    let caused_by = causes(field.name);
    difference.changes.extend(leaves.into_iter().map(|(path, old, new)| PropertyChange {
        path,
        old,
        new,
        forces_replacement,
        drift,
        caused_by: caused_by.clone(),
    }));
}

/// What was read back, in the form in which it is declared: a physical name without its suffix, and
/// the recorded spelling where only order or case differs.
fn declared_form(
    field: &InputField,
    observed: &Value,
    recorded: Option<&Value>,
    name_generation: Generation,
) -> Value {
    if let Some(recorded) = recorded
        && same(field.compare, &effective(field, recorded, name_generation), observed)
    {
        return recorded.clone();
    }
    observed.clone()
}

/// The effective form of a declared value: a physical name with the suffix of its generation.
fn effective(field: &InputField, value: &Value, name_generation: Generation) -> Value {
    match (field.name_limit_characters, value) {
        (Some(_), Value::Text(name)) if name_generation > 1 => {
            Value::Text(format!("{name}-{name_generation}"))
        }
        _ => value.clone(),
    }
}

/// All inputs in effective form, as providers receive them: what is on its way back to its default
/// counts as not given.
pub fn effective_inputs(schema: &Schema, inputs: &Properties, name_generation: Generation) -> Properties {
    let mut effective_inputs = inputs.clone();
    effective_inputs.retain(|_, value| *value != Value::Null);
    if name_generation > 1 {
        for field in schema.inputs {
            if let Some(value) = effective_inputs.get_mut(field.name) {
                *value = effective(field, value, name_generation);
            }
        }
    }
    effective_inputs
}

/// The inputs to record of an object that is imported: of the desired ones what was seen of them. What a
/// read cannot show and no update could change is taken to be as desired.
pub(super) fn imported_inputs(
    schema: &Schema,
    desired: &Properties,
    seen: &Properties,
    name_generation: Generation,
) -> Properties {
    let recorded = |field: &InputField| {
        let desired = desired.get(field.name)?;
        match seen.get(field.name) {
            Some(Value::Null) => None,
            Some(seen) => Some(declared_form(field, seen, Some(desired), name_generation)),
            None => Some(desired.clone()).filter(|desired| field.replace && !desired.has_unknown()),
        }
    };
    let fields = schema.inputs.iter();
    fields.filter_map(|field| Some((field.name.to_owned(), recorded(field)?))).collect()
}

/// The generation that an object's name carries, if but for that it is the desired name.
pub(super) fn suffix_generation(schema: &Schema, desired: &Properties, seen: &Properties) -> Generation {
    let of_field = |field: &InputField| {
        field.name_limit_characters?;
        let name = desired.get(field.name)?.as_text()?;
        let suffix = seen.get(field.name)?.as_text()?.strip_prefix(name)?.strip_prefix('-')?;
        let generation: Generation = suffix.parse().ok()?;
        (generation > 1 && suffix == generation.to_string()).then_some(generation)
    };
    schema.inputs.iter().find_map(of_field).unwrap_or(1)
}

/// The desired value with the paths left alone that the options say to ignore. A value that the
/// object does not have yet is not ignored: it is set once.
fn keep_ignored(field: &str, desired: &Value, actual: Option<&Value>, options: &Options) -> Value {
    let Some(actual) = actual else { return desired.clone() };
    if options.ignore_changes.contains(field) {
        return actual.clone();
    }
    let mut kept = desired.clone();
    for path in &options.ignore_changes {
        let Some((top, rest)) = path.split_once('.') else { continue };
        if top == field {
            keep_path(&mut kept, Some(actual), rest);
        }
    }
    kept
}

fn keep_path(desired: &mut Value, actual: Option<&Value>, path: &str) {
    let Value::Map(fields) = desired else { return };
    let actual = actual.and_then(Value::as_map);
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    let actual = actual.and_then(|actual| actual.get(key));
    if !rest.is_empty() {
        if let Some(inner) = fields.get_mut(key) {
            keep_path(inner, actual, rest);
        }
        return;
    }
    match actual {
        Some(actual) => {
            fields.insert(key.to_owned(), actual.clone());
        }
        None => {
            fields.remove(key);
        }
    }
}

/// The desired value, in which secrets that a person has to give are what was given before.
fn keep_given(desired: Value, actual: Option<&Value>) -> Value {
    match (desired, actual) {
        (Value::Secret(desired), Some(Value::Secret(actual))) => {
            Value::Secret(desired.filled_from(actual).unwrap_or(desired))
        }
        (Value::Map(fields), Some(Value::Map(actual))) => {
            let kept = fields.into_iter().map(|(name, field)| {
                let field = keep_given(field, actual.get(&name));
                (name, field)
            });
            Value::Map(kept.collect())
        }
        (desired, _) => desired,
    }
}

/// Whether two values mean the same to a field. Nothing equals an unknown.
fn same(compare: Compare, left: &Value, right: &Value) -> bool {
    if left.has_unknown() || right.has_unknown() {
        return false;
    }
    match (compare, left, right) {
        (Compare::Set, Value::List(left), Value::List(right)) => {
            left.iter().all(|item| right.contains(item)) && right.iter().all(|item| left.contains(item))
        }
        (Compare::CaseInsensitive, Value::Text(left), Value::Text(right)) => left.eq_ignore_ascii_case(right),
        _ => left == right,
    }
}

fn same_optional(compare: Compare, left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same(compare, left, right),
        (left, right) => left.is_none() && right.is_none(),
    }
}

/// The innermost paths at which two values differ.
fn leaves(
    field: &InputField,
    old: Option<&Value>,
    new: &Value,
) -> Vec<(String, Option<Value>, Option<Value>)> {
    let mut found = Vec::new();
    collect_leaves(field.name, field.compare, old, Some(new), &mut found);
    found
}

fn collect_leaves(
    path: &str,
    compare: Compare,
    old: Option<&Value>,
    new: Option<&Value>,
    found: &mut Vec<(String, Option<Value>, Option<Value>)>,
) {
    match (old, new) {
        (Some(Value::Map(old)), Some(Value::Map(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                collect_leaves(&format!("{path}.{key}"), Compare::Exact, old.get(key), new.get(key), found);
            }
        }
        (Some(Value::List(old)), Some(Value::List(new)))
            if old.len() == new.len() && compare == Compare::Exact =>
        {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                collect_leaves(&format!("{path}[{index}]"), Compare::Exact, Some(old), Some(new), found);
            }
        }
        (old, new) => {
            if !same_optional(compare, old, new) {
                found.push((path.to_owned(), old.cloned(), new.cloned()));
            }
        }
    }
}

/// The field that a path begins with.
pub(crate) fn top_field(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

/// How an object differs from what was last applied to it: the managed fields only, and not the
/// ignored ones. Old is what was applied, new is what was observed.
pub fn drift(
    schema: &Schema,
    recorded: &Properties,
    observed: &Properties,
    name_generation: Generation,
    options: &Options,
) -> Vec<PropertyChange> {
    let mut found = Vec::new();
    for field in schema.inputs {
        let (Some(recorded), Some(seen)) = (recorded.get(field.name), observed.get(field.name)) else {
            continue;
        };
        let is_absent = *seen == Value::Null;
        let seen = (!is_absent).then(|| declared_form(field, seen, Some(recorded), name_generation));
        if *recorded == Value::Null
            || recorded.has_unknown()
            || same_optional(field.compare, Some(recorded), seen.as_ref())
        {
            continue;
        }
        let mut leaves = Vec::new();
        collect_leaves(field.name, field.compare, Some(recorded), seen.as_ref(), &mut leaves);
        found.extend(leaves.into_iter().filter(|(path, ..)| !is_ignored(path, options)).map(
            |(path, old, new)| PropertyChange {
                forces_replacement: needs_new_object(field, is_absent),
                drift: true,
                caused_by: BTreeSet::new(),
                path,
                old,
                new,
            },
        ));
    }
    found
}

/// The outputs that hold another secret than was recorded: someone changed it in its store. Nothing is
/// mended: from now on the new one counts. Old is what was recorded, new is what was observed.
pub fn secret_drift(recorded: &Properties, observed: &Properties) -> Vec<PropertyChange> {
    let mut leaves = Vec::new();
    for (name, seen) in observed {
        if let Some(recorded) = recorded.get(name).filter(|_| seen.has_secret()) {
            collect_leaves(name, Compare::Exact, Some(recorded), Some(seen), &mut leaves);
        }
    }
    let changes = leaves.into_iter().map(|(path, old, new)| PropertyChange {
        path,
        old,
        new,
        forces_replacement: false,
        drift: true,
        caused_by: BTreeSet::new(),
    });
    changes.collect()
}

fn is_ignored(path: &str, options: &Options) -> bool {
    options.ignore_changes.iter().any(|ignored| {
        path == ignored
            || path.strip_prefix(ignored.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Durations, Kind};

    const REGION: InputField = InputField { replace: true, ..InputField::new("region") };
    const PLACE: InputField = InputField { restorable: true, replace: true, ..InputField::new("place") };
    const NAME: InputField =
        InputField { replace: true, name_limit_characters: Some(20), ..InputField::new("name") };
    const ZONES: InputField = InputField { compare: Compare::Set, ..InputField::new("zones") };
    const MODE: InputField = InputField { compare: Compare::CaseInsensitive, ..InputField::new("mode") };
    const SIZE: InputField = InputField { computed: true, ..InputField::new("size") };
    const SCHEMA: Schema = Schema {
        resource_type: "test:x:Thing",
        version: 1,
        kind: Kind::Managed,
        inputs: &[REGION, PLACE, NAME, ZONES, MODE, SIZE, InputField::new("tags")],
        outputs: &[],
        singleton: false,
        service: "test",
        service_parallelism: 1,
        client_token: false,
        consistency_window: std::time::Duration::ZERO,
        durations: Durations::seconds(1, 1, 1),
    };

    fn values(json: serde_json::Value) -> Properties {
        match Value::from_plain_json(json) {
            Value::Map(fields) => fields,
            _ => Properties::new(),
        }
    }

    fn diff(
        desired: serde_json::Value,
        recorded: serde_json::Value,
        observed: Option<serde_json::Value>,
        options: &Options,
    ) -> Difference {
        let observed = observed.map(values);
        compare(
            &Comparison {
                schema: &SCHEMA,
                desired: &values(desired),
                recorded: &values(recorded),
                observed: observed.as_ref(),
                name_generation: 2,
                options,
            },
            &|_| BTreeSet::new(),
        )
    }

    fn plain(desired: serde_json::Value, recorded: serde_json::Value) -> Difference {
        diff(desired, recorded, None, &Options::default())
    }

    use serde_json::json;

    #[test]
    fn behaviour_of_each_kind_of_field() {
        assert_eq!(plain(json!({"region": "a"}), json!({"region": "b"})).severity, Severity::Replace);
        assert_eq!(plain(json!({"zones": [1, 2]}), json!({"zones": [2, 1, 1]})).severity, Severity::Same);
        assert_eq!(plain(json!({"zones": [1, 3]}), json!({"zones": [2, 1]})).severity, Severity::Update);
        assert_eq!(plain(json!({"mode": "On"}), json!({"mode": "ON"})).severity, Severity::Same);
        assert_eq!(plain(json!({}), json!({"size": 3})).severity, Severity::Same);
        assert_eq!(plain(json!({}), json!({"mode": "on"})).severity, Severity::Update);
    }

    #[test]
    fn inputs_not_given_are_not_managed() {
        let found = diff(json!({}), json!({}), Some(json!({"tags": {"a": "b"}})), &Options::default());
        assert_eq!(found.severity, Severity::Same);
    }

    #[test]
    fn a_name_carries_its_generation() {
        let same = diff(
            json!({"name": "role"}),
            json!({"name": "role"}),
            Some(json!({"name": "role-2"})),
            &Options::default(),
        );
        assert_eq!(same.severity, Severity::Same);
        assert_eq!(
            effective_inputs(&SCHEMA, &values(json!({"name": "role"})), 2),
            values(json!({"name": "role-2"}))
        );
    }

    #[test]
    fn an_imported_object_is_recorded_as_it_was_seen() {
        let desired =
            json!({"name": "role", "mode": "on", "zones": [1, 2], "tags": {"a": "1"}, "region": "a"});
        let seen = json!({"name": "role-3", "mode": "ON", "zones": [2, 1], "tags": null, "size": 7});
        let generation = suffix_generation(&SCHEMA, &values(desired.clone()), &values(seen.clone()));
        assert_eq!(generation, 3);
        assert_eq!(
            imported_inputs(&SCHEMA, &values(desired), &values(seen), generation),
            values(json!({"name": "role", "mode": "on", "zones": [1, 2], "region": "a"}))
        );
        for other in ["role", "role-1", "role-03", "role-x", "other-2"] {
            let (desired, seen) = (values(json!({"name": "role"})), values(json!({"name": other})));
            assert_eq!(suffix_generation(&SCHEMA, &desired, &seen), 1, "{other}");
        }
    }

    #[test]
    fn drift_is_mended_and_marked() {
        let found = diff(
            json!({"tags": {"a": "1", "b": "2"}}),
            json!({"tags": {"a": "1", "b": "2"}}),
            Some(json!({"tags": {"a": "9", "b": "2"}})),
            &Options::default(),
        );
        assert_eq!(found.severity, Severity::Update);
        assert_eq!(found.changes.len(), 1);
        assert_eq!(found.changes[0].path, "tags.a");
        assert!(found.changes[0].drift);
    }

    #[test]
    fn what_was_applied_and_is_not_there_is_drift() {
        let given = json!({"tags": "a"});
        let found = diff(given.clone(), given.clone(), Some(json!({"tags": null})), &Options::default());
        assert_eq!(found.severity, Severity::Update);
        assert_eq!((&found.changes[0].old, found.changes[0].drift), (&None, true));
        assert_eq!(found.inputs, values(given.clone()));
        let drift = drift(&SCHEMA, &values(given), &values(json!({"tags": null})), 1, &Options::default());
        assert_eq!((drift[0].path.as_str(), &drift[0].new), ("tags", &None));
    }

    #[test]
    fn what_is_not_there_and_not_given_is_no_difference() {
        let absent = || Some(json!({"tags": null, "mode": null}));
        for recorded in [json!({}), json!({"mode": "on"})] {
            let found = diff(json!({}), recorded, absent(), &Options::default());
            assert_eq!((found.severity, found.inputs), (Severity::Same, Properties::new()));
        }
        assert!(
            drift(&SCHEMA, &values(json!({})), &values(json!({"tags": null})), 1, &Options::default())
                .is_empty()
        );
        // An update that takes it back to its default is seen through, whatever a read shows.
        let found = diff(json!({}), json!({"mode": null}), absent(), &Options::default());
        assert_eq!(found.leaving(), ["mode"]);
        assert_eq!(found.inputs_under_way(), values(json!({"mode": null})));
    }

    #[test]
    fn what_is_not_there_and_ignored_stays_on_record() {
        let options = Options { ignore_changes: ["mode".to_owned()].into(), ..Options::default() };
        let found =
            diff(json!({"mode": "on"}), json!({"mode": "off"}), Some(json!({"mode": null})), &options);
        assert_eq!((found.severity, found.inputs), (Severity::Same, values(json!({"mode": "off"}))));
    }

    #[test]
    fn only_what_is_restorable_is_put_back_without_a_new_object() {
        for (field, severity) in [("region", Severity::Replace), ("place", Severity::Update)] {
            let given = json!({field: "a"});
            let found = diff(given.clone(), given.clone(), Some(json!({field: null})), &Options::default());
            assert_eq!(found.severity, severity, "{field}");
            let found = diff(given.clone(), given, Some(json!({field: "b"})), &Options::default());
            assert_eq!(found.severity, Severity::Replace, "{field}");
        }
    }

    #[test]
    fn ignored_paths_keep_what_is_there() {
        let options = Options { ignore_changes: ["tags.a".to_owned()].into(), ..Options::default() };
        let found = diff(
            json!({"tags": {"a": "1", "b": "2"}}),
            json!({"tags": {"a": "7", "b": "2"}}),
            Some(json!({"tags": {"a": "9", "b": "2"}})),
            &options,
        );
        assert_eq!(found.severity, Severity::Same);
        assert_eq!(found.inputs, values(json!({"tags": {"a": "9", "b": "2"}})));
    }

    #[test]
    fn unknown_counts_as_the_severest_change() {
        let desired = Properties::from([("region".to_owned(), Value::Unknown)]);
        let found = compare(
            &Comparison {
                schema: &SCHEMA,
                desired: &desired,
                recorded: &values(json!({"region": "a"})),
                observed: None,
                name_generation: 1,
                options: &Options::default(),
            },
            &|_| BTreeSet::new(),
        );
        assert_eq!(found.severity, Severity::Replace);
        assert_eq!(found.forcing_fields(), ["region"]);
    }
}
