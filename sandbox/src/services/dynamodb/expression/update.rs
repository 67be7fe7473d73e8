//! What updates do to an item.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>

use super::path::{Path, Step};
use crate::protocol::error::ServiceError;
use crate::services::dynamodb::errors::validation;
use crate::services::dynamodb::item::value::{AttributeValue, Attributes};

/// An update: what is done to the item at each of its paths, no two of which overlap.
#[derive(Debug, Clone, Default)]
pub(in crate::services::dynamodb) struct Update {
    /// `SET`
    pub(super) set: Vec<(Path, Term)>,
    /// `REMOVE`
    pub(super) remove: Vec<Path>,
    /// `ADD`
    pub(super) add: Vec<(Path, AttributeValue)>,
    /// `DELETE`
    pub(super) delete: Vec<(Path, AttributeValue)>,
}

/// What something is set to.
#[derive(Debug, Clone)]
pub(super) enum Term {
    /// What is at a path.
    Path(Path),
    /// A value.
    Value(AttributeValue),
    /// What is at the path, or else the term's value.
    IfNotExists(Path, Box<Term>),
    /// One list after the other.
    ListAppend(Box<Term>, Box<Term>),
    /// A sum.
    Plus(Box<Term>, Box<Term>),
    /// A difference.
    Minus(Box<Term>, Box<Term>),
}

impl Term {
    fn value(&self, item: &Attributes) -> Result<AttributeValue, ServiceError> {
        match self {
            Self::Path(path) => path.find(item).cloned().ok_or_else(|| {
                validation("The provided expression refers to an attribute that does not exist in the item")
            }),
            Self::Value(value) => Ok(value.clone()),
            Self::IfNotExists(path, term) => match path.find(item) {
                Some(value) => Ok(value.clone()),
                None => term.value(item),
            },
            Self::ListAppend(one, two) => match (one.value(item)?, two.value(item)?) {
                (AttributeValue::List(mut one), AttributeValue::List(two)) => {
                    one.extend(two);
                    Ok(AttributeValue::List(one))
                }
                _ => Err(incorrect_type()),
            },
            Self::Plus(one, two) | Self::Minus(one, two) => match (one.value(item)?, two.value(item)?) {
                (AttributeValue::Number(one), AttributeValue::Number(two)) => {
                    let result =
                        if matches!(self, Self::Plus(..)) { one.plus(&two) } else { one.minus(&two) };
                    result.map(AttributeValue::Number).map_err(validation)
                }
                _ => Err(incorrect_type()),
            },
        }
    }
}

impl Update {
    /// Every path that it changes.
    pub(in crate::services::dynamodb) fn paths(&self) -> impl Iterator<Item = &Path> {
        let set = self.set.iter().map(|(path, _)| path);
        let add = self.add.iter().map(|(path, _)| path);
        let delete = self.delete.iter().map(|(path, _)| path);
        set.chain(&self.remove).chain(add).chain(delete)
    }

    /// The item after the update. All of it refers to the item before.
    pub(in crate::services::dynamodb) fn apply(
        &self,
        before: &Attributes,
    ) -> Result<Attributes, ServiceError> {
        let mut after = before.clone();
        for (path, term) in &self.set {
            put(&mut after, path, term.value(before)?)?;
        }
        for (path, value) in &self.add {
            let sum = match path.find(before) {
                Some(present) => added(present, value)?,
                None => value.clone(),
            };
            put(&mut after, path, sum)?;
        }
        for (path, value) in &self.delete {
            if let Some(present) = path.find(before) {
                match without(present, value)? {
                    Some(rest) => put(&mut after, path, rest)?,
                    None => take(&mut after, path)?,
                }
            }
        }
        // From the last element to the first, since every index is the one before the update.
        let mut remove: Vec<&Path> = self.remove.iter().collect();
        remove.sort_unstable_by(|one, two| two.cmp(one));
        for path in remove {
            take(&mut after, path)?;
        }
        Ok(after)
    }
}

fn incorrect_type() -> ServiceError {
    validation("An operand in the update expression has an incorrect data type")
}

fn no_such_place() -> ServiceError {
    validation("The document path provided in the update expression is invalid for update")
}

/// What holds the last step of a path, and that step; `None` for an attribute of the item itself.
fn holder<'i, 'p>(
    item: &'i mut Attributes,
    path: &'p Path,
) -> Result<Option<(&'i mut AttributeValue, &'p Step)>, ServiceError> {
    let Some((last, way)) = path.steps.split_last() else { return Ok(None) };
    let mut value = item.get_mut(&path.attribute).ok_or_else(no_such_place)?;
    for step in way {
        let next = match (step, value) {
            (Step::Name(name), AttributeValue::Map(members)) => members.get_mut(name),
            (Step::Index(index), AttributeValue::List(list)) => list.get_mut(*index),
            _ => None,
        };
        value = next.ok_or_else(no_such_place)?;
    }
    Ok(Some((value, last)))
}

fn put(item: &mut Attributes, path: &Path, new: AttributeValue) -> Result<(), ServiceError> {
    match holder(item, path)? {
        None => {
            item.insert(path.attribute.clone(), new);
        }
        Some((AttributeValue::Map(members), Step::Name(name))) => {
            members.insert(name.clone(), new);
        }
        Some((AttributeValue::List(list), Step::Index(index))) => match list.get_mut(*index) {
            Some(element) => *element = new,
            None => list.push(new),
        },
        Some(_) => return Err(no_such_place()),
    }
    Ok(())
}

fn take(item: &mut Attributes, path: &Path) -> Result<(), ServiceError> {
    match holder(item, path)? {
        None => {
            item.remove(&path.attribute);
        }
        Some((AttributeValue::Map(members), Step::Name(name))) => {
            members.remove(name);
        }
        Some((AttributeValue::List(list), Step::Index(index))) => {
            if *index < list.len() {
                list.remove(*index);
            }
        }
        Some(_) => return Err(no_such_place()),
    }
    Ok(())
}

fn added(present: &AttributeValue, value: &AttributeValue) -> Result<AttributeValue, ServiceError> {
    use AttributeValue::{BinarySet, Number, NumberSet, TextSet};
    match (present, value) {
        (Number(one), Number(two)) => one.plus(two).map(Number).map_err(validation),
        (TextSet(one), TextSet(two)) => Ok(TextSet(one | two)),
        (NumberSet(one), NumberSet(two)) => Ok(NumberSet(one | two)),
        (BinarySet(one), BinarySet(two)) => Ok(BinarySet(one | two)),
        _ => Err(incorrect_type()),
    }
}

/// A set without the elements of another; `None` if nothing is left, since there are no empty sets.
fn without(present: &AttributeValue, value: &AttributeValue) -> Result<Option<AttributeValue>, ServiceError> {
    use AttributeValue::{BinarySet, NumberSet, TextSet};
    Ok(match (present, value) {
        (TextSet(one), TextSet(two)) => Some(one - two).filter(|set| !set.is_empty()).map(TextSet),
        (NumberSet(one), NumberSet(two)) => Some(one - two).filter(|set| !set.is_empty()).map(NumberSet),
        (BinarySet(one), BinarySet(two)) => Some(one - two).filter(|set| !set.is_empty()).map(BinarySet),
        _ => return Err(incorrect_type()),
    })
}
