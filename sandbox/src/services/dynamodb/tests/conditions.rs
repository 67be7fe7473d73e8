//! Conditions: what holds, what fails, what is refused.

use serde_json::{Value, json};

use super::{cloud, failure, invalid, item_a, ok, put, refused, with};
use crate::testing::TestCloud;

fn item() -> Value {
    json!({
        "id": {"S": "a"}, "n": {"N": "5"}, "s": {"S": "text"}, "b": {"BOOL": true}, "z": {"NULL": true},
        "kin": {"SS": ["x", "y"]}, "l": {"L": [{"N": "1"}, {"S": "q"}]}, "m": {"M": {"k": {"N": "7"}}},
    })
}

/// A deletion of the item `a` under a condition.
fn delete(condition: &str) -> Value {
    let all = json!({
        ":five": {"N": "5.0"}, ":six": {"N": "6"}, ":four": {"N": "4"}, ":te": {"S": "te"}, ":x": {"S": "x"},
        ":str": {"S": "S"}, ":true": {"BOOL": true}, ":set": {"SS": ["y", "x"]}, ":no": {"S": "NOPE"}, ":ex": {"S": "ex"},
    });
    let used = all.as_object().unwrap().iter().filter(|(key, _)| {
        condition
            .split(|one: char| !one.is_ascii_alphanumeric() && one != ':')
            .any(|word| word == key.as_str())
    });
    let values: serde_json::Map<_, _> = used.map(|(key, value)| (key.clone(), value.clone())).collect();
    let request = json!({"TableName": "locks", "Key": {"id": {"S": "a"}}, "ConditionExpression": condition});
    if values.is_empty() { request } else { with(request, json!({"ExpressionAttributeValues": values})) }
}

fn holds(cloud: &mut TestCloud, condition: &str) -> bool {
    put(cloud, item());
    let response = cloud.json("dynamodb", "DynamoDB_20120810.DeleteItem", &delete(condition)).unwrap();
    let is_gone = item_a(cloud) == Value::Null;
    assert_eq!(response.status().is_success(), is_gone, "{condition}: {:?}", response.body());
    if !is_gone {
        assert_eq!(response.headers()["x-amzn-errortype"], "ConditionalCheckFailedException", "{condition}");
    }
    is_gone
}

#[test]
fn conditions_that_hold() {
    let mut cloud = cloud();
    for condition in [
        "attribute_exists(id)",
        "attribute_exists(m.k) AND attribute_exists(l[1])",
        "attribute_not_exists(absent) and attribute_not_exists(l[2]) and attribute_not_exists(s.k)",
        "n = :five",
        "n <> :six AND n<:six AND n <= :five AND n > :four AND n >= :five",
        "absent <> :five",
        "n BETWEEN :four AND :six AND b = :true",
        "n IN (:four, :five)",
        "begins_with(s, :te)",
        "contains(s, :ex) AND contains(kin, :x) AND size(s) < :five",
        "attribute_type(s, :str)",
        "kin = :set",
        "NOT n = :six",
        "NOT (n = :six OR n = :four)",
        "n = :six AND n = :four OR n = :five",
        "(n = :six OR n = :five) AND (s > :te)",
        "m.k > n",
    ] {
        assert!(holds(&mut cloud, condition), "{condition}");
    }
}

#[test]
fn conditions_that_do_not_hold() {
    let mut cloud = cloud();
    for condition in [
        "attribute_not_exists(id)",
        "attribute_exists(m.absent)",
        "n = :six",
        "n <> :five",
        "absent = :five",
        "absent < :five",
        "s < :five",
        "n = :te",
        "n IN (:four, :six)",
        "absent BETWEEN :four AND :six",
        "begins_with(n, :te)",
        "contains(kin, :te)",
        "size(n) > :four",
        "n = :six AND (n = :four OR n = :five)",
        "NOT attribute_exists(z)",
    ] {
        assert!(!holds(&mut cloud, condition), "{condition}");
    }
}

#[test]
fn conditions_that_are_refused() {
    let mut cloud = cloud();
    for (condition, text) in [
        ("", "Invalid ConditionExpression: The expression can not be empty;"),
        (
            "n = :gone",
            "An expression attribute value used in expression is not defined; attribute value: :gone",
        ),
        (
            "#gone = n",
            "An expression attribute name used in the document path is not defined; attribute name: #gone",
        ),
        ("owner = n", "Attribute name is a reserved keyword; reserved keyword: owner"),
        ("n = ", "Syntax error; token: \"<EOF>\", near: \"=\""),
        ("n == n", "Syntax error; token: \"=\", near: \"== n\""),
        ("n ! s", "Syntax error; token: \"!\""),
        ("n = s s", "Syntax error; token: \"s\", near: \"s s\""),
        ("exists(n)", "Invalid function name; function: exists"),
        (
            "if_not_exists(n, s)",
            "The function is not allowed in a condition expression; function: if_not_exists",
        ),
        ("attribute_exists(n, s)", "operator or function: attribute_exists, number of operands: 2"),
        (
            "attribute_exists(:five)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        ("begins_with(n, :five)", "operator or function: begins_with, operand type: N"),
        ("n < :true", "Incorrect operand type for operator or function; operator: <, operand type: BOOL"),
        ("n = n", "The first operand must be distinct from the remaining operands"),
        (
            "n BETWEEN :six AND :four",
            "requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:6}",
        ),
        ("attribute_type(n, :no)", "Invalid attribute type name found; type: NOPE"),
        ("((n = :five))", "The expression has redundant parentheses;"),
        (
            "n = attribute_exists(s)",
            "not allowed to be used this way in an expression; function: attribute_exists",
        ),
    ] {
        let found = invalid(&mut cloud, "DeleteItem", delete(condition));
        assert!(found.contains(text), "{condition}: {found}");
    }
    let deep = format!("{}attribute_exists(id)", "NOT ".repeat(900));
    assert!(invalid(&mut cloud, "DeleteItem", delete(&deep)).contains("too many operators"));
}

#[test]
fn placeholders_that_are_not_used_are_refused() {
    let mut cloud = cloud();
    let request = json!({"TableName": "locks", "Item": {"id": {"S": "a"}}});
    for (change, text) in [
        (
            json!({"ConditionExpression": "attribute_exists(id)", "ExpressionAttributeValues": {":x": {"S": "x"}}}),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}",
        ),
        (
            json!({"ConditionExpression": "attribute_exists(id)", "ExpressionAttributeNames": {"#x": "x"}}),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
        ),
        (
            json!({"ExpressionAttributeValues": {":x": {"S": "x"}}}),
            "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
        ),
        (
            json!({"ExpressionAttributeNames": {"#x": "x"}}),
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            json!({"ConditionExpression": "attribute_exists(id)", "ExpressionAttributeValues": {}}),
            "ExpressionAttributeValues must not be empty",
        ),
        (
            json!({"ConditionExpression": "id = :x", "ExpressionAttributeValues": {":x": {"N": "dog"}}}),
            "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: dog for key :x",
        ),
        (
            json!({"ConditionExpression": "id = :x", "ExpressionAttributeValues": {"x": {"N": "1"}}}),
            "ExpressionAttributeValues contains invalid key: Syntax error; key: \"x\"",
        ),
    ] {
        assert_eq!(invalid(&mut cloud, "PutItem", with(request.clone(), change)), text);
    }
    assert_eq!(item_a(&mut cloud), Value::Null);
}

#[test]
fn a_failed_condition_shows_the_item_if_asked() {
    let mut cloud = cloud();
    put(&mut cloud, json!({"id": {"S": "a"}, "holder": {"S": "me"}}));
    for operation in ["PutItem", "DeleteItem", "UpdateItem"] {
        let what = if operation == "PutItem" { "Item" } else { "Key" };
        let request = json!({
            "TableName": "locks", what: {"id": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(id)",
        });
        assert_eq!(failure(&mut cloud, operation, request.clone())["Item"], Value::Null);
        let request = with(request, json!({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}));
        let error = failure(&mut cloud, operation, request);
        assert_eq!(error["message"], "The conditional request failed");
        assert_eq!(error["Item"], json!({"id": {"S": "a"}, "holder": {"S": "me"}}));
    }
    let absent = json!({
        "TableName": "locks", "Key": {"id": {"S": "b"}}, "ConditionExpression": "attribute_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    assert_eq!(failure(&mut cloud, "DeleteItem", absent)["Item"], Value::Null);
    let (code, _) = refused(
        &mut cloud,
        "UpdateItem",
        json!({"TableName": "locks", "Key": {"id": {"S": "b"}}, "ConditionExpression": "attribute_exists(id)"}),
    );
    assert_eq!(code, "ConditionalCheckFailedException");
    assert_eq!(ok(&mut cloud, "Scan", json!({"TableName": "locks"}))["Count"], 1);
}
