use serde_json::{Value, json};

use super::Account;
use crate::Pace;

#[test]
fn a_deployment_is_degraded_until_there_are_nodes() {
    let mut account = Account::new(Pace::Realistic { speed: 1.0 });
    account.cluster();
    account.cloud.advance(600);
    for name in ["coredns", "vpc-cni"] {
        account.ok("POST", "/clusters/c/addons", json!({"addonName": name}));
    }
    assert_eq!(account.status("/clusters/c/addons/coredns"), "CREATING");
    account.cloud.advance(60);
    assert_eq!(account.status("/clusters/c/addons/coredns"), "DEGRADED");
    let body = account.ok("GET", "/clusters/c/addons/coredns", Value::Null);
    assert_eq!(body["addon"]["health"]["issues"][0]["code"], "InsufficientNumberOfReplicas");
    assert_eq!(account.status("/clusters/c/addons/vpc-cni"), "ACTIVE", "it runs on each node that there is");
    account.group("g");
    account.cloud.advance(200);
    assert_eq!(account.status("/clusters/c/addons/coredns"), "ACTIVE");
}

#[test]
fn versions_come_from_the_catalog() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let found = account.ok(
        "GET",
        "/addons/supported-versions?addonName=kube-proxy&kubernetesVersion=1.34",
        Value::Null,
    );
    let versions = found["addons"][0]["addonVersions"].as_array().unwrap().clone();
    let newest = versions[0]["addonVersion"].as_str().unwrap();
    assert!(newest.starts_with("v1.34."), "{newest}");
    for (name, version) in [("kube-proxy", "v1.33.3-eksbuild.5"), ("nothing", "v1.0.0-eksbuild.1")] {
        let request = json!({"addonName": name, "addonVersion": version});
        assert_eq!(account.refused("POST", "/clusters/c/addons", request).0, "InvalidParameterException");
    }
    account.ok("POST", "/clusters/c/addons", json!({"addonName": "kube-proxy"}));
    let path = "/clusters/c/addons/kube-proxy";
    let default = versions.iter().find(|one| one["compatibilities"][0]["defaultVersion"] == true).unwrap();
    assert_eq!(account.ok("GET", path, Value::Null)["addon"]["addonVersion"], default["addonVersion"]);
    let update =
        account.ok("POST", &format!("{path}/update"), json!({"addonVersion": newest}))["update"].clone();
    assert_eq!(update["type"], "AddonUpdate");
    assert_eq!(account.ok("GET", path, Value::Null)["addon"]["addonVersion"], newest);
    let broken = json!({"configurationValues": "{"});
    assert_eq!(account.refused("POST", &format!("{path}/update"), broken).0, "InvalidParameterException");
    account.ok("DELETE", &format!("{path}?preserve=true"), Value::Null);
    assert_eq!(account.refused("GET", path, Value::Null).0, "ResourceNotFoundException");
}

#[test]
fn associations_of_an_add_on_go_with_it() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let request = json!({
        "addonName": "aws-ebs-csi-driver",
        "podIdentityAssociations": [{"serviceAccount": "ebs-csi-controller-sa", "roleArn": Account::arn("pod")}],
    });
    account.ok("POST", "/clusters/c/addons", request);
    let list = |account: &mut Account| {
        let body =
            account.ok("GET", "/clusters/c/pod-identity-associations?namespace=kube-system", Value::Null);
        body["associations"].as_array().unwrap().len()
    };
    assert_eq!(list(&mut account), 1);
    account.ok("DELETE", "/clusters/c/addons/aws-ebs-csi-driver", Value::Null);
    assert_eq!(list(&mut account), 0);
}
