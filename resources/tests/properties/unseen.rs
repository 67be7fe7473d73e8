//! Inputs that no read shows, so that nobody's change of them is seen: the only ones.

/// One such input.
pub(crate) struct Unseen {
    pub(crate) resource_type: &'static str,
    pub(crate) input: &'static str,
    /// Why, with the page that says so.
    pub(crate) reason: &'static str,
}

const fn unseen(resource_type: &'static str, input: &'static str, reason: &'static str) -> Unseen {
    Unseen { resource_type, input, reason }
}

/// All of them.
pub(crate) const UNSEEN: &[Unseen] = &[
    unseen(
        "aws:eks:Addon",
        "resolve_conflicts",
        "a parameter of the calls: https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateAddon.html",
    ),
    unseen(
        "aws:eks:Cluster",
        "bootstrap_self_managed_addons",
        "a parameter of the creating call: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html",
    ),
    unseen(
        "aws:eks:Cluster",
        "vpc_id",
        "a cluster never leaves its VPC, so that it is read for imports only: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html",
    ),
    unseen(
        "aws:eks:NodeGroup",
        "desired_size",
        "within its bounds the autoscaler's to choose: https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html",
    ),
    unseen(
        "aws:eks:NodeGroup",
        "force_update",
        "a parameter of the changing call: https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupVersion.html",
    ),
    unseen(
        "aws:elasticache:ReplicationGroup",
        "apply_immediately",
        "a parameter of the changing call: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html",
    ),
    unseen(
        "aws:elasticache:ReplicationGroup",
        "auth_token",
        "AWS shows it to nobody: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html",
    ),
    unseen(
        "aws:elasticache:ReplicationGroup",
        "final_snapshot",
        "a parameter of the deleting call: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteReplicationGroup.html",
    ),
    unseen(
        "aws:elasticache:ReplicationGroup",
        "snapshot_name",
        "a parameter of the creating call: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html",
    ),
    unseen(
        "aws:kms:Key",
        "pending_window_in_days",
        "a parameter of the deleting call: https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html",
    ),
    unseen(
        "aws:rds:Instance",
        "allow_major_version_upgrade",
        "a parameter of the changing call: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html",
    ),
    unseen(
        "aws:rds:Instance",
        "apply_immediately",
        "a parameter of the changing call: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html",
    ),
    unseen(
        "aws:rds:Instance",
        "master_password",
        "AWS shows it to nobody: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html",
    ),
    unseen(
        "aws:rds:Instance",
        "skip_final_snapshot",
        "a parameter of the deleting call: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html",
    ),
    unseen(
        "aws:rds:Instance",
        "snapshot_identifier",
        "a parameter of the creating call: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html",
    ),
    unseen(
        "aws:rds:Instance",
        "static_parameters",
        "only that one waits for a reboot, as the case of the parameter group has it: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBParameterGroupStatus.html",
    ),
    unseen(
        "aws:s3:Bucket",
        "force_destroy",
        "no setting of AWS's, which deletes empty buckets only: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html",
    ),
    unseen(
        "aws:secretsmanager:Secret",
        "recovery_window_in_days",
        "a parameter of the deleting call: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html",
    ),
];

/// Whether no read shows an input.
pub(crate) fn is_unseen(resource_type: &str, input: &str) -> bool {
    UNSEEN.iter().any(|unseen| unseen.resource_type == resource_type && unseen.input == input)
}
