//! Recorded resources: as a list, and everything of one.

use std::cell::RefCell;
use std::fmt::Write as _;

use lsinfra_engine::snapshot::{Object, Record, RecordedOptions, Role, Snapshot, Status};
use lsinfra_engine::{Timeouts, Urn};

use crate::render::history::moment;
use crate::render::tree::{Component, short_name};
use crate::render::{Canvas, Tone, duration, outputs, plural, value};

/// The component tree, each resource with its objects.
pub(crate) fn list(snapshot: &Snapshot, canvas: Canvas) -> String {
    let items: Vec<_> = snapshot
        .resources
        .iter()
        .flat_map(|(urn, record)| record.objects.iter().map(move |object| (urn, (urn, object.as_ref()))))
        .collect();
    let width = items
        .iter()
        .map(|(urn, _)| 2 * urn.components().count() + short_name(urn).len())
        .max()
        .unwrap_or_default();
    let tree = Component::from_items(items);
    let text = RefCell::new(String::new());
    tree.walk(
        &mut |depth, name| {
            let name = canvas.paint.paint(Tone::Strong, name);
            let _ = writeln!(text.borrow_mut(), "{}{name}", "  ".repeat(depth));
        },
        &mut |depth, (urn, object)| {
            let name = short_name(urn);
            let padding = " ".repeat(width.saturating_sub(2 * depth + name.len()));
            let line = format!("{}{name}{padding}  {}", "  ".repeat(depth), object_words(object, canvas));
            let _ = writeln!(text.borrow_mut(), "{}", line.trim_end());
        },
    );
    let mut text = text.into_inner();
    // A record without objects is no resource any more.
    let resources = snapshot.resources.values().filter(|record| !record.objects.is_empty()).count();
    let _ = writeln!(
        text,
        "{}{} in {}, serial {}",
        if text.is_empty() { "" } else { "\n" },
        plural(resources, "resource"),
        snapshot.environment,
        snapshot.serial
    );
    text
}

/// Everything recorded of one resource.
pub(crate) fn resource(urn: &Urn, record: &Record, canvas: Canvas) -> String {
    let paint = canvas.paint;
    let mut text = format!("{}\n", paint.paint(Tone::Strong, urn));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {}{}  {value}", paint.paint(Tone::Faint, name), padding(name));
    };
    line("schema version", &record.schema_version.to_string());
    line("last generation", &record.last_generation.to_string());
    for object in &record.objects {
        text.push('\n');
        text.push_str(&whole_object(urn, object, canvas));
    }
    text
}

fn whole_object(urn: &Urn, object: &Object, canvas: Canvas) -> String {
    let paint = canvas.paint;
    let role = role_name(object.role);
    let heading = paint.paint(Tone::Strong, format!("Generation {}: {role}", object.generation));
    let status = match &object.status {
        Status::CreationFailed { reason } => format!("creation failed: {reason}"),
        other => status_words(other).unwrap_or("ready").to_owned(),
    };
    let mut lines = vec![
        ("status", vec![status]),
        ("id", vec![object.physical_id.as_ref().map_or("(not known)".to_owned(), ToString::to_string)]),
        ("created", vec![moment(object.created_at)]),
        ("changed", vec![moment(object.changed_at)]),
        ("name generation", vec![object.name_generation.to_string()]),
        ("connection", vec![value::whole(&object.connection)]),
        ("depends on", object.dependencies.iter().map(ToString::to_string).collect()),
        ("options", options_words(&object.options)),
    ];
    if object.owner.tags_pending {
        lines.push(("tagged as", vec!["(not yet: it was imported, and the next `up` tags it)".to_owned()]));
    } else if object.owner.urn != *urn {
        lines.push(("tagged as", vec![object.owner.urn.to_string()]));
    }
    let mut text = format!("{heading}\n");
    for (name, values) in lines {
        for (index, value) in values.iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            let _ = writeln!(text, "  {}{}  {value}", paint.paint(Tone::Faint, name), padding(name));
        }
    }
    let observed = object.observed.as_ref();
    let parts =
        [("inputs", Some(&object.inputs)), ("observed", observed), ("outputs", Some(&object.outputs))];
    for (name, properties) in parts {
        let Some(properties) = properties.filter(|properties| !properties.is_empty()) else { continue };
        let _ = writeln!(text, "  {}", paint.paint(Tone::Faint, name));
        for line in outputs::outputs(properties, canvas).lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

fn padding(name: &str) -> String {
    " ".repeat("last generation".len().saturating_sub(name.len()))
}

fn options_words(options: &RecordedOptions) -> Vec<String> {
    let Timeouts { create, update, delete } = options.timeouts;
    let timeout = |name: &str, timeout: Option<std::time::Duration>| {
        Some(format!("{name} timeout {}", duration::measured(timeout?.as_secs_f64())))
    };
    [
        options.protect.then(|| "protect".to_owned()),
        options.retain_on_delete.then(|| "retain on delete".to_owned()),
        options.deleted_with.as_ref().map(|urn| format!("deleted with {urn}")),
        timeout("create", create),
        timeout("update", update),
        timeout("delete", delete),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A role in one word.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Incoming => "incoming",
        Role::Current => "current",
        Role::Superseded => "superseded",
        Role::Retained => "retained",
    }
}

/// A status, as answers name it.
pub(crate) fn status_name(status: &Status) -> &'static str {
    match status {
        Status::Ready => "ready",
        Status::Creating => "creating",
        Status::CreationFailed { .. } => "creation_failed",
        Status::Updating => "updating",
        Status::Deleting { .. } => "deleting",
    }
}

/// What is unfinished, if something is.
fn status_words(status: &Status) -> Option<&'static str> {
    match status {
        Status::Ready => None,
        Status::Creating => Some("creation not seen to end"),
        Status::CreationFailed { .. } => Some("creation failed"),
        Status::Updating => Some("update not seen to end"),
        Status::Deleting { .. } => Some("deletion not seen to end"),
    }
}

fn object_words(object: &Object, canvas: Canvas) -> String {
    let id = object.physical_id.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut remarks: Vec<&str> = Vec::new();
    match object.role {
        Role::Current => {}
        Role::Incoming => remarks.push("new"),
        Role::Superseded => remarks.push("replaced, to be deleted"),
        Role::Retained => remarks.push("retained"),
    }
    remarks.extend(status_words(&object.status));
    if object.options.protect {
        remarks.push("protected");
    }
    if remarks.is_empty() {
        return id;
    }
    format!("{id}  {}", canvas.paint.paint(Tone::Change, format!("({})", remarks.join(", "))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::render::{Paint, samples};

    fn object(generation: u32, role: Role, status: Status, id: Option<&str>, protect: bool) -> Arc<Object> {
        let options = RecordedOptions { protect, ..RecordedOptions::default() };
        Arc::new(Object { options, ..samples::object(generation, role, status, id) })
    }

    #[test]
    fn objects_with_what_is_special_about_them() {
        let mut snapshot = Snapshot::new(uuid::Uuid::nil(), "langsmith/dev", BTreeMap::new());
        let canvas = Canvas { paint: Paint::PLAIN, columns: 100 };
        insta::assert_snapshot!("empty", list(&snapshot, canvas));
        let mut add = |urn: &str, objects: Vec<Arc<Object>>| {
            let last_generation = objects.len().try_into().unwrap_or_default();
            let record = Record { last_generation, objects, ..Record::default() };
            snapshot.resources.insert(samples::urn(urn), record);
        };
        add(
            "network/aws:ec2:Vpc/main",
            vec![
                object(
                    1,
                    Role::Superseded,
                    Status::Deleting { before: Box::new(Status::Ready) },
                    Some("vpc-0aa"),
                    false,
                ),
                object(2, Role::Current, Status::Ready, Some("vpc-0bb"), false),
            ],
        );
        add(
            "network/zone-1/aws:ec2:Subnet/private-1",
            vec![object(1, Role::Incoming, Status::Creating, None, false)],
        );
        add("data/aws:s3:Bucket/blobs", vec![object(1, Role::Current, Status::Ready, Some("blobs"), true)]);
        add(
            "data/aws:s3:Bucket/archive",
            vec![object(1, Role::Retained, Status::Ready, Some("archive"), false)],
        );
        insta::assert_snapshot!("full", list(&snapshot, canvas));
    }

    #[test]
    fn everything_of_a_resource() {
        let (urn, record) = samples::recorded();
        insta::assert_snapshot!(resource(&urn, &record, Canvas { paint: Paint::PLAIN, columns: 100 }));
    }
}
