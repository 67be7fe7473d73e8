//! Property changes as lines: one path, one old and one new value each.
//!
//! Structures are taken apart to the values that really differ; owns the grammar of paths
//! (`policy.Statement[0].Effect`).

use lsinfra_engine::Value;
use lsinfra_engine::plan::PropertyChange;

use crate::render::tree::brief_name;
use crate::render::value::show;
use crate::render::{Canvas, Tone};

/// One value that differs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference<'a> {
    /// Where, such as `tags.owner`.
    pub(crate) path: String,
    /// The value before, if there was one.
    pub(crate) old: Option<&'a Value>,
    /// The value afterwards, if there is one.
    pub(crate) new: Option<&'a Value>,
}

/// The values that differ between `old` and `new` at `path`.
pub(crate) fn differences<'a>(
    path: &str,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
) -> Vec<Difference<'a>> {
    let mut found = Vec::new();
    collect(path, old, new, &mut found);
    found
}

fn collect<'a>(path: &str, old: Option<&'a Value>, new: Option<&'a Value>, into: &mut Vec<Difference<'a>>) {
    match (old, new) {
        (Some(old), Some(new)) if old == new && !old.has_unknown() => {}
        (Some(Value::Map(old)), Some(Value::Map(new))) => {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                collect(&format!("{path}.{key}"), old.get(key), new.get(key), into);
            }
        }
        (Some(Value::List(old)), Some(Value::List(new))) => collect_list(path, old, new, into),
        (old, new) => into.push(Difference { path: path.to_owned(), old, new }),
    }
}

/// Lists of one length are compared place by place; otherwise what they begin and end with in
/// common is left out, so that one item added in front is one line.
fn collect_list<'a>(path: &str, old: &'a [Value], new: &'a [Value], into: &mut Vec<Difference<'a>>) {
    if old.len() == new.len() {
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            collect(&format!("{path}[{index}]"), Some(old), Some(new), into);
        }
        return;
    }
    let shorter = old.len().min(new.len());
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(shorter - head)
        .take_while(|(old, new)| old == new)
        .count();
    for (index, item) in old.iter().enumerate().take(old.len() - tail).skip(head) {
        into.push(Difference { path: format!("{path}[{index}]"), old: Some(item), new: None });
    }
    for (index, item) in new.iter().enumerate().take(new.len() - tail).skip(head) {
        into.push(Difference { path: format!("{path}[{index}]"), old: None, new: Some(item) });
    }
}

/// The lines of one planned change, without indentation.
pub(crate) fn change_lines(change: &PropertyChange, canvas: Canvas) -> Vec<String> {
    let mut remarks = Vec::new();
    if change.forces_replacement {
        remarks.push(canvas.paint.paint(Tone::Replace, "forces replacement"));
    }
    if change.drift {
        remarks.push(canvas.paint.paint(Tone::Change, "drift"));
    }
    if !change.caused_by.is_empty() {
        let causes: Vec<String> = change.caused_by.iter().map(brief_name).collect();
        remarks.push(format!("follows from {}", causes.join(", ")));
    }
    let remarks = if remarks.is_empty() { String::new() } else { format!("  ({})", remarks.join("; ")) };
    differences(&change.path, change.old.as_ref(), change.new.as_ref())
        .iter()
        .map(|difference| format!("{}{remarks}", line(difference, canvas)))
        .collect()
}

/// The lines of one drifted property: what was applied, what was found.
pub(crate) fn drift_lines(change: &PropertyChange, canvas: Canvas) -> Vec<String> {
    differences(&change.path, change.old.as_ref(), change.new.as_ref())
        .iter()
        .map(|difference| {
            let path = &difference.path;
            let width = value_columns(path, canvas);
            let applied = difference.old.map_or_else(|| "(not set)".to_owned(), |value| show(value, width));
            let found = difference.new.map_or_else(|| "(not set)".to_owned(), |value| show(value, width));
            format!("{path}: applied {applied}, found {found}")
        })
        .collect()
}

fn line(difference: &Difference<'_>, canvas: Canvas) -> String {
    let line = recorded_line(difference, canvas);
    // A whole field that is no longer given goes back to what AWS does by itself.
    match difference.new.is_none() && difference.old.is_some() && !difference.path.contains(['.', '[']) {
        true => format!("{line} -> (AWS's default)"),
        false => line,
    }
}

/// The line of a value that is recorded otherwise.
pub(crate) fn recorded_line(difference: &Difference<'_>, canvas: Canvas) -> String {
    let Difference { path, old, new } = difference;
    let width = value_columns(path, canvas);
    let paint = canvas.paint;
    match (old, new) {
        (Some(Value::Secret(_)), Some(Value::Secret(_))) => {
            format!("{} {path}: (secret) -> (another secret)", paint.paint(Tone::Change, "~"))
        }
        (Some(old), Some(new)) => {
            format!("{} {path}: {} -> {}", paint.paint(Tone::Change, "~"), show(old, width), show(new, width))
        }
        (None, Some(new)) => format!("{} {path}: {}", paint.paint(Tone::Good, "+"), show(new, width)),
        (Some(old), None) => format!("{} {path}: {}", paint.paint(Tone::Bad, "-"), show(old, width)),
        (None, None) => format!("{} {path}", paint.paint(Tone::Change, "~")),
    }
}

/// How wide each of two values may be beside a path and some indentation.
fn value_columns(path: &str, canvas: Canvas) -> usize {
    (canvas.columns.saturating_sub(path.len() + 16) / 2).clamp(24, 80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Paint;

    const CANVAS: Canvas = Canvas { paint: Paint::PLAIN, columns: 100 };

    fn value(json: serde_json::Value) -> Value {
        Value::from_plain_json(json)
    }

    fn lines(path: &str, old: Option<Value>, new: Option<Value>) -> Vec<String> {
        let change = PropertyChange {
            path: path.to_owned(),
            old,
            new,
            forces_replacement: false,
            drift: false,
            caused_by: Default::default(),
        };
        change_lines(&change, CANVAS)
    }

    #[test]
    fn structures_are_taken_apart() {
        let old = value(serde_json::json!({
            "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"]}], "Version": "2012-10-17"
        }));
        let new = value(serde_json::json!({
            "Statement": [{"Effect": "Deny", "Action": ["s3:GetObject", "s3:PutObject"]}], "Version": "2012-10-17"
        }));
        assert_eq!(
            lines("policy", Some(old), Some(new)),
            [
                r#"+ policy.Statement[0].Action[1]: "s3:PutObject""#,
                r#"~ policy.Statement[0].Effect: "Allow" -> "Deny""#
            ]
        );
    }

    #[test]
    fn an_item_in_front_is_one_line() {
        let old = value(serde_json::json!(["b", "c"]));
        let new = value(serde_json::json!(["a", "b", "c"]));
        assert_eq!(lines("zones", Some(old.clone()), Some(new.clone())), [r#"+ zones[0]: "a""#]);
        assert_eq!(lines("zones", Some(new), Some(old)), [r#"- zones[0]: "a""#]);
    }

    #[test]
    fn repeated_items_do_not_overlap() {
        let old = value(serde_json::json!(["a", "a"]));
        let new = value(serde_json::json!(["a", "a", "a"]));
        assert_eq!(lines("zones", Some(old), Some(new)), [r#"+ zones[2]: "a""#]);
    }

    #[test]
    fn a_field_no_longer_given_goes_back_to_the_default() {
        assert_eq!(
            lines("enable_dns_support", Some(Value::from(false)), None),
            ["- enable_dns_support: false -> (AWS's default)"]
        );
        assert_eq!(lines("tags.team", Some(Value::from("x")), None), [r#"- tags.team: "x""#]);
    }

    #[test]
    fn unknowns_differ_even_from_themselves() {
        assert_eq!(
            lines("vpc_id", Some(Value::from("vpc-1")), Some(Value::Unknown)),
            [r#"~ vpc_id: "vpc-1" -> (known after apply)"#]
        );
    }
}
