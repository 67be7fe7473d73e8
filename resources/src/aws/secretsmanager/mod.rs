//! AWS Secrets Manager: the one place where secret values are at rest, beside the cluster.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html>

mod calls;
mod document;
mod generated;
mod reveal;
mod rotations;
mod secret;
mod value;

pub(crate) use reveal::reveal;

pub use generated::{Alphabet, Generated, Recipe};
pub use secret::{Secret, SecretOutputs};
