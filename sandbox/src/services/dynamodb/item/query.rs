//! `Query`: the items of one partition, in the order of their sort keys.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>

use std::cmp::Ordering;

use super::page::{FILTER, PROJECTION, PageRequest};
use super::value::{AttributeValue, Attributes};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::dynamodb::WIRE;
use crate::services::dynamodb::errors::validation;
use crate::services::dynamodb::expression::condition::{Comparator, Condition, Operand};
use crate::services::dynamodb::expression::placeholders::Placeholders;
use crate::services::dynamodb::table::key_schema::{KeyElement, KeySchema};

/// The parameter of the key condition.
const KEY_CONDITION: &str = "KeyConditionExpression";

pub(in crate::services::dynamodb) fn query(call: &mut Call<'_>) -> Reply {
    let members = call.document.members();
    let expression = members.text(KEY_CONDITION)?.ok_or_else(|| {
        validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        )
    })?;
    let placeholders = Placeholders::of(
        &members,
        &[
            (KEY_CONDITION, Some(expression)),
            (FILTER, members.text(FILTER)?),
            (PROJECTION, members.text(PROJECTION)?),
        ],
    )?;
    let condition = Condition::parse(KEY_CONDITION, expression, &placeholders)?;
    let is_forward = members.truth("ScanIndexForward")?.unwrap_or(true);
    let request = PageRequest::of(&members, &placeholders)?;
    placeholders.finish()?;
    call.document.finish()?;

    let keys = request.keys(call)?;
    check(&condition, keys)?;
    let order = |one: (&str, &Attributes), two: (&str, &Attributes)| {
        let order = by_sort_key(keys.range.as_ref(), one.1, two.1).then_with(|| one.0.cmp(two.0));
        if is_forward { order } else { order.reverse() }
    };
    let mut rows = request.rows(call)?;
    rows.retain(|(_, item)| condition.holds(item));
    rows.sort_by(|one, two| order(*one, *two));
    Ok(WIRE.answer(&request.answer(call, rows, |row, after| order(row, after).is_gt())?))
}

fn by_sort_key(element: Option<&KeyElement>, one: &Attributes, two: &Attributes) -> Ordering {
    let Some(element) = element else { return Ordering::Equal };
    match (one.get(&element.name), two.get(&element.name)) {
        (Some(one), Some(two)) => one.compare(two).unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    }
}

/// A key condition says what the partition key equals, and may bound the sort key.
fn check(condition: &Condition, keys: &KeySchema) -> Result<(), ServiceError> {
    let (one, two) = match condition {
        Condition::And(one, two) => (&**one, Some(&**two)),
        one => (one, None),
    };
    let parts: Vec<Part<'_>> = std::iter::once(one).chain(two).map(part).collect::<Result<_, _>>()?;
    for part in &parts {
        let Some(element) = keys.elements().find(|element| element.name == part.attribute) else { continue };
        if part.values.iter().any(|value| value.type_name() != element.kind) {
            return Err(validation(
                "One or more parameter values were invalid: Condition parameter type does not match schema type",
            ));
        }
    }
    let hash = parts.iter().find(|part| part.attribute == keys.hash.name);
    match hash {
        None => Err(validation(format!("Query condition missed key schema element: {}", keys.hash.name))),
        Some(hash) if !hash.is_equality => Err(validation("Query key condition not supported")),
        Some(_) => match parts.iter().find(|part| part.attribute != keys.hash.name) {
            Some(other) if keys.range.as_ref().is_none_or(|range| range.name != other.attribute) => {
                let missed = keys.range.as_ref().map(|range| range.name.as_str());
                Err(validation(match missed {
                    Some(range) => format!("Query condition missed key schema element: {range}"),
                    None => "Query key condition not supported".to_owned(),
                }))
            }
            None if parts.len() > 1 => Err(validation(
                "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
            )),
            Some(_) | None => Ok(()),
        },
    }
}

/// What a key condition says of one attribute.
struct Part<'c> {
    attribute: &'c str,
    values: Vec<&'c AttributeValue>,
    is_equality: bool,
}

fn part(condition: &Condition) -> Result<Part<'_>, ServiceError> {
    let (operand, values, is_equality) = match condition {
        Condition::Compare(_, Comparator::NotEqual, _) => return Err(unsupported("<>")),
        Condition::Compare(operand, comparator, value) => {
            (operand, vec![value], *comparator == Comparator::Equal)
        }
        Condition::Between(operand, least, most) => (operand, vec![least, most], false),
        Condition::BeginsWith(operand, prefix) => (operand, vec![prefix], false),
        Condition::And(..) => return Err(validation("Conditions can be of length 1 or 2 only")),
        Condition::Or(..) => return Err(unsupported("OR")),
        Condition::Not(_) => return Err(unsupported("NOT")),
        Condition::In(..) => return Err(unsupported("IN")),
        Condition::Exists(_) => return Err(unsupported("attribute_exists")),
        Condition::DoesNotExist(_) => return Err(unsupported("attribute_not_exists")),
        Condition::HasType(..) => return Err(unsupported("attribute_type")),
        Condition::Contains(..) => return Err(unsupported("contains")),
    };
    let Operand::Path(path) = operand else { return Err(not_a_key()) };
    let attribute = path.whole_attribute().ok_or_else(not_a_key)?;
    let values = values.into_iter().map(|value| match value {
        Operand::Value(value) => Ok(value),
        Operand::Path(_) | Operand::Size(_) => Err(not_a_key()),
    });
    Ok(Part { attribute, values: values.collect::<Result<_, _>>()?, is_equality })
}

fn unsupported(operator: &str) -> ServiceError {
    validation(format!(
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: {operator}"
    ))
}

fn not_a_key() -> ServiceError {
    validation(
        "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: conditions compare a key attribute with a value",
    )
}
