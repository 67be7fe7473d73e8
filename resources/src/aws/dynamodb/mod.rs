//! Amazon DynamoDB.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html>

mod calls;
mod table;

pub use table::{AttributeType, KeyAttribute, Table, TableOutputs};
