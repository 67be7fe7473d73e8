use serde_json::{Value, json};

use super::Account;
use crate::Pace;

const REALISTIC: Pace = Pace::Realistic { speed: 1.0 };

#[test]
fn a_cluster_comes_with_group_and_interfaces_and_takes_them_along() {
    let mut account = Account::new(REALISTIC);
    account.cluster();
    assert_eq!(account.cluster_at("/status"), "CREATING");
    assert_eq!(account.cluster_at("/endpoint"), Value::Null, "nothing to connect to yet");
    assert_eq!(account.interfaces(), 2);
    assert_eq!(
        account.cloud.refused("DeleteSubnet", &[("SubnetId", &account.subnets[0].clone())]),
        "DependencyViolation"
    );
    assert_eq!(account.refused("DELETE", "/clusters/c", Value::Null).0, "ResourceInUseException");
    account.cloud.advance(600);
    assert_eq!(account.cluster_at("/status"), "ACTIVE");
    let issuer = account.cluster_at("/identity/oidc/issuer");
    assert!(issuer.as_str().unwrap().starts_with("https://oidc.eks.us-east-1.amazonaws.com/id/"));
    let group = account.cluster_at("/resourcesVpcConfig/clusterSecurityGroupId");
    let group = group.as_str().unwrap().to_owned();
    assert_eq!(account.cloud.refused("DeleteSecurityGroup", &[("GroupId", &group)]), "DependencyViolation");
    let inventory = account.cloud.inventory();
    assert!(inventory.iter().all(|item| item.id != group), "the group is EKS's, not the account's");
    assert!(inventory.iter().any(|item| item.service == "eks" && item.id == "c"));
    assert_eq!(account.ok("DELETE", "/clusters/c", Value::Null)["cluster"]["status"], "DELETING");
    account.cloud.advance(600);
    assert_eq!(account.refused("GET", "/clusters/c", Value::Null).0, "ResourceNotFoundException");
    assert_eq!(account.interfaces(), 0);
    assert_eq!(account.groups(), ["default"]);
    let (vpc, subnets) = (account.vpc.clone(), account.subnets.clone());
    for subnet in &subnets {
        account.cloud.ec2("DeleteSubnet", &[("SubnetId", subnet)]);
    }
    account.cloud.ec2("DeleteVpc", &[("VpcId", &vpc)]);
}

#[test]
fn a_group_that_others_still_name_is_left_behind() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let group = account.cluster_at("/resourcesVpcConfig/clusterSecurityGroupId");
    let group = group.as_str().unwrap().to_owned();
    let vpc = account.vpc.clone();
    let params = [("GroupName", "database"), ("GroupDescription", "d"), ("VpcId", &vpc)];
    let other = crate::testing::text(&account.cloud.ec2("CreateSecurityGroup", &params), "groupId");
    let rule = [
        ("GroupId", other.as_str()),
        ("IpPermissions.1.IpProtocol", "-1"),
        ("IpPermissions.1.Groups.1.GroupId", &group),
    ];
    account.cloud.ec2("AuthorizeSecurityGroupIngress", &rule);
    account.ok("DELETE", "/clusters/c", Value::Null);
    assert_eq!(account.groups().len(), 3);
    assert!(account.cloud.inventory().iter().any(|item| item.id == group), "now nobody else takes it away");
}

#[test]
fn what_a_cluster_cannot_stand_on_is_refused() {
    let mut account = Account::new(Pace::Instant);
    let good = account.cluster_request();
    let one = json!({"subnetIds": [account.subnets[0]]});
    let unknown = json!({"subnetIds": ["subnet-0123456789abcdef0", account.subnets[0]]});
    let closed = json!({"subnetIds": account.subnets, "endpointPublicAccess": false});
    for (member, value) in [
        ("roleArn", json!(Account::arn("nobody"))),
        ("roleArn", json!(Account::arn("node"))),
        ("version", json!("1.11")),
        ("resourcesVpcConfig", one),
        ("resourcesVpcConfig", unknown),
        ("resourcesVpcConfig", closed),
        ("name", json!("with space")),
        ("encryptionConfig", json!([{"resources": ["secrets"], "provider": {"keyArn": "alias/x"}}])),
        ("tags", json!({"aws:x": "1"})),
    ] {
        let mut request = good.clone();
        request[member] = value.clone();
        let (code, text) = account.refused("POST", "/clusters", request);
        assert_eq!(code, "InvalidParameterException", "{member} {value}: {text}");
    }
    let mut request = good.clone();
    request["zonalShiftConfig"] = json!({"enabled": true});
    let (_, text) = account.refused("POST", "/clusters", request);
    assert!(text.contains("zonalShiftConfig"), "{text}");
    assert_eq!(account.interfaces(), 0, "what is refused leaves nothing");
    assert_eq!(account.groups(), ["default"]);
}

#[test]
fn zones_without_control_planes_are_named_with_others() {
    let mut account = Account::new(Pace::Instant);
    let vpc = account.vpc.clone();
    let params = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.9.0/24"), ("AvailabilityZone", "us-east-1e")];
    let subnet = crate::testing::text(&account.cloud.ec2("CreateSubnet", &params), "subnetId");
    let mut request = account.cluster_request();
    request["resourcesVpcConfig"] = json!({"subnetIds": [account.subnets[0], subnet]});
    let response = account.send("POST", "/clusters", &request);
    assert_eq!(response.headers()["x-amzn-errortype"], "UnsupportedAvailabilityZoneException");
    assert_eq!(response.body()["validZones"], json!(["us-east-1a"]));
}

#[test]
fn a_token_makes_one_cluster_and_a_name_is_taken_once() {
    let mut account = Account::new(Pace::Instant);
    let mut request = account.cluster_request();
    request["clientRequestToken"] = "t".into();
    request["tags"] = json!({"a": "1", "b": "2"});
    let first = account.ok("POST", "/clusters", request.clone());
    // Maps have no order, so that the same request may look otherwise.
    request["tags"] = json!({"b": "2", "a": "1"});
    assert_eq!(account.ok("POST", "/clusters", request.clone()), first);
    request["clientRequestToken"] = "other".into();
    assert_eq!(account.refused("POST", "/clusters", request).0, "ResourceInUseException");
    assert_eq!(account.interfaces(), 2);
}

#[test]
fn a_role_that_goes_before_the_cluster_is_there_fails_it() {
    let mut account = Account::new(REALISTIC);
    account.cluster();
    account.delete_role("cluster");
    account.cloud.advance(600);
    assert_eq!(account.cluster_at("/status"), "FAILED");
    assert_eq!(account.cluster_at("/health/issues/0/code"), "IamRoleNotFound");
    account.ok("DELETE", "/clusters/c", Value::Null);
}

#[test]
fn settings_change_one_kind_at_a_time_and_take_a_while() {
    let mut account = Account::new(REALISTIC);
    account.cluster();
    account.cloud.advance(600);
    let path = "/clusters/c/update-config";
    let two = json!({"deletionProtection": true, "upgradePolicy": {"supportType": "STANDARD"}});
    assert_eq!(account.refused("POST", path, two).0, "InvalidParameterException");
    let ranges = json!({"resourcesVpcConfig": {"publicAccessCidrs": ["203.0.113.0/24"]}});
    let update = account.ok("POST", path, ranges.clone())["update"].clone();
    assert_eq!((&update["type"], &update["status"]), (&json!("EndpointAccessUpdate"), &json!("InProgress")));
    assert_eq!(account.cluster_at("/status"), "UPDATING");
    assert_eq!(account.cluster_at("/resourcesVpcConfig/publicAccessCidrs/0"), "0.0.0.0/0");
    let (code, text) = account.refused("POST", path, json!({"deletionProtection": true}));
    assert_eq!(code, "ResourceInUseException");
    assert!(text.contains(update["id"].as_str().unwrap()), "{text}");
    assert_eq!(account.refused("DELETE", "/clusters/c", Value::Null).0, "ResourceInUseException");
    account.cloud.advance(200);
    let by_id = format!("/clusters/c/updates/{}", update["id"].as_str().unwrap());
    assert_eq!(account.status(&by_id), "Successful");
    assert_eq!(account.cluster_at("/resourcesVpcConfig/publicAccessCidrs/0"), "203.0.113.0/24");
    assert_eq!(account.refused("POST", path, ranges).0, "InvalidParameterException", "nothing changes");
    let back = json!({"accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"}});
    assert_eq!(account.refused("POST", path, back).0, "InvalidParameterException");
}

#[test]
fn subnets_of_the_same_zones_can_take_the_place_of_others() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let vpc = account.vpc.clone();
    let params = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.9.0/24"), ("AvailabilityZone", "us-east-1a")];
    let other = crate::testing::text(&account.cloud.ec2("CreateSubnet", &params), "subnetId");
    let (first, second) = (account.subnets[0].clone(), account.subnets[1].clone());
    let change = |subnets: Value| json!({"resourcesVpcConfig": {"subnetIds": subnets}});
    let path = "/clusters/c/update-config";
    account.ok("POST", path, change(json!([other, second])));
    account.cloud.ec2("DeleteSubnet", &[("SubnetId", &first)]);
    assert_eq!(account.cluster_at("/resourcesVpcConfig/subnetIds"), json!([other, second]));
    assert_eq!(account.refused("POST", path, change(json!([second]))).0, "InvalidParameterException");
}

#[test]
fn versions_go_up_by_one_and_never_down() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    account.group("g");
    let path = "/clusters/c/updates";
    for version in ["1.33", "1.34", "1.36", "1.99"] {
        assert_eq!(account.refused("POST", path, json!({"version": version})).0, "InvalidParameterException");
    }
    account.ok("POST", path, json!({"version": "1.35"}));
    assert_eq!(account.cluster_at("/version"), "1.35");
    account.ok("POST", path, json!({"version": "1.36"}));
    let newest = account.ok("GET", "/cluster-versions?maxResults=1", Value::Null);
    assert_eq!(newest["clusterVersions"][0]["clusterVersion"], "1.36");
    let rest = format!("/cluster-versions?nextToken={}", newest["nextToken"].as_str().unwrap());
    assert_eq!(account.ok("GET", &rest, Value::Null)["clusterVersions"][0]["clusterVersion"], "1.35");
    let old = account.ok("GET", "/cluster-versions?status=extended-support", Value::Null);
    assert!(old["clusterVersions"].as_array().unwrap().iter().all(|one| one["clusterVersion"] != "1.36"));
}

#[test]
fn a_key_is_given_once() {
    let mut account = Account::new(Pace::Instant);
    account.cluster();
    let key = "arn:aws:kms:us-east-1:123456789012:key/1";
    let request = json!({"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": key}}]});
    let path = "/clusters/c/encryption-config/associate";
    let alias = json!({"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": "alias/x"}}]});
    assert_eq!(account.refused("POST", path, alias).0, "InvalidParameterException");
    account.ok("POST", path, request.clone());
    assert_eq!(account.cluster_at("/encryptionConfig/0/provider/keyArn"), key);
    let again = account.refused("POST", "/clusters/c/encryption-config/associate", request);
    assert_eq!(again.0, "InvalidParameterException");
}
