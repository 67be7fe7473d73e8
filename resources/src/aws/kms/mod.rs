//! AWS Key Management Service.
//! <https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html>

mod alias;
mod calls;
mod key;

pub use alias::{Alias, AliasOutputs};
pub use key::{Key, KeyOutputs};
