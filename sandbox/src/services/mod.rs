//! The services: which there are, and what each must tell the rest. A service is a folder with one file per resource
//! kind; services may use each other's tables, since the state is one.

pub(crate) mod acm;
pub(crate) mod cloudwatch;
pub(crate) mod common;
pub(crate) mod dynamodb;
pub(crate) mod ec2;
pub(crate) mod eks;
pub(crate) mod elasticache;
pub(crate) mod elbv2;
pub(crate) mod iam;
pub(crate) mod kms;
pub(crate) mod logs;
pub(crate) mod policy_document;
pub(crate) mod rds;
pub(crate) mod route53;
pub(crate) mod s3;
pub(crate) mod secretsmanager;
pub(crate) mod sns;
pub(crate) mod sts;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::call::{Call, Operation};
use crate::cloud::table::Rows;
use crate::cloud::tokens::{self, TokenTables};
use crate::faults::draw;
use crate::protocol::error::{Protocol, ServiceError};
use crate::protocol::json::{self, JsonService};
use crate::protocol::request::Request;

/// One AWS service.
pub(crate) trait Service: Sync {
    /// The name in the credential scope.
    fn name(&self) -> &'static str;

    /// How its errors are written.
    fn protocol(&self) -> Protocol;

    /// The operation that a request asks for, or its name if the sandbox does not have it.
    fn operation(&self, request: &Request) -> Result<&'static Operation, String>;

    /// The names of the operations that it has.
    fn operations(&self) -> Vec<&'static str>;

    /// Refuses a call before its operation sees it.
    fn guard(&self, _call: &Call<'_>) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Carries out what time has brought about.
    fn settle(&self, _tables: &mut Tables, _now: Timestamp) {}

    /// The names of the blobs that its rows stand for.
    fn blobs<'t>(&self, _tables: &'t Tables) -> Vec<&'t str> {
        Vec::new()
    }

    /// What exists and was not made by AWS itself.
    fn inventory(&self, tables: &Tables, now: Timestamp) -> Vec<Item>;
}

/// Every service. To add one: its folder, a line here and a field in [`Tables`].
const SERVICES: &[&dyn Service] = &[
    &acm::Acm,
    &cloudwatch::CloudWatch,
    &dynamodb::DynamoDb,
    &ec2::Ec2,
    &eks::Eks,
    &elasticache::ElastiCache,
    &elbv2::ElbV2,
    &iam::Iam,
    &kms::Kms,
    &logs::Logs,
    &rds::Rds,
    &route53::Route53,
    &s3::S3,
    &secretsmanager::SecretsManager,
    &sns::Sns,
    &sts::Sts,
];

/// The state of all services.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// What the core itself keeps.
    pub(crate) core: TokenTables,
    /// DynamoDB's.
    pub(crate) dynamodb: dynamodb::DynamoDbTables,
    /// EC2's.
    pub(crate) ec2: ec2::Ec2Tables,
    /// ElastiCache's.
    pub(crate) elasticache: elasticache::ElastiCacheTables,
    /// Elastic Load Balancing's, version 2.
    pub(crate) elbv2: elbv2::ElbV2Tables,
    /// EKS's.
    pub(crate) eks: eks::EksTables,
    /// IAM's.
    pub(crate) iam: iam::IamTables,
    /// KMS's.
    pub(crate) kms: kms::KmsTables,
    /// RDS's.
    pub(crate) rds: rds::RdsTables,
    /// S3's.
    pub(crate) s3: s3::S3Tables,
    /// Secrets Manager's.
    pub(crate) secretsmanager: secretsmanager::SecretsManagerTables,
    /// ACM's.
    pub(crate) acm: acm::AcmTables,
    /// CloudWatch's.
    pub(crate) cloudwatch: cloudwatch::CloudWatchTables,
    /// CloudWatch Logs'.
    pub(crate) logs: logs::LogsTables,
    /// Route 53's.
    pub(crate) route53: route53::Route53Tables,
    /// SNS's.
    pub(crate) sns: sns::SnsTables,
    /// STS's.
    pub(crate) sts: sts::StsTables,
}

impl Tables {
    /// Every table, for persistence.
    pub(crate) fn each(&mut self) -> Vec<&mut dyn Rows> {
        let mut tables = self.core.each();
        tables.extend(self.dynamodb.each());
        tables.extend(self.ec2.each());
        tables.extend(self.elasticache.each());
        tables.extend(self.elbv2.each());
        tables.extend(self.eks.each());
        tables.extend(self.iam.each());
        tables.extend(self.kms.each());
        tables.extend(self.rds.each());
        tables.extend(self.s3.each());
        tables.extend(self.secretsmanager.each());
        tables.extend(self.acm.each());
        tables.extend(self.cloudwatch.each());
        tables.extend(self.logs.each());
        tables.extend(self.route53.each());
        tables.extend(self.sns.each());
        tables.extend(self.sts.each());
        tables
    }
}

/// Something that exists in the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The service's signing name, such as `ec2`.
    pub service: String,
    /// The kind as EC2's tag specifications or the ARN name it, such as `natgateway`.
    pub kind: String,
    /// Its id, name or ARN, whatever its delete operation takes.
    pub id: String,
    /// The account that has it.
    pub account: String,
    /// Its region; empty for global services.
    pub region: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The service of a credential scope.
pub(crate) fn find(name: &str) -> Option<&'static dyn Service> {
    SERVICES.iter().find(|service| service.name() == name).copied()
}

/// The operation of a Query service by its `Action`.
pub(crate) fn by_action(
    operations: &'static [Operation],
    request: &Request,
) -> Result<&'static Operation, String> {
    let form = request.form();
    let action = form.iter().find(|(name, _)| name == "Action").map_or("", |(_, value)| value.as_str());
    operations.iter().find(|operation| operation.name == action).ok_or_else(|| action.to_owned())
}

/// Whether a pattern such as `ec2:Create*` covers any operation that there is.
pub(crate) fn covers_any(pattern: &str) -> bool {
    SERVICES.iter().any(|service| {
        let mut names = service.operations().into_iter();
        names.any(|name| draw::matches(pattern, &format!("{}:{name}", service.name())))
    })
}

/// The names of the quotas that there are.
pub(crate) fn quotas() -> impl Iterator<Item = &'static str> {
    ec2::quotas().chain(eks::quotas::names()).chain(elasticache::quotas()).chain(rds::quotas())
}

/// The operation of an awsJson service by its `X-Amz-Target`.
pub(crate) fn by_target(
    operations: &'static [Operation],
    service: &JsonService,
    request: &Request,
) -> Result<&'static Operation, String> {
    let target = request.header(json::TARGET).unwrap_or_default();
    let named = target.strip_prefix(service.target).and_then(|rest| rest.strip_prefix('.'));
    let operation = operations.iter().find(|operation| named == Some(operation.name));
    operation.ok_or_else(|| named.unwrap_or(target).to_owned())
}

/// Carries out what time has brought about, in all services.
pub(crate) fn settle(tables: &mut Tables, now: Timestamp) {
    tokens::settle(&mut tables.core, now);
    for service in SERVICES {
        service.settle(tables, now);
    }
}

/// What exists in all services.
pub(crate) fn inventory(tables: &Tables, now: Timestamp) -> Vec<Item> {
    SERVICES.iter().flat_map(|service| service.inventory(tables, now)).collect()
}

/// The names of the blobs that are in use.
pub(crate) fn blobs(tables: &Tables) -> BTreeSet<&str> {
    SERVICES.iter().flat_map(|service| service.blobs(tables)).collect()
}
