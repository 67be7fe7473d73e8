//! The grammar of conditions.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use super::condition::{Comparator, Condition, Operand};
use super::parser::Parser;
use super::path::Path;
use super::placeholders::Placeholders;
use super::tokens::Kind;
use crate::protocol::error::ServiceError;
use crate::services::dynamodb::item::value::AttributeValue;

/// The most operands of `IN`.
const MOST_OF_IN: usize = 100;
/// How deep conditions may nest, so that no request exhausts the stack.
const DEEPEST: usize = 300;

impl Condition {
    /// Reads a condition; `expression` is the parameter that it is in.
    pub(in crate::services::dynamodb) fn parse(
        expression: &'static str,
        text: &str,
        placeholders: &Placeholders,
    ) -> Result<Self, ServiceError> {
        let mut parser = Parser::new(expression, text, placeholders)?;
        let condition = either(&mut parser, DEEPEST)?;
        if parser.is_at_end() { Ok(condition) } else { Err(parser.unexpected()) }
    }
}

fn either(parser: &mut Parser<'_>, depth: usize) -> Result<Condition, ServiceError> {
    let mut condition = both(parser, depth)?;
    while parser.takes_keyword("OR") {
        condition = Condition::Or(Box::new(condition), Box::new(both(parser, depth)?));
    }
    Ok(condition)
}

fn both(parser: &mut Parser<'_>, depth: usize) -> Result<Condition, ServiceError> {
    let mut condition = negated(parser, depth)?;
    while parser.takes_keyword("AND") {
        condition = Condition::And(Box::new(condition), Box::new(negated(parser, depth)?));
    }
    Ok(condition)
}

fn negated(parser: &mut Parser<'_>, depth: usize) -> Result<Condition, ServiceError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(parser.invalid("The expression contains too many operators; operator count: 301"));
    };
    if parser.takes_keyword("NOT") {
        return Ok(Condition::Not(Box::new(negated(parser, depth)?)));
    }
    if parser.takes_sign("(") {
        if parser.holds_a_group_alone() {
            return Err(parser.invalid("The expression has redundant parentheses;"));
        }
        let condition = either(parser, depth)?;
        parser.sign(")")?;
        return Ok(condition);
    }
    simple(parser)
}

fn simple(parser: &mut Parser<'_>) -> Result<Condition, ServiceError> {
    if let Some(function) = parser.takes_function() {
        if function == "size" {
            let operand = size(parser)?;
            return comparison(parser, operand);
        }
        let operands = operands(parser)?;
        return call(parser, function, operands);
    }
    let operand = operand(parser)?;
    comparison(parser, operand)
}

fn call(parser: &Parser<'_>, function: &str, operands: Vec<Operand>) -> Result<Condition, ServiceError> {
    let wanted = match function {
        "attribute_exists" | "attribute_not_exists" => 1,
        "attribute_type" | "begins_with" | "contains" => 2,
        "if_not_exists" | "list_append" => {
            return Err(parser.invalid(&format!(
                "The function is not allowed in a condition expression; function: {function}"
            )));
        }
        _ => return Err(parser.invalid(&format!("Invalid function name; function: {function}"))),
    };
    let count = operands.len();
    let mut operands = operands.into_iter();
    let (Some(first), second, None) = (operands.next(), operands.next(), operands.next()) else {
        return Err(wrong_count(parser, function, count));
    };
    if count != wanted {
        return Err(wrong_count(parser, function, count));
    }
    if second.as_ref() == Some(&first) {
        return Err(not_distinct(parser, "function", function, &first));
    }
    match (function, second) {
        ("attribute_exists", None) => Ok(Condition::Exists(only_path(parser, function, first)?)),
        ("attribute_not_exists", None) => Ok(Condition::DoesNotExist(only_path(parser, function, first)?)),
        ("attribute_type", Some(Operand::Value(AttributeValue::Text(name)))) => {
            if !AttributeValue::TYPES.contains(&name.as_str()) {
                let types = AttributeValue::TYPES.join(",");
                return Err(parser.invalid(&format!(
                    "Invalid attribute type name found; type: {name}, valid types: {{{types}}}"
                )));
            }
            Ok(Condition::HasType(only_path(parser, function, first)?, name))
        }
        ("attribute_type", Some(Operand::Value(value))) => {
            Err(parser.incorrect_type("operator or function", function, &value))
        }
        ("begins_with", Some(second)) => {
            for operand in [&first, &second] {
                match operand {
                    Operand::Value(AttributeValue::Text(_) | AttributeValue::Binary(_)) => {}
                    Operand::Value(value) => {
                        return Err(parser.incorrect_type("operator or function", function, value));
                    }
                    Operand::Path(_) | Operand::Size(_) => {}
                }
            }
            Ok(Condition::BeginsWith(first, second))
        }
        ("contains", Some(second)) => Ok(Condition::Contains(first, second)),
        _ => Err(parser.unexpected()),
    }
}

fn wrong_count(parser: &Parser<'_>, function: &str, count: usize) -> ServiceError {
    parser.invalid(&format!(
        "Incorrect number of operands for operator or function; operator or function: {function}, number of operands: {count}"
    ))
}

fn only_path(parser: &Parser<'_>, function: &str, operand: Operand) -> Result<Path, ServiceError> {
    match operand {
        Operand::Path(path) => Ok(path),
        Operand::Value(_) | Operand::Size(_) => Err(parser.invalid(&format!(
            "Operator or function requires a document path; operator or function: {function}"
        ))),
    }
}

/// What follows the first operand of a comparison.
fn comparison(parser: &mut Parser<'_>, first: Operand) -> Result<Condition, ServiceError> {
    if parser.takes_keyword("BETWEEN") {
        let least = any_operand(parser)?;
        if !parser.takes_keyword("AND") {
            return Err(parser.unexpected());
        }
        let most = any_operand(parser)?;
        check_bounds(parser, &least, &most)?;
        return Ok(Condition::Between(first, least, most));
    }
    if parser.takes_keyword("IN") {
        parser.sign("(")?;
        let others = operands(parser)?;
        if others.len() > MOST_OF_IN {
            return Err(wrong_count(parser, "IN", others.len() + 1));
        }
        return Ok(Condition::In(first, others));
    }
    let Some((Kind::Sign, sign)) = parser.peek() else { return Err(parser.unexpected()) };
    let Some(comparator) = Comparator::of(sign) else { return Err(parser.unexpected()) };
    parser.sign(sign)?;
    let second = any_operand(parser)?;
    if first == second {
        return Err(not_distinct(parser, "operator", sign, &first));
    }
    if !matches!(comparator, Comparator::Equal | Comparator::NotEqual) {
        for operand in [&first, &second] {
            check_scalar(parser, sign, operand)?;
        }
    }
    Ok(Condition::Compare(first, comparator, second))
}

fn not_distinct(parser: &Parser<'_>, what: &str, name: &str, operand: &Operand) -> ServiceError {
    let operand = match operand {
        Operand::Path(path) | Operand::Size(path) => path.to_string(),
        Operand::Value(value) => shown(value),
    };
    parser.invalid(&format!(
        "The first operand must be distinct from the remaining operands for this operator or function; {what}: {name}, first operand: {operand}"
    ))
}

fn check_scalar(parser: &Parser<'_>, operator: &str, operand: &Operand) -> Result<(), ServiceError> {
    match operand {
        Operand::Value(value) if !value.is_scalar() => {
            Err(parser.incorrect_type("operator", operator, value))
        }
        Operand::Value(_) | Operand::Path(_) | Operand::Size(_) => Ok(()),
    }
}

fn check_bounds(parser: &Parser<'_>, least: &Operand, most: &Operand) -> Result<(), ServiceError> {
    for operand in [least, most] {
        check_scalar(parser, "BETWEEN", operand)?;
    }
    let (Operand::Value(least), Operand::Value(most)) = (least, most) else { return Ok(()) };
    let rule = match least.compare(most) {
        Some(ordering) if ordering.is_le() => return Ok(()),
        Some(_) => "requires upper bound to be greater than or equal to lower bound",
        None => "requires same data type for lower and upper bounds",
    };
    Err(parser.invalid(&format!(
        "The BETWEEN operator {rule}; lower bound operand: AttributeValue: {}, upper bound operand: AttributeValue: {}",
        shown(least),
        shown(most)
    )))
}

/// A value as errors about it write it: `{N:1}`.
fn shown(value: &AttributeValue) -> String {
    let content = match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Number(number) => number.to_string(),
        other => serde_json::to_string(other).unwrap_or_default(),
    };
    format!("{{{}:{content}}}", value.type_name())
}

/// Operands up to the closing parenthesis.
fn operands(parser: &mut Parser<'_>) -> Result<Vec<Operand>, ServiceError> {
    let mut operands = vec![any_operand(parser)?];
    while parser.takes_sign(",") {
        operands.push(any_operand(parser)?);
    }
    parser.sign(")")?;
    Ok(operands)
}

fn any_operand(parser: &mut Parser<'_>) -> Result<Operand, ServiceError> {
    match parser.takes_function() {
        Some("size") => size(parser),
        Some(function) => Err(parser.invalid(&format!(
            "The function is not allowed to be used this way in an expression; function: {function}"
        ))),
        None => operand(parser),
    }
}

fn size(parser: &mut Parser<'_>) -> Result<Operand, ServiceError> {
    let operands = operands(parser)?;
    let count = operands.len();
    let mut operands = operands.into_iter();
    match (operands.next(), operands.next()) {
        (Some(operand), None) => Ok(Operand::Size(only_path(parser, "size", operand)?)),
        _ => Err(wrong_count(parser, "size", count)),
    }
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, ServiceError> {
    match parser.takes_value()? {
        Some(value) => Ok(Operand::Value(value)),
        None => Ok(Operand::Path(parser.path()?)),
    }
}
