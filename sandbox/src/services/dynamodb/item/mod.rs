//! Items: reading and writing them. Must not know how tables come and go.

mod condition_check;
pub(super) mod delete;
pub(super) mod get;
pub(super) mod number;
mod page;
pub(super) mod put;
pub(super) mod query;
pub(super) mod scan;
pub(super) mod update;
pub(super) mod value;

/// The largest item, in bytes: names and values.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LARGEST: usize = 400 * 1024;
