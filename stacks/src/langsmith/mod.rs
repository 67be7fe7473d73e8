//! LangSmith Self-Hosted on AWS.
//!
//! One module per part of the architecture. Each declares its resources in a component of its name
//! and returns the outputs that other parts use.

mod data;
mod identity;
mod network;
mod security_groups;

use std::collections::BTreeMap;

use lsinfra_engine::{Graph, GraphError, Output, Property, Stack, UrnError};
use lsinfra_resources::aws::AwsConnection;

use crate::config::{Config, InvalidConfig};
use crate::naming::{NameLimit, Names};

/// Why a config makes no graph. Configs are checked when they are read, so all but
/// [`Imports`](Self::Imports) are mistakes of the stack itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StackError {
    /// A name that is no part of a URN.
    #[error(transparent)]
    Urn(#[from] UrnError),
    /// Declarations that make no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The config imports objects for resources that are not declared.
    #[error(transparent)]
    Imports(#[from] InvalidConfig),
}

/// The resources of an environment and how they depend on each other.
///
/// The one fact that it asks for is `aws.availability_zones/<region>`: the names of the region's
/// zones in order, as a list of strings. With named zones it asks for none.
///
/// # Errors
/// [`StackError`]
pub fn langsmith(config: &Config) -> Result<Graph, StackError> {
    let connection = AwsConnection::new(config.account.clone(), config.region.as_str());
    let stack = Stack::new(connection.to_value());
    let environment = Environment { config, names: Names::new(config), connection };

    let network = network::declare(&stack.component("network"), &environment)?;
    let groups = security_groups::declare(&stack.component("network"), &environment, &network.vpc_id)?;
    let data = data::declare(&stack.component("data"), &environment)?;
    let identity = identity::declare(&stack.component("identity"), &environment)?;

    stack.output("vpc_id", &network.vpc_id);
    stack.output("public_subnet_ids", &Output::all(network.public_subnet_ids));
    stack.output("private_subnet_ids", &Output::all(network.private_subnet_ids));
    stack.output("nat_addresses", &Output::all(network.nat_addresses));
    stack.output("cluster_security_group_id", &groups.cluster);
    stack.output("postgres_security_group_id", &groups.postgres);
    stack.output("redis_security_group_id", &groups.redis);
    stack.output("blob_bucket_name", &data.blob_bucket_name);
    stack.output("blob_bucket_arn", &data.blob_bucket_arn);
    stack.output("cluster_role_arn", &identity.cluster_role_arn);
    stack.output("node_role_arn", &identity.node_role_arn);
    let mut graph = stack.graph()?;
    config.imports.declare(&mut graph)?;
    Ok(graph)
}

/// What every part needs to know of the environment.
struct Environment<'a> {
    config: &'a Config,
    names: Names,
    connection: AwsConnection,
}

impl Environment<'_> {
    /// The environment's tags, and the name of what plays `role`.
    fn tags(&self, role: &str) -> BTreeMap<String, String> {
        self.tags_with(role, [])
    }

    /// As [`Environment::tags`], with more.
    fn tags_with<const N: usize>(&self, role: &str, more: [(&str, &str); N]) -> BTreeMap<String, String> {
        let mut tags = self.config.tags.clone();
        tags.insert("Name".to_owned(), self.names.name(role, NameLimit::TAG));
        tags.extend(more.map(|(key, value)| (key.to_owned(), value.to_owned())));
        tags
    }
}

#[cfg(test)]
mod tests;
