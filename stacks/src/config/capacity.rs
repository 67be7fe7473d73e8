//! Whether the nodes of a configuration are large enough.

use super::Config;
use super::cluster::NodesConfig;
use super::document::{Document, Located};
use super::stores::{ClickhouseConfig, ClickhouseMode};
use crate::capacity::{self, CapacityProblem, InstanceType, NodePool, Requirement, Volume};

impl Config {
    /// The types of its nodes, each once, with the figures of this release.
    pub fn instance_types(&self) -> Vec<&InstanceType> {
        let general = &self.nodes.instance_type;
        let own = self.clickhouse.instance_type.as_ref().filter(|own| own.name != general.name);
        [general].into_iter().chain(own).collect()
    }

    /// What does not fit if its types of nodes have the figures that are `told` of them instead.
    pub fn capacity_problems(&self, told: &[InstanceType]) -> Vec<CapacityProblem> {
        let now =
            |known: &InstanceType| told.iter().find(|told| told.name == known.name).unwrap_or(known).clone();
        let nodes = NodesConfig { instance_type: now(&self.nodes.instance_type), ..self.nodes.clone() };
        let own_type = self.clickhouse.instance_type.as_ref().map(now);
        let clickhouse = ClickhouseConfig { instance_type: own_type, ..self.clickhouse.clone() };
        capacity::check(&general(&nodes), own(&clickhouse).as_ref(), &requirement(&clickhouse))
    }
}

/// Notes what falls short, with the numbers, at the key that says how much there is.
pub(super) fn check(document: &mut Document<'_>, nodes: &NodesConfig, clickhouse: &ClickhouseConfig) {
    for problem in capacity::check(&general(nodes), own(clickhouse).as_ref(), &requirement(clickhouse)) {
        let path = match (&problem, &clickhouse.instance_type) {
            (CapacityProblem::InAll { .. }, _) | (CapacityProblem::Replicas { .. }, None) => "nodes.min_size",
            (_, None) => "nodes.instance_type",
            (_, Some(_)) => "clickhouse.instance_type",
        };
        let at = Located { value: (), span: document.span(path) };
        let help = match problem {
            CapacityProblem::InAll { .. } | CapacityProblem::Replicas { .. } => {
                "take more nodes, or larger ones"
            }
            CapacityProblem::Replica { .. } => "take a larger type, such as \"m7i.4xlarge\"",
            CapacityProblem::VolumeThroughput { .. } => {
                "take a type with more bandwidth to volumes, such as \"m6in.4xlarge\", or less throughput"
            }
        };
        document.problem(&at, path, problem.to_string(), help);
    }
}

/// The general nodes, of which there are never fewer.
fn general(nodes: &NodesConfig) -> NodePool {
    NodePool {
        name: "general".to_owned(),
        instance_type: nodes.instance_type.clone(),
        nodes: nodes.min_size.into(),
    }
}

/// The nodes that ClickHouse has for itself: one for each replica.
fn own(clickhouse: &ClickhouseConfig) -> Option<NodePool> {
    clickhouse.instance_type.as_ref().map(|instance_type| NodePool {
        name: "clickhouse".to_owned(),
        instance_type: instance_type.clone(),
        nodes: clickhouse.mode.replicas().into(),
    })
}

/// A single replica is for development: its node need not carry all that its volume can give.
fn requirement(clickhouse: &ClickhouseConfig) -> Requirement {
    let throughput_mebibytes_per_second = clickhouse.volume_throughput_mebibytes_per_second;
    Requirement {
        clickhouse_replicas: clickhouse.mode.replicas().into(),
        clickhouse_volume: (clickhouse.mode == ClickhouseMode::Replicated)
            .then_some(Volume { throughput_mebibytes_per_second }),
    }
}
