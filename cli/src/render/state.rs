//! Recorded resources as a list.

use std::cell::RefCell;
use std::fmt::Write as _;

use lsinfra_engine::snapshot::{Object, Role, Snapshot, Status};

use crate::render::tree::{Component, short_name};
use crate::render::{Canvas, Tone, plural};

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
    let _ = writeln!(
        text,
        "{}{} in {}, serial {}",
        if text.is_empty() { "" } else { "\n" },
        plural(snapshot.resources.len(), "resource"),
        snapshot.environment,
        snapshot.serial
    );
    text
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
    match &object.status {
        Status::Ready => {}
        Status::Creating => remarks.push("creation not seen to end"),
        Status::CreationFailed { .. } => remarks.push("creation failed"),
        Status::Updating => remarks.push("update not seen to end"),
        Status::Deleting { .. } => remarks.push("deletion not seen to end"),
    }
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

    use lsinfra_engine::snapshot::{Owner, PhysicalId, Record, RecordedOptions};
    use lsinfra_engine::{Properties, Value};

    use super::*;
    use crate::render::{Paint, samples};

    fn object(generation: u32, role: Role, status: Status, id: Option<&str>, protect: bool) -> Arc<Object> {
        Arc::new(Object {
            generation,
            name_generation: 1,
            role,
            status,
            physical_id: id.map(PhysicalId::new),
            inputs: Properties::new(),
            observed: None,
            outputs: Properties::new(),
            connection: Value::Null,
            dependencies: Default::default(),
            options: RecordedOptions { protect, ..RecordedOptions::default() },
            owner: Owner { urn: samples::urn("aws:ec2:Vpc/main"), client_token: String::new() },
            created_at: samples::time(0.0),
            changed_at: samples::time(0.0),
        })
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
}
