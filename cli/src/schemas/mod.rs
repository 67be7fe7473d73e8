//! The published schemas of `docs/schemas/`, made from the types and compared with the files.
//!
//! The engine's events and plans are written as they are; what is published of them is said again
//! here, so that a change of the engine that a reader would notice fails a test.
#![allow(clippy::unwrap_used)]

mod event;
mod plan;

use lsinfra_engine::events::OperationOutcome;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answers;
use crate::render::samples;

/// Set to write the files instead of comparing with them.
const UPDATE: &str = "LSINFRA_UPDATE_SCHEMAS";

fn check<T: JsonSchema>(name: &str, title: &str) {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    let file = format!("{}/../docs/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let published = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(published == text, "{file} is not what the types give; look at it with {UPDATE}=1 and git diff");
}

/// What `written` is as JSON must come back from the published form with nothing lost or added.
fn check_form<T: Serialize + DeserializeOwned>(written: &impl Serialize) {
    let json = serde_json::to_value(written).unwrap();
    let published: T = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&published).unwrap(), json);
}

#[test]
fn published_schemas_are_what_the_types_give() {
    check::<event::Event>("event", "One line of --events json");
    check::<plan::Plan>("plan", "Answer of preview and refresh, and a saved plan");
    check::<answers::OperationAnswer>("operation", "Answer of up, destroy and import");
    check::<answers::OutputsAnswer>("outputs", "Answer of outputs");
    check::<answers::GraphAnswer>("graph", "Answer of graph");
    check::<answers::HistoryAnswer>("history", "Answer of history");
    check::<answers::HistoryShowAnswer>("history-show", "Answer of history show");
    check::<answers::StateListAnswer>("state-list", "Answer of state list");
    check::<answers::StateShowAnswer>("state-show", "Answer of state show");
    check::<answers::StateEditAnswer>(
        "state-edit",
        "Answer of state rm, state mv, state push and state restore",
    );
    check::<answers::StateDiffAnswer>("state-diff", "Answer of state diff");
    check::<answers::StateRepairAnswer>("state-repair", "Answer of state repair");
    check::<answers::ExplainAnswer>("explain", "Answer of explain");
    #[cfg(feature = "sandbox")]
    check::<answers::SandboxStatusAnswer>("sandbox-status", "Answer of sandbox status");
    check::<answers::ErrorAnswer>("error", "Answer of a command that ended with an error");
}

#[test]
fn every_event_has_the_published_form() {
    let mut seen = std::collections::BTreeSet::new();
    for event in samples::events() {
        check_form::<event::Event>(&event);
        seen.insert(event::name(&event.kind));
    }
    assert_eq!(seen, event::NAMES.into());
}

#[test]
fn the_error_that_ends_a_stream_has_the_published_form() {
    let error =
        crate::error::CommandError::new(crate::error::ErrorCode::Locked, "another run holds the lock");
    check_form::<event::Event>(&answers::ErrorEvent::new(&error, jiff::Timestamp::UNIX_EPOCH));
}

#[test]
fn plans_have_the_published_form() {
    check_form::<plan::Plan>(&samples::plan());
}

#[test]
fn answers_as_they_are_written() {
    let report = samples::report(OperationOutcome::Interrupted);
    insta::assert_json_snapshot!(
        "operation",
        answers::OperationAnswer::new("langsmith/dev", &report, Vec::new())
    );
    insta::assert_json_snapshot!("outputs", answers::OutputsAnswer::new("langsmith/dev", &report.outputs));
    let (urn, record) = samples::recorded();
    insta::assert_json_snapshot!("state-show", answers::StateShowAnswer::new("langsmith/dev", &urn, &record));
    insta::assert_json_snapshot!(
        "state-edit",
        answers::StateEditAnswer::new("langsmith/dev", Some(4), &samples::edits())
    );
    let (older, newer) = samples::snapshots();
    let difference = crate::state_difference::StateDifference::between(&older, &newer);
    insta::assert_json_snapshot!("state-diff", answers::StateDiffAnswer::new(&older, &newer, &difference));
    let found = samples::findings();
    insta::assert_json_snapshot!(
        "state-repair",
        answers::StateRepairAnswer::new("langsmith/dev", Some(4), &found[..2], &found[1..2])
    );
    let records = [samples::record(OperationOutcome::Interrupted)];
    insta::assert_json_snapshot!("history", answers::HistoryAnswer::new("langsmith/dev", &records));
    insta::assert_json_snapshot!(
        "history-show",
        answers::HistoryShowAnswer::new("langsmith/dev", &records[0])
    );
    let error =
        crate::error::CommandError::new(crate::error::ErrorCode::Locked, "another run holds the lock")
            .hint("wait for it to end");
    insta::assert_json_snapshot!("error", answers::ErrorAnswer::from(&error));
}
