//! Which parts of an item an answer has.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html>

use std::collections::BTreeMap;

use super::parser::Parser;
use super::path::{Path, Step};
use super::placeholders::Placeholders;
use crate::protocol::error::ServiceError;
use crate::services::dynamodb::item::value::{AttributeValue, Attributes};

/// The paths of a projection expression, no two of which overlap.
pub(in crate::services::dynamodb) fn parse(
    text: &str,
    placeholders: &Placeholders,
) -> Result<Vec<Path>, ServiceError> {
    let mut parser = Parser::new("ProjectionExpression", text, placeholders)?;
    let mut paths = vec![parser.path()?];
    while parser.takes_sign(",") {
        paths.push(parser.path()?);
    }
    if !parser.is_at_end() {
        return Err(parser.unexpected());
    }
    for (at, one) in paths.iter().enumerate() {
        if let Some(two) = paths.iter().skip(at + 1).find(|two| one.overlaps(two)) {
            return Err(parser.invalid(&format!(
                "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {one}, path two: {two}"
            )));
        }
    }
    Ok(paths)
}

/// What is at the paths, in its place; the elements of a list close up.
pub(in crate::services::dynamodb) fn project<'p>(
    item: &Attributes,
    paths: impl IntoIterator<Item = &'p Path>,
) -> Attributes {
    let mut by_attribute: BTreeMap<&str, Vec<&[Step]>> = BTreeMap::new();
    for path in paths {
        by_attribute.entry(&path.attribute).or_default().push(&path.steps);
    }
    let found = by_attribute
        .into_iter()
        .filter_map(|(name, ways)| Some((name.to_owned(), part(item.get(name)?, &ways)?)));
    found.collect()
}

fn part(value: &AttributeValue, ways: &[&[Step]]) -> Option<AttributeValue> {
    let mut by_step: BTreeMap<&Step, Vec<&[Step]>> = BTreeMap::new();
    for way in ways {
        let Some((step, rest)) = way.split_first() else { return Some(value.clone()) };
        by_step.entry(step).or_default().push(rest);
    }
    match value {
        AttributeValue::Map(members) => {
            let parts: Attributes = by_step
                .into_iter()
                .filter_map(|(step, ways)| match step {
                    Step::Name(name) => Some((name.clone(), part(members.get(name)?, &ways)?)),
                    Step::Index(_) => None,
                })
                .collect();
            (!parts.is_empty()).then_some(AttributeValue::Map(parts))
        }
        AttributeValue::List(list) => {
            let parts: Vec<AttributeValue> = by_step
                .into_iter()
                .filter_map(|(step, ways)| match step {
                    Step::Index(index) => part(list.get(*index)?, &ways),
                    Step::Name(_) => None,
                })
                .collect();
            (!parts.is_empty()).then_some(AttributeValue::List(parts))
        }
        _ => None,
    }
}
