//! A plan, for a person: the component tree with what happens and why, drift apart from it, counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lsinfra_engine::plan::{Drift, Plan, Step};
use lsinfra_engine::schedule::{dependants, remaining_seconds};
use lsinfra_engine::store::Home;
use lsinfra_engine::{OperationKind, Record, Snapshot, Value};

use crate::connection::is_in_sandbox;
use crate::render::difference::{change_lines, drift_lines};
use crate::render::explanation::explanation_lines;
use crate::render::node::{Node, nodes};
use crate::render::tree::{Component, short_name};
use crate::render::{Canvas, Pace, Tone, Verb, counts_planned, cut, duration, label, plural, reason, value};

/// The fields that hold a physical name, by resource type: shown beside each new object.
pub(crate) type NameFields = BTreeMap<&'static str, &'static str>;

/// Columns of the label of a resource beyond which details no longer line up.
const LABEL_COLUMNS: usize = 56;

/// The whole plan.
pub(crate) fn plan(plan: &Plan, names: &NameFields, pace: Pace, canvas: Canvas) -> String {
    let mut text = String::new();
    let paint = canvas.paint;
    if !plan.refreshed && plan.operation.kind != OperationKind::Import {
        let note = "note: objects were not read (--no-refresh), so changes made outside lsinfra are not seen";
        let _ = writeln!(text, "{}\n", paint.paint(Tone::Faint, note));
    }
    text.push_str(&drift(&plan.drift, canvas));
    text.push_str(&renames(plan, canvas));
    if plan.is_empty() {
        let environment = paint.paint(Tone::Strong, &plan.environment);
        let _ = match plan.operation.kind {
            OperationKind::Destroy => writeln!(text, "{environment}: there is nothing to destroy"),
            OperationKind::Import => writeln!(text, "{environment}: everything of that is imported already"),
            _ => {
                let resources = plural(plan.unchanged, "resource");
                writeln!(text, "{environment} is up to date: {resources}, nothing to do")
            }
        };
        return text;
    }
    let heading = match plan.operation.kind {
        OperationKind::Destroy => "Plan to destroy",
        OperationKind::Refresh => "Plan to refresh",
        OperationKind::Import => "Import into",
        _ => "Plan for",
    };
    let _ = writeln!(text, "{}\n", paint.paint(Tone::Strong, format!("{heading} {}", plan.environment)));
    text.push_str(&steps(plan, names, canvas));
    let _ =
        writeln!(text, "\n{}: {}", paint.paint(Tone::Strong, "Plan"), counts_planned(&plan.counts(), paint));
    if plan.operation.kind == OperationKind::Import {
        text.push_str(&import_outlook(plan, canvas));
        return text;
    }
    let expected = duration::expected(longest_path_seconds(&plan.steps));
    let _ = match pace {
        Pace::Instant { .. } => writeln!(text, "In AWS this would take about {expected}"),
        Pace::Wall | Pace::Sandbox => writeln!(text, "Expected to take about {expected}"),
    };
    text
}

/// What a person has to give before a plan can be carried out; empty if nothing.
pub(crate) fn to_be_given(names: &BTreeSet<&str>, home: &Home, canvas: Canvas) -> String {
    if names.is_empty() {
        return String::new();
    }
    let heading = canvas.paint.paint(Tone::Strong, "Secrets to be given");
    let names = names.iter().copied().collect::<Vec<_>>().join(", ");
    let how =
        if is_in_sandbox(home) { "made up in the sandbox if you do not" } else { "see docs/secrets.md" };
    format!("{heading}: {names} ({how})\n")
}

/// What earlier operations kept, of which a destruction takes nothing, and how it is deleted; empty if nothing.
pub(crate) fn retained(snapshot: &Snapshot, canvas: Canvas) -> String {
    let is_retained = |record: &Record| record.current().is_none() && record.retained().is_some();
    let records = snapshot.resources.iter().filter(|(_, record)| is_retained(record));
    let urns: Vec<String> = records.map(|(urn, _)| urn.to_string()).collect();
    if urns.is_empty() {
        return String::new();
    }
    let heading = canvas.paint.paint(Tone::Strong, "Retained, and taken back by the next `up`");
    let environment = snapshot.environment.rsplit('/').next().unwrap_or_default();
    let list: String = urns.iter().map(|urn| format!("  {urn}\n")).collect();
    let targets: Vec<String> = urns.iter().map(|urn| format!("--target {urn}")).collect();
    let targets = targets.join(" \\\n    ");
    format!(
        "\n{heading}:\n{list}To delete it, let the configuration keep nothing (blobs.on_destroy, \
         postgres.final_snapshot), then\n  lsinfra up --env {environment} {targets}\n  lsinfra destroy --env \
         {environment}\n"
    )
}

/// What the next `up` does about imported objects.
fn import_outlook(plan: &Plan, canvas: Canvas) -> String {
    let next = if plan.steps.iter().all(|step| step.changes.is_empty()) {
        "Nothing differs from what is declared; the next `up` puts the ownership tags on."
    } else {
        "The next `up` makes the changes above, and puts the ownership tags on."
    };
    let mut text = format!("Nothing changes in AWS now. {next}\n");
    let is_replaced = |step: &&Step| step.changes.iter().any(|change| change.forces_replacement);
    let replaced: Vec<&Step> = plan.steps.iter().filter(is_replaced).collect();
    if !replaced.is_empty() {
        let warning = format!(
            "Danger: the next `up` would replace {}: what is there now is deleted, with all that it holds",
            plural(replaced.len(), "object")
        );
        let _ = writeln!(text, "\n{}", canvas.paint.paint(Tone::Bad, warning));
        for step in replaced {
            let id = step.physical_id.as_ref().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {} ({id})", step.urn);
        }
        text.push_str("To keep it, change the configuration until nothing above forces a replacement.\n");
    }
    text
}

fn steps(plan: &Plan, names: &NameFields, canvas: Canvas) -> String {
    let nodes = nodes(plan);
    let label_columns = nodes
        .iter()
        .map(|(urn, _)| indent(urn.components().count()).len() + 3 + short_name(urn).len())
        .max()
        .unwrap_or_default()
        .min(LABEL_COLUMNS);
    let used: BTreeSet<Verb> = nodes.iter().map(|(_, node)| node.verb).collect();
    let tree = Component::from_items(nodes);
    let lines = std::cell::RefCell::new(String::new());
    tree.walk(
        &mut |depth, name| {
            let _ =
                writeln!(lines.borrow_mut(), "{}{}", indent(depth), canvas.paint.paint(Tone::Strong, name));
        },
        &mut |depth, node| {
            let lines = &mut *lines.borrow_mut();
            resource(lines, depth, node, plan.operation.kind, names, label_columns, canvas);
        },
    );
    format!("{}\n{}", lines.into_inner(), legend(&used, canvas))
}

/// What the symbols that occur mean, in as few lines as fit.
fn legend(used: &BTreeSet<Verb>, canvas: Canvas) -> String {
    let mut text = String::new();
    let mut column = 0;
    for verb in Verb::ALL.into_iter().filter(|verb| used.contains(verb)) {
        let columns = verb.symbol().len() + 1 + verb.legend().len();
        if column > 0 && column + 3 + columns > canvas.columns {
            text.push('\n');
            column = 0;
        }
        let gap = if column > 0 { "   " } else { "" };
        let _ = write!(text, "{gap}{} {}", canvas.paint.paint(verb.tone(), verb.symbol()), verb.legend());
        column += gap.len() + columns;
    }
    text.push('\n');
    text
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth + 1)
}

fn resource(
    lines: &mut String,
    depth: usize,
    node: &Node<'_>,
    kind: OperationKind,
    names: &NameFields,
    label_columns: usize,
    canvas: Canvas,
) {
    let indent = indent(depth);
    let name = short_name(&node.step.urn);
    let used = indent.len() + 3 + name.len();
    let padding = " ".repeat(label_columns.saturating_sub(used));
    let remaining = canvas.columns.saturating_sub(used.max(label_columns) + 2);
    let summary = match (node.verb, node.physical_id) {
        (Verb::Create | Verb::Run | Verb::Read, _) => inputs_summary(node.step, names),
        (_, Some(id)) => id.to_owned(),
        (_, None) => String::new(),
    };
    let summary = canvas.paint.paint(Tone::Faint, cut(&summary, remaining));
    let line = format!("{indent}{} {name}{padding}  {summary}", label(node.verb, canvas.paint));
    let _ = writeln!(lines, "{}", line.trim_end());
    for words in node.step.reasons.iter().filter_map(|reason| reason::words(reason, node.step, kind)) {
        let _ =
            writeln!(lines, "{indent}     {}", canvas.paint.paint(Tone::Faint, format!("because {words}")));
    }
    for change in &node.step.changes {
        for line in change_lines(change, canvas) {
            let _ = writeln!(lines, "{indent}     {line}");
        }
    }
    for line in node.step.explanation.iter().flat_map(|explanation| explanation_lines(explanation, canvas)) {
        let _ = writeln!(lines, "{indent}     {line}");
    }
}

/// The physical name of a new object, then its other simple inputs: what tells it from its siblings.
fn inputs_summary(step: &Step, names: &NameFields) -> String {
    let name_field = names.get(step.urn.resource_type()).copied();
    let name = name_field.and_then(|field| step.inputs.get(field)).map(value::whole);
    let others = step
        .inputs
        .iter()
        .filter(|(field, _)| Some(field.as_str()) != name_field)
        .filter(|(_, value)| matches!(value, Value::Bool(_) | Value::Number(_) | Value::Text(_)))
        .map(|(field, value)| format!("{field}={}", value::whole(value)));
    name.into_iter().chain(others).collect::<Vec<_>>().join("  ")
}

/// What was found to differ from what was last applied; empty if nothing does.
fn drift(drift: &[Drift], canvas: Canvas) -> String {
    if drift.is_empty() {
        return String::new();
    }
    let paint = canvas.paint;
    let mut text = String::new();
    let heading = format!("Drift: {} changed outside lsinfra", plural(drift.len(), "resource"));
    let _ = writeln!(text, "{}\n", paint.paint(Tone::Change, heading));
    for one in drift {
        let state = if one.gone { paint.paint(Tone::Bad, "  no longer exists") } else { String::new() };
        let _ = writeln!(text, "  {} ({}){state}", one.urn, one.physical_id);
        for change in &one.changes {
            for line in drift_lines(change, canvas) {
                let _ = writeln!(text, "       {line}");
            }
        }
    }
    text.push('\n');
    text
}

fn renames(plan: &Plan, canvas: Canvas) -> String {
    let mut text = String::new();
    for rename in &plan.renames {
        let _ = writeln!(
            text,
            "{} {} is now {}, its object stays as it is",
            canvas.paint.paint(Tone::Look, "renamed:"),
            rename.from,
            rename.to
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// What a refresh found.
pub(crate) fn refreshed(plan: &Plan, canvas: Canvas) -> String {
    let environment = canvas.paint.paint(Tone::Strong, &plan.environment);
    if plan.drift.is_empty() {
        return format!("{environment}: everything is as it was last applied\n");
    }
    let drift = drift(&plan.drift, canvas);
    format!("{drift}{environment}: recorded; `lsinfra up` brings it back to what the stack declares\n")
}

/// The expected duration of the longest chain of steps that wait for each other, in seconds.
fn longest_path_seconds(steps: &[Step]) -> f64 {
    remaining_seconds(steps, &dependants(steps)).into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use lsinfra_engine::PhysicalId;
    use lsinfra_engine::plan::{Action, PropertyChange, Reason};

    use super::*;
    use crate::render::{Paint, samples};

    const CANVAS: Canvas = Canvas { paint: Paint::PLAIN, columns: 110 };

    fn shown(value: &Plan) -> String {
        plan(value, &samples::names(), Pace::Wall, CANVAS)
    }

    #[test]
    fn everything_that_a_plan_can_hold() {
        insta::assert_snapshot!(shown(&samples::plan()));
    }

    #[test]
    fn in_colour() {
        let canvas = Canvas { paint: Paint::new(true), columns: 110 };
        let text = plan(&samples::plan(), &samples::names(), Pace::Wall, canvas);
        insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
    }

    #[test]
    fn a_narrow_terminal() {
        let canvas = Canvas { columns: 60, ..CANVAS };
        insta::assert_snapshot!(plan(&samples::plan(), &samples::names(), Pace::Wall, canvas));
    }

    #[test]
    fn nothing_to_do() {
        insta::assert_snapshot!(shown(&samples::plan_of(OperationKind::Up, Vec::new())));
    }

    #[test]
    fn nothing_to_destroy() {
        let plan = Plan { unchanged: 0, ..samples::plan_of(OperationKind::Destroy, Vec::new()) };
        insta::assert_snapshot!(shown(&plan));
    }

    #[test]
    fn nothing_to_do_but_not_refreshed() {
        let plan = Plan { refreshed: false, ..samples::plan_of(OperationKind::Up, Vec::new()) };
        insta::assert_snapshot!(shown(&plan));
    }

    #[test]
    fn destroying() {
        let steps = samples::plan()
            .steps
            .into_iter()
            .filter(|step| !step.replacement && step.physical_id.is_some())
            .map(|step| Step {
                action: if step.urn.name() == "archive" {
                    lsinfra_engine::plan::Action::Retain
                } else {
                    lsinfra_engine::plan::Action::Delete
                },
                changes: Vec::new(),
                depends_on: Vec::new(),
                reasons: vec![lsinfra_engine::plan::Reason::NoLongerDeclared],
                ..step
            })
            .collect();
        insta::assert_snapshot!(shown(&Plan {
            unchanged: 0,
            ..samples::plan_of(OperationKind::Destroy, steps)
        }));
    }

    #[test]
    fn an_import_says_what_comes_next() {
        let change = |path: &str, forces_replacement| PropertyChange {
            path: path.to_owned(),
            old: Some("old".into()),
            new: Some("new".into()),
            forces_replacement,
            drift: false,
            caused_by: BTreeSet::new(),
        };
        let import = |urn: &str, id: &str, changes| Step {
            physical_id: Some(PhysicalId::new(id)),
            reasons: vec![Reason::Imported],
            changes,
            ..samples::step(urn, Action::Adopt)
        };
        let vpc = || import("network/aws:ec2:Vpc/main", "vpc-0a1b", vec![change("tags.Name", false)]);
        let bucket = || import("data/aws:s3:Bucket/blobs", "old-blobs", vec![change("name", true)]);
        let planned =
            |steps| Plan { refreshed: false, unchanged: 0, ..samples::plan_of(OperationKind::Import, steps) };
        insta::assert_snapshot!(shown(&planned(vec![vpc()])));
        insta::assert_snapshot!(shown(&planned(vec![vpc(), bucket()])));
        insta::assert_snapshot!(shown(&planned(Vec::new())));
        let same = shown(&planned(vec![import("network/aws:ec2:Vpc/main", "vpc-0a1b", Vec::new())]));
        assert!(same.contains("Nothing differs from what is declared"), "{same}");
    }

    #[test]
    fn what_a_refresh_found() {
        insta::assert_snapshot!(refreshed(&samples::plan(), CANVAS));
        insta::assert_snapshot!(refreshed(&samples::plan_of(OperationKind::Refresh, Vec::new()), CANVAS));
    }

    #[test]
    fn what_is_to_be_given_is_named() {
        let names = BTreeSet::from(["license", "password"]);
        let home = |sandbox: &str| Home::from([("sandbox".to_owned(), sandbox.to_owned())]);
        let text = to_be_given(&names, &home("false"), CANVAS);
        assert_eq!(text, "Secrets to be given: license, password (see docs/secrets.md)\n");
        assert!(to_be_given(&names, &home("true"), CANVAS).contains("made up in the sandbox"));
        assert_eq!(to_be_given(&BTreeSet::new(), &home("true"), CANVAS), "");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let text = shown(&samples::plan());
        assert!(text.contains("auth_token: (secret) -> (another secret)"));
    }
}
