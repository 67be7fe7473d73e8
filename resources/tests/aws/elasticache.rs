//! Replication groups, and what they stand on.

use std::collections::BTreeMap;

use aws_sdk_elasticache::Client;
use lsinfra_engine::provider::{ChangeKind, ErrorKind};
use lsinfra_engine::{Input, ResourceType, Value};
use lsinfra_resources::aws::elasticache::{
    Engine, ParameterGroup, ParameterGroupName, ReplicationGroup, SubnetGroup, SubnetGroupName,
};

use crate::databases::{Network, far_window, secret};
use crate::harness::{Object, Region, properties, tags};
use crate::quirks;

/// Whoever does this cannot carry what replication groups stand on.
const NO_PARAMETER_GROUPS: &str = "ListTagsForResource: knows no parameter groups of ElastiCache";

/// What replication groups stand on.
struct Rig {
    region: Region,
    network: Network,
    subnet_group: Object,
    parameter_group: Object,
}

impl Rig {
    async fn open(region: &str) -> Self {
        Self::within(Region::open(region).await).await
    }

    async fn within(region: Region) -> Self {
        let network = Network::open(&region).await;
        let inputs = SubnetGroup {
            name: region.fresh_name("subnets").into(),
            description: "for a test".into(),
            subnet_ids: network.subnet_ids().into(),
            ..SubnetGroup::default()
        };
        let subnet_group = region.create("cache", inputs).await;
        let parameter_group = region.create("cache", parameter_group(&region)).await;
        Self { region, network, subnet_group, parameter_group }
    }

    async fn close(self) {
        self.subnet_group.delete().await;
        self.parameter_group.delete().await;
        self.network.close().await;
    }

    /// The least that a replication group can be.
    fn replication_group(&self) -> ReplicationGroup {
        let name = self.region.fresh_name("redis");
        ReplicationGroup {
            replication_group_id: name[..40.min(name.len())].into(),
            description: "for a test".into(),
            engine_version: "7.1".to_owned().into(),
            node_type: "cache.t4g.small".to_owned().into(),
            subnet_group_name: self.subnet_group.output::<SubnetGroupName>("name").into(),
            security_group_ids: self.network.security_group_ids()[..1].to_vec().into(),
            apply_immediately: true.into(),
            ..ReplicationGroup::default()
        }
    }

    fn sdk(&self) -> Client {
        let account = self.region.connection.account.as_str();
        let credentials =
            aws_sdk_elasticache::config::Credentials::new(account, "sandbox", None, None, "test");
        let config = aws_sdk_elasticache::Config::builder()
            .behavior_version(aws_sdk_elasticache::config::BehaviorVersion::v2026_01_12())
            .endpoint_url(self.region.url())
            .region(aws_sdk_elasticache::config::Region::new(self.region.connection.region.clone()))
            .credentials_provider(credentials)
            .build();
        Client::from_conf(config)
    }
}

fn values<const N: usize>(values: [(&str, &str); N]) -> BTreeMap<String, String> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn parameter_group(region: &Region) -> ParameterGroup {
    ParameterGroup {
        name: region.fresh_name("parameters").into(),
        family: "redis7".into(),
        description: "for a test".into(),
        parameters: values([("maxmemory-policy", "noeviction")]).into(),
        ..ParameterGroup::default()
    }
}

#[tokio::test]
async fn a_subnet_group_lives() {
    if quirks::does("ModifyCacheSubnetGroup: is not there") {
        return;
    }
    let region = Region::open("us-east-1").await;
    let network = Network::open(&region).await;
    let ids = network.subnet_ids();
    let inputs = SubnetGroup {
        name: region.fresh_name("subnets").into(),
        description: "for a test".into(),
        subnet_ids: ids[..1].to_vec().into(),
        tags: tags([("Name", "cache")]).into(),
    };
    let mut group = region.create("cache", inputs.clone()).await;
    group.update(SubnetGroup { description: "for another".into(), ..inputs.clone() }).await;
    group.update(SubnetGroup { subnet_ids: ids.into(), ..inputs.clone() }).await;
    group.update(SubnetGroup { tags: tags([("team", "data")]).into(), ..inputs.clone() }).await;

    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = group.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    group.delete().await;
    network.close().await;
}

#[tokio::test]
async fn a_parameter_group_lives() {
    if quirks::does(NO_PARAMETER_GROUPS) {
        return;
    }
    let region = Region::open("us-east-1").await;
    let inputs = ParameterGroup { tags: tags([("Name", "cache")]).into(), ..parameter_group(&region) };
    let mut group = region.create("cache", inputs.clone()).await;
    let changed = values([("timeout", "60"), ("maxmemory-policy", "allkeys-lru")]);
    group.update(ParameterGroup { parameters: changed.into(), ..inputs.clone() }).await;
    // What it is by itself.
    let same = values([("maxmemory-samples", "3")]);
    group.update(ParameterGroup { parameters: same.into(), ..inputs.clone() }).await;
    group.update(ParameterGroup { tags: tags([("team", "data")]).into(), ..inputs.clone() }).await;
    group.update(ParameterGroup { parameters: Default::default(), ..inputs }).await;
    group.inputs.insert("parameters".to_owned(), Value::Map(BTreeMap::new()));
    group.assert_observed("parameters", Some(Value::Map(BTreeMap::new()))).await;
    group.delete().await;
}

#[tokio::test]
async fn each_part_of_a_replication_group_is_set_changed_and_taken_back() {
    if quirks::does(NO_PARAMETER_GROUPS) {
        return;
    }
    let rig = Rig::open("us-east-1").await;
    let plain = ReplicationGroup {
        transit_encryption_enabled: true.into(),
        at_rest_encryption_enabled: true.into(),
        auth_token: secret("first-token-0123456").into(),
        ..rig.replication_group()
    };
    let mut group = rig.region.create("main", plain.clone()).await;
    assert!(!group.output::<String>("primary_address").is_empty());
    if !quirks::does("DescribeReplicationGroups: has one address for all nodes") {
        assert_ne!(group.output::<String>("primary_address"), group.output::<String>("reader_address"));
    }
    let all = ReplicationGroup {
        num_cache_clusters: 2.into(),
        automatic_failover_enabled: true.into(),
        multi_az_enabled: true.into(),
        parameter_group_name: rig.parameter_group.output::<ParameterGroupName>("name").into(),
        snapshot_retention_days: 5.into(),
        snapshot_window: "03:00-04:00".to_owned().into(),
        maintenance_window: "Sun:05:00-Sun:06:00".to_owned().into(),
        auto_minor_version_upgrade: false.into(),
        tags: tags([("Name", "main")]).into(),
        ..plain.clone()
    };
    group.update(all.clone()).await;
    for changed in [
        ReplicationGroup { description: "for another".into(), ..all.clone() },
        ReplicationGroup { node_type: "cache.t4g.medium".to_owned().into(), ..all.clone() },
        ReplicationGroup { num_cache_clusters: 3.into(), ..all.clone() },
        ReplicationGroup { multi_az_enabled: false.into(), ..all.clone() },
        ReplicationGroup { security_group_ids: rig.network.security_group_ids().into(), ..all.clone() },
        ReplicationGroup { snapshot_retention_days: 7.into(), ..all.clone() },
        ReplicationGroup { snapshot_window: "01:00-02:00".to_owned().into(), ..all.clone() },
        ReplicationGroup { maintenance_window: "sat:05:00-sat:06:00".to_owned().into(), ..all.clone() },
        ReplicationGroup { auto_minor_version_upgrade: true.into(), ..all.clone() },
        ReplicationGroup { auth_token: secret("second-token-012345").into(), ..all.clone() },
        ReplicationGroup { tags: tags([("team", "data")]).into(), ..all.clone() },
    ] {
        group.update(changed).await;
        group.update(all.clone()).await;
    }

    // No longer given, each goes back to AWS's default, but for what AWS chooses and keeps.
    group.update(plain.clone()).await;
    group.inputs = properties(&all);
    for (name, value) in [
        ("num_cache_clusters", 1.into()),
        ("automatic_failover_enabled", false.into()),
        ("multi_az_enabled", false.into()),
        ("parameter_group_name", Value::text("default.redis7")),
        ("snapshot_retention_days", 0.into()),
        ("snapshot_window", Value::text("03:00-04:00")),
        ("auto_minor_version_upgrade", true.into()),
        ("tags", Value::Map(BTreeMap::new())),
    ] {
        if !quirks::loses("aws:elasticache:ReplicationGroup", name) {
            group.assert_observed(name, Some(value)).await;
        }
    }
    group.inputs = properties(&plain);
    group.delete().await;
    rig.close().await;
}

#[tokio::test]
async fn a_replication_group_lives_at_the_pace_of_aws() {
    let Some(region) = Region::slow("us-east-1").await else { return };
    let rig = Rig::within(region).await;
    let inputs = ReplicationGroup {
        transit_encryption_enabled: true.into(),
        auth_token: secret("first-token-0123456").into(),
        ..rig.replication_group()
    };
    let mut group = rig.region.create("main", inputs.clone()).await;
    let inputs = ReplicationGroup {
        num_cache_clusters: 2.into(),
        automatic_failover_enabled: true.into(),
        node_type: "cache.t4g.medium".to_owned().into(),
        auth_token: secret("second-token-012345").into(),
        ..inputs
    };
    group.update(inputs).await;
    let answer =
        rig.sdk().describe_replication_groups().replication_group_id(group.id().as_str()).send().await;
    let actual = answer.unwrap().replication_groups.unwrap().remove(0);
    assert_eq!(actual.cache_node_type(), Some("cache.t4g.medium"), "the update waits until it is in force");
    group.delete().await;
    rig.close().await;
}

#[tokio::test]
async fn a_token_comes_and_changes_but_does_not_go() {
    if quirks::does(NO_PARAMETER_GROUPS) {
        return;
    }
    let rig = Rig::open("us-east-1").await;
    let inputs = ReplicationGroup { transit_encryption_enabled: true.into(), ..rig.replication_group() };
    let mut group = rig.region.create("main", inputs.clone()).await;
    group.assert_observed("auth_token", Some(Value::Null)).await;
    group
        .update(ReplicationGroup { auth_token: secret("first-token-0123456").into(), ..inputs.clone() })
        .await;
    group.assert_observed("auth_token", None).await;

    let without = properties(&inputs);
    let refused = group.provider.check_change(&group.inputs, &without, ChangeKind::Update);
    assert_eq!(refused.iter().map(|one| one.problem.path.as_str()).collect::<Vec<_>>(), ["auth_token"]);
    assert!(group.provider.check_change(&group.inputs, &without, ChangeKind::Replace).is_empty());
    group.delete().await;
    rig.close().await;
}

#[tokio::test]
async fn redis_becomes_valkey_and_what_waits_for_the_window_counts_as_done() {
    if quirks::does(NO_PARAMETER_GROUPS) || quirks::does("ModifyReplicationGroup: upgrades no engine") {
        return;
    }
    let rig = Rig::open("us-east-1").await;
    let inputs = ReplicationGroup {
        engine: Engine::Redis.into(),
        maintenance_window: far_window().into(),
        ..rig.replication_group()
    };
    let mut group = rig.region.create("main", inputs.clone()).await;
    let valkey = ReplicationGroup {
        engine: Engine::Valkey.into(),
        engine_version: "8.0".to_owned().into(),
        parameter_group_name: ParameterGroupName::new("default.valkey8").into(),
        ..inputs
    };
    group.update(valkey.clone()).await;
    let waiting = ReplicationGroup {
        apply_immediately: Input::default(),
        node_type: "cache.t4g.medium".to_owned().into(),
        engine_version: "8.1".to_owned().into(),
        ..valkey
    };
    group.update(waiting.clone()).await;
    let answer =
        rig.sdk().describe_replication_groups().replication_group_id(group.id().as_str()).send().await;
    let actual = answer.unwrap().replication_groups.unwrap().remove(0);
    assert_eq!(actual.cache_node_type(), Some("cache.t4g.small"), "that is left to the window");
    // It comes with the next change that is made at once.
    group.update(ReplicationGroup { apply_immediately: true.into(), ..waiting }).await;
    let answer =
        rig.sdk().describe_replication_groups().replication_group_id(group.id().as_str()).send().await;
    let actual = answer.unwrap().replication_groups.unwrap().remove(0);
    assert_eq!(actual.cache_node_type(), Some("cache.t4g.medium"));
    group.delete().await;
    rig.close().await;
}

#[tokio::test]
async fn the_last_snapshot_stays_with_the_ownership_tags_and_fills_another_group() {
    if quirks::does(NO_PARAMETER_GROUPS) || quirks::does("DeleteReplicationGroup: takes no last snapshot") {
        return;
    }
    let rig = Rig::open("us-east-1").await;
    let inputs = ReplicationGroup { final_snapshot: true.into(), ..rig.replication_group() };
    let group = rig.region.create("main", inputs.clone()).await;
    let id = group.id().to_string();
    let owner_tags = group.step.owner_tags.clone();
    group.delete().await;
    let sdk = rig.sdk();
    let snapshots = sdk.describe_snapshots().replication_group_id(&id).send().await.unwrap();
    let [snapshot] = snapshots.snapshots() else { panic!("{snapshots:?}") };
    let name = snapshot.snapshot_name().unwrap().to_owned();
    assert!(name.starts_with(&format!("{id}-final-")), "{name}");
    let listed = sdk.list_tags_for_resource().resource_name(snapshot.arn().unwrap()).send().await.unwrap();
    let listed = listed.tag_list().iter().map(|tag| (tag.key().unwrap(), tag.value().unwrap()));
    let listed: BTreeMap<String, String> =
        listed.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    assert_eq!(listed, owner_tags);

    let again =
        ReplicationGroup { snapshot_name: name.clone().into(), final_snapshot: Input::default(), ..inputs };
    let group = rig.region.create("again", again).await;
    group.delete().await;
    sdk.delete_snapshot().snapshot_name(name).send().await.unwrap();
    rig.close().await;
}

#[tokio::test]
async fn drift_is_seen_and_a_group_of_another_environment_is_left_alone() {
    if quirks::does(NO_PARAMETER_GROUPS) {
        return;
    }
    let rig = Rig::open("us-east-1").await;
    let inputs = rig.replication_group();
    let group = rig.region.create("ours", inputs.clone()).await;
    let change = rig.sdk().modify_replication_group().replication_group_id(group.id().as_str());
    change.snapshot_retention_limit(9).apply_immediately(true).send().await.unwrap();
    group.assert_observed("snapshot_retention_days", Some(9.into())).await;

    let mut theirs = rig.region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert_eq!(theirs.find().await.unwrap(), None, "an id alone proves nothing");
    theirs.id = group.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    group.delete().await;
    rig.close().await;
}

#[test]
fn what_aws_would_refuse_is_a_problem() {
    let good = ReplicationGroup {
        replication_group_id: "main".into(),
        transit_encryption_enabled: true.into(),
        auth_token: secret("first-token-0123456").into(),
        ..ReplicationGroup::default()
    };
    assert_eq!(good.check(), []);
    let long = "a".repeat(41);
    for (field, refused) in [
        ("replication_group_id", ReplicationGroup { replication_group_id: long.into(), ..good.clone() }),
        ("num_cache_clusters", ReplicationGroup { num_cache_clusters: 7.into(), ..good.clone() }),
        (
            "automatic_failover_enabled",
            ReplicationGroup { automatic_failover_enabled: true.into(), ..good.clone() },
        ),
        ("multi_az_enabled", ReplicationGroup { multi_az_enabled: true.into(), ..good.clone() }),
        ("snapshot_retention_days", ReplicationGroup { snapshot_retention_days: 36.into(), ..good.clone() }),
        ("auth_token", ReplicationGroup { transit_encryption_enabled: Input::default(), ..good.clone() }),
        ("auth_token", ReplicationGroup { auth_token: secret("with/slash-0123456").into(), ..good.clone() }),
        ("auth_token", ReplicationGroup { auth_token: secret("short").into(), ..good.clone() }),
    ] {
        let problems = refused.check();
        assert_eq!(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), [field]);
        assert!(!problems[0].message.contains("slash"));
    }
}
