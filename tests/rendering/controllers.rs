//! The charts of controllers.

use lsinfra_stacks::langsmith::unknown_values;
use serde_json::Value;

use crate::combination::Combination;
use crate::rendered::{Rendered, Tools};

/// Release, namespace, chart, and the role that its service account takes on.
type Controller = (&'static str, &'static str, (&'static str, &'static str), Option<&'static str>);

const CONTROLLERS: [Controller; 4] = [
    (
        "aws-load-balancer-controller",
        "kube-system",
        ("aws-load-balancer-controller", "3.5.0"),
        Some("load-balancer-controller"),
    ),
    ("cluster-autoscaler", "kube-system", ("cluster-autoscaler", "9.59.0"), Some("cluster-autoscaler")),
    ("external-secrets", "external-secrets", ("external-secrets", "2.9.0"), Some("external-secrets")),
    ("clickhouse-operator", "clickhouse-operator", ("altinity-clickhouse-operator", "0.25.6"), None),
];

pub(crate) fn check(tools: &Tools, combination: &Combination) {
    let declared = combination.declared();
    let releases = declared.of_type("helm:Release");
    for (release, namespace, chart, role) in CONTROLLERS {
        let Some(inputs) = releases.get(release) else {
            assert!(
                release == "clickhouse-operator" && combination.clickhouse != "replicated",
                "no {release}"
            );
            continue;
        };
        let values = inputs["values"].to_plain_json().unwrap();
        let mut unknown = unknown_values(&tools.known_values(chart.0, chart.1), &values);
        // Arguments of the program, of which the chart has but examples.
        unknown.retain(|value| !value.path.starts_with("extraArgs."));
        assert_eq!(unknown, [], "{release}");
        let rendered = tools.render(release, namespace, chart, &values);
        assert!(rendered.names("Deployment").contains(release), "{:?}", rendered.names("Deployment"));
        if let Some(role) = role {
            account(&rendered, release, namespace, &declared.trusted()[role]);
        }
        // A password that everybody knows would be in one.
        if release == "clickhouse-operator" {
            assert!(rendered.names("Secret").is_empty());
            assert!(rendered.names("Job").is_empty());
        }
    }
}

/// The service account with the role is the one that the role trusts.
fn account(rendered: &Rendered, release: &str, namespace: &str, trusted: &[String]) {
    let with_role = rendered
        .of_kind("ServiceAccount")
        .filter(|account| account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].is_string());
    let name = |account: &Value| format!("{namespace}:{}", account["metadata"]["name"].as_str().unwrap());
    assert_eq!(with_role.map(name).collect::<Vec<_>>(), trusted, "{release}");
}
