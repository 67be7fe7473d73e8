//! The desired graph as a picture: a tree for a terminal, DOT for Graphviz, Mermaid for Markdown.

use std::collections::HashMap;
use std::fmt::Write as _;

use lsinfra_engine::{Graph, Urn};

use crate::render::tree::{Component, brief_name, short_name};
use crate::render::{Paint, Tone};

/// The component tree, each resource with what it depends on directly.
pub(crate) fn tree(graph: &Graph, paint: Paint) -> String {
    let urns: Vec<&Urn> = graph.declarations().map(|declaration| &declaration.urn).collect();
    let root = Component::from_items(urns.into_iter().map(|urn| (urn, urn)));
    let mut text = String::new();
    branch(&root, "", graph, paint, &mut text);
    text
}

fn branch(component: &Component<&Urn>, prefix: &str, graph: &Graph, paint: Paint, text: &mut String) {
    let count = component.items.len() + component.components.len();
    for (index, urn) in component.items.iter().enumerate() {
        let tick = if index + 1 == count { "└─" } else { "├─" };
        let dependencies: Vec<String> = graph.dependencies(urn).iter().map(brief_name).collect();
        let dependencies = if dependencies.is_empty() {
            String::new()
        } else {
            paint.paint(Tone::Faint, format!("  <- {}", dependencies.join(", ")))
        };
        let _ = writeln!(text, "{prefix}{tick} {}{dependencies}", short_name(urn));
    }
    for (index, inner) in component.components.iter().enumerate() {
        let last = component.items.len() + index + 1 == count;
        let (tick, below) = if last { ("└─", "   ") } else { ("├─", "│  ") };
        let _ = writeln!(text, "{prefix}{tick} {}", paint.paint(Tone::Strong, &inner.name));
        branch(inner, &format!("{prefix}{below}"), graph, paint, text);
    }
}

/// The graph in Graphviz's language; an arrow points from a resource to what it depends on.
pub(crate) fn dot(graph: &Graph) -> String {
    let (numbers, root) = numbered(graph);
    let mut text = String::from("digraph lsinfra {\n  rankdir = LR;\n  node [shape = box];\n");
    dot_component(&root, 1, &numbers, &mut 0, &mut text);
    for (dependency, dependant) in graph.edges() {
        let _ = writeln!(text, "  n{} -> n{};", numbers[dependant], numbers[dependency]);
    }
    text.push_str("}\n");
    text
}

fn dot_component(
    component: &Component<&Urn>,
    depth: usize,
    numbers: &HashMap<&Urn, usize>,
    clusters: &mut usize,
    text: &mut String,
) {
    let indent = "  ".repeat(depth);
    for urn in &component.items {
        // URNs have no character that Graphviz or Mermaid would take for its own.
        let _ = writeln!(
            text,
            "{indent}n{} [label = \"{}\\n{}\"];",
            numbers[*urn],
            urn.resource_type(),
            urn.name()
        );
    }
    for inner in &component.components {
        let _ =
            writeln!(text, "{indent}subgraph cluster_{clusters} {{\n{indent}  label = \"{}\";", inner.name);
        *clusters += 1;
        dot_component(inner, depth + 1, numbers, clusters, text);
        let _ = writeln!(text, "{indent}}}");
    }
}

/// The graph as a Mermaid flowchart, which GitHub and GitLab draw in Markdown.
pub(crate) fn mermaid(graph: &Graph) -> String {
    let (numbers, root) = numbered(graph);
    let mut text = String::from("flowchart LR\n");
    mermaid_component(&root, 1, &numbers, &mut 0, &mut text);
    for (dependency, dependant) in graph.edges() {
        let _ = writeln!(text, "  n{} --> n{}", numbers[dependant], numbers[dependency]);
    }
    text
}

fn mermaid_component(
    component: &Component<&Urn>,
    depth: usize,
    numbers: &HashMap<&Urn, usize>,
    clusters: &mut usize,
    text: &mut String,
) {
    let indent = "  ".repeat(depth);
    for urn in &component.items {
        let _ = writeln!(text, "{indent}n{}[\"{}<br/>{}\"]", numbers[*urn], urn.resource_type(), urn.name());
    }
    for inner in &component.components {
        let _ = writeln!(text, "{indent}subgraph c{clusters}[\"{}\"]", inner.name);
        *clusters += 1;
        mermaid_component(inner, depth + 1, numbers, clusters, text);
        let _ = writeln!(text, "{indent}end");
    }
}

fn numbered(graph: &Graph) -> (HashMap<&Urn, usize>, Component<&Urn>) {
    let urns: Vec<&Urn> = graph.declarations().map(|declaration| &declaration.urn).collect();
    let numbers = urns.iter().enumerate().map(|(number, &urn)| (urn, number)).collect();
    (numbers, Component::from_items(urns.into_iter().map(|urn| (urn, urn))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use lsinfra_engine::{Declaration, Expression, Options, Value};

    use super::*;
    use crate::render::samples::urn;

    fn graph() -> Graph {
        let declaration = |text: &str, depends_on: &[&str]| Declaration {
            urn: urn(text),
            resource_type: "aws:ec2:Vpc",
            inputs: BTreeMap::new(),
            connection: Expression::Value(Value::Null),
            options: Options {
                depends_on: depends_on.iter().map(|text| urn(text)).collect(),
                ..Options::default()
            },
        };
        let declarations = [
            declaration("network/aws:ec2:Vpc/main", &[]),
            declaration("network/aws:ec2:InternetGateway/main", &["network/aws:ec2:Vpc/main"]),
            declaration(
                "network/zone-1/aws:ec2:Subnet/private-1",
                &["network/aws:ec2:Vpc/main", "network/aws:ec2:InternetGateway/main"],
            ),
            declaration("network/zone-2/aws:ec2:Subnet/private-2", &["network/aws:ec2:Vpc/main"]),
            declaration("data/aws:s3:Bucket/blobs", &[]),
            declaration("aws:iam:Role/top", &[]),
        ];
        Graph::new(declarations, BTreeMap::new()).unwrap()
    }

    #[test]
    fn three_forms() {
        insta::assert_snapshot!("tree", tree(&graph(), Paint::PLAIN));
        insta::assert_snapshot!("dot", dot(&graph()));
        insta::assert_snapshot!("mermaid", mermaid(&graph()));
    }
}
