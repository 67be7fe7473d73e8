//! Items: what is kept, what is refused, what is seen when.

use serde_json::{Value, json};

use super::{cloud, invalid, item_a, ok, put, refused};
use crate::testing::TestCloud;
use crate::{FaultPlan, Pace};

#[test]
fn values_of_every_type_come_back_exactly_and_survive() {
    let mut cloud = cloud();
    let item = json!({
        "id": {"S": "a"},
        "text": {"S": ""},
        "number": {"N": "12345678901234567890123456789012345678"},
        "bytes": {"B": "AAEC"},
        "truth": {"BOOL": false},
        "nothing": {"NULL": true},
        "texts": {"SS": ["x", "y"]},
        "numbers": {"NS": ["-1", "0.5"]},
        "list": {"L": [{"M": {"deep": {"L": []}}}, {"N": "1"}]},
    });
    put(&mut cloud, item.clone());
    let mut cloud = cloud.reopened();
    assert_eq!(item_a(&mut cloud), item);
    put(&mut cloud, json!({"id": {"S": "a"}, "number": {"N": "+0012.50e1"}}));
    assert_eq!(item_a(&mut cloud), json!({"id": {"S": "a"}, "number": {"N": "125"}}));
}

#[test]
fn an_item_that_does_not_fit_is_refused() {
    let mut cloud = cloud();
    let large = |size: usize| json!({"id": {"S": "a"}, "v": {"S": "x".repeat(size)}});
    // Two names of three bytes and one of value "a" are part of the 400 KB.
    put(&mut cloud, large(400 * 1024 - 4));
    for (item, text) in [
        (large(400 * 1024 - 3), "Item size has exceeded the maximum allowed size"),
        (json!({"v": {"N": "1"}}), "Missing the key id in the item"),
        (json!({"id": {"N": "1"}}), "Type mismatch for key id expected: S actual: N"),
        (
            json!({"id": {"S": ""}}),
            "The AttributeValue for a key attribute cannot contain an empty string value. Key: id",
        ),
        (
            json!({"id": {"S": "x".repeat(2049)}}),
            "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        (json!({"id": {"S": "a"}, "v": {"N": "1e126"}}), "Number overflow"),
        (
            json!({"id": {"S": "a"}, "v": {"N": "x"}}),
            "The parameter cannot be converted to a numeric value: x",
        ),
        (json!({"id": {"S": "a"}, "v": {"SS": []}}), "An string set  may not be empty"),
        (
            json!({"id": {"S": "a"}, "v": {"NS": ["1", "1.0"]}}),
            "Input collection [1, 1.0] contains duplicates.",
        ),
        (json!({"id": {"S": "a"}, "v": {}}), "Supplied AttributeValue is empty"),
        (json!({"id": {"S": "a", "N": "1"}}), "more than one datatypes set"),
        (json!({"id": {"S": "a"}, "v": {"NULL": false}}), "must have the value of true"),
    ] {
        let found = invalid(&mut cloud, "PutItem", json!({"TableName": "locks", "Item": item}));
        assert!(found.contains(text), "{found}");
    }
    let mistyped = json!({"TableName": "locks", "Item": {"id": {"S": 1}}});
    assert_eq!(refused(&mut cloud, "PutItem", mistyped).0, "SerializationException");
    let mut deep = json!({"N": "1"});
    for _ in 0..40 {
        deep = json!({"L": [deep]});
    }
    let nested = json!({"TableName": "locks", "Item": {"id": {"S": "a"}, "v": deep}});
    assert!(invalid(&mut cloud, "PutItem", nested).starts_with("Nesting Levels have exceeded"));
}

#[test]
fn a_key_must_be_the_tables() {
    let mut cloud = cloud();
    for key in [
        json!({}),
        json!({"x": {"S": "a"}}),
        json!({"id": {"N": "1"}}),
        json!({"id": {"S": "a"}, "x": {"S": "a"}}),
    ] {
        for operation in ["GetItem", "DeleteItem", "UpdateItem"] {
            let request = json!({"TableName": "locks", "Key": key});
            assert_eq!(
                invalid(&mut cloud, operation, request),
                "The provided key element does not match the schema"
            );
        }
    }
    for operation in ["GetItem", "DeleteItem", "UpdateItem"] {
        let request = json!({"TableName": "other", "Key": {"id": {"S": "a"}}});
        assert_eq!(refused(&mut cloud, operation, request).1, "Requested resource not found");
    }
}

#[test]
fn a_write_answers_with_the_old_item_if_asked() {
    let mut cloud = cloud();
    let put_v = |v: &str, returns: &str| json!({"TableName": "locks", "Item": {"id": {"S": "a"}, "v": {"N": v}}, "ReturnValues": returns});
    assert_eq!(ok(&mut cloud, "PutItem", put_v("1", "ALL_OLD")), json!({}));
    let old = |v: &str| json!({"Attributes": {"id": {"S": "a"}, "v": {"N": v}}});
    assert_eq!(ok(&mut cloud, "PutItem", put_v("2", "ALL_OLD")), old("1"));
    assert_eq!(ok(&mut cloud, "PutItem", put_v("3", "NONE")), json!({}));
    assert_eq!(
        invalid(&mut cloud, "PutItem", put_v("4", "ALL_NEW")),
        "ReturnValues can only be ALL_OLD or NONE"
    );
    let delete = json!({"TableName": "locks", "Key": {"id": {"S": "a"}}, "ReturnValues": "ALL_OLD"});
    assert_eq!(ok(&mut cloud, "DeleteItem", delete.clone()), old("3"));
    assert_eq!(ok(&mut cloud, "DeleteItem", delete), json!({}));
    assert_eq!(item_a(&mut cloud), Value::Null);
}

#[test]
fn a_projection_shows_parts_in_their_places() {
    let mut cloud = cloud();
    put(
        &mut cloud,
        json!({"id": {"S": "a"}, "m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, "l": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}]}}),
    );
    let get = |projection: &str| {
        json!({
            "TableName": "locks", "Key": {"id": {"S": "a"}},
            "ProjectionExpression": projection, "ExpressionAttributeNames": {"#m": "m"},
        })
    };
    let found = ok(&mut cloud, "GetItem", get("#m.y, l[2], l[0], absent, #m.z"));
    assert_eq!(found["Item"], json!({"m": {"M": {"y": {"N": "2"}}}, "l": {"L": [{"S": "0"}, {"S": "2"}]}}));
    assert!(invalid(&mut cloud, "GetItem", get("#m, #m.x")).contains("Two document paths overlap"));
    assert!(invalid(&mut cloud, "GetItem", get("id")).ends_with("unused in expressions: keys: {#m}"));
}

#[test]
fn reads_lag_unless_they_are_consistent_and_conditions_never_do() {
    let mut cloud = TestCloud::new(Pace::Instant);
    ok(&mut cloud, "CreateTable", super::locks());
    cloud.faults(FaultPlan { consistency_window_ms: 1000, stale_reads: 1, ..FaultPlan::default() });
    let take = json!({
        "TableName": "locks", "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(id)",
    });
    ok(&mut cloud, "PutItem", take.clone());
    let get = json!({"TableName": "locks", "Key": {"id": {"S": "a"}}});
    assert_eq!(item_a(&mut cloud)["id"], json!({"S": "a"}));
    assert_eq!(ok(&mut cloud, "GetItem", get.clone()), json!({}));
    assert_eq!(refused(&mut cloud, "PutItem", take).0, "ConditionalCheckFailedException");
    let scan = json!({"TableName": "locks", "ConsistentRead": true});
    assert_eq!(ok(&mut cloud, "Scan", scan)["Count"], 1);
    cloud.advance(1);
    assert_eq!(ok(&mut cloud, "GetItem", get)["Item"]["id"], json!({"S": "a"}));
}
