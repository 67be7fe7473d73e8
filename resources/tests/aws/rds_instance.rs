//! DB instances.

use std::collections::BTreeMap;

use aws_sdk_rds::Client;
use lsinfra_engine::provider::{ErrorKind, Observation};
use lsinfra_engine::{Input, Value};
use lsinfra_resources::aws::iam::Role;
use lsinfra_resources::aws::rds::{
    ApplyMethod, Instance, LogExport, ParameterGroup, ParameterGroupName, StorageType, SubnetGroup,
    SubnetGroupName,
};
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use crate::databases::{Network, far_window, secret};
use crate::harness::{Object, Region, properties, tags};
use crate::quirks;
use crate::rds::parameters;

/// What instances stand on.
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
        let subnet_group = region.create("database", inputs).await;
        let parameter_group = region.create("database", parameter_group(&region, "500")).await;
        Self { region, network, subnet_group, parameter_group }
    }

    async fn close(self) {
        self.subnet_group.delete().await;
        self.parameter_group.delete().await;
        self.network.close().await;
    }

    /// The least that an instance can be.
    fn instance(&self) -> Instance {
        Instance {
            identifier: self.region.fresh_name("pg").into(),
            instance_class: "db.m6g.large".to_owned().into(),
            engine_version: "16.8".to_owned().into(),
            allocated_storage_gib: 100.into(),
            storage_type: StorageType::Gp3.into(),
            master_username: "langsmith".to_owned().into(),
            master_password: secret("first-Passw0rd").into(),
            subnet_group_name: self.subnet_group.output::<SubnetGroupName>("name").into(),
            security_group_ids: self.network.security_group_ids()[..1].to_vec().into(),
            skip_final_snapshot: true.into(),
            apply_immediately: true.into(),
            ..Instance::default()
        }
    }

    fn sdk(&self) -> Client {
        let account = self.region.connection.account.as_str();
        let credentials = aws_sdk_rds::config::Credentials::new(account, "sandbox", None, None, "test");
        let config = aws_sdk_rds::Config::builder()
            .behavior_version(aws_sdk_rds::config::BehaviorVersion::v2026_01_12())
            .endpoint_url(self.region.url())
            .region(aws_sdk_rds::config::Region::new(self.region.connection.region.clone()))
            .credentials_provider(credentials)
            .build();
        Client::from_conf(config)
    }
}

fn parameter_group(region: &Region, connections: &str) -> ParameterGroup {
    ParameterGroup {
        name: region.fresh_name("parameters").into(),
        family: "postgres16".into(),
        description: "for a test".into(),
        parameters: parameters([("max_connections", connections, ApplyMethod::PendingReboot)]).into(),
        ..ParameterGroup::default()
    }
}

#[tokio::test]
async fn each_part_of_an_instance_is_set_changed_and_taken_back() {
    let rig = Rig::open("us-east-1").await;
    let trust = Statement::allow(["sts:AssumeRole"]).to(Principal::service("monitoring.rds.amazonaws.com"));
    let role = Role {
        name: rig.region.fresh_name("monitoring").into(),
        assume_role_policy: PolicyDocument::new([trust]).into(),
        ..Role::default()
    };
    let role = rig.region.create("monitoring", role).await;
    let plain = rig.instance();
    let mut instance = rig.region.create("main", plain.clone()).await;
    assert!(instance.output::<String>("resource_id").starts_with("db-"));
    assert!(!instance.output::<String>("address").is_empty());
    let all = Instance {
        max_allocated_storage_gib: 1000.into(),
        multi_az: true.into(),
        port: 5433_u16.into(),
        parameter_group_name: rig.parameter_group.output::<ParameterGroupName>("name").into(),
        static_parameters: rig.parameter_group.output::<BTreeMap<String, String>>("static_parameters").into(),
        backup_retention_days: 14.into(),
        backup_window: "03:00-04:00".to_owned().into(),
        maintenance_window: "Sun:05:00-Sun:06:00".to_owned().into(),
        copy_tags_to_snapshot: true.into(),
        auto_minor_version_upgrade: false.into(),
        iam_database_authentication_enabled: true.into(),
        monitoring_interval_seconds: 60.into(),
        monitoring_role_arn: role.output::<Arn>("arn").into(),
        performance_insights_enabled: true.into(),
        performance_insights_retention_days: 7.into(),
        log_exports: vec![LogExport::Postgresql, LogExport::Upgrade].into(),
        ca_certificate_identifier: "rds-ca-rsa4096-g1".to_owned().into(),
        deletion_protection: true.into(),
        tags: tags([("Name", "main")]).into(),
        ..plain.clone()
    };
    instance.update(all.clone()).await;
    for changed in [
        Instance { instance_class: "db.m6g.xlarge".to_owned().into(), ..all.clone() },
        Instance { max_allocated_storage_gib: 2000.into(), ..all.clone() },
        Instance { multi_az: false.into(), ..all.clone() },
        Instance { port: 5434_u16.into(), ..all.clone() },
        Instance { security_group_ids: rig.network.security_group_ids().into(), ..all.clone() },
        Instance { backup_retention_days: 7.into(), ..all.clone() },
        Instance { backup_window: "02:00-03:00".to_owned().into(), ..all.clone() },
        Instance { maintenance_window: "sat:05:00-sat:06:00".to_owned().into(), ..all.clone() },
        Instance { copy_tags_to_snapshot: false.into(), ..all.clone() },
        Instance { auto_minor_version_upgrade: true.into(), ..all.clone() },
        Instance { iam_database_authentication_enabled: false.into(), ..all.clone() },
        Instance { monitoring_interval_seconds: 30.into(), ..all.clone() },
        Instance { performance_insights_retention_days: 31.into(), ..all.clone() },
        Instance { log_exports: vec![LogExport::IamDbAuthError].into(), ..all.clone() },
        Instance { ca_certificate_identifier: "rds-ca-ecc384-g1".to_owned().into(), ..all.clone() },
        Instance { deletion_protection: false.into(), ..all.clone() },
        Instance { master_password: secret("second-Passw0rd").into(), ..all.clone() },
        Instance { tags: tags([("team", "data")]).into(), ..all.clone() },
    ] {
        instance.update(changed).await;
        instance.update(all.clone()).await;
    }

    let error = instance.try_delete().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("deletion_protection") && error.code.is_none(), "{error}");

    // No longer given, each goes back to AWS's default, but for what AWS chooses and keeps.
    instance.update(plain.clone()).await;
    instance.inputs = properties(&all);
    for (name, value) in [
        ("max_allocated_storage_gib", Value::Null),
        ("multi_az", false.into()),
        ("port", 5432.into()),
        ("parameter_group_name", Value::text("default.postgres16")),
        ("backup_retention_days", 1.into()),
        ("backup_window", Value::text("03:00-04:00")),
        ("copy_tags_to_snapshot", false.into()),
        ("auto_minor_version_upgrade", true.into()),
        ("iam_database_authentication_enabled", false.into()),
        ("monitoring_interval_seconds", 0.into()),
        ("performance_insights_enabled", false.into()),
        ("log_exports", Value::List(Vec::new())),
        ("deletion_protection", false.into()),
        ("tags", Value::Map(BTreeMap::new())),
    ] {
        if !quirks::loses("aws:rds:Instance", name) {
            instance.assert_observed(name, Some(value)).await;
        }
    }
    instance.inputs = properties(&plain);
    instance.delete().await;
    role.delete().await;
    rig.close().await;
}

#[tokio::test]
async fn storage_grows_and_what_aws_lets_it_grow_to_is_no_drift() {
    let rig = Rig::open("us-east-1").await;
    let inputs = Instance { max_allocated_storage_gib: 500.into(), ..rig.instance() };
    let mut instance = rig.region.create("main", inputs.clone()).await;
    let grow = rig.sdk().modify_db_instance().db_instance_identifier(instance.id().as_str());
    grow.allocated_storage(200).apply_immediately(true).send().await.unwrap();
    instance.assert_observed("allocated_storage_gib", Some(100.into())).await;
    // Nor does an update of something else touch it.
    instance.update(Instance { backup_retention_days: 7.into(), ..inputs.clone() }).await;

    let refused = Instance { allocated_storage_gib: 210.into(), ..inputs.clone() };
    let mut object = rig.region.declare("main", refused);
    object.id = instance.id.clone();
    let error = object.provider.complete(&object.step, object.id(), &object.inputs).await.unwrap_err();
    assert!(error.message.contains("a tenth at least"), "{error}");

    let inputs = Instance {
        allocated_storage_gib: 400.into(),
        iops: 13_000.into(),
        storage_throughput_mib_per_second: 600.into(),
        ..inputs
    };
    instance.update(inputs.clone()).await;
    let inputs = Instance { iops: 12_000.into(), storage_throughput_mib_per_second: 500.into(), ..inputs };
    instance.update(inputs).await;
    // Without room to grow by itself, what grew is drift.
    instance.inputs.remove("max_allocated_storage_gib");
    let grow = rig.sdk().modify_db_instance().db_instance_identifier(instance.id().as_str());
    grow.allocated_storage(450).apply_immediately(true).send().await.unwrap();
    instance.assert_observed("allocated_storage_gib", Some(450.into())).await;
    instance.delete().await;
    rig.close().await;
}

#[tokio::test]
async fn versions_rise_in_place_and_parameters_that_wait_are_put_in_force() {
    let mut rig = Rig::open("us-east-1").await;
    let inputs = Instance {
        parameter_group_name: rig.parameter_group.output::<ParameterGroupName>("name").into(),
        static_parameters: rig.parameter_group.output::<BTreeMap<String, String>>("static_parameters").into(),
        ..rig.instance()
    };
    let mut instance = rig.region.create("main", inputs.clone()).await;

    let name: String = lsinfra_engine::Property::from_value(&rig.parameter_group.inputs["name"]).unwrap();
    let group = ParameterGroup { name: name.into(), ..parameter_group(&rig.region, "600") };
    rig.parameter_group.update(group).await;
    if !quirks::does("ModifyDBParameterGroup: lets no instance wait for a reboot") {
        instance.assert_observed("static_parameters", Some(Value::Null)).await;
    }
    let statics: BTreeMap<String, String> = rig.parameter_group.output("static_parameters");
    let inputs = Instance { static_parameters: statics.into(), ..inputs };
    instance.update(inputs.clone()).await;

    // The whole of a major version is whatever AWS has of it; a newer one is an upgrade, and a later minor one that AWS
    // itself brought is none.
    let inputs = Instance { engine_version: "16".to_owned().into(), ..inputs };
    instance.update(inputs.clone()).await;
    let inputs = Instance { engine_version: "16.9".to_owned().into(), ..inputs };
    instance.update(inputs.clone()).await;
    let upgrade = rig.sdk().modify_db_instance().db_instance_identifier(instance.id().as_str());
    upgrade.engine_version("16.10").apply_immediately(true).send().await.unwrap();
    instance.assert_observed("engine_version", Some(Value::text("16.9"))).await;

    let inputs = Instance { engine_version: "17.6".to_owned().into(), ..inputs };
    if !quirks::does("ModifyDBInstance: upgrades to another major version unasked") {
        let mut refused = rig.region.declare("main", inputs.clone());
        refused.id = instance.id.clone();
        let error =
            refused.provider.complete(&refused.step, refused.id(), &refused.inputs).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
    }
    if !quirks::does("ModifyDBInstance: knows no parameter groups of AWS's own") {
        let upgraded = Instance {
            allow_major_version_upgrade: true.into(),
            parameter_group_name: ParameterGroupName::new("default.postgres17").into(),
            static_parameters: Input::default(),
            ..inputs
        };
        instance.update(upgraded).await;
    }
    instance.delete().await;
    rig.close().await;
}

#[tokio::test]
async fn what_waits_for_the_window_counts_as_done() {
    if quirks::does("ModifyDBInstance: leaves nothing to the maintenance window") {
        return;
    }
    let rig = Rig::open("us-east-1").await;
    let inputs = Instance {
        maintenance_window: far_window().into(),
        apply_immediately: Input::default(),
        ..rig.instance()
    };
    let mut instance = rig.region.create("main", inputs.clone()).await;
    let changed = Instance {
        instance_class: "db.m6g.xlarge".to_owned().into(),
        multi_az: true.into(),
        master_password: secret("second-Passw0rd").into(),
        ..inputs
    };
    instance.update(changed.clone()).await;
    let answer =
        rig.sdk().describe_db_instances().db_instance_identifier(instance.id().as_str()).send().await;
    let actual = answer.unwrap().db_instances.unwrap().remove(0);
    assert_eq!(actual.db_instance_class(), Some("db.m6g.large"), "that is left to the window");
    assert_eq!(actual.pending_modified_values().unwrap().master_user_password(), None, "that is not");
    if !quirks::does("ModifyDBInstance: leaves to the window what is to come at once") {
        // It comes with the next change that is made at once.
        instance.update(Instance { apply_immediately: true.into(), ..changed }).await;
        let answer =
            rig.sdk().describe_db_instances().db_instance_identifier(instance.id().as_str()).send().await;
        let actual = answer.unwrap().db_instances.unwrap().remove(0);
        assert_eq!(actual.db_instance_class(), Some("db.m6g.xlarge"));
    }
    instance.delete().await;
    rig.close().await;
}

#[tokio::test]
async fn an_instance_lives_at_the_pace_of_aws() {
    let Some(region) = Region::slow("us-east-1").await else { return };
    let rig = Rig::within(region).await;
    let inputs = Instance {
        parameter_group_name: rig.parameter_group.output::<ParameterGroupName>("name").into(),
        static_parameters: rig.parameter_group.output::<BTreeMap<String, String>>("static_parameters").into(),
        log_exports: vec![LogExport::Postgresql].into(),
        ..rig.instance()
    };
    let mut instance = rig.region.create("main", inputs.clone()).await;
    let inputs = Instance {
        instance_class: "db.m6g.xlarge".to_owned().into(),
        allocated_storage_gib: 200.into(),
        log_exports: Vec::new().into(),
        master_password: secret("second-Passw0rd").into(),
        backup_retention_days: 7.into(),
        ..inputs
    };
    instance.update(inputs.clone()).await;
    let answer =
        rig.sdk().describe_db_instances().db_instance_identifier(instance.id().as_str()).send().await;
    let actual = answer.unwrap().db_instances.unwrap().remove(0);
    assert_eq!(actual.db_instance_class(), Some("db.m6g.xlarge"), "the update waits until it is in force");
    instance.update(Instance { skip_final_snapshot: Input::default(), ..inputs }).await;
    instance.delete().await;
    rig.close().await;
}

#[tokio::test]
async fn the_last_snapshot_stays_and_makes_another_instance() {
    let rig = Rig::open("us-east-1").await;
    let inputs = Instance {
        db_name: "langsmith".to_owned().into(),
        skip_final_snapshot: Input::default(),
        copy_tags_to_snapshot: false.into(),
        ..rig.instance()
    };
    let instance = rig.region.create("main", inputs.clone()).await;
    let id = instance.id().to_string();
    let owner_tags = instance.step.owner_tags.clone();
    instance.delete().await;
    let snapshots = rig.sdk().describe_db_snapshots().db_instance_identifier(&id).send().await.unwrap();
    let [snapshot] = snapshots.db_snapshots() else { panic!("{snapshots:?}") };
    let name = snapshot.db_snapshot_identifier().unwrap().to_owned();
    assert!(name.starts_with(&format!("{id}-final-")), "{name}");
    for (key, value) in owner_tags {
        let mut tags = snapshot.tag_list().iter();
        assert!(tags.any(|tag| tag.key() == Some(&key) && tag.value() == Some(&value)), "{key}");
    }

    if !quirks::does("RestoreDBInstanceFromDBSnapshot: drops the tags") {
        let restored = Instance {
            snapshot_identifier: name.clone().into(),
            max_allocated_storage_gib: 500.into(),
            backup_retention_days: 7.into(),
            backup_window: "03:00-04:00".to_owned().into(),
            maintenance_window: "sun:05:00-sun:06:00".to_owned().into(),
            skip_final_snapshot: true.into(),
            ..inputs
        };
        let instance = rig.region.create("again", restored).await;
        instance.delete().await;
    }
    rig.sdk().delete_db_snapshot().db_snapshot_identifier(name).send().await.unwrap();
    rig.close().await;
}

#[tokio::test]
async fn drift_is_seen_and_an_instance_of_another_environment_is_left_alone() {
    let rig = Rig::open("us-east-1").await;
    let inputs = Instance { deletion_protection: false.into(), ..rig.instance() };
    let instance = rig.region.create("ours", inputs.clone()).await;
    let change = rig.sdk().modify_db_instance().db_instance_identifier(instance.id().as_str());
    change.deletion_protection(true).backup_retention_period(9).apply_immediately(true).send().await.unwrap();
    instance.assert_observed("deletion_protection", Some(true.into())).await;
    instance.assert_observed("backup_retention_days", Some(9.into())).await;
    let error = instance.try_delete().await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("InvalidParameterCombination"), "{error}");
    let change = rig.sdk().modify_db_instance().db_instance_identifier(instance.id().as_str());
    change.deletion_protection(false).send().await.unwrap();

    let mut theirs = rig.region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = instance.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    assert_ne!(instance.read().await, Observation::Gone);
    instance.delete().await;
    rig.close().await;
}

#[test]
fn what_aws_would_refuse_is_a_problem() {
    use lsinfra_engine::ResourceType;
    let good = Instance {
        identifier: "main".into(),
        allocated_storage_gib: 100.into(),
        storage_type: StorageType::Gp3.into(),
        master_username: "langsmith".to_owned().into(),
        master_password: secret("first-Passw0rd").into(),
        ..Instance::default()
    };
    assert_eq!(good.check(), []);
    for (field, refused) in [
        ("identifier", Instance { identifier: "Main".into(), ..good.clone() }),
        ("allocated_storage_gib", Instance { allocated_storage_gib: 10.into(), ..good.clone() }),
        ("max_allocated_storage_gib", Instance { max_allocated_storage_gib: 105.into(), ..good.clone() }),
        ("iops", Instance { iops: 12_000.into(), ..good.clone() }),
        ("backup_retention_days", Instance { backup_retention_days: 36.into(), ..good.clone() }),
        ("monitoring_interval_seconds", Instance { monitoring_interval_seconds: 2.into(), ..good.clone() }),
        ("monitoring_role_arn", Instance { monitoring_interval_seconds: 60.into(), ..good.clone() }),
        ("master_password", Instance { master_password: Input::default(), ..good.clone() }),
        ("master_password", Instance { master_password: secret("with/slash1").into(), ..good.clone() }),
        ("master_password", Instance { master_password: secret("short").into(), ..good.clone() }),
        (
            "kms_key_id",
            Instance {
                storage_encrypted: false.into(),
                kms_key_id: Arn::new("arn:aws:kms:us-east-1:123456789012:key/1").into(),
                ..good.clone()
            },
        ),
    ] {
        let problems = refused.check();
        assert_eq!(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), [field]);
        assert!(!problems[0].message.contains("slash1"));
    }
}
