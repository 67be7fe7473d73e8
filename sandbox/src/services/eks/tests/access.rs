use serde_json::{Value, json};

use super::Account;
use crate::Pace;

const POLICY: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";

fn entry(principal: &str) -> String {
    format!("/clusters/c/access-entries/{}", principal.replace(':', "%3A").replace('/', "%2F"))
}

fn entries(account: &mut Account) -> Vec<String> {
    let body = account.ok("GET", "/clusters/c/access-entries", Value::Null);
    body["accessEntries"].as_array().unwrap().iter().map(|arn| arn.as_str().unwrap().to_owned()).collect()
}

#[test]
fn creator_and_nodes_are_let_in() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let creator = "arn:aws:iam::123456789012:user/sandbox";
    assert_eq!(entries(&mut account), [creator]);
    let policies = account.ok("GET", &format!("{}/access-policies", entry(creator)), Value::Null);
    assert!(
        policies["associatedAccessPolicies"][0]["policyArn"]
            .as_str()
            .unwrap()
            .ends_with("AmazonEKSClusterAdminPolicy")
    );
    account.group("a");
    account.group("b");
    assert_eq!(entries(&mut account), [Account::arn("node").as_str(), creator]);
    account.ok("DELETE", "/clusters/c/node-groups/a", Value::Null);
    assert_eq!(entries(&mut account).len(), 2, "another group has the role still");
    account.ok("DELETE", "/clusters/c/node-groups/b", Value::Null);
    assert_eq!(entries(&mut account), [creator]);
}

#[test]
fn a_cluster_may_be_made_without_its_creator_or_without_entries() {
    let mut account = Account::new(Pace::Instant);
    let mut request = account.cluster_request();
    request["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] = false.into();
    account.ok("POST", "/clusters", request.clone());
    assert!(entries(&mut account).is_empty());
    request["name"] = "old".into();
    request.as_object_mut().unwrap().remove("accessConfig");
    account.ok("POST", "/clusters", request);
    let refused = account.refused("GET", "/clusters/old/access-entries", Value::Null);
    assert_eq!(refused.0, "InvalidRequestException");
}

#[test]
fn an_entry_has_policies_with_their_scopes() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let principal = Account::arn("admin");
    let path = entry(&principal);
    let request = json!({"principalArn": principal, "kubernetesGroups": ["ops"]});
    let made = account.ok("POST", "/clusters/c/access-entries", request.clone());
    assert_eq!(
        made["accessEntry"]["username"],
        "arn:aws:sts::123456789012:assumed-role/admin/{{SessionName}}"
    );
    assert_eq!(account.refused("POST", "/clusters/c/access-entries", request).0, "ResourceInUseException");
    let policies = format!("{path}/access-policies");
    let associate = |scope: Value| json!({"policyArn": POLICY, "accessScope": scope});
    account.ok("POST", &policies, associate(json!({"type": "cluster"})));
    account.ok("POST", &policies, associate(json!({"type": "namespace", "namespaces": ["a"]})));
    let listed = account.ok("GET", &policies, Value::Null)["associatedAccessPolicies"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1, "a policy is there once");
    assert_eq!(listed[0]["accessScope"]["namespaces"], json!(["a"]));
    let nowhere = account.refused("POST", &policies, associate(json!({"type": "namespace"})));
    assert_eq!(nowhere.0, "InvalidParameterException");
    let one = format!("{policies}/{}", POLICY.replace(':', "%3A").replace('/', "%2F"));
    account.ok("DELETE", &one, Value::Null);
    assert_eq!(account.refused("DELETE", &one, Value::Null).0, "ResourceNotFoundException");
    account.ok("DELETE", &path, Value::Null);
    assert_eq!(account.refused("GET", &path, Value::Null).0, "ResourceNotFoundException");
}

#[test]
fn reserved_names_and_sessions_are_refused() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let session = "arn:aws:sts::123456789012:assumed-role/admin/me";
    for request in [
        json!({"principalArn": session}),
        json!({"principalArn": Account::arn("a"), "kubernetesGroups": ["system:masters"]}),
        json!({"principalArn": Account::arn("a"), "username": "aws:me"}),
        json!({"principalArn": Account::arn("a"), "type": "EC2_LINUX", "kubernetesGroups": ["x"]}),
    ] {
        assert_eq!(
            account.refused("POST", "/clusters/c/access-entries", request).0,
            "InvalidParameterException"
        );
    }
}

#[test]
fn a_service_account_has_one_role_and_tags_are_kept() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let mut request =
        json!({"namespace": "n", "serviceAccount": "s", "roleArn": Account::arn("pod"), "tags": {"k": "v"}});
    let path = "/clusters/c/pod-identity-associations";
    let made = account.ok("POST", path, request.clone())["association"].clone();
    assert_eq!(account.refused("POST", path, request.clone()).0, "ResourceInUseException");
    request["serviceAccount"] = "other".into();
    request["roleArn"] = Account::arn("node").into();
    assert_eq!(account.refused("POST", path, request).0, "InvalidParameterException");
    let arn = made["associationArn"].as_str().unwrap().replace(':', "%3A").replace('/', "%2F");
    account.ok("POST", &format!("/tags/{arn}"), json!({"tags": {"l": "w"}}));
    account.ok("DELETE", &format!("/tags/{arn}?tagKeys=k"), Value::Null);
    assert_eq!(account.ok("GET", &format!("/tags/{arn}"), Value::Null)["tags"], json!({"l": "w"}));
    let unknown =
        account.refused("GET", "/tags/arn%3Aaws%3Aeks%3Aus-east-1%3A123456789012%3Acluster%2Fx", Value::Null);
    assert_eq!(unknown.0, "NotFoundException");
}
