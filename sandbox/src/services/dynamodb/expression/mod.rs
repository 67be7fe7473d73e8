//! Expressions: what conditions, updates, projections and key conditions are written in. Owns their grammar and what
//! they mean for one item; must not know tables.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

pub(super) mod condition;
mod condition_parser;
mod parser;
pub(super) mod path;
pub(super) mod placeholders;
pub(super) mod projection;
mod reserved;
mod tokens;
pub(super) mod update;
mod update_parser;
