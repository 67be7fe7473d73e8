use serde_json::{Value, json};

use super::Account;
use crate::{FaultPlan, Pace};

const REALISTIC: Pace = Pace::Realistic { speed: 1.0 };
const PATH: &str = "/clusters/c/node-groups/g";

fn with_group(pace: Pace) -> Account {
    let mut account = Account::new(pace);
    account.cluster();
    account.cloud.advance(600);
    account.group("g");
    account.cloud.advance(200);
    account
}

fn at(account: &mut Account, pointer: &str) -> Value {
    let body = account.ok("GET", PATH, Value::Null);
    body["nodegroup"].pointer(pointer).cloned().unwrap_or_default()
}

#[test]
fn nodes_hold_the_network_until_their_group_is_gone() {
    let mut account = Account::new(REALISTIC);
    account.cluster();
    let request = account.group_request("g");
    assert_eq!(account.refused("POST", "/clusters/c/node-groups", request).0, "InvalidRequestException");
    account.cloud.advance(600);
    account.group("g");
    assert_eq!(account.status(PATH), "CREATING");
    assert_eq!(account.interfaces(), 4);
    account.cloud.advance(200);
    assert_eq!(account.status(PATH), "ACTIVE");
    assert!(at(&mut account, "/resources/autoScalingGroups/0/name").is_string());
    let (code, text) = account.refused("DELETE", "/clusters/c", Value::Null);
    assert_eq!((code.as_str(), text.as_str()), ("ResourceInUseException", "Cluster has nodegroups attached"));
    assert_eq!(account.ok("DELETE", PATH, Value::Null)["nodegroup"]["status"], "DELETING");
    account.ok("DELETE", PATH, Value::Null);
    account.cloud.advance(400);
    assert_eq!(account.refused("GET", PATH, Value::Null).0, "ResourceNotFoundException");
    assert_eq!(account.interfaces(), 2);
    account.ok("DELETE", "/clusters/c", Value::Null);
}

#[test]
fn sizes_labels_and_taints_change_in_place() {
    let mut account = with_group(Pace::Instant);
    let path = format!("{PATH}/update-config");
    let change = json!({
        "scalingConfig": {"minSize": 0, "maxSize": 5, "desiredSize": 5},
        "labels": {"addOrUpdateLabels": {"role": "app"}},
        "taints": {"addOrUpdateTaints": [{"key": "a", "value": "b", "effect": "NO_SCHEDULE"}]},
        "updateConfig": {"maxUnavailablePercentage": 50},
    });
    let update = account.ok("POST", &path, change)["update"].clone();
    let by_id = format!("/clusters/c/updates/{}", update["id"].as_str().unwrap());
    assert_eq!(account.status(&format!("{by_id}?nodegroupName=g")), "Successful");
    assert_eq!(account.refused("GET", &by_id, Value::Null).0, "ResourceNotFoundException");
    assert_eq!(account.interfaces(), 7);
    assert_eq!(at(&mut account, "/labels/role"), "app");
    assert_eq!(at(&mut account, "/taints/0/effect"), "NO_SCHEDULE");
    let back = json!({
        "scalingConfig": {"desiredSize": 0},
        "labels": {"removeLabels": ["role"]},
        "taints": {"removeTaints": [{"key": "a", "value": "b", "effect": "NO_SCHEDULE"}]},
    });
    account.ok("POST", &path, back);
    assert_eq!(account.interfaces(), 2);
    assert_eq!((at(&mut account, "/labels"), at(&mut account, "/taints")), (json!({}), Value::Null));
    for (least, most, desired) in [(3, 2, 2), (1, 2, 3), (2, 3, 1)] {
        let sizes = json!({"scalingConfig": {"minSize": least, "maxSize": most, "desiredSize": desired}});
        assert_eq!(account.refused("POST", &path, sizes).0, "InvalidParameterException");
    }
}

#[test]
fn versions_follow_the_cluster() {
    let mut account = with_group(REALISTIC);
    let path = format!("{PATH}/update-version");
    assert_eq!(account.refused("POST", &path, json!({"version": "1.35"})).0, "InvalidParameterException");
    assert_eq!(account.refused("POST", &path, json!({"version": "1.33"})).0, "InvalidParameterException");
    let template = json!({"launchTemplate": {"id": "lt-0123456789abcdef0", "version": "2"}});
    assert_eq!(account.refused("POST", &path, template).0, "InvalidRequestException");
    account.ok("POST", "/clusters/c/updates", json!({"version": "1.35"}));
    account.cloud.advance(600);
    account.ok("POST", &path, json!({"force": true}));
    assert_eq!(account.status(PATH), "UPDATING");
    assert_eq!(account.refused("POST", &path, json!({})).0, "ResourceInUseException");
    assert_eq!(account.refused("DELETE", PATH, Value::Null).0, "ResourceInUseException");
    account.cloud.advance(700);
    assert_eq!(at(&mut account, "/version"), "1.35");
    assert!(at(&mut account, "/releaseVersion").as_str().unwrap().starts_with("1.35."));
}

#[test]
fn a_launch_template_changes_its_version_only() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let mut request = account.group_request("g");
    request["launchTemplate"] = json!({"id": "lt-0123456789abcdef0", "version": "1"});
    request["diskSize"] = 50.into();
    assert_eq!(
        account.refused("POST", "/clusters/c/node-groups", request.clone()).0,
        "InvalidParameterException"
    );
    request.as_object_mut().unwrap().remove("diskSize");
    account.ok("POST", "/clusters/c/node-groups", request);
    let path = format!("{PATH}/update-version");
    account.ok("POST", &path, json!({"launchTemplate": {"id": "lt-0123456789abcdef0", "version": "2"}}));
    assert_eq!(at(&mut account, "/launchTemplate/version"), "2");
    let other = json!({"launchTemplate": {"id": "lt-0123456789abcdef1", "version": "1"}});
    assert_eq!(account.refused("POST", &path, other).0, "InvalidParameterException");
}

#[test]
fn there_are_only_so_many() {
    let mut account = with_group(Pace::Instant);
    let quotas = [("eks-clusters".to_owned(), 1), ("node-groups-per-cluster".to_owned(), 1)];
    account.cloud.faults(FaultPlan { quotas: quotas.into(), ..FaultPlan::default() });
    let request = account.group_request("other");
    let refused = account.refused("POST", "/clusters/c/node-groups", request);
    assert_eq!(refused.0, "ResourceLimitExceededException");
    let mut request = account.cluster_request();
    request["name"] = "other".into();
    assert_eq!(account.refused("POST", "/clusters", request).0, "ResourceLimitExceededException");
}

#[test]
fn a_lost_role_is_an_issue() {
    let mut account = with_group(Pace::Instant);
    account.delete_role("node");
    assert_eq!(account.status(PATH), "DEGRADED");
    assert_eq!(at(&mut account, "/health/issues/0/code"), "IamNodeRoleNotFound");
    let mut account = Account::new(REALISTIC);
    account.cluster();
    account.cloud.advance(600);
    account.group("g");
    account.delete_role("node");
    account.cloud.advance(200);
    assert_eq!(account.status(PATH), "CREATE_FAILED");
    let request = account.group_request("other");
    assert_eq!(account.refused("POST", "/clusters/c/node-groups", request).0, "InvalidParameterException");
}
