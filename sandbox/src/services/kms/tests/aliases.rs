//! Aliases: names, targets, lists.

use serde_json::json;

use super::{cloud, ok, refused};

#[test]
fn an_alias_names_a_key_until_it_is_pointed_elsewhere() {
    let (mut cloud, id) = cloud();
    let alias = |target: &str| json!({"AliasName": "alias/app", "TargetKeyId": target});
    ok(&mut cloud, "CreateAlias", alias(&id));
    assert_eq!(refused(&mut cloud, "CreateAlias", alias(&id)), "AlreadyExistsException");
    for name in ["alias/app", "arn:aws:kms:us-east-1:123456789012:alias/app"] {
        assert_eq!(ok(&mut cloud, "DescribeKey", json!({"KeyId": name}))["KeyMetadata"]["KeyId"], json!(id));
    }
    // Changes of a key need its own name.
    assert_eq!(refused(&mut cloud, "DisableKey", json!({"KeyId": "alias/app"})), "NotFoundException");
    let other = ok(&mut cloud, "CreateKey", json!({}))["KeyMetadata"]["Arn"].take();
    ok(&mut cloud, "UpdateAlias", alias(other.as_str().unwrap()));
    assert_eq!(ok(&mut cloud, "DescribeKey", json!({"KeyId": "alias/app"}))["KeyMetadata"]["Arn"], other);
    assert_eq!(ok(&mut cloud, "ListAliases", json!({"KeyId": id}))["Aliases"], json!([]));
    let listed = ok(&mut cloud, "ListAliases", json!({"KeyId": other}));
    assert_eq!(listed["Aliases"][0]["AliasName"], "alias/app");
    ok(&mut cloud, "DeleteAlias", json!({"AliasName": "alias/app"}));
    for (operation, body) in [
        ("DeleteAlias", json!({"AliasName": "alias/app"})),
        ("UpdateAlias", alias(&id)),
        ("DescribeKey", json!({"KeyId": "alias/app"})),
        ("CreateAlias", alias("absent")),
    ] {
        assert_eq!(refused(&mut cloud, operation, body), "NotFoundException", "{operation}");
    }
}

#[test]
fn names_of_aliases_have_a_form() {
    let (mut cloud, id) = cloud();
    for (name, code) in [
        ("app", "ValidationException"),
        ("alias/", "ValidationException"),
        ("alias/a b", "ValidationException"),
        ("alias/aws/app", "NotAuthorizedException"),
    ] {
        let body = json!({"AliasName": name, "TargetKeyId": id});
        assert_eq!(refused(&mut cloud, "CreateAlias", body), code, "{name}");
    }
}

#[test]
fn aliases_are_listed_a_page_at_a_time() {
    let (mut cloud, id) = cloud();
    for name in ["alias/c", "alias/a", "alias/b"] {
        ok(&mut cloud, "CreateAlias", json!({"AliasName": name, "TargetKeyId": id}));
    }
    let first = ok(&mut cloud, "ListAliases", json!({"Limit": 2}));
    assert_eq!((&first["Truncated"], &first["Aliases"][1]["AliasName"]), (&json!(true), &json!("alias/b")));
    let rest = ok(&mut cloud, "ListAliases", json!({"Limit": 2, "Marker": first["NextMarker"]}));
    assert_eq!((&rest["Truncated"], &rest["Aliases"][0]["AliasName"]), (&json!(false), &json!("alias/c")));
    assert_eq!(refused(&mut cloud, "ListAliases", json!({"Marker": "x"})), "InvalidMarkerException");
}
