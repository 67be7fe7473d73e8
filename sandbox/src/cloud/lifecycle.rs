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
/// A VPC from `pending` to `available`.
pub(crate) const VPC_PENDING: Duration = Duration::from_secs(1);
/// A DynamoDB table from `CREATING` to `ACTIVE`, and other changes of tables: AWS gives no times.
pub(crate) const DYNAMODB_TABLE_CREATING: Duration = Duration::from_secs(8);
/// A DynamoDB table from `UPDATING` to `ACTIVE`.
pub(crate) const DYNAMODB_TABLE_UPDATING: Duration = Duration::from_secs(2);
/// A DynamoDB table from `DELETING` to gone.
pub(crate) const DYNAMODB_TABLE_DELETING: Duration = Duration::from_secs(5);
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
