//! ElastiCache.

use std::collections::BTreeMap;

use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::elasticache::{
    Engine, ParameterGroup, ParameterGroupOutputs, ReplicationGroup, SubnetGroup, SubnetGroupOutputs,
};

use crate::case::{Case, Subject};
use crate::databases::given;
use crate::ground::{Network, key, network, nothing};
use crate::rig::tags;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        subnet_group(),
        parameter_group(),
        parameter_group_of_another_family(),
        replication_group(),
        replication_group_replaced(),
        replication_group_of_another_engine(),
        replication_group_of_a_snapshot(),
    ]
}

fn subnets(network: &Network, name: &str) -> SubnetGroup {
    SubnetGroup {
        name: name.into(),
        description: "for a test".into(),
        subnet_ids: network.subnet_ids[..2].iter().cloned().collect(),
        ..SubnetGroup::default()
    }
}

fn parameters(policy: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("maxmemory-policy".to_owned(), policy.to_owned())])
}

fn parameters_of(name: &str, policy: &str) -> ParameterGroup {
    ParameterGroup {
        name: name.into(),
        family: "redis7".into(),
        description: "for a test".into(),
        parameters: parameters(policy).into(),
        ..ParameterGroup::default()
    }
}

/// The least that a replication group can be.
fn least(network: &Network, subnet_group: &Resource<SubnetGroupOutputs>) -> ReplicationGroup {
    ReplicationGroup {
        replication_group_id: "main".into(),
        description: "for a test".into(),
        engine_version: "7.1".into(),
        node_type: "cache.t4g.small".into(),
        subnet_group_name: subnet_group.name.clone().into(),
        security_group_ids: network.security_group_ids[..1].iter().cloned().collect(),
        apply_immediately: true.into(),
        ..ReplicationGroup::default()
    }
}

fn subnet_group() -> Case {
    Subject::new(network, |network: &Network| subnets(network, "main"))
        .used_by(|stack, network, group| {
            stack.add("main", least(network, group)).unwrap();
        })
        .change("description", |_, group| group.description = "for another".into())
        .change("subnet_ids", |network, group| {
            group.subnet_ids = network.subnet_ids.iter().cloned().collect();
        })
        .change("tags", |_, group| group.tags = tags([("Name", "main")]).into())
        .change("tags", |_, group| group.tags = tags([("owner", "someone")]).into())
        .change("name", |_, group| group.name = "other".into())
        .case("")
}

fn parameter_group() -> Case {
    let ground = |stack: &Stack| {
        let network = network(stack);
        let subnet_group = stack.add("main", subnets(&network, "main")).unwrap();
        (network, subnet_group)
    };
    let inputs = |_: &(Network, Resource<SubnetGroupOutputs>)| parameters_of("main", "noeviction");
    Subject::new(ground, inputs)
        .used_by(|stack, (network, subnet_group), group| {
            let inputs = ReplicationGroup {
                parameter_group_name: group.name.clone().into(),
                ..least(network, subnet_group)
            };
            stack.add("main", inputs).unwrap();
        })
        .change("parameters", |_, group| group.parameters = parameters("allkeys-lru").into())
        .change("tags", |_, group| group.tags = tags([("Name", "main")]).into())
        .change("tags", |_, group| group.tags = tags([("owner", "someone")]).into())
        .change("description", |_, group| group.description = "for another".into())
        .change("name", |_, group| group.name = "other".into())
        .case("")
}

/// A cache of one family cannot use a group of another.
fn parameter_group_of_another_family() -> Case {
    Subject::new(nothing, |(): &()| parameters_of("main", "noeviction"))
        .change("family", |(), group| group.family = "redis6.x".into())
        .case("of another family")
}

struct Ground {
    network: Network,
    subnet_groups: [Resource<SubnetGroupOutputs>; 2],
    parameter_groups: [Resource<ParameterGroupOutputs>; 2],
    keys: [Output<Arn>; 2],
}

fn ground(stack: &Stack) -> Ground {
    let network = network(stack);
    let names = ["one", "two"];
    let subnet_groups = names.map(|name| stack.add(name, subnets(&network, name)).unwrap());
    let parameter_groups = names.map(|name| stack.add(name, parameters_of(name, "noeviction")).unwrap());
    Ground { network, subnet_groups, parameter_groups, keys: names.map(|name| key(stack, name).arn.clone()) }
}

fn encrypted(ground: &Ground) -> ReplicationGroup {
    ReplicationGroup {
        transit_encryption_enabled: true.into(),
        at_rest_encryption_enabled: true.into(),
        auth_token: given("first-token-0123456").into(),
        ..least(&ground.network, &ground.subnet_groups[0])
    }
}

fn replication_group() -> Case {
    Subject::new(ground, encrypted)
        .change("description", |_, group| group.description = "for another".into())
        .change("node_type", |_, group| group.node_type = "cache.t4g.medium".into())
        .change("num_cache_clusters", |_, group| group.num_cache_clusters = 2.into())
        .change("num_cache_clusters", |_, group| group.num_cache_clusters = 3.into())
        .change("automatic_failover_enabled", |_, group| group.automatic_failover_enabled = true.into())
        .change("automatic_failover_enabled", |_, group| group.automatic_failover_enabled = false.into())
        .change("automatic_failover_enabled", |_, group| group.automatic_failover_enabled = true.into())
        .change("multi_az_enabled", |_, group| group.multi_az_enabled = true.into())
        .change("multi_az_enabled", |_, group| group.multi_az_enabled = false.into())
        .change("security_group_ids", |ground, group| {
            group.security_group_ids = ground.network.security_group_ids.iter().cloned().collect();
        })
        .change("parameter_group_name", |ground, group| {
            group.parameter_group_name = ground.parameter_groups[0].name.clone().into();
        })
        .change("parameter_group_name", |ground, group| {
            group.parameter_group_name = ground.parameter_groups[1].name.clone().into();
        })
        .change("auth_token", |_, group| group.auth_token = given("second-token-012345").into())
        .change("snapshot_retention_days", |_, group| group.snapshot_retention_days = 5.into())
        .change("snapshot_retention_days", |_, group| group.snapshot_retention_days = 7.into())
        .change("snapshot_window", |_, group| group.snapshot_window = "03:00-04:00".into())
        .change("snapshot_window", |_, group| group.snapshot_window = "01:00-02:00".into())
        .change("maintenance_window", |_, group| group.maintenance_window = "Sun:05:00-Sun:06:00".into())
        .change("maintenance_window", |_, group| group.maintenance_window = "sat:05:00-sat:06:00".into())
        .change("auto_minor_version_upgrade", |_, group| group.auto_minor_version_upgrade = false.into())
        .change("auto_minor_version_upgrade", |_, group| group.auto_minor_version_upgrade = true.into())
        .change("final_snapshot", |_, group| group.final_snapshot = true.into())
        .change("final_snapshot", |_, group| group.final_snapshot = false.into())
        .change("apply_immediately", |_, group| group.apply_immediately = false.into())
        .change("apply_immediately", |_, group| group.apply_immediately = true.into())
        .change("tags", |_, group| group.tags = tags([("Name", "main")]).into())
        .change("tags", |_, group| group.tags = tags([("owner", "someone")]).into())
        // Failover needs a second node, and what comes next is made at once.
        .needs("num_cache_clusters")
        .needs("apply_immediately")
        .needs("auth_token")
        .case("")
}

fn replication_group_replaced() -> Case {
    Subject::new(ground, encrypted)
        .change("replication_group_id", |_, group| group.replication_group_id = "other".into())
        .change("port", |_, group| group.port = 6380_u16.into())
        .change("at_rest_encryption_enabled", |_, group| group.at_rest_encryption_enabled = false.into())
        .change_together(["at_rest_encryption_enabled", "kms_key_id"], |ground, group| {
            group.at_rest_encryption_enabled = true.into();
            group.kms_key_id = ground.keys[0].clone().into();
        })
        .change("kms_key_id", |ground, group| group.kms_key_id = ground.keys[1].clone().into())
        .change("subnet_group_name", |ground, group| {
            group.subnet_group_name = ground.subnet_groups[1].name.clone().into();
        })
        .change_together(["transit_encryption_enabled", "auth_token"], |_, group| {
            group.transit_encryption_enabled = false.into();
            group.auth_token = Default::default();
        })
        .case("that is replaced")
}

/// Versions only rise, from one engine to the other, too.
fn replication_group_of_another_engine() -> Case {
    let inputs = |ground: &Ground| ReplicationGroup {
        engine: Engine::Redis.into(),
        engine_version: "6.2".into(),
        ..least(&ground.network, &ground.subnet_groups[0])
    };
    Subject::new(ground, inputs)
        .change("engine_version", |_, group| group.engine_version = "7.0".into())
        .change("engine_version", |_, group| group.engine_version = "7.1".into())
        .one_way("engine_version")
        .one_way("engine")
        .change_together(["engine", "engine_version"], |_, group| {
            group.engine = Engine::Valkey.into();
            group.engine_version = "7.2".into();
        })
        .needs("apply_immediately")
        .case("of another engine")
}

fn replication_group_of_a_snapshot() -> Case {
    Subject::new(ground, |ground: &Ground| least(&ground.network, &ground.subnet_groups[0]))
        .change("snapshot_name", |_, group| group.snapshot_name = "kept".into())
        .prepared_by(|rig, group| {
            Box::pin(async {
                let request = aws_sdk_elasticache::Client::new(&rig.sdk_config()).create_snapshot();
                let id = group.physical_id.as_ref().unwrap().as_str();
                request.replication_group_id(id).snapshot_name("kept").send().await.unwrap();
            })
        })
        .case("of a snapshot")
}
