//! The managed policies that AWS has made and that this sandbox knows: those that roles of EKS, its controllers, RDS,
//! backups and monitoring take. <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>

/// What their ARNs begin with.
pub(super) const PREFIX: &str = "arn:aws:iam::aws:policy/";

/// Paths and names.
pub(super) const POLICIES: &[&str] = &[
    "AWSBackupFullAccess",
    "AWSCertificateManagerReadOnly",
    "AWSCloudTrail_FullAccess",
    "AWSXRayDaemonWriteAccess",
    "AdministratorAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonDynamoDBReadOnlyAccess",
    "AmazonEC2ContainerRegistryFullAccess",
    "AmazonEC2ContainerRegistryPowerUser",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEC2FullAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSFargatePodExecutionRolePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSLocalOutpostClusterPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSServicePolicy",
    "AmazonEKSVPCResourceController",
    "AmazonEKSWorkerNodeMinimalPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonElastiCacheFullAccess",
    "AmazonElastiCacheReadOnlyAccess",
    "AmazonPrometheusRemoteWriteAccess",
    "AmazonRDSDataFullAccess",
    "AmazonRDSFullAccess",
    "AmazonRDSReadOnlyAccess",
    "AmazonRoute53FullAccess",
    "AmazonRoute53ReadOnlyAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonSNSFullAccess",
    "AmazonSSMManagedInstanceCore",
    "AmazonSSMPatchAssociation",
    "AmazonSSMReadOnlyAccess",
    "AmazonVPCFullAccess",
    "AmazonVPCReadOnlyAccess",
    "AutoScalingFullAccess",
    "CloudWatchAgentServerPolicy",
    "CloudWatchFullAccess",
    "CloudWatchLogsFullAccess",
    "CloudWatchReadOnlyAccess",
    "ElasticLoadBalancingFullAccess",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "SecretsManagerReadWrite",
    "SecurityAudit",
    "job-function/SystemAdministrator",
    "job-function/ViewOnlyAccess",
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
    "service-role/AWSConfigRulesExecutionRole",
    "service-role/AWSLambdaBasicExecutionRole",
    "service-role/AWSLambdaVPCAccessExecutionRole",
    "service-role/AmazonEBSCSIDriverPolicy",
    "service-role/AmazonEFSCSIDriverPolicy",
    "service-role/AmazonRDSEnhancedMonitoringRole",
];

/// The one of them that is a full grant, which a simulation of permissions must know.
pub(super) const EVERYTHING: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// What the driver of EBS volumes is granted.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEBSCSIDriverPolicy.html>
const EBS_CSI_DRIVER: (&str, &[&str]) = (
    "service-role/AmazonEBSCSIDriverPolicy",
    &[
        "ec2:AttachVolume",
        "ec2:CreateSnapshot",
        "ec2:CreateTags",
        "ec2:CreateVolume",
        "ec2:DeleteSnapshot",
        "ec2:DeleteTags",
        "ec2:DeleteVolume",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInstances",
        "ec2:DescribeSnapshots",
        "ec2:DescribeTags",
        "ec2:DescribeVolumes",
        "ec2:DescribeVolumesModifications",
        "ec2:DetachVolume",
        "ec2:EnableFastSnapshotRestores",
        "ec2:ModifyVolume",
    ],
);

/// Whether the policy of AWS's with an ARN grants an action to the controllers in clusters, whatever the conditions: on what
/// they have made themselves. Of others than these it is not known.
pub(super) fn grants(arn: &str, action: &str) -> bool {
    let (driver, actions) = EBS_CSI_DRIVER;
    arn == EVERYTHING || (arn.strip_prefix(PREFIX) == Some(driver) && actions.contains(&action))
}

/// Whether an ARN is that of a policy of AWS's.
pub(super) fn contains(arn: &str) -> bool {
    arn.strip_prefix(PREFIX).is_some_and(|policy| POLICIES.contains(&policy))
}
