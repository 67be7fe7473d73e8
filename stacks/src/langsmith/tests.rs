//! What the stack declares for the shipped environments, and what changes of config change.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use lsinfra_engine::output::Resolve;
use lsinfra_engine::provider::Providers;
use lsinfra_engine::secret::{SecretLocation, SecretPart, SecretSource};
use lsinfra_engine::{Declaration, Graph, Properties, Property, Secret, SecretKey, Urn, Value, ValueError};
use lsinfra_resources::aws::{self, AwsConnector};
use lsinfra_resources::helm::{self, Helm, HelmConnector};
use lsinfra_resources::kubernetes::{self, KubernetesConnector};

use super::*;

mod in_cluster;
mod security;

const DEV: &str = include_str!("../../../environments/dev.toml");
const PROD: &str = include_str!("../../../environments/prod.toml");

fn graph(environment: &str, text: &str) -> Graph {
    graph_of(environment, text, &Layers { kubernetes: true })
}

fn graph_of(environment: &str, text: &str, layers: &Layers) -> Graph {
    let config = Config::parse(Path::new(&format!("environments/{environment}.toml")), text)
        .unwrap_or_else(|error| panic!("{error}"));
    langsmith(&config, layers).unwrap()
}

/// Outputs as `${urn.output}`, and a region with `zones` zones.
struct Symbolic {
    zones: usize,
}

impl Resolve for Symbolic {
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
        let text = format!("${{{urn}.{output}}}");
        let map = |members: &[(&str, Value)]| {
            let members = members.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            Value::Map(members.collect())
        };
        Ok(match output {
            "latest_version" => 7_i64.to_value(),
            "oidc_issuer" => Value::text("https://oidc.eks.us-west-2.amazonaws.com/id/0123456789ABCDEF"),
            "port" => 5432_u16.to_value(),
            "allocated_storage_gib" => 120_i32.to_value(),
            "name_servers" | "public_subnet_ids" | "private_subnet_ids" => {
                Value::List((1..=3).map(|index| Value::text(format!("{text}[{index}]"))).collect())
            }
            "static_parameters" => map(&[("max_connections", Value::text(text))]),
            "secrets" => map(&SECRET_KEYS.map(|key| (key, stored(&text, key)))),
            // Known before it is there, and looked at by what uses it.
            "name" if urn.resource_type() == "kubernetes:core:Namespace" => Value::text(urn.name()),
            "namespace" if urn.resource_type() == "helm:Release" => Value::text("langsmith"),
            "validation_records" => {
                let record = ["name", "record_type", "value"]
                    .map(|member| (member, Value::text(format!("{}.example.com", member.replace('_', "-")))));
                map(&[("langsmith.example.com", map(&record))])
            }
            _ => Value::text(text),
        })
    }

    fn fact(&self, name: &str) -> Value {
        assert_eq!(name, "aws.availability_zones/us-west-2");
        let letters = ["a", "b", "c", "d", "e", "f"];
        Value::List(
            letters[..self.zones].iter().map(|letter| Value::text(format!("us-west-2{letter}"))).collect(),
        )
    }
}

/// The keys of all secrets in one.
const SECRET_KEYS: [&str; 22] = [
    "agent_builder_encryption_key",
    "api_key_salt",
    "clickhouse_db",
    "clickhouse_host",
    "clickhouse_native_port",
    "clickhouse_password",
    "clickhouse_port",
    "clickhouse_tls",
    "clickhouse_user",
    "connection_url",
    "engine_encryption_key",
    "initial_org_admin_password",
    "insights_encryption_key",
    "jwt_secret",
    "langsmith_license_key",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_issuer_url",
    "password",
    "polly_encryption_key",
    "token",
    "username",
];

/// A member of the secret that `text` stands for.
fn stored(text: &str, key: &str) -> Value {
    let location = SecretLocation { secret: text.to_owned(), version: "1".to_owned(), key: key.to_owned() };
    Value::Secret(Secret::stored(&SecretKey::new([0; 32]), &key.to_owned().into(), location))
}

/// A value as JSON; a secret by what it is made of.
fn shown(value: &Value) -> String {
    match value {
        Value::Secret(secret) => {
            let part = |part: &SecretPart| match part {
                SecretPart::Plain(text) => text.clone(),
                SecretPart::Sealed { source: SecretSource::Stored(location), encoding, .. } => {
                    format!("<{} {} {encoding:?}>", location.secret, location.key)
                }
                SecretPart::Asked { name, .. } => format!("<asked {name}>"),
                other => panic!("a secret of no store: {other:?}"),
            };
            secret.parts().iter().map(part).collect()
        }
        Value::Map(members) if value.has_secret() => {
            let member = |(name, value): (&String, &Value)| format!("{name}: {}", shown(value));
            members.iter().map(member).collect::<Vec<_>>().join(", ")
        }
        plain => plain.to_plain_json().unwrap().to_string(),
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
    let mut tree = String::new();
    let mut component = String::new();
    let declarations: BTreeMap<&Urn, &Declaration> =
        graph.declarations().map(|declaration| (&declaration.urn, declaration)).collect();
    for (urn, declaration) in declarations {
        let here = urn.components().collect::<Vec<_>>().join("/");
        if here != component {
            writeln!(tree, "{here}").unwrap();
            component = here;
        }
        write!(tree, "  {}/{}", urn.resource_type(), urn.name()).unwrap();
        let options = &declaration.options;
        for (name, set) in [
            ("protect", options.protect),
            ("retain_on_delete", options.retain_on_delete),
            ("delete_before_replace", options.delete_before_replace),
        ] {
            if set {
                write!(tree, " [{name}]").unwrap();
            }
        }
        writeln!(tree).unwrap();
        for dependency in graph.dependencies(urn) {
            writeln!(tree, "    <- {}/{}", dependency.resource_type(), dependency.name()).unwrap();
        }
    }
    writeln!(tree, "outputs").unwrap();
    for (name, expression) in graph.outputs() {
        let value = expression.evaluate(&Symbolic { zones: 4 }).unwrap();
        writeln!(tree, "  {name}: {}", shown(&value)).unwrap();
    }
    tree
}

/// The inputs of every resource, one per line.
fn inputs_shown(graph: &Graph) -> String {
    let mut text = String::new();
    for (urn, inputs) in resources(graph) {
        writeln!(text, "{urn}").unwrap();
        for (name, value) in inputs {
            writeln!(text, "  {name}: {}", shown(&value)).unwrap();
        }
    }
    text
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
    let aws = Arc::new(AwsConnector::sandbox("http://127.0.0.1:1"));
    let kubernetes = Arc::new(KubernetesConnector::new(Arc::clone(&aws)));
    let helm = Arc::new(Helm::new(None, None, "of-nobody".into()));
    aws::register(&mut providers, aws);
    kubernetes::register(&mut providers, Arc::clone(&kubernetes));
    helm::register(&mut providers, Arc::new(HelmConnector::new(kubernetes, helm)));
    super::register(&mut providers);
    let long = "stack = \"a-very-long-stack-nm\"\n";
    let other_dev = format!(
        "{DEV}\nadmin_arns = [\"arn:aws:iam::111122223333:role/team/a=b,c\", \"arn:aws:iam::111122223333:user/ada\"]\n\
         [redis]\nnodes = 3\n[postgres]\nversion = \"16.10\"\nmax_storage_gib = 20\n\
         [clickhouse]\ninstance_type = \"m7i.4xlarge\"\n[alarms]\nenabled = true\n"
    );
    let created_zone = PROD.replace("hostname =", "created_zone = \"example.com\"\nhostname =");
    let graphs = [
        graph("dev", DEV),
        graph("dev", &other_dev),
        graph("dev", &format!("{DEV}\n[secrets]\ndelivery = \"direct\"\n")),
        graph("dev", &format!("{DEV}\n[clickhouse]\nmode = \"external\"\nhost = \"ch.example.com\"\n")),
        graph("prod", PROD),
        graph("prod", &created_zone),
        graph("prod", &with_existing_network(PROD, 3)),
        graph("a-long-name-too1", &format!("{long}{PROD}")),
    ];
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
fn one_more_zone_moves_neither_network_nor_cluster_nor_data() {
    let with = |zones: usize| {
        let text = DEV.replace("[network]", &format!("[network]\nzone_count = {zones}\nnat = \"per-zone\""));
        resources(&graph("dev", &text))
    };
    let (before, after) = (with(3), with(4));
    let changed: BTreeSet<&str> = before
        .iter()
        .filter(|(urn, inputs)| after.get(*urn) != Some(*inputs))
        .map(|(urn, _)| urn.as_str())
        .collect();
    // The others grow; AWS lets no node group change its subnets: another one takes its place, pod by pod.
    assert_eq!(
        changed,
        BTreeSet::from([
            "cluster/aws:eks:NodeGroup/general",
            "data/aws:elasticache:SubnetGroup/redis",
            "data/aws:rds:SubnetGroup/postgres",
            "network/aws:ec2:VpcEndpoint/s3",
        ])
    );
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

/// An environment in a VPC that is there, with subnets in so many zones.
fn with_existing_network(text: &str, zones: usize) -> String {
    let ids = |kind: usize| {
        let ids = (1..=zones).map(|zone| format!("\"subnet-0000{kind}00{zone}\""));
        ids.collect::<Vec<_>>().join(", ")
    };
    let (public, private) = (ids(1), ids(2));
    let network = format!(
        "vpc_id = \"vpc-0a1b2c3d\"\npublic_subnet_ids = [{public}]\nprivate_subnet_ids = [{private}]\n"
    );
    let cidr = text.lines().find(|line| line.starts_with("cidr = ")).unwrap();
    text.replace(cidr, &network)
}

#[test]
fn an_existing_network_is_looked_up_and_nothing_is_added_to_it_but_security_groups() {
    for (environment, text, zones) in [("dev", DEV, 2), ("prod", PROD, 3)] {
        let resources = resources(&graph(environment, &with_existing_network(text, zones)));
        let in_network = resources.keys().filter(|urn| urn.starts_with("network/"));
        let types: BTreeSet<&str> = in_network.map(|urn| urn.split('/').nth(1).unwrap()).collect();
        let expected = ["aws:ec2:ExistingNetwork", "aws:ec2:SecurityGroup", "aws:ec2:SecurityGroupRule"];
        assert_eq!(types, expected.into());
        let looked_up = "${network/aws:ec2:ExistingNetwork/main.private_subnet_ids}";
        let cluster = &resources["cluster/aws:eks:Cluster/main"]["subnet_ids"];
        let subnets: Vec<String> = (1..=zones).map(|zone| format!("{looked_up}[{zone}]")).collect();
        assert_eq!(*cluster, Value::List(subnets.into_iter().map(Value::text).collect()));
    }
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
fn clickhouse_elsewhere_has_no_nodes_and_a_password_that_is_given() {
    let urns = |text: &str| resources(&graph("dev", text)).into_keys().collect::<BTreeSet<_>>();
    let with_nodes = urns(&format!("{DEV}\n[clickhouse]\ninstance_type = \"m7i.4xlarge\"\n"));
    let elsewhere = format!(
        "{DEV}\n[clickhouse]\nmode = \"external\"\nhost = \"ch.example.com\"\ninstance_type = \"m7i.4xlarge\"\n"
    );
    let secret = |text: &str| {
        let graph = graph("dev", text);
        let urn = "secrets/aws:secretsmanager:Secret/clickhouse".parse().unwrap();
        let declared = inputs(graph.get(&urn).unwrap());
        (declared.contains_key("generated"), shown(&declared["values"]))
    };
    let (is_drawn, values) = secret(&elsewhere);
    assert!(!is_drawn && values.contains("clickhouse_password: <asked clickhouse_password>"), "{values}");
    assert!(values.contains("clickhouse_host: ch.example.com"), "{values}");
    assert!(secret(DEV).0);
    let elsewhere = urns(&elsewhere);
    let gone: Vec<&str> = with_nodes.difference(&elsewhere).map(String::as_str).collect();
    assert_eq!(
        gone,
        [
            "cluster/aws:ec2:LaunchTemplate/clickhouse-1",
            "cluster/aws:eks:NodeGroup/clickhouse-1",
            "platform/kubernetes:storage:ClassVolumes/clickhouse",
            "platform/kubernetes:storage:StorageClass/clickhouse",
        ]
    );
    assert!(elsewhere.is_subset(&with_nodes));
}

#[test]
fn the_parameters_of_redis_are_of_the_family_of_its_version() {
    for (version, family) in [("6.2", "redis6.x"), ("7.0", "redis7"), ("7.1", "redis7")] {
        let resources = resources(&graph("dev", &format!("{DEV}\n[redis]\nversion = {version:?}\n")));
        assert_eq!(resources["data/aws:elasticache:ParameterGroup/redis"]["family"], Value::text(family));
    }
}

#[test]
fn a_private_cluster_has_no_public_endpoint() {
    let cluster = |text: &str| resources(&graph("dev", text))["cluster/aws:eks:Cluster/main"].clone();
    let open = cluster(DEV);
    assert_eq!(open["endpoint_public_access"], true.into());
    assert_eq!(open["public_access_cidrs"].to_plain_json().unwrap().to_string(), r#"["203.0.113.0/24"]"#);
    let private = cluster(&DEV.replace("[\"203.0.113.0/24\"]", "[]"));
    assert_eq!(private["endpoint_public_access"], false.into());
    assert!(!private.contains_key("public_access_cidrs"));
    assert_eq!(
        [&open, &private].map(|inputs| inputs["endpoint_private_access"].clone()),
        [true.into(), true.into()]
    );
}

#[test]
fn every_resource_carries_the_tags_of_the_environment() {
    for (urn, inputs) in resources(&graph("prod", PROD)) {
        // Parts of other objects have no tags of their own.
        let parts = ["Route", "RouteTableAssociation", "Alias", "RecordSet", "Subscription"];
        let looks = ["FindFinalSnapshot", "FindHostedZone", "CertificateValidation", "Choices"];
        if parts.iter().chain(&looks).any(|untagged| urn.contains(&format!(":{untagged}/"))) {
            continue;
        }
        if urn.contains("/kubernetes:") || urn.contains("/helm:") {
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

#[test]
fn each_replica_of_clickhouse_has_a_tainted_node_in_a_zone_of_its_own() {
    let resources = resources(&graph("prod", PROD));
    let groups: Vec<&Properties> = resources
        .iter()
        .filter(|(urn, _)| urn.contains("aws:eks:NodeGroup/clickhouse-"))
        .map(|(_, inputs)| inputs)
        .collect();
    let subnets: BTreeSet<String> =
        groups.iter().map(|group| group["subnet_ids"].to_plain_json().unwrap().to_string()).collect();
    assert_eq!((groups.len(), subnets.len()), (3, 3));
    assert!(groups.iter().all(|group| group.contains_key("taints")));
}

/// All that a resource waits for.
fn all_before(graph: &Graph, urn: &str) -> BTreeSet<Urn> {
    let mut before = BTreeSet::new();
    let mut next: Vec<Urn> = vec![urn.parse().unwrap()];
    while let Some(urn) = next.pop() {
        next.extend(graph.dependencies(&urn).into_iter().filter(|other| before.insert(other.clone())));
    }
    before
}

#[test]
fn the_cluster_waits_for_subnets_role_key_and_log_group_alone() {
    for (environment, text) in [("dev", DEV), ("prod", PROD)] {
        let before = all_before(&graph(environment, text), "cluster/aws:eks:Cluster/main");
        let types: BTreeSet<&str> = before.iter().map(Urn::resource_type).collect();
        let expected = ["aws:ec2:Subnet", "aws:ec2:Vpc", "aws:iam:Role", "aws:kms:Key", "aws:logs:LogGroup"];
        assert_eq!(types, expected.into());
        assert!(!before.iter().any(|urn| urn.name().starts_with("public-")));
    }
}

#[test]
fn subnet_groups_of_data_stores_are_replaced_with_their_vpc() {
    let graph = graph("dev", DEV);
    for urn in ["data/aws:rds:SubnetGroup/postgres", "data/aws:elasticache:SubnetGroup/redis"] {
        let group = graph.get(&urn.parse().unwrap()).unwrap();
        let description = inputs(group)["description"].as_text().unwrap().to_owned();
        assert!(description.contains("${network/aws:ec2:Vpc/main.id}"), "{description}");
        assert_eq!(group.options.replace_on_changes, BTreeSet::from(["description".to_owned()]));
    }
}

#[test]
fn data_stores_and_certificate_do_not_wait_for_the_cluster() {
    let graph = graph("prod", PROD);
    for urn in [
        "data/aws:rds:Instance/postgres",
        "data/aws:elasticache:ReplicationGroup/redis",
        "data/aws:s3:Bucket/blobs",
        "secrets/aws:secretsmanager:Secret/postgres",
        "edge/aws:acm:CertificateValidation/main",
    ] {
        let before = all_before(&graph, urn);
        assert!(!before.iter().any(|urn| urn.resource_type() == "aws:eks:Cluster"), "{urn}");
    }
}
