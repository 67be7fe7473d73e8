//! Making replication groups.

use winterbaume_elasticache::model::CreateReplicationGroupResult;
use winterbaume_elasticache::wire;

use super::describe::answer;
use super::settings::{Asked, MAINTENANCE_WINDOW, SNAPSHOT_WINDOW, Settings};
use super::{ReplicationGroup, add_member};
use crate::cloud::call::{Call, Reply};
use crate::cloud::lifecycle::REPLICATION_GROUP_CREATING;
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::common::phases::Phases;
use crate::services::common::quotas::Quota;
use crate::services::common::tag_list;
use crate::services::ec2::network_interface;
use crate::services::elasticache::engine_version::{self, Engine};
use crate::services::elasticache::errors::{invalid_combination, invalid_value, subnet_group_not_found};
use crate::services::elasticache::{fields, parameter_group, snapshot, subnet_group};

pub(in crate::services::elasticache) const NODES: Quota = Quota {
    name: "cache-nodes",
    code: "NodeQuotaForCustomerExceeded",
    text: "The request cannot be processed because it would exceed the allowed number of cache nodes per customer.",
};

/// The longest id.
const LONGEST_NAME: usize = 40;
/// The most nodes: a primary and five replicas.
pub(super) const MOST_NODES: usize = 6;

pub(in crate::services::elasticache) fn create(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let name = fields::identifier(params, "ReplicationGroupId", LONGEST_NAME)?;
    let description = params.required("ReplicationGroupDescription")?.to_owned();
    let asked = Asked::read(params)?;
    let engine = params.text("Engine");
    let number = params.text("EngineVersion");
    let nodes: usize = params.parsed("NumCacheClusters")?.unwrap_or(1);
    let node_groups: usize = params.parsed("NumNodeGroups")?.unwrap_or(1);
    let subnets = params.text("CacheSubnetGroupName");
    let port = params.parsed("Port")?.unwrap_or(6379);
    let encrypts_transit = params.parsed("TransitEncryptionEnabled")?.unwrap_or(false);
    let encrypts_at_rest = params.parsed("AtRestEncryptionEnabled")?.unwrap_or(false);
    let kms_key = params.text("KmsKeyId").map(str::to_owned);
    let token = params.text("AuthToken");
    let snapshot_name = params.text("SnapshotName");
    let tags = tag_list::given(params)?;
    params.finish()?;
    if call.tables.elasticache.replication_groups.contains(&call.scope, &name) {
        let text = format!("Replication group {name} already exists.");
        return Err(ServiceError::new(400, "ReplicationGroupAlreadyExists", text));
    }
    if node_groups != 1 {
        return Err(invalid_value("The sandbox has no replication groups with more than one node group."));
    }
    if !(1..=MOST_NODES).contains(&nodes) {
        return Err(invalid_value(format!("NumCacheClusters must be between 1 and {MOST_NODES}.")));
    }
    token.map_or(Ok(()), |token| check_token(token, encrypts_transit))?;
    if kms_key.is_some() && !encrypts_at_rest {
        return Err(invalid_combination("KmsKeyId requires that encryption at rest is enabled."));
    }
    let source = match snapshot_name {
        Some(name) => Some(snapshot::find(call, name)?),
        None => None,
    };
    let engine = match (engine, &source) {
        (Some(engine), _) => Engine::parse(engine)?,
        (None, Some(source)) => source.version.engine(),
        (None, None) => Engine::Redis,
    };
    let version = engine_version::wanted(engine, number)?;
    let node_type = match &source {
        Some(source) => source.node_type.clone(),
        None => params.required("CacheNodeType")?.to_owned(),
    };
    let mut settings = Settings {
        description,
        version,
        node_type,
        parameter_group: parameter_group::default_name(version.family()),
        security_groups: Vec::new(),
        automatic_failover: false,
        multi_az: false,
        snapshot_retention_days: 0,
        snapshot_window: SNAPSHOT_WINDOW.to_owned(),
        maintenance_window: MAINTENANCE_WINDOW.to_owned(),
        auto_minor_version_upgrade: true,
    };
    asked.put(&mut settings);
    // It would stand in the default VPC, and the sandbox's accounts have none.
    let subnets = subnets.ok_or_else(|| subnet_group_not_found("default"))?;
    let group = subnet_group::find(call, subnets)?.clone();
    settings.check(call, &group.vpc_id, nodes)?;
    let existing = call.tables.elasticache.replication_groups.iter(&call.scope);
    NODES.check(call, existing.map(|(_, group)| group.members.len()).sum::<usize>() + nodes - 1)?;
    if settings.security_groups.is_empty() {
        let default = network_interface::default_group(&call.tables.ec2, &call.scope, &group.vpc_id);
        settings.security_groups.extend(default);
    }
    let mut members = Vec::with_capacity(nodes);
    for number in 1..=nodes {
        members.push(add_member(call, &name, number, &group, &settings.security_groups)?);
    }
    let mut phases = Phases::default();
    phases.follow(call, &[("creating", REPLICATION_GROUP_CREATING)]);
    let made = ReplicationGroup {
        created_at: call.now,
        subnet_group: subnets.to_ascii_lowercase(),
        vpc_id: group.vpc_id,
        port,
        encrypts_transit,
        encrypts_at_rest,
        kms_key,
        token_changed_at: token.map(|_| call.now),
        members,
        settings,
        phases,
        applying: None,
        deferred: None,
        gone_at: None,
        tags,
    };
    let answer = answer(call, &name, &made, "creating");
    call.tables.elasticache.replication_groups.insert(&call.scope, name, made);
    Ok(response(wire::serialize_create_replication_group_response(&CreateReplicationGroupResult {
        replication_group: Some(answer),
    })))
}

/// Refuses a token that cannot be one, and any where it would travel in the clear.
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html>
pub(super) fn check_token(token: &str, encrypts_transit: bool) -> Result<(), ServiceError> {
    if !encrypts_transit {
        return Err(invalid_combination(
            "The AUTH token modification is only supported when encryption-in-transit is enabled.",
        ));
    }
    let fits = |one: char| one.is_ascii_alphanumeric() || "!&#$^<>-".contains(one);
    if !(16..=128).contains(&token.len()) || !token.chars().all(fits) {
        return Err(invalid_value("Invalid AuthToken provided."));
    }
    Ok(())
}
