//! Deleting a replication group, with or without a last snapshot.

use aws_sdk_elasticache::types::{ReplicationGroup as SdkReplicationGroup, Snapshot};
use lsinfra_engine::provider::ProviderError;
use lsinfra_engine::{PhysicalId, StepContext};

use super::{ReplicationGroup, tags_told};
use crate::aws::elasticache::calls;
use crate::aws::error::During;
use crate::aws::{AwsClients, tags};

/// What the names of an object's last snapshots begin with; the time follows.
fn snapshot_prefix(id: &PhysicalId) -> String {
    format!("{id}-final-")
}

impl ReplicationGroup {
    /// Asks AWS to delete a replication group.
    pub(super) async fn ask_to_delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        group: &SdkReplicationGroup,
    ) -> Result<(), ProviderError> {
        if group.status() == Some("deleting") {
            return Ok(());
        }
        let actual = tags_told(client, id).await?;
        tags::require_lineage(step, &format!("the replication group {id}"), &actual)?;
        let takes_snapshot = self.final_snapshot.get() == Some(true) && group.status() == Some("available");
        let snapshot = takes_snapshot
            .then(|| format!("{}{}", snapshot_prefix(id), step.clock.now().strftime("%Y%m%d%H%M%S")));
        let request = client.elasticache.delete_replication_group().replication_group_id(id.as_str());
        let request = request.set_final_snapshot_identifier(snapshot);
        request.send().await.during("DeleteReplicationGroup").map(|_| ())
    }

    /// Last snapshots come without tags: they get those that say whose they are.
    pub(super) async fn tag_last_snapshots(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let request = client.elasticache.describe_snapshots().replication_group_id(id.as_str());
        let pages = request.into_paginator().items().send();
        let snapshots: Vec<Snapshot> = pages.try_collect().await.during("DescribeSnapshots")?;
        let names = snapshots.iter().filter_map(Snapshot::snapshot_name);
        for name in names.filter(|name| name.starts_with(&snapshot_prefix(id))) {
            let arn = calls::arn(&client.connection, "snapshot", name);
            let actual = calls::tags(&client.elasticache, &arn).await?.unwrap_or_default();
            if actual.is_empty() {
                let put = step.owner_tags.clone();
                let changes = tags::TagChanges { put, remove: Vec::new() };
                calls::change_tags(&client.elasticache, &arn, changes).await?;
            }
        }
        Ok(())
    }
}
