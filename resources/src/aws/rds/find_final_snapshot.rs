//! What a deleted DB instance left behind.

use async_trait::async_trait;
use aws_sdk_rds::types::DbSnapshot;
use lsinfra_engine::provider::{ProviderError, TaskType};
use lsinfra_engine::schema::Kind;
use lsinfra_engine::{Input, Inputs, Output, Outputs, StepContext};

use super::calls::tags_of;
use crate::aws::error::During;
use crate::aws::{AwsClients, tags};

/// What follows the instance's name in the name of its last snapshot, before the time.
pub(super) const FINAL: &str = "-final-";

/// Looks up the newest snapshot that the environment's own DB instance of a name left when it was deleted: one whose
/// tags say that it is the environment's, whatever the generation of the instance.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshots.html>
#[derive(Clone, Default, Inputs)]
pub struct FindFinalSnapshot {
    /// The identifier that the instance was declared with.
    #[input(required)]
    pub instance_identifier: Input<String>,
}

/// The snapshot.
#[derive(Clone, Outputs)]
pub struct FindFinalSnapshotOutputs {
    /// Its identifier, if there is one.
    pub snapshot_identifier: Output<Option<String>>,
}

/// Whether `actual` is `declared`, or that with the suffix of a later generation.
fn is_generation_of(declared: &str, actual: &str) -> bool {
    let Some(rest) = actual.strip_prefix(declared) else { return false };
    let is_number = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    rest.is_empty() || rest.strip_prefix('-').is_some_and(is_number)
}

/// The newest snapshot that was taken on deletion and can be restored.
fn newest<'s>(
    declared: &str,
    snapshots: &'s [DbSnapshot],
    is_own: impl Fn(&DbSnapshot) -> bool,
) -> Option<&'s str> {
    let last = snapshots.iter().filter(|snapshot| {
        let instance = snapshot.db_instance_identifier().unwrap_or_default();
        let name = snapshot.db_snapshot_identifier().unwrap_or_default();
        is_generation_of(declared, instance)
            && name.strip_prefix(instance).is_some_and(|rest| rest.starts_with(FINAL))
            && snapshot.status() == Some("available")
            && is_own(snapshot)
    });
    last.max_by_key(|snapshot| snapshot.snapshot_create_time())?.db_snapshot_identifier()
}

#[async_trait]
impl TaskType for FindFinalSnapshot {
    const TYPE: &'static str = "aws:rds:FindFinalSnapshot";
    const KIND: Kind = Kind::Lookup;
    const SERVICE: &'static str = "rds";

    type Outputs = FindFinalSnapshotOutputs;
    type Client = AwsClients;

    async fn run(
        &self,
        client: &AwsClients,
        step: &StepContext,
    ) -> Result<FindFinalSnapshotOutputs, ProviderError> {
        let declared = self.instance_identifier.get().unwrap_or_default();
        let request = client.rds.describe_db_snapshots().snapshot_type("manual");
        let snapshots = request.into_paginator().items().send().try_collect().await;
        let snapshots = snapshots.during("DescribeDBSnapshots")?;
        let is_own = |snapshot: &DbSnapshot| tags::are_of_lineage(step, &tags_of(snapshot.tag_list()));
        let found = newest(&declared, &snapshots, is_own).map(str::to_owned);
        Ok(FindFinalSnapshotOutputs { snapshot_identifier: found.into() })
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_rds::primitives::DateTime;

    use super::*;

    fn snapshot(instance: &str, name: &str, seconds: i64) -> DbSnapshot {
        DbSnapshot::builder()
            .db_instance_identifier(instance)
            .db_snapshot_identifier(name)
            .snapshot_create_time(DateTime::from_secs(seconds))
            .status("available")
            .build()
    }

    #[test]
    fn the_newest_last_snapshot_of_any_generation_is_taken_and_nothing_else() {
        let others = [
            snapshot("main", "main-before-upgrade", 50),
            snapshot("main-replica", "main-replica-final-1", 51),
            snapshot("mainland", "mainland-final-1", 52),
        ];
        assert_eq!(newest("main", &others, |_| true), None);

        let mut all = others.to_vec();
        all.extend([
            snapshot("main", "main-final-1", 1),
            snapshot("main-2", "main-2-final-3", 3),
            snapshot("main", "main-final-2", 2),
        ]);
        assert_eq!(newest("main", &all, |_| true), Some("main-2-final-3"));
        let is_own = |snapshot: &DbSnapshot| snapshot.db_instance_identifier() == Some("main");
        assert_eq!(newest("main", &all, is_own), Some("main-final-2"));
    }
}
