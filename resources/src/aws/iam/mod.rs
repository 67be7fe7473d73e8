//! AWS Identity and Access Management.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>

mod calls;
mod role;

pub use role::{Role, RoleOutputs};
