//! The gate: a configuration whose nodes are too small is refused with the numbers.

use std::fmt;

use super::{Allocatable, InstanceType};

/// What must be there for pods in all, without the nodes that are kept for ClickHouse.
/// <https://docs.langchain.com/langsmith/kubernetes>
const IN_ALL: Allocatable = Allocatable { cpu_millicores: 16_000, memory_mib: 64 * 1024 };

/// What each replica of ClickHouse must find on its node.
/// <https://docs.langchain.com/langsmith/kubernetes>
const PER_CLICKHOUSE_REPLICA: Allocatable = Allocatable { cpu_millicores: 8_000, memory_mib: 32 * 1024 };

/// A group of equal nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePool {
    /// Its name, for messages.
    pub name: String,
    /// The type of its nodes.
    pub instance_type: InstanceType,
    /// How many there are at least.
    pub nodes: u32,
}

/// The volume of each replica of ClickHouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its throughput in MiB/s.
    pub throughput_mebibytes_per_second: u32,
}

/// What must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// How many replicas of ClickHouse run in the cluster; 0 if it is elsewhere.
    pub clickhouse_replicas: u32,
    /// The volume whose throughput the nodes must carry, if that is asked for.
    pub clickhouse_volume: Option<Volume>,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapacityProblem {
    /// There is too little in all.
    InAll {
        /// What there is.
        there: Allocatable,
        /// What is needed.
        needed: Allocatable,
        /// How that comes about.
        pools: Vec<NodePool>,
    },
    /// No node is large enough for a replica of ClickHouse.
    Replica {
        /// What a node leaves.
        there: Allocatable,
        /// What is needed.
        needed: Allocatable,
        /// The group.
        pool: NodePool,
    },
    /// There are fewer nodes than replicas.
    Replicas {
        /// How many replicas.
        replicas: u32,
        /// The group.
        pool: NodePool,
    },
    /// A node cannot carry what a volume gives.
    VolumeThroughput {
        /// What the node always gives, in MiB/s.
        there_mebibytes_per_second: u32,
        /// What the volume gives, in MiB/s.
        needed_mebibytes_per_second: u32,
        /// The group.
        pool: NodePool,
    },
}

/// Checks the groups of nodes: `general` for everything, and `clickhouse` for ClickHouse alone, if there is one.
pub fn check(
    general: &NodePool,
    clickhouse: Option<&NodePool>,
    requirement: &Requirement,
) -> Vec<CapacityProblem> {
    let mut problems = Vec::new();
    let there = general.allocatable();
    if !there.holds(IN_ALL) {
        problems.push(CapacityProblem::InAll { there, needed: IN_ALL, pools: vec![general.clone()] });
    }
    if requirement.clickhouse_replicas == 0 {
        return problems;
    }
    let pool = clickhouse.unwrap_or(general);
    let node = Allocatable::of(&pool.instance_type);
    if !node.holds(PER_CLICKHOUSE_REPLICA) {
        problems.push(CapacityProblem::Replica {
            there: node,
            needed: PER_CLICKHOUSE_REPLICA,
            pool: pool.clone(),
        });
    }
    if pool.nodes < requirement.clickhouse_replicas {
        let replicas = requirement.clickhouse_replicas;
        problems.push(CapacityProblem::Replicas { replicas, pool: pool.clone() });
    }
    if let Some(volume) = requirement.clickhouse_volume {
        let there = mebibytes_per_second(pool.instance_type.ebs_baseline_megabits_per_second);
        if there < volume.throughput_mebibytes_per_second {
            problems.push(CapacityProblem::VolumeThroughput {
                there_mebibytes_per_second: there,
                needed_mebibytes_per_second: volume.throughput_mebibytes_per_second,
                pool: pool.clone(),
            });
        }
    }
    problems
}

impl NodePool {
    /// What all of its nodes leave to pods.
    pub fn allocatable(&self) -> Allocatable {
        Allocatable::of(&self.instance_type).times(u64::from(self.nodes))
    }
}

/// `3 x m7i.2xlarge`.
impl fmt::Display for NodePool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} x {}", self.nodes, self.instance_type.name)
    }
}

impl fmt::Display for CapacityProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InAll { there, needed, pools } => {
                let pools: Vec<String> = pools.iter().map(ToString::to_string).collect();
                let pools = pools.join(" and ");
                write!(formatter, "{pools} leave {there} to pods, and LangSmith needs {needed} in all")
            }
            Self::Replica { there, needed, pool } => {
                let name = &pool.instance_type.name;
                write!(formatter, "{name} leaves {there} to pods, and a replica of ClickHouse needs {needed}")
            }
            Self::Replicas { replicas, pool } => {
                write!(
                    formatter,
                    "{pool} are too few nodes for {replicas} replicas of ClickHouse, one on each"
                )
            }
            Self::VolumeThroughput { there_mebibytes_per_second, needed_mebibytes_per_second, pool } => {
                write!(
                    formatter,
                    "{} always carries {there_mebibytes_per_second} MiB/s to volumes, and the volume of ClickHouse \
                 gives {needed_mebibytes_per_second} MiB/s",
                    pool.instance_type.name
                )
            }
        }
    }
}

fn mebibytes_per_second(megabits_per_second: u32) -> u32 {
    let bytes_per_second = u64::from(megabits_per_second) * 1_000_000 / 8;
    u32::try_from(bytes_per_second / (1024 * 1024)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pool(name: &str, instance_type: &str, nodes: u32) -> NodePool {
        let instance_type = InstanceType::known(instance_type).unwrap();
        NodePool { name: name.to_owned(), instance_type, nodes }
    }

    fn texts(
        general: &NodePool,
        clickhouse: Option<&NodePool>,
        replicas: u32,
        volume: Option<u32>,
    ) -> Vec<String> {
        let requirement = Requirement {
            clickhouse_replicas: replicas,
            clickhouse_volume: volume
                .map(|throughput_mebibytes_per_second| Volume { throughput_mebibytes_per_second }),
        };
        check(general, clickhouse, &requirement).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_sold_is_more_than_what_pods_get() {
        // 16 vCPUs and 64 GiB are what AWS sells here.
        let problems = texts(&pool("general", "m7i.2xlarge", 2), None, 0, None);
        assert_eq!(
            problems,
            [
                "2 x m7i.2xlarge leave 15.82 vCPU / 57.2 GiB to pods, and LangSmith needs 16 vCPU / 64 GiB in all"
            ]
        );
        assert_eq!(texts(&pool("general", "m7i.2xlarge", 3), None, 0, None), [""; 0]);
    }

    #[test]
    fn each_replica_of_clickhouse_needs_a_node_that_is_large_and_fast_enough() {
        let general = pool("general", "m7i.2xlarge", 3);
        let problems = texts(&general, Some(&pool("clickhouse", "m7i.2xlarge", 2)), 3, Some(1000));
        assert_eq!(
            problems,
            [
                "m7i.2xlarge leaves 7.91 vCPU / 28.6 GiB to pods, and a replica of ClickHouse needs 8 vCPU / 32 GiB",
                "2 x m7i.2xlarge are too few nodes for 3 replicas of ClickHouse, one on each",
                "m7i.2xlarge always carries 298 MiB/s to volumes, and the volume of ClickHouse gives 1000 MiB/s",
            ]
        );
        assert_eq!(texts(&general, Some(&pool("clickhouse", "m6in.4xlarge", 3)), 3, Some(1000)), [""; 0]);
        // Without nodes of its own it finds room on the others.
        assert_eq!(texts(&pool("general", "m7i.4xlarge", 2), None, 1, None), [""; 0]);
    }
}
