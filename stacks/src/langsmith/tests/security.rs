//! What nobody may do, whatever is declared.

use std::collections::BTreeMap;

use lsinfra_engine::{Properties, Property, Value};

use super::{DEV, PROD, graph, resources};

/// Actions of a role's inline policies that are allowed on every resource.
fn on_everything(inputs: &Properties) -> Vec<String> {
    let Some(policies) = inputs.get("inline_policies") else { return Vec::new() };
    let statements = policies.as_map().unwrap().values().flat_map(|policy| {
        let Value::List(statements) = &policy.as_map().unwrap()["Statement"] else { panic!("no statements") };
        statements.clone()
    });
    let texts = |value: &Value| match value {
        Value::List(texts) => texts.iter().map(|text| text.as_text().unwrap().to_owned()).collect(),
        other => vec![other.as_text().unwrap().to_owned()],
    };
    let mut actions = Vec::new();
    for statement in statements {
        let statement = statement.as_map().unwrap();
        let resources: Vec<String> = texts(&statement["Resource"]);
        let allowed: Vec<String> = texts(&statement["Action"]);
        assert!(allowed.iter().all(|action| !action.contains('*')), "{allowed:?}");
        if resources.iter().any(|resource| resource == "*") {
            actions.extend(allowed);
        }
    }
    actions
}

#[test]
fn roles_change_nothing_on_all_resources() {
    for (urn, inputs) in resources(&graph("prod", PROD)) {
        for action in on_everything(&inputs) {
            let (_, call) = action.split_once(':').unwrap();
            let reads = ["Describe", "Get", "List"].iter().any(|verb| call.starts_with(verb));
            assert!(reads, "{urn}: {action} on every resource");
        }
    }
}

#[test]
fn only_named_service_accounts_take_on_roles_of_workloads() {
    let mut subjects = BTreeMap::new();
    for (urn, inputs) in resources(&graph("prod", PROD)) {
        let Some(trust) = inputs.get("assume_role_policy") else { continue };
        let Value::List(statements) = &trust.as_map().unwrap()["Statement"] else { panic!("{urn}") };
        for statement in statements {
            let statement = statement.to_plain_json().unwrap();
            if statement["Principal"]["Federated"].is_null() {
                continue;
            }
            let conditions = statement["Condition"].as_object().unwrap();
            assert_eq!(conditions.keys().collect::<Vec<_>>(), ["StringEquals"], "{urn}");
            let of = |end: &str| {
                let all = conditions["StringEquals"].as_object().unwrap();
                let (_, values) = all.iter().find(|(key, _)| key.ends_with(end)).unwrap();
                let values = values.as_array().unwrap();
                values.iter().map(|value| value.as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(of(":aud"), ["sts.amazonaws.com"], "{urn}");
            let name = urn.rsplit('/').next().unwrap().to_owned();
            subjects.insert(name, of(":sub"));
        }
    }
    let account = |name: &str| format!("system:serviceaccount:{name}");
    let accounts = |names: &[&str]| names.iter().map(|name| account(name)).collect::<Vec<_>>();
    assert_eq!(
        subjects,
        BTreeMap::from(
            [
                ("cluster-autoscaler", accounts(&["kube-system:cluster-autoscaler"])),
                ("ebs-csi", accounts(&["kube-system:ebs-csi-controller-sa"])),
                ("external-secrets", accounts(&["external-secrets:external-secrets"])),
                (
                    "langsmith",
                    accounts(&[
                        "langsmith:langsmith-backend",
                        "langsmith:langsmith-ingest-queue",
                        "langsmith:langsmith-platform-backend",
                        "langsmith:langsmith-queue",
                    ])
                ),
                ("load-balancer-controller", accounts(&["kube-system:aws-load-balancer-controller"])),
                ("vpc-cni", accounts(&["kube-system:aws-node"])),
            ]
            .map(|(role, subjects)| (role.to_owned(), subjects))
        )
    );
}

#[test]
fn nothing_is_open_to_the_world() {
    for (environment, text) in [("dev", DEV), ("prod", PROD)] {
        for (urn, inputs) in resources(&graph(environment, text)) {
            if inputs.get("direction") == Some(&Value::text("ingress")) {
                assert!(!inputs.contains_key("cidr_ipv4"), "{urn}");
                assert!(inputs.contains_key("referenced_group_id"), "{urn}");
            }
            assert_ne!(inputs.get("publicly_accessible"), Some(&true.into()), "{urn}");
        }
    }
}

#[test]
fn nodes_are_in_private_subnets_and_take_metadata_with_tokens_only() {
    let (mut groups, mut templates) = (0, 0);
    for (urn, inputs) in resources(&graph("prod", PROD)) {
        if urn.contains("aws:eks:NodeGroup") {
            groups += 1;
            let Value::List(subnets) = &inputs["subnet_ids"] else { panic!("{urn}") };
            assert!(subnets.iter().all(|subnet| subnet.as_text().unwrap().contains("/private-")), "{urn}");
            assert!(inputs.contains_key("launch_template_id"), "{urn}");
        }
        if urn.contains("aws:ec2:LaunchTemplate") {
            templates += 1;
            let options = inputs["metadata_options"].as_map().unwrap();
            assert_eq!(options["http_tokens_required"], true.into(), "{urn}");
            assert_eq!(options["http_put_response_hop_limit"], 2_i32.to_value(), "{urn}");
            let Value::List(volumes) = &inputs["block_device_mappings"] else { panic!("{urn}") };
            assert!(volumes.iter().all(|volume| volume.as_map().unwrap()["encrypted"] == true.into()));
        }
    }
    // The general group, and one for each replica of ClickHouse.
    assert_eq!((groups, templates), (4, 4));
}
