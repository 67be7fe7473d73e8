//! Monitoring: who is told when a data store is about to fall short.
//!
//! Alarms of the load balancer come with it.

use std::collections::BTreeMap;

use lsinfra_engine::{Input, Output, Stack};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::cloudwatch::{ComparisonOperator, MetricAlarm, Statistic};
use lsinfra_resources::aws::sns::{Protocol, Subscription, Topic};

use super::data::Data;
use super::{Environment, StackError};
use crate::naming::NameLimit;

/// The length of a period, and how many of them in a row are too many.
const PERIOD_SECONDS: i32 = 300;
const PERIODS: i32 = 3;

/// The share of a resource that may be in use, in percent.
const BUSY_PERCENT: f64 = 80.0;

/// The share of PostgreSQL's storage that stays free, in percent.
const FREE_STORAGE_PERCENT: f64 = 30.0;

/// The memory that PostgreSQL's instance keeps free, in bytes: below it, it swaps.
const FREE_MEMORY_BYTES: f64 = 512.0 * 1024.0 * 1024.0;

/// Connections to a node of Redis. It takes 65,000.
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html>
const REDIS_CONNECTIONS: f64 = 50_000.0;

const BYTES_PER_GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// One alarm: what is measured, and what is too much or too little of it.
struct Watch {
    name: &'static str,
    description: &'static str,
    metric: &'static str,
    statistic: Statistic,
    comparison: ComparisonOperator,
    threshold: Input<f64>,
}

/// What the alarms are about: the place of its metrics.
struct Watched {
    namespace: &'static str,
    role: String,
    dimensions: Output<BTreeMap<String, String>>,
}

/// Declares the alarms, and gives the topic that they tell.
pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    data: &Data,
) -> Result<Output<Arn>, StackError> {
    let topic = stack.add(
        "alarms",
        Topic {
            name: environment.names.name("alarms", NameLimit::SNS_TOPIC).into(),
            tags: environment.tags("alarms").into(),
            ..Topic::default()
        },
    )?;
    for email in &environment.config.alarms.emails {
        let name: String = email
            .chars()
            .map(|one| if one.is_ascii_alphanumeric() || "@.+-_".contains(one) { one } else { '-' })
            .collect();
        stack.add(
            &name,
            Subscription {
                topic_arn: topic.arn.clone().into(),
                protocol: Protocol::Email.into(),
                endpoint: email.as_str().into(),
                ..Subscription::default()
            },
        )?;
    }
    let add = |watched: &Watched, watch: Watch| {
        let role = format!("{}-{}", watched.role, watch.name);
        let alarm = MetricAlarm {
            name: environment.names.name(&role, NameLimit::ALARM).into(),
            description: watch.description.into(),
            namespace: watched.namespace.into(),
            metric_name: watch.metric.into(),
            dimensions: watched.dimensions.clone().into(),
            statistic: watch.statistic.into(),
            period_seconds: PERIOD_SECONDS.into(),
            evaluation_periods: PERIODS.into(),
            threshold: watch.threshold,
            comparison_operator: watch.comparison.into(),
            alarm_actions: [topic.arn.clone()].into_iter().collect(),
            ok_actions: [topic.arn.clone()].into_iter().collect(),
            tags: environment.tags(&role).into(),
            ..MetricAlarm::default()
        };
        stack.add(&role, alarm)
    };
    let dimension = |name: &str, value: String| BTreeMap::from([(name.to_owned(), value)]);
    let postgres = Watched {
        namespace: "AWS/RDS",
        role: "postgres".to_owned(),
        dimensions: data.postgres.identifier.map(move |id| dimension("DBInstanceIdentifier", id)),
    };
    for watch in postgres_watches(environment, &data.postgres.allocated_storage_gib) {
        add(&postgres, watch)?;
    }
    for node in 1..=environment.config.redis.nodes {
        // <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.html>
        let group_id = &data.redis.replication_group_id;
        let redis = Watched {
            namespace: "AWS/ElastiCache",
            role: format!("redis-{node}"),
            dimensions: group_id
                .map(move |id: String| dimension("CacheClusterId", format!("{id}-{node:03}"))),
        };
        for watch in redis_watches() {
            add(&redis, watch)?;
        }
    }
    Ok(topic.arn.clone())
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html>
fn postgres_watches(environment: &Environment<'_>, storage_gib: &Output<i32>) -> [Watch; 4] {
    let config = &environment.config.postgres;
    let free_bytes = |gib: i32| f64::from(gib) * BYTES_PER_GIB * FREE_STORAGE_PERCENT / 100.0;
    [
        above("cpu", "CPUUtilization", "PostgreSQL's CPU is busy: take a larger class", BUSY_PERCENT),
        above(
            "connections",
            "DatabaseConnections",
            "PostgreSQL runs out of connections: raise max_connections, or look for who holds them",
            f64::from(config.max_connections) * BUSY_PERCENT / 100.0,
        ),
        below(
            "memory",
            "FreeableMemory",
            "PostgreSQL runs out of memory: take a larger class",
            FREE_MEMORY_BYTES,
        ),
        below(
            "storage",
            "FreeStorageSpace",
            "PostgreSQL's storage is more than 70 % full: give it more",
            storage_gib.map(free_bytes),
        ),
    ]
}

/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html>
fn redis_watches() -> [Watch; 4] {
    [
        above(
            "cpu",
            "EngineCPUUtilization",
            "Redis' one thread is busy: take a faster node type",
            BUSY_PERCENT,
        ),
        above(
            "memory",
            "DatabaseMemoryUsagePercentage",
            "Redis' memory is nearly full, and then it refuses to write: take a larger node type",
            BUSY_PERCENT,
        ),
        above("connections", "CurrConnections", "Redis runs out of connections", REDIS_CONNECTIONS),
        Watch {
            statistic: Statistic::Sum,
            ..above("evictions", "Evictions", "Redis drops what it should keep: work may be lost", 0.0)
        },
    ]
}

fn above(
    name: &'static str,
    metric: &'static str,
    description: &'static str,
    threshold: impl Into<Input<f64>>,
) -> Watch {
    let comparison = ComparisonOperator::GreaterThanThreshold;
    Watch {
        name,
        description,
        metric,
        statistic: Statistic::Average,
        comparison,
        threshold: threshold.into(),
    }
}

fn below(
    name: &'static str,
    metric: &'static str,
    description: &'static str,
    threshold: impl Into<Input<f64>>,
) -> Watch {
    Watch { comparison: ComparisonOperator::LessThanThreshold, ..above(name, metric, description, threshold) }
}
