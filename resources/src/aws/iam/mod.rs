//! AWS Identity and Access Management.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>

mod calls;
mod open_id_connect_provider;
mod policy;
mod role;

pub use open_id_connect_provider::{OpenIdConnectProvider, OpenIdConnectProviderOutputs};
pub use policy::{Policy, PolicyOutputs};
pub use role::{Role, RoleOutputs};
