//! What the writing operations share: their condition, and what is told when it does not hold.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>

use super::value::Attributes;
use crate::protocol::error::ServiceError;
use crate::protocol::json::document::Members;
use crate::services::dynamodb::errors::{conditional_check_failed, validation};
use crate::services::dynamodb::expression::condition::Condition;
use crate::services::dynamodb::expression::placeholders::Placeholders;

/// The parameter of the condition.
pub(super) const CONDITION: &str = "ConditionExpression";

/// The condition of a write.
#[derive(Debug)]
pub(super) struct ConditionCheck {
    condition: Option<Condition>,
    /// Whether the caller wants to see the item of which it does not hold.
    shows_item: bool,
}

impl ConditionCheck {
    /// Reads it from a request.
    pub(super) fn of(members: &Members<'_>, placeholders: &Placeholders) -> Result<Self, ServiceError> {
        let condition = members.text(CONDITION)?;
        let condition = condition.map(|text| Condition::parse(CONDITION, text, placeholders)).transpose()?;
        let on_failure = members.one_of("ReturnValuesOnConditionCheckFailure", &["ALL_OLD", "NONE"])?;
        Ok(Self { condition, shows_item: on_failure == Some("ALL_OLD") })
    }

    /// Refuses the write unless the condition holds of the item that is there, if one is.
    pub(super) fn admit(&self, item: Option<&Attributes>) -> Result<(), ServiceError> {
        let nothing = Attributes::new();
        match &self.condition {
            Some(condition) if !condition.holds(item.unwrap_or(&nothing)) => {
                Err(conditional_check_failed(item.filter(|_| self.shows_item)))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether an operation that replaces or removes an item is to answer with it.
pub(super) fn returns_old(members: &Members<'_>) -> Result<bool, ServiceError> {
    match members.one_of("ReturnValues", &["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"])? {
        Some("ALL_OLD") => Ok(true),
        Some("NONE") | None => Ok(false),
        Some(_) => Err(validation("ReturnValues can only be ALL_OLD or NONE")),
    }
}
