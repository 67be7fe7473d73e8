//! What conditions mean.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use std::cmp::Ordering;

use super::path::Path;
use crate::services::dynamodb::item::number::Number;
use crate::services::dynamodb::item::value::{AttributeValue, Attributes};

/// A condition on one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::services::dynamodb) enum Condition {
    /// Both hold.
    And(Box<Condition>, Box<Condition>),
    /// One holds, or both.
    Or(Box<Condition>, Box<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Two operands compare so.
    Compare(Operand, Comparator, Operand),
    /// The first is neither less than the second nor greater than the third.
    Between(Operand, Operand, Operand),
    /// The first equals one of the others.
    In(Operand, Vec<Operand>),
    /// Something is there.
    Exists(Path),
    /// Nothing is there.
    DoesNotExist(Path),
    /// What is there is of this type.
    HasType(Path, String),
    /// The first, a text or bytes, begins with the second.
    BeginsWith(Operand, Operand),
    /// The first, a text, a set or a list, contains the second.
    Contains(Operand, Operand),
}

/// How two operands compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::services::dynamodb) enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    /// The comparator of a sign.
    pub(super) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn fits(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::services::dynamodb) enum Operand {
    /// What is at a path.
    Path(Path),
    /// A value.
    Value(AttributeValue),
    /// How large what is at a path is: in bytes, or elements.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-functions.size.html>
    Size(Path),
}

impl Operand {
    fn value(&self, item: &Attributes) -> Option<AttributeValue> {
        match self {
            Self::Path(path) => path.find(item).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(path) => {
                let size = match path.find(item)? {
                    AttributeValue::Text(text) => text.len(),
                    AttributeValue::Binary(binary) => binary.0.len(),
                    AttributeValue::TextSet(set) => set.len(),
                    AttributeValue::NumberSet(set) => set.len(),
                    AttributeValue::BinarySet(set) => set.len(),
                    AttributeValue::List(list) => list.len(),
                    AttributeValue::Map(map) => map.len(),
                    AttributeValue::Number(_) | AttributeValue::Truth(_) | AttributeValue::Null(_) => {
                        return None;
                    }
                };
                Some(AttributeValue::Number(Number::of(size)))
            }
        }
    }
}

impl Condition {
    /// Whether it holds of an item; an item that is not there has no attributes.
    pub(in crate::services::dynamodb) fn holds(&self, item: &Attributes) -> bool {
        match self {
            Self::And(one, two) => one.holds(item) && two.holds(item),
            Self::Or(one, two) => one.holds(item) || two.holds(item),
            Self::Not(condition) => !condition.holds(item),
            Self::Compare(one, comparator, two) => compare(one.value(item), *comparator, two.value(item)),
            Self::Between(operand, least, most) => {
                let value = operand.value(item);
                compare(value.clone(), Comparator::GreaterOrEqual, least.value(item))
                    && compare(value, Comparator::LessOrEqual, most.value(item))
            }
            Self::In(operand, others) => {
                let value = operand.value(item);
                value.is_some() && others.iter().any(|other| other.value(item) == value)
            }
            Self::Exists(path) => path.find(item).is_some(),
            Self::DoesNotExist(path) => path.find(item).is_none(),
            Self::HasType(path, name) => path.find(item).is_some_and(|value| value.type_name() == name),
            Self::BeginsWith(operand, prefix) => match (operand.value(item), prefix.value(item)) {
                (Some(AttributeValue::Text(text)), Some(AttributeValue::Text(prefix))) => {
                    text.starts_with(&prefix)
                }
                (Some(AttributeValue::Binary(bytes)), Some(AttributeValue::Binary(prefix))) => {
                    bytes.0.starts_with(&prefix.0)
                }
                _ => false,
            },
            Self::Contains(operand, part) => match (operand.value(item), part.value(item)) {
                (Some(whole), Some(part)) => contains(&whole, &part),
                _ => false,
            },
        }
    }
}

/// What is not there differs from everything, and is neither less nor greater.
fn compare(one: Option<AttributeValue>, comparator: Comparator, two: Option<AttributeValue>) -> bool {
    match comparator {
        Comparator::Equal => one.is_some() && one == two,
        Comparator::NotEqual => one.is_none() || one != two,
        _ => match (one, two) {
            (Some(one), Some(two)) => one.compare(&two).is_some_and(|ordering| comparator.fits(ordering)),
            _ => false,
        },
    }
}

fn contains(whole: &AttributeValue, part: &AttributeValue) -> bool {
    match (whole, part) {
        (AttributeValue::Text(text), AttributeValue::Text(part)) => text.contains(part.as_str()),
        (AttributeValue::Binary(bytes), AttributeValue::Binary(part)) => {
            part.0.is_empty() || bytes.0.windows(part.0.len()).any(|window| window == part.0)
        }
        (AttributeValue::TextSet(set), AttributeValue::Text(one)) => set.contains(one),
        (AttributeValue::NumberSet(set), AttributeValue::Number(one)) => set.contains(one),
        (AttributeValue::BinarySet(set), AttributeValue::Binary(one)) => set.contains(one),
        (AttributeValue::List(list), one) => list.contains(one),
        _ => false,
    }
}
