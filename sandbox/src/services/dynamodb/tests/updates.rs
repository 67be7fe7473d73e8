//! Updates: what they do to an item, what they answer with, what is refused.

use serde_json::{Value, json};

use super::{cloud, invalid, item_a, ok, put, with};
use crate::testing::TestCloud;

fn item() -> Value {
    json!({
        "id": {"S": "a"}, "n": {"N": "5"}, "s": {"S": "text"}, "kin": {"SS": ["x", "y"]},
        "l": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}]}, "m": {"M": {"k": {"N": "7"}}},
    })
}

fn update(expression: &str) -> Value {
    let all = json!({":one": {"N": "1"}, ":t": {"S": "new"}, ":l": {"L": [{"S": "3"}]}, ":x": {"SS": ["x"]}, ":xy": {"SS": ["x", "y"]}});
    let used = all.as_object().unwrap().iter().filter(|(key, _)| {
        expression
            .split(|one: char| !one.is_ascii_alphanumeric() && one != ':')
            .any(|word| word == key.as_str())
    });
    let values: serde_json::Map<_, _> = used.map(|(key, value)| (key.clone(), value.clone())).collect();
    let request = json!({"TableName": "locks", "Key": {"id": {"S": "a"}}, "UpdateExpression": expression});
    if values.is_empty() { request } else { with(request, json!({"ExpressionAttributeValues": values})) }
}

/// What an update changes of the item: new values, and null for what is gone.
fn changed(cloud: &mut TestCloud, expression: &str) -> Value {
    put(cloud, item());
    ok(cloud, "UpdateItem", update(expression));
    let (before, mut after) = (item(), item_a(cloud));
    let mut changed = json!({});
    for (name, value) in before.as_object().unwrap() {
        let now = after[name].take();
        if now != *value {
            changed[name] = now;
        }
    }
    let new = after.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    for (name, value) in new {
        changed[name] = value.clone();
    }
    changed
}

#[test]
fn updates_change_what_they_name_and_refer_to_the_item_before() {
    let mut cloud = cloud();
    for (expression, change) in [
        ("SET n = n + :one", json!({"n": {"N": "6"}})),
        ("set n = :one - n, s = :t", json!({"n": {"N": "-4"}, "s": {"S": "new"}})),
        ("SET p = n, n = :one", json!({"p": {"N": "5"}, "n": {"N": "1"}})),
        ("SET p = if_not_exists(p, :one), n = if_not_exists(n, :t)", json!({"p": {"N": "1"}})),
        ("SET p = if_not_exists(p, :one) + :one", json!({"p": {"N": "2"}})),
        (
            "SET l = list_append(l, :l) REMOVE s",
            json!({"l": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}, {"S": "3"}]}, "s": null}),
        ),
        ("SET m.k = :t, m.j = :one", json!({"m": {"M": {"k": {"S": "new"}, "j": {"N": "1"}}}})),
        (
            "SET l[1] = :t, l[9] = :one",
            json!({"l": {"L": [{"S": "0"}, {"S": "new"}, {"S": "2"}, {"N": "1"}]}}),
        ),
        ("REMOVE l[0], l[2], absent", json!({"l": {"L": [{"S": "1"}]}})),
        (
            "ADD n :one, p :one, m.k :one",
            json!({"n": {"N": "6"}, "p": {"N": "1"}, "m": {"M": {"k": {"N": "8"}}}}),
        ),
        ("ADD t :x DELETE kin :x", json!({"t": {"SS": ["x"]}, "kin": {"SS": ["y"]}})),
        ("DELETE kin :xy", json!({"kin": null})),
    ] {
        assert_eq!(changed(&mut cloud, expression), change, "{expression}");
    }
}

#[test]
fn an_update_makes_an_item_that_is_not_there() {
    let mut cloud = cloud();
    ok(&mut cloud, "UpdateItem", json!({"TableName": "locks", "Key": {"id": {"S": "a"}}}));
    assert_eq!(item_a(&mut cloud), json!({"id": {"S": "a"}}));
    ok(&mut cloud, "UpdateItem", update("SET s = :t"));
    let mut cloud = cloud.reopened();
    assert_eq!(item_a(&mut cloud), json!({"id": {"S": "a"}, "s": {"S": "new"}}));
}

#[test]
fn an_update_answers_with_what_is_asked_for() {
    let mut cloud = cloud();
    for (returns, attributes) in [
        ("NONE", Value::Null),
        ("UPDATED_OLD", json!({"n": {"N": "5"}, "m": {"M": {"k": {"N": "7"}}}})),
        ("UPDATED_NEW", json!({"n": {"N": "6"}, "p": {"N": "1"}, "m": {"M": {"k": {"N": "1"}}}})),
        ("ALL_OLD", item()),
        ("ALL_NEW", with(item(), json!({"n": {"N": "6"}, "p": {"N": "1"}, "m": {"M": {"k": {"N": "1"}}}}))),
    ] {
        put(&mut cloud, item());
        let request =
            with(update("SET n = n + :one, p = :one, m.k = :one"), json!({"ReturnValues": returns}));
        assert_eq!(ok(&mut cloud, "UpdateItem", request)["Attributes"], attributes, "{returns}");
    }
}

#[test]
fn updates_that_are_refused_change_nothing() {
    let mut cloud = cloud();
    put(&mut cloud, item());
    for (expression, text) in [
        ("", "Invalid UpdateExpression: The expression can not be empty;"),
        ("HELLO n = :one", "Syntax error; token: \"HELLO\""),
        ("SET n = n + :one + :one", "Syntax error; token: \"+\""),
        ("SET owner = :t", "Attribute name is a reserved keyword; reserved keyword: owner"),
        ("SET n = :one SET s = :t", "The \"SET\" section can only be used once in an update expression;"),
        (
            "SET m = :one, m.k = :one",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, k]",
        ),
        ("SET m.k = :one, m[0] = :one", "Two document paths conflict with each other"),
        ("SET id = :t", "Cannot update attribute id. This attribute is part of the key"),
        (
            "SET p = absent + :one",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        ("SET p = s + :one", "An operand in the update expression has an incorrect data type"),
        (
            "SET p = n + :t",
            "Incorrect operand type for operator or function; operator or function: +, operand type: S",
        ),
        ("SET absent.k = :one", "The document path provided in the update expression is invalid for update"),
        ("REMOVE s.k", "The document path provided in the update expression is invalid for update"),
        ("ADD s :one", "An operand in the update expression has an incorrect data type"),
        ("ADD n :t", "Incorrect operand type for operator or function; operator: ADD, operand type: S"),
        (
            "DELETE kin :one",
            "Incorrect operand type for operator or function; operator: DELETE, operand type: N",
        ),
        ("SET n = size(s)", "The function is not allowed in an update expression; function: size"),
    ] {
        let found = invalid(&mut cloud, "UpdateItem", update(expression));
        assert!(found.contains(text), "{expression}: {found}");
    }
    let large = json!({
        "TableName": "locks", "Key": {"id": {"S": "a"}}, "UpdateExpression": "SET p = :p",
        "ExpressionAttributeValues": {":p": {"S": "x".repeat(400 * 1024)}},
    });
    assert_eq!(
        invalid(&mut cloud, "UpdateItem", large),
        "Item size to update has exceeded the maximum allowed size"
    );
    assert_eq!(item_a(&mut cloud), item());
}
