//! Paths into an item: names of attributes and members, and indexes of lists.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.Attributes.html>

use std::fmt;

use crate::services::dynamodb::item::value::{AttributeValue, Attributes};

/// One step into an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::services::dynamodb) enum Step {
    /// Into an attribute or a member of a map.
    Name(String),
    /// Into an element of a list.
    Index(usize),
}

/// A path: its first step is the name of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::services::dynamodb) struct Path {
    /// The attribute's name.
    pub(in crate::services::dynamodb) attribute: String,
    /// The way within the attribute's value.
    pub(in crate::services::dynamodb) steps: Vec<Step>,
}

impl Path {
    /// What is there.
    pub(in crate::services::dynamodb) fn find<'i>(&self, item: &'i Attributes) -> Option<&'i AttributeValue> {
        let mut value = item.get(&self.attribute)?;
        for step in &self.steps {
            value = match (step, value) {
                (Step::Name(name), AttributeValue::Map(members)) => members.get(name)?,
                (Step::Index(index), AttributeValue::List(list)) => list.get(*index)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// The attribute itself, if the path is no more than that.
    pub(in crate::services::dynamodb) fn whole_attribute(&self) -> Option<&str> {
        self.steps.is_empty().then_some(self.attribute.as_str())
    }

    /// Whether it is the other, or leads into what the other leads to, or the other way round.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.attribute == other.attribute && self.steps.iter().zip(&other.steps).all(|(one, two)| one == two)
    }

    /// Whether one takes for a list what the other takes for a map.
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        let first_difference = self.steps.iter().zip(&other.steps).find(|(one, two)| one != two);
        self.attribute == other.attribute
            && first_difference.is_some_and(|(one, two)| {
                matches!((one, two), (Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_)))
            })
    }
}

/// As DynamoDB's errors write it: `[a, b, [1]]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Name(name) => write!(f, ", {name}")?,
                Step::Index(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}
