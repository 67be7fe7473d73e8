//! A replication group as AWS shows it, in two descriptions, and waiting for it.

use std::collections::BTreeSet;
use std::task::Poll;

use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::types::{
    AutomaticFailoverStatus, CacheCluster, MultiAzStatus, PendingAutomaticFailoverStatus,
    ReplicationGroup as SdkReplicationGroup,
};
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::{PhysicalId, ResourceType, StepContext};

use super::Engine;
use crate::aws::ec2::SecurityGroupId;
use crate::aws::error::{During, found, not_found};
use crate::aws::wait::{MINUTES, until_seen};

/// A replication group, and one of its nodes: AWS tells a part of its settings by them alone.
pub(super) struct Described {
    pub(super) group: SdkReplicationGroup,
    node: Option<CacheCluster>,
}

impl Described {
    /// A group with its node out of a list of many groups' nodes.
    pub(super) fn new(group: SdkReplicationGroup, nodes: &[CacheCluster]) -> Self {
        let id = group.replication_group_id();
        let node = nodes.iter().find(|node| node.replication_group_id() == id).cloned();
        Self { group, node }
    }

    /// Its id.
    pub(super) fn id(&self) -> &str {
        self.group.replication_group_id().unwrap_or_default()
    }

    /// Its status.
    pub(super) fn status(&self) -> &str {
        self.group.status().unwrap_or_default()
    }

    /// Why AWS has given it up, if it has.
    pub(super) fn failed(&self) -> Option<String> {
        (self.status() == "create-failed")
            .then(|| format!("the replication group {} has the status create-failed", self.id()))
    }

    /// The engine's version that it has or will have.
    pub(super) fn engine_version(&self) -> Option<&str> {
        let node = self.node.as_ref()?;
        node.pending_modified_values().and_then(|pending| pending.engine_version()).or(node.engine_version())
    }

    /// The engine that it has or will have: of a pending one AWS tells the version alone, and the two share none.
    pub(super) fn engine(&self) -> Option<Engine> {
        let node = self.node.as_ref();
        let pending = node.and_then(|node| node.pending_modified_values()?.engine_version());
        match pending {
            Some(version) => Some(Engine::of_version(version)),
            None => Engine::parse(self.group.engine().or(node.and_then(|node| node.engine()))?),
        }
    }

    /// The node type that it has or will have.
    pub(super) fn node_type(&self) -> Option<&str> {
        let pending = self.node.as_ref().and_then(|node| node.pending_modified_values()?.cache_node_type());
        pending.or(self.group.cache_node_type())
    }

    /// Whether a change waits for the maintenance window.
    pub(super) fn has_pending(&self) -> bool {
        let pending = self.node.as_ref().and_then(|node| node.pending_modified_values());
        pending.is_some_and(|pending| pending.engine_version().or(pending.cache_node_type()).is_some())
    }

    /// How many nodes it has, the primary among them.
    pub(super) fn nodes(&self) -> Option<i32> {
        let groups = self.group.node_groups().iter();
        let nodes = groups.map(|group| group.node_group_members().len()).sum::<usize>();
        i32::try_from(nodes).ok().filter(|nodes| *nodes > 0)
    }

    /// Whether a replica takes over by itself, or will.
    pub(super) fn automatic_failover(&self) -> Option<bool> {
        use AutomaticFailoverStatus::{Enabled, Enabling};
        let pending =
            self.group.pending_modified_values().and_then(|pending| pending.automatic_failover_status());
        match pending {
            Some(pending) => Some(*pending == PendingAutomaticFailoverStatus::Enabled),
            None => self.group.automatic_failover().map(|is_on| matches!(is_on, Enabled | Enabling)),
        }
    }

    /// Whether its nodes stand in several zones.
    pub(super) fn multi_az(&self) -> Option<bool> {
        self.group.multi_az().map(|is_on| *is_on == MultiAzStatus::Enabled)
    }

    /// The name of its subnet group.
    pub(super) fn subnet_group(&self) -> Option<&str> {
        self.node.as_ref()?.cache_subnet_group_name()
    }

    /// The name of its parameter group.
    pub(super) fn parameter_group(&self) -> Option<&str> {
        self.node.as_ref()?.cache_parameter_group()?.cache_parameter_group_name()
    }

    /// Its security groups.
    pub(super) fn security_groups(&self) -> Option<BTreeSet<SecurityGroupId>> {
        let groups = self.node.as_ref()?.security_groups().iter();
        Some(groups.filter_map(|group| group.security_group_id()).map(SecurityGroupId::new).collect())
    }

    /// When it is maintained.
    pub(super) fn maintenance_window(&self) -> Option<&str> {
        self.node.as_ref()?.preferred_maintenance_window()
    }

    /// Where the primary is reached.
    pub(super) fn primary(&self) -> Option<(&str, u16)> {
        let endpoint = self.group.node_groups().first()?.primary_endpoint()?;
        Some((endpoint.address()?, u16::try_from(endpoint.port()?).ok()?))
    }

    /// Where all nodes are reached for reading.
    pub(super) fn reader(&self) -> Option<&str> {
        self.group.node_groups().first()?.reader_endpoint()?.address()
    }
}

/// The clusters of all replication groups.
pub(super) async fn nodes(elasticache: &Client) -> Result<Vec<CacheCluster>, ProviderError> {
    let pages = elasticache.describe_cache_clusters().into_paginator().items().send();
    pages.try_collect().await.during("DescribeCacheClusters")
}

/// The replication group of an id alone, if there is one, also one on its way out.
pub(super) async fn group(
    elasticache: &Client,
    id: &str,
) -> Result<Option<SdkReplicationGroup>, ProviderError> {
    let answer = elasticache.describe_replication_groups().replication_group_id(id).send().await;
    let groups = found(answer.during("DescribeReplicationGroups"))?;
    let groups = groups.and_then(|answer| answer.replication_groups).unwrap_or_default();
    Ok(groups.into_iter().find(|group| group.replication_group_id() == Some(id)))
}

/// The replication group of an id; [`ErrorKind::NotFound`] if there is none.
pub(super) async fn require(
    elasticache: &Client,
    id: &PhysicalId,
) -> Result<SdkReplicationGroup, ProviderError> {
    let absent = || not_found(format!("the replication group {id} does not exist"));
    group(elasticache, id.as_str()).await?.ok_or_else(absent)
}

/// The replication group of an id, once it is available and `is_seen` says that the last change shows.
pub(super) async fn ready(
    elasticache: &Client,
    step: &StepContext,
    id: &PhysicalId,
    is_seen: impl Fn(&Described) -> bool + Sync,
) -> Result<Described, ProviderError> {
    step.poll(MINUTES, || async {
        // One answer may be older than the one before.
        let window = super::ReplicationGroup::CONSISTENCY_WINDOW;
        let group = until_seen(step, window, || require(elasticache, id)).await?;
        let group = Described::new(group, &[]);
        if let Some(reason) = group.failed() {
            return Err(ProviderError::new(ErrorKind::CreationFailed, reason));
        }
        match group.status() {
            "available" => {}
            "deleting" => return Err(not_found(format!("the replication group {id} is being deleted"))),
            status => return Ok((Poll::Pending, format!("replication group {id} is {status}"))),
        }
        let described = Described::new(group.group, &nodes(elasticache).await?);
        // Nodes may be seen later than their group.
        if described.node.is_none() || !is_seen(&described) {
            return Ok((Poll::Pending, format!("replication group {id} does not show its last change yet")));
        }
        Ok((Poll::Ready(described), String::new()))
    })
    .await
}

/// Returns once the replication group of an id is gone.
pub(super) async fn gone(
    elasticache: &Client,
    step: &StepContext,
    id: &PhysicalId,
) -> Result<(), ProviderError> {
    step.poll(MINUTES, || async {
        let left = group(elasticache, id.as_str()).await?.is_some();
        let state = if left { Poll::Pending } else { Poll::Ready(()) };
        Ok((state, format!("replication group {id} is being deleted")))
    })
    .await
}
