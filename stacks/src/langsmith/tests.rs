//! What the stack declares for the shipped environments, and what changes of config change.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use lsinfra_engine::output::Resolve;
use lsinfra_engine::provider::Providers;
use lsinfra_engine::{Declaration, Graph, Properties, Urn, Value, ValueError};
use lsinfra_resources::aws::{AwsConnector, register};

use super::*;

const DEV: &str = include_str!("../../../environments/dev.toml");
const PROD: &str = include_str!("../../../environments/prod.toml");

fn graph(environment: &str, text: &str) -> Graph {
    let config = Config::parse(Path::new(&format!("environments/{environment}.toml")), text)
        .unwrap_or_else(|error| panic!("{error}"));
    langsmith(&config).unwrap()
}

/// Outputs as `${urn.output}`, and a region with `zones` zones.
struct Symbolic {
    zones: usize,
}

impl Resolve for Symbolic {
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
        Ok(Value::text(format!("${{{urn}.{output}}}")))
    }

    fn fact(&self, name: &str) -> Value {
        assert_eq!(name, "aws.availability_zones/us-west-2");
        let letters = ["a", "b", "c", "d", "e", "f"];
        Value::List(
            letters[..self.zones].iter().map(|letter| Value::text(format!("us-west-2{letter}"))).collect(),
        )
    }
}

fn inputs(declaration: &Declaration) -> Properties {
    declaration
        .inputs
        .iter()
        .map(|(name, expression)| {
            let value = expression.evaluate(&Symbolic { zones: 4 });
            ((*name).to_owned(), value.unwrap_or_else(|error| panic!("{}.{name}: {error}", declaration.urn)))
        })
        .collect()
}

/// Every resource with its inputs, by URN.
fn resources(graph: &Graph) -> BTreeMap<String, Properties> {
    graph.declarations().map(|declaration| (declaration.urn.to_string(), inputs(declaration))).collect()
}

/// The graph as a tree of components, each resource with its options and what it waits for.
fn tree(graph: &Graph) -> String {
    let mut shown = String::new();
    let mut component = String::new();
    let declarations: BTreeMap<&Urn, &Declaration> =
        graph.declarations().map(|declaration| (&declaration.urn, declaration)).collect();
    for (urn, declaration) in declarations {
        let here = urn.components().collect::<Vec<_>>().join("/");
        if here != component {
            writeln!(shown, "{here}").unwrap();
            component = here;
        }
        write!(shown, "  {}/{}", urn.resource_type(), urn.name()).unwrap();
        let options = &declaration.options;
        for (name, set) in [
            ("protect", options.protect),
            ("retain_on_delete", options.retain_on_delete),
            ("delete_before_replace", options.delete_before_replace),
        ] {
            if set {
                write!(shown, " [{name}]").unwrap();
            }
        }
        writeln!(shown).unwrap();
        for dependency in graph.dependencies(urn) {
            writeln!(shown, "    <- {}/{}", dependency.resource_type(), dependency.name()).unwrap();
        }
    }
    writeln!(shown, "outputs").unwrap();
    for (name, expression) in graph.outputs() {
        let value = expression.evaluate(&Symbolic { zones: 4 }).unwrap();
        writeln!(shown, "  {name}: {}", value.to_plain_json().unwrap()).unwrap();
    }
    shown
}

/// The inputs of every resource, one per line.
fn inputs_shown(graph: &Graph) -> String {
    let mut shown = String::new();
    for (urn, inputs) in resources(graph) {
        writeln!(shown, "{urn}").unwrap();
        for (name, value) in inputs {
            writeln!(shown, "  {name}: {}", value.to_plain_json().unwrap()).unwrap();
        }
    }
    shown
}

#[test]
fn dev_is_declared() {
    let graph = graph("dev", DEV);
    insta::assert_snapshot!("tree_dev", tree(&graph));
    insta::assert_snapshot!("inputs_dev", inputs_shown(&graph));
}

#[test]
fn prod_is_declared() {
    let graph = graph("prod", PROD);
    insta::assert_snapshot!("tree_prod", tree(&graph));
    insta::assert_snapshot!("inputs_prod", inputs_shown(&graph));
}

#[test]
fn resource_types_take_every_input_with_room_for_a_generation() {
    let mut providers = Providers::default();
    register(&mut providers, Arc::new(AwsConnector::sandbox("http://127.0.0.1:1")));
    let long = "stack = \"a-very-long-stack-nm\"\n";
    let graphs =
        [graph("dev", DEV), graph("prod", PROD), graph("a-long-name-too1", &format!("{long}{PROD}"))];
    for declaration in graphs.iter().flat_map(Graph::declarations) {
        let provider = providers.get(declaration.resource_type).expect("a registered type");
        let inputs = inputs(declaration);
        assert_eq!(provider.check(&inputs), [], "{}", declaration.urn);
        for field in provider.schema().inputs {
            assert!(!field.required || inputs.contains_key(field.name), "{}.{}", declaration.urn, field.name);
            if let (Some(limit), Some(Value::Text(name))) =
                (field.name_limit_characters, inputs.get(field.name))
            {
                assert!(name.len() + "-99".len() <= limit, "{name} leaves no room for a generation");
            }
        }
    }
}

#[test]
fn one_more_zone_moves_nothing() {
    let with = |zones: usize| {
        let text = DEV.replace("[network]", &format!("[network]\nzone_count = {zones}\nnat = \"per-zone\""));
        resources(&graph("dev", &text))
    };
    let (before, after) = (with(3), with(4));
    for (urn, inputs) in &before {
        if urn != "network/aws:ec2:VpcEndpoint/s3" {
            assert_eq!(after.get(urn), Some(inputs), "{urn}");
        }
    }
    // Two subnets with their associations, a table with its route, an address with its gateway.
    assert_eq!(after.len() - before.len(), 8);
}

#[test]
fn a_nat_gateway_per_zone_only_adds_gateways_and_turns_routes() {
    let with = |nat: &str| {
        resources(&graph("dev", &DEV.replace("[network]", &format!("[network]\nnat = \"{nat}\""))))
    };
    let (single, per_zone) = (with("single"), with("per-zone"));
    let changed: BTreeSet<&str> = per_zone
        .iter()
        .filter(|(urn, inputs)| single.get(*urn) != Some(*inputs))
        .map(|(urn, _)| urn.as_str())
        .collect();
    assert_eq!(
        changed,
        BTreeSet::from([
            "network/aws:ec2:ElasticIp/nat-2",
            "network/aws:ec2:NatGateway/nat-2",
            "network/aws:ec2:Route/private-2-internet",
        ])
    );
}

#[test]
fn a_region_with_too_few_zones_is_an_error_that_says_so() {
    let graph = graph("prod", PROD);
    let subnet = "network/aws:ec2:Subnet/private-3".parse().unwrap();
    let zone = &graph.get(&subnet).unwrap().inputs["availability_zone"];
    assert_eq!(
        zone.evaluate(&Symbolic { zones: 2 }).unwrap_err().to_string(),
        "network.zone_count is 3, but us-west-2 has 2 zones with EKS for this account: us-west-2a, us-west-2b"
    );
}

#[test]
fn named_zones_need_no_facts() {
    struct NoFacts;
    impl Resolve for NoFacts {
        fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
            Symbolic { zones: 0 }.output(urn, output)
        }

        fn fact(&self, name: &str) -> Value {
            panic!("{name} was asked for")
        }
    }
    let text = DEV.replace("[network]", "[network]\nzones = [\"us-west-2d\", \"us-west-2b\"]");
    let graph = graph("dev", &text);
    for declaration in graph.declarations() {
        for expression in declaration.inputs.values() {
            expression.evaluate(&NoFacts).unwrap();
        }
    }
    let zone = |name: &str| {
        let urn = format!("network/aws:ec2:Subnet/{name}").parse().unwrap();
        graph.get(&urn).unwrap().inputs["availability_zone"].evaluate(&NoFacts).unwrap()
    };
    assert_eq!([zone("public-1"), zone("private-2")], [Value::text("us-west-2d"), Value::text("us-west-2b")]);
}

#[test]
fn every_resource_carries_the_tags_of_the_environment() {
    for (urn, inputs) in resources(&graph("prod", PROD)) {
        // Routes and associations are parts of a table and have no tags of their own.
        if urn.contains(":Route/") || urn.contains(":RouteTableAssociation/") {
            continue;
        }
        let tags = inputs["tags"].as_map().unwrap();
        assert_eq!(tags.get("owner"), Some(&Value::text("platform")), "{urn}");
        let name = tags["Name"].as_text().unwrap();
        assert!(name.starts_with("langsmith-prod-"), "{urn}: {name}");
    }
}

#[test]
fn data_outlives_destroy_only_where_the_config_says_so() {
    let options = |environment: &str, text: &str| {
        let urn = "data/aws:s3:Bucket/blobs".parse().unwrap();
        let graph = graph(environment, text);
        let bucket = graph.get(&urn).unwrap();
        let force_destroy = inputs(bucket)["force_destroy"].clone();
        (bucket.options.protect, bucket.options.retain_on_delete, force_destroy)
    };
    assert_eq!(options("dev", DEV), (false, false, true.into()));
    assert_eq!(options("prod", PROD), (true, true, false.into()));
    let told = format!("protect = false\n{PROD}\n[blobs]\non_destroy = \"delete\"\n");
    assert_eq!(options("prod", &told), (false, false, true.into()));
}
