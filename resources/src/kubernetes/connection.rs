//! Where a cluster's objects live: the connection that the snapshot records for each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{Expression, Output, Property, Value};
use serde::{Deserialize, Serialize};

use crate::aws::AwsConnection;
use crate::aws::eks::ClusterOutputs;

/// A cluster of EKS. It is made of what the cluster resource itself gives: no kubeconfig is read, and no context.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct ClusterConnection {
    /// The account and region that the cluster is in.
    pub aws: AwsConnection,
    /// The cluster's name in EKS.
    pub cluster_name: String,
    /// The address of its API, such as `https://0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com`.
    pub server: String,
    /// The certificate authority of its API: PEM in base64.
    pub certificate_authority: String,
    /// The minor version of Kubernetes that it has, such as `1.36`: known before it has an address.
    #[serde(default)]
    pub kubernetes_version: Option<String>,
}

impl ClusterConnection {
    /// The connection to a declared cluster of that account and region. What the cluster gives is known once it exists.
    pub fn of(aws: &AwsConnection, cluster: &ClusterOutputs) -> Output<Value> {
        let fields = [
            ("aws", Expression::Value(aws.to_value())),
            ("cluster_name", cluster.name.expression().clone()),
            ("server", cluster.endpoint.expression().clone()),
            ("certificate_authority", cluster.certificate_authority.expression().clone()),
            ("kubernetes_version", cluster.version.expression().clone()),
        ];
        let fields = fields.map(|(name, field)| (name.to_owned(), field));
        Output::from_expression(Expression::Fields(Arc::new(fields.into())))
    }

    /// Reads a recorded connection.
    pub(crate) fn read(connection: &Value) -> Result<Self, ProviderError> {
        Self::from_value(connection).map_err(|error| {
            let message = format!("the recorded connection to a cluster is broken: {error}");
            ProviderError::new(ErrorKind::Invalid, message)
        })
    }

    /// What identifies the place of an object: account, region and the cluster's name. Addresses and certificates may
    /// change.
    pub(crate) fn identity(connection: &Value) -> Value {
        // Not known before apply: then neither is its identity.
        let Some(fields) = connection.as_map() else { return connection.clone() };
        let of_aws = fields.get("aws").map(AwsConnection::identity);
        let name = fields.get("cluster_name").cloned();
        let parts = [("aws", of_aws), ("cluster_name", name)];
        let parts = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?)));
        Value::Map(parts.collect::<BTreeMap<_, _>>())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lsinfra_engine::{Outputs, Urn, ValueError};

    use super::*;

    struct Planned;

    impl lsinfra_engine::output::Resolve for Planned {
        fn output(&self, _urn: &Urn, output: &str) -> Result<Value, ValueError> {
            Ok(if output == "name" { Value::text("dev") } else { Value::Unknown })
        }

        fn fact(&self, _name: &str) -> Value {
            Value::Unknown
        }
    }

    #[test]
    fn a_planned_cluster_has_its_place_before_it_has_an_address() {
        let aws = AwsConnection::new("123456789012", "us-west-2");
        let cluster = ClusterOutputs::references(&"aws:eks:Cluster/main".parse().unwrap());
        let planned = ClusterConnection::of(&aws, &cluster).expression().evaluate(&Planned).unwrap();
        assert!(planned.has_unknown());
        let recorded = ClusterConnection {
            aws,
            cluster_name: "dev".to_owned(),
            server: "https://127.0.0.1:1".to_owned(),
            certificate_authority: String::new(),
            kubernetes_version: None,
        };
        let recorded = recorded.to_value();
        assert_eq!(ClusterConnection::identity(&planned), ClusterConnection::identity(&recorded));
        assert!(ClusterConnection::read(&recorded).is_ok());
        assert!(ClusterConnection::read(&Value::Null).is_err());
    }
}
