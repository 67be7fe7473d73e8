//! LangSmith Self-Hosted on AWS.
//!
//! One module per part of the architecture. Each declares its resources in a component of its name
//! and returns the outputs that other parts use.

mod addons;
mod application;
mod choices;
mod cluster;
mod data;
mod edge;
mod existing_network;
mod flow_logs;
mod given;
mod identity;
mod json;
mod load_balancer_policy;
mod monitoring;
mod names;
mod network;
mod nodes;
mod placement;
mod platform;
mod secrets;
mod security_groups;
mod workload_roles;

use std::collections::BTreeMap;

use lsinfra_engine::{Graph, GraphError, Output, Property, Stack, UrnError};
use lsinfra_resources::aws::{Arn, AwsConnection};
use lsinfra_resources::kubernetes::ClusterConnection;

pub use application::{UnknownValue, chart, unknown_values};
pub use choices::{Choices, ChoicesOutputs, register};
pub use given::{GivenSecret, given_secrets};

use crate::config::{Config, InvalidConfig, NetworkConfig, Profile};
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

/// What of the stack is declared beside the AWS side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// What runs in the cluster: the platform, LangSmith, and the record of its load balancer.
    pub kubernetes: bool,
}

/// The resources of an environment and how they depend on each other.
///
/// The one fact that it asks for is `aws.availability_zones/<region>`: the names of the region's
/// zones in order, as a list of strings. With named zones, or a network that is there, it asks for none.
///
/// # Errors
/// [`StackError`]
pub fn langsmith(config: &Config, layers: &Layers) -> Result<Graph, StackError> {
    let connection = AwsConnection::new(config.account.clone(), config.region.as_str());
    let stack = Stack::new(connection.to_value());
    let environment = Environment { config, names: Names::new(config), connection };

    choices::declare(&stack, &environment)?;
    let network_stack = stack.component("network");
    let identity_stack = stack.component("identity");
    let network = match &config.network {
        NetworkConfig::Created(config) => {
            let network = network::declare(&network_stack, &environment, config)?;
            if environment.is_prod() {
                flow_logs::declare(&network_stack, &identity_stack, &environment, &network.vpc_id)?;
            }
            network
        }
        NetworkConfig::Existing(config) => existing_network::declare(&network_stack, &environment, config)?,
    };
    let groups = security_groups::declare(&network_stack, &environment, &network.vpc_id)?;
    let identity = identity::declare(&identity_stack, &environment)?;

    let cluster_stack = stack.component("cluster");
    let control_plane = cluster::declare(&cluster_stack, &environment, &network, &identity.cluster_role_arn)?;

    let secrets_stack = stack.component("secrets");
    let generated = secrets::declare(&secrets_stack, &environment)?;
    let data = data::declare(&stack.component("data"), &environment, &network, &groups, &generated)?;
    let connections = secrets::declare_connections(&secrets_stack, &environment, &generated, &data)?;

    let secret_arns = [
        ("app_secret_arn", Some(&generated.app)),
        ("postgres_secret_arn", Some(&connections.postgres)),
        ("redis_secret_arn", Some(&connections.redis)),
        ("clickhouse_secret_arn", Some(&generated.clickhouse)),
        ("clickhouse_operator_secret_arn", generated.clickhouse_operator.as_ref()),
    ];
    let secret_arns =
        secret_arns.into_iter().filter_map(|(name, delivered)| Some((name, delivered?.secret.arn.clone())));
    let secret_arns: BTreeMap<&str, Output<Arn>> = secret_arns.collect();
    let subjects = workload_roles::Subjects {
        control_plane: &control_plane,
        vpc_id: &network.vpc_id,
        bucket_arn: &data.blobs.arn,
        secret_arns: secret_arns.values().cloned().collect(),
    };
    let roles = workload_roles::declare(&identity_stack, &environment, subjects)?;

    let cluster = &control_plane.cluster;
    let network_addons = addons::declare_network(&cluster_stack, &environment, cluster, &roles.vpc_cni)?;
    let nodes = nodes::Nodes {
        cluster,
        role_arn: &identity.node_role_arn,
        network: &network,
        security_groups: &groups,
        network_addons: &network_addons,
    };
    let nodes = nodes::declare(&cluster_stack, &environment, &nodes)?;
    let addons = addons::declare(&cluster_stack, &environment, cluster, &nodes.general, &roles.ebs_csi)?;

    let edge_stack = stack.component("edge");
    let edge = match &config.edge {
        Some(config) => Some((config, edge::declare(&edge_stack, &environment, config)?)),
        None => None,
    };
    if let Some((config, edge)) = &edge {
        stack.output("hostname", &Output::known(&config.hostname));
        stack.output("hosted_zone_id", &edge.zone.id);
        stack.output("certificate_arn", &edge.certificate_arn);
        if let Some(name_servers) = &edge.zone.name_servers {
            stack.output("hosted_zone_name_servers", name_servers);
        }
    }
    if layers.kubernetes {
        let in_cluster = ClusterConnection::of(&environment.connection, cluster);
        let foundation = platform::Foundation {
            control_plane: &control_plane,
            vpc_id: &network.vpc_id,
            nodes: &nodes,
            addons: &addons,
            roles: &roles,
            generated: &generated,
            connections: &connections,
        };
        let place = stack.component("platform").with_connection(in_cluster.clone());
        let platform = platform::declare(&place, &environment, &foundation)?;
        // Gates that try the platform out (an Ingress of an echo application and others) come here: they wait for the
        // platform, and the application waits for them as it does for `platform.parts`.
        let foundation = application::Foundation {
            platform: &platform,
            data: &data,
            roles: &roles,
            generated: &generated,
            connections: &connections,
            edge: edge.as_ref().map(|(config, edge)| (*config, edge)),
        };
        let place = stack.component("application").with_connection(in_cluster);
        let hostname = application::declare(&place, &edge_stack, &environment, &foundation)?;
        stack.output("load_balancer_hostname", &hostname);
    }
    if config.alarms.enabled {
        let topic = monitoring::declare(&stack.component("monitoring"), &environment, &data)?;
        stack.output("alarm_topic_arn", &topic);
    }

    stack.output("vpc_id", &network.vpc_id);
    stack.output("public_subnet_ids", &Output::all(network.public_subnet_ids));
    stack.output("private_subnet_ids", &Output::all(network.private_subnet_ids));
    stack.output("nat_addresses", &Output::all(network.nat_addresses));
    stack.output("cluster_security_group_id", &groups.cluster);
    stack.output("postgres_security_group_id", &groups.postgres);
    stack.output("redis_security_group_id", &groups.redis);
    stack.output("cluster_name", &cluster.name);
    stack.output("cluster_arn", &cluster.arn);
    stack.output("cluster_endpoint", &cluster.endpoint);
    stack.output("oidc_provider_arn", &control_plane.oidc_provider.arn);
    stack.output("blob_bucket_name", &data.blobs.name);
    stack.output("blob_bucket_arn", &data.blobs.arn);
    stack.output("postgres_address", &data.postgres.address);
    stack.output("redis_address", &data.redis.primary_address);
    for (name, arn) in &secret_arns {
        stack.output(name, arn);
    }
    for (name, arn) in [
        ("cluster_role_arn", &identity.cluster_role_arn),
        ("node_role_arn", &identity.node_role_arn),
        ("langsmith_role_arn", &roles.langsmith),
        ("ebs_csi_role_arn", &roles.ebs_csi),
        ("vpc_cni_role_arn", &roles.vpc_cni),
        ("load_balancer_controller_role_arn", &roles.load_balancer_controller),
        ("cluster_autoscaler_role_arn", &roles.cluster_autoscaler),
        ("external_secrets_role_arn", &roles.external_secrets),
    ] {
        stack.output(name, arn);
    }
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
    fn is_prod(&self) -> bool {
        self.config.profile == Profile::Prod
    }

    /// For how many days logs are kept, in one of the steps that CloudWatch takes.
    fn log_retention_days(&self) -> i32 {
        if self.is_prod() { 90 } else { 7 }
    }

    /// The ARN of a regional resource, or a pattern of such.
    fn arn(&self, service: &str, resource: &str) -> String {
        let AwsConnection { partition, region, account } = &self.connection;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// The ARN of one of AWS's own managed policies.
    fn aws_policy(&self, name: &str) -> Arn {
        Arn::new(format!("arn:{}:iam::aws:policy/{name}", self.connection.partition))
    }

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
