//! The data stores: PostgreSQL, Redis and the bucket of trace payloads.
//!
//! None of them waits for the cluster.

mod blobs;
mod postgres;
mod redis;

use lsinfra_engine::{Resource, Stack};
use lsinfra_resources::aws::elasticache::ReplicationGroupOutputs;
use lsinfra_resources::aws::rds::InstanceOutputs;
use lsinfra_resources::aws::s3::BucketOutputs;

pub(super) use postgres::{DATABASE, MASTER_USER};

use super::network::Network;
use super::secrets::Generated;
use super::security_groups::SecurityGroups;
use super::{Environment, StackError};

/// What the data stores give to the other parts.
pub(super) struct Data {
    pub(super) blobs: Resource<BucketOutputs>,
    pub(super) postgres: Resource<InstanceOutputs>,
    pub(super) redis: Resource<ReplicationGroupOutputs>,
}

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    network: &Network,
    groups: &SecurityGroups,
    secrets: &Generated,
) -> Result<Data, StackError> {
    Ok(Data {
        blobs: blobs::declare(stack, environment)?,
        postgres: postgres::declare(
            stack,
            environment,
            network,
            &groups.postgres,
            &secrets.postgres_password,
        )?,
        redis: redis::declare(stack, environment, network, &groups.redis, &secrets.redis_token)?,
    })
}

/// A figure of the config as the type that AWS has for it: the config's limits are far below.
fn figure(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
