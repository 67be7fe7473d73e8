//! How long AWS takes for what it does not do at once. At the instant pace all of it takes no time.

use std::time::Duration;

/// A NAT gateway from `pending` to `available`: observed from one to three minutes.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html>
pub(crate) const NAT_GATEWAY_PENDING: Duration = Duration::from_secs(100);
/// A NAT gateway without a way out of its VPC, from `pending` to `failed`.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>
pub(crate) const NAT_GATEWAY_FAILING: Duration = Duration::from_secs(30);
/// A NAT gateway from `deleting` to `deleted`.
pub(crate) const NAT_GATEWAY_DELETING: Duration = Duration::from_secs(60);
/// How long a deleted NAT gateway is still described, about an hour; this holds at every pace.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html>
pub(crate) const NAT_GATEWAY_DESCRIBED: Duration = Duration::from_secs(60 * 60);
/// An interface endpoint from `pending` to `available`.
/// <https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html>
pub(crate) const INTERFACE_ENDPOINT_PENDING: Duration = Duration::from_secs(60);
/// An interface endpoint from `deleting` to gone.
pub(crate) const INTERFACE_ENDPOINT_DELETING: Duration = Duration::from_secs(60);
/// A volume from `creating` to `available`.
pub(crate) const EBS_VOLUME_CREATING: Duration = Duration::from_secs(5);
/// A VPC from `pending` to `available`.
pub(crate) const VPC_PENDING: Duration = Duration::from_secs(1);
/// An EKS cluster from `CREATING` to `ACTIVE`: observed from eight to fifteen minutes.
/// <https://docs.aws.amazon.com/eks/latest/userguide/create-cluster.html>
pub(crate) const EKS_CLUSTER_CREATING: Duration = Duration::from_secs(9 * 60);
/// A change of an EKS cluster's settings.
pub(crate) const EKS_CLUSTER_UPDATING: Duration = Duration::from_secs(3 * 60);
/// An EKS cluster's step to the next minor version, which replaces the API servers.
/// <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>
pub(crate) const EKS_CLUSTER_UPGRADING: Duration = Duration::from_secs(9 * 60);
/// An EKS cluster from `DELETING` to gone.
pub(crate) const EKS_CLUSTER_DELETING: Duration = Duration::from_secs(6 * 60);
/// A node group from `CREATING` to `ACTIVE`: instances start and join.
/// <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html>
pub(crate) const EKS_NODE_GROUP_CREATING: Duration = Duration::from_secs(3 * 60);
/// A change of a node group's settings.
pub(crate) const EKS_NODE_GROUP_UPDATING: Duration = Duration::from_secs(30);
/// A node group's rolling update to another version, which drains one node after the other.
/// <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html>
pub(crate) const EKS_NODE_GROUP_UPGRADING: Duration = Duration::from_secs(10 * 60);
/// A node group from `DELETING` to gone: nodes are drained first.
pub(crate) const EKS_NODE_GROUP_DELETING: Duration = Duration::from_secs(5 * 60);
/// An add-on from `CREATING` to `ACTIVE`, and its changes.
pub(crate) const EKS_ADDON_CREATING: Duration = Duration::from_secs(45);
/// An add-on from `DELETING` to gone.
pub(crate) const EKS_ADDON_DELETING: Duration = Duration::from_secs(20);
/// A DynamoDB table from `CREATING` to `ACTIVE`, and other changes of tables: AWS gives no times.
pub(crate) const DYNAMODB_TABLE_CREATING: Duration = Duration::from_secs(8);
/// A DynamoDB table from `UPDATING` to `ACTIVE`.
pub(crate) const DYNAMODB_TABLE_UPDATING: Duration = Duration::from_secs(2);
/// A DynamoDB table from `DELETING` to gone.
pub(crate) const DYNAMODB_TABLE_DELETING: Duration = Duration::from_secs(5);
/// How long a secret that is deleted without a recovery window keeps its name: AWS deletes it in the background, after a
/// short delay. <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>
pub(crate) const SECRET_DELETING: Duration = Duration::from_secs(5);
/// A DB instance in one zone from `creating` on: RDS observed from five to eight minutes.
pub(crate) const DB_INSTANCE_CREATING: Duration = Duration::from_secs(5 * 60);
/// The same with a standby in another zone.
pub(crate) const DB_INSTANCE_CREATING_STANDBY: Duration = Duration::from_secs(10 * 60);
/// The first backup of a DB instance.
pub(crate) const DB_INSTANCE_BACKING_UP: Duration = Duration::from_secs(2 * 60);
/// How long a DB instance that is asked to change still says that it is available.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html>
pub(crate) const DB_INSTANCE_HESITATING: Duration = Duration::from_secs(20);
/// A change of a DB instance that AWS makes while it runs.
pub(crate) const DB_INSTANCE_CONFIGURING: Duration = Duration::from_secs(60);
/// A change of a DB instance's class, storage or zones.
pub(crate) const DB_INSTANCE_MODIFYING: Duration = Duration::from_secs(8 * 60);
/// An upgrade of a DB instance's engine.
pub(crate) const DB_INSTANCE_UPGRADING: Duration = Duration::from_secs(12 * 60);
/// A DB instance whose storage has changed, until it performs as it should; it can be used meanwhile.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.ModifyingExisting.html>
pub(crate) const DB_INSTANCE_OPTIMIZING: Duration = Duration::from_secs(60 * 60);
/// How long the storage of a DB instance cannot be changed after it was.
pub(crate) const DB_INSTANCE_STORAGE_REST: Duration = Duration::from_secs(6 * 60 * 60);
/// A reboot of a DB instance.
pub(crate) const DB_INSTANCE_REBOOTING: Duration = Duration::from_secs(60);
/// A DB instance from `deleting` to gone.
pub(crate) const DB_INSTANCE_DELETING: Duration = Duration::from_secs(5 * 60);
/// A DB snapshot from `creating` to `available`.
pub(crate) const DB_SNAPSHOT_CREATING: Duration = Duration::from_secs(3 * 60);
/// A load balancer from `provisioning` to `active`: observed from two to three minutes.
pub(crate) const ELB_CREATING: Duration = Duration::from_secs(2 * 60);
/// The network interfaces of a deleted load balancer: observed to stay for a minute or so.
pub(crate) const ELB_INTERFACES_DELETING: Duration = Duration::from_secs(60);
/// A target from `initial` to `healthy`: some health checks, fifteen seconds apart.
pub(crate) const ELB_TARGET_INITIAL: Duration = Duration::from_secs(30);
/// A deregistered target from `draining` to gone.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay>
pub(crate) const ELB_TARGET_DRAINING: Duration = Duration::from_secs(5 * 60);
/// A replication group of ElastiCache from `creating` to `available`: some six minutes.
pub(crate) const REPLICATION_GROUP_CREATING: Duration = Duration::from_secs(6 * 60);
/// A change of a replication group that its nodes go on through.
pub(crate) const REPLICATION_GROUP_CONFIGURING: Duration = Duration::from_secs(2 * 60);
/// A change of a replication group's nodes.
pub(crate) const REPLICATION_GROUP_MODIFYING: Duration = Duration::from_secs(8 * 60);
/// A replication group from `deleting` to gone.
pub(crate) const REPLICATION_GROUP_DELETING: Duration = Duration::from_secs(5 * 60);
/// A snapshot of a replication group from `creating` to `available`.
pub(crate) const CACHE_SNAPSHOT_CREATING: Duration = Duration::from_secs(3 * 60);
/// A change of record sets from `PENDING` to `INSYNC`: usually within 60 seconds.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
pub(crate) const ROUTE53_CHANGE_PENDING: Duration = Duration::from_secs(45);
/// From the request of a certificate to its validation records: a few seconds.
/// <https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>
pub(crate) const ACM_RECORDS_PENDING: Duration = Duration::from_secs(4);
/// From a certificate's validation records to the certificate: about a minute where the zone is delegated already, half an hour at most.
pub(crate) const ACM_ISSUING: Duration = Duration::from_secs(60);
/// How long a certificate waits for its validation records; this holds at every pace.
/// <https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-timed-out.html>
pub(crate) const ACM_VALIDATION_PATIENCE: Duration = Duration::from_secs(72 * 60 * 60);
/// How long a subscription waits for its confirmation; this holds at every pace.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-delete-subscription-topic.html>
pub(crate) const SNS_CONFIRMATION_PATIENCE: Duration = Duration::from_secs(48 * 60 * 60);
