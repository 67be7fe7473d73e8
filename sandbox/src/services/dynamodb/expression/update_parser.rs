//! The grammar of updates.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>

use super::parser::Parser;
use super::path::Path;
use super::placeholders::Placeholders;
use super::update::{Term, Update};
use crate::protocol::error::ServiceError;
use crate::services::dynamodb::item::value::AttributeValue;

/// How deep functions may nest, so that no request exhausts the stack.
const DEEPEST: usize = 100;

impl Update {
    /// Reads an update.
    pub(in crate::services::dynamodb) fn parse(
        text: &str,
        placeholders: &Placeholders,
    ) -> Result<Self, ServiceError> {
        let mut parser = Parser::new("UpdateExpression", text, placeholders)?;
        let mut update = Self::default();
        while !parser.is_at_end() {
            section(&mut parser, &mut update)?;
        }
        let paths: Vec<&Path> = update.paths().collect();
        for (at, one) in paths.iter().enumerate() {
            for two in paths.iter().skip(at + 1) {
                let how = match (one.overlaps(two), one.conflicts(two)) {
                    (true, _) => "overlap",
                    (false, true) => "conflict",
                    (false, false) => continue,
                };
                return Err(parser.invalid(&format!(
                    "Two document paths {how} with each other; must remove or rewrite one of these paths; path one: {one}, path two: {two}"
                )));
            }
        }
        Ok(update)
    }
}

fn section(parser: &mut Parser<'_>, update: &mut Update) -> Result<(), ServiceError> {
    if parser.takes_keyword("SET") {
        once(parser, "SET", update.set.is_empty())?;
        update.set = list(parser, |parser| {
            let path = parser.path()?;
            parser.sign("=")?;
            Ok((path, sum(parser)?))
        })?;
    } else if parser.takes_keyword("REMOVE") {
        once(parser, "REMOVE", update.remove.is_empty())?;
        update.remove = list(parser, |parser| parser.path())?;
    } else if parser.takes_keyword("ADD") {
        once(parser, "ADD", update.add.is_empty())?;
        update.add = list(parser, |parser| {
            let (path, value) = path_and_value(parser)?;
            match value {
                AttributeValue::Number(_) => Ok((path, value)),
                value if is_set(&value) => Ok((path, value)),
                value => Err(parser.incorrect_type("operator", "ADD", &value)),
            }
        })?;
    } else if parser.takes_keyword("DELETE") {
        once(parser, "DELETE", update.delete.is_empty())?;
        update.delete = list(parser, |parser| {
            let (path, value) = path_and_value(parser)?;
            if is_set(&value) {
                Ok((path, value))
            } else {
                Err(parser.incorrect_type("operator", "DELETE", &value))
            }
        })?;
    } else {
        return Err(parser.unexpected());
    }
    Ok(())
}

fn once(parser: &Parser<'_>, section: &str, is_first: bool) -> Result<(), ServiceError> {
    if is_first {
        return Ok(());
    }
    Err(parser.invalid(&format!("The \"{section}\" section can only be used once in an update expression;")))
}

fn list<T>(
    parser: &mut Parser<'_>,
    mut one: impl FnMut(&mut Parser<'_>) -> Result<T, ServiceError>,
) -> Result<Vec<T>, ServiceError> {
    let mut all = vec![one(parser)?];
    while parser.takes_sign(",") {
        all.push(one(parser)?);
    }
    Ok(all)
}

fn path_and_value(parser: &mut Parser<'_>) -> Result<(Path, AttributeValue), ServiceError> {
    let path = parser.path()?;
    let value = parser.takes_value()?.ok_or_else(|| parser.unexpected())?;
    Ok((path, value))
}

fn is_set(value: &AttributeValue) -> bool {
    matches!(value, AttributeValue::TextSet(_) | AttributeValue::NumberSet(_) | AttributeValue::BinarySet(_))
}

/// One term, or the sum or difference of exactly two.
fn sum(parser: &mut Parser<'_>) -> Result<Term, ServiceError> {
    let first = term(parser, DEEPEST)?;
    let sign = if parser.takes_sign("+") {
        "+"
    } else if parser.takes_sign("-") {
        "-"
    } else {
        return Ok(first);
    };
    let second = term(parser, DEEPEST)?;
    for operand in [&first, &second] {
        match operand {
            Term::Value(AttributeValue::Number(_)) => {}
            Term::Value(value) => return Err(parser.incorrect_type("operator or function", sign, value)),
            _ => {}
        }
    }
    let (first, second) = (Box::new(first), Box::new(second));
    Ok(if sign == "+" { Term::Plus(first, second) } else { Term::Minus(first, second) })
}

fn term(parser: &mut Parser<'_>, depth: usize) -> Result<Term, ServiceError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(parser.invalid("The expression contains too many operators; operator count: 301"));
    };
    match parser.takes_function() {
        Some("if_not_exists") => {
            let path = parser.path()?;
            parser.sign(",")?;
            let otherwise = term(parser, depth)?;
            parser.sign(")")?;
            Ok(Term::IfNotExists(path, Box::new(otherwise)))
        }
        Some("list_append") => {
            let one = term(parser, depth)?;
            parser.sign(",")?;
            let two = term(parser, depth)?;
            parser.sign(")")?;
            Ok(Term::ListAppend(Box::new(one), Box::new(two)))
        }
        Some(function) => {
            let known = [
                "attribute_exists",
                "attribute_not_exists",
                "attribute_type",
                "begins_with",
                "contains",
                "size",
            ];
            Err(parser.invalid(&match known.contains(&function) {
                true => format!("The function is not allowed in an update expression; function: {function}"),
                false => format!("Invalid function name; function: {function}"),
            }))
        }
        None => match parser.takes_value()? {
            Some(value) => Ok(Term::Value(value)),
            None => Ok(Term::Path(parser.path()?)),
        },
    }
}
