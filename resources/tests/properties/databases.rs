//! RDS.

use std::collections::BTreeMap;

use lsinfra_engine::{Output, Resource, Secret, Stack};
use lsinfra_resources::aws::Arn;
use lsinfra_resources::aws::iam::RoleOutputs;
use lsinfra_resources::aws::rds::{
    ApplyMethod, Instance, LogExport, Parameter, ParameterGroup, ParameterGroupOutputs, StorageType,
    SubnetGroup, SubnetGroupOutputs,
};
use secrecy::SecretString;

use crate::case::{Case, Subject};
use crate::ground::{Network, key, network, nothing, role};
use crate::rig::{secret_key, tags};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        subnet_group(),
        parameter_group(),
        parameter_group_of_another_family(),
        instance(),
        instance_storage(),
        instance_with_more_storage(),
        instance_replaced(),
        instance_of_a_snapshot(),
    ]
}

/// A secret with this plain text.
pub(crate) fn given(plain: &str) -> Secret {
    Secret::given(&secret_key(), SecretString::from(plain.to_owned()))
}

fn subnets(network: &Network, name: &str) -> SubnetGroup {
    SubnetGroup {
        name: name.into(),
        description: "for a test".into(),
        subnet_ids: network.subnet_ids[..2].iter().cloned().collect(),
        ..SubnetGroup::default()
    }
}

fn parameters(max_connections: &str) -> BTreeMap<String, Parameter> {
    let value = max_connections.to_owned();
    let parameter = Parameter { value, apply_method: ApplyMethod::PendingReboot };
    BTreeMap::from([("max_connections".to_owned(), parameter)])
}

fn parameters_of(name: &str, max_connections: &str) -> ParameterGroup {
    ParameterGroup {
        name: name.into(),
        family: "postgres16".into(),
        description: "for a test".into(),
        parameters: parameters(max_connections).into(),
        ..ParameterGroup::default()
    }
}

/// The least that an instance can be.
fn least(network: &Network, subnet_group: &Resource<SubnetGroupOutputs>) -> Instance {
    Instance {
        identifier: "main".into(),
        instance_class: "db.m6g.large".into(),
        engine_version: "16.8".into(),
        allocated_storage_gib: 100.into(),
        storage_type: StorageType::Gp3.into(),
        master_username: "langsmith".into(),
        master_password: given("first-Passw0rd").into(),
        subnet_group_name: subnet_group.name.clone().into(),
        security_group_ids: network.security_group_ids[..1].iter().cloned().collect(),
        skip_final_snapshot: true.into(),
        apply_immediately: true.into(),
        ..Instance::default()
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

/// A parameter group with what uses one.
fn parameter_group() -> Case {
    let ground = |stack: &Stack| {
        let network = network(stack);
        let subnet_group = stack.add("main", subnets(&network, "main")).unwrap();
        (network, subnet_group)
    };
    Subject::new(ground, |_: &(Network, Resource<SubnetGroupOutputs>)| parameters_of("main", "500"))
        .used_by(|stack, (network, subnet_group), group| {
            let inputs = Instance {
                parameter_group_name: group.name.clone().into(),
                static_parameters: group.static_parameters.clone().into(),
                ..least(network, subnet_group)
            };
            stack.add("main", inputs).unwrap();
        })
        .change("parameters", |_, group| group.parameters = parameters("600").into())
        .change("tags", |_, group| group.tags = tags([("Name", "main")]).into())
        .change("tags", |_, group| group.tags = tags([("owner", "someone")]).into())
        .change("description", |_, group| group.description = "for another".into())
        .change("name", |_, group| group.name = "other".into())
        .case("")
}

/// A database of one family cannot use a group of another.
fn parameter_group_of_another_family() -> Case {
    Subject::new(nothing, |(): &()| parameters_of("main", "500"))
        .change("family", |(), group| group.family = "postgres17".into())
        .case("of another family")
}

struct Ground {
    network: Network,
    subnet_groups: [Resource<SubnetGroupOutputs>; 2],
    parameter_groups: [Resource<ParameterGroupOutputs>; 2],
    monitoring: [Resource<RoleOutputs>; 2],
    keys: [Output<Arn>; 2],
}

fn ground(stack: &Stack) -> Ground {
    let network = network(stack);
    let names = ["one", "two"];
    let subnet_groups = names.map(|name| stack.add(name, subnets(&network, name)).unwrap());
    let sizes = [("one", "500"), ("two", "600")];
    Ground {
        parameter_groups: sizes.map(|(name, size)| stack.add(name, parameters_of(name, size)).unwrap()),
        monitoring: names.map(|name| role(stack, name, "monitoring.rds.amazonaws.com")),
        keys: names.map(|name| key(stack, name).arn.clone()),
        subnet_groups,
        network,
    }
}

fn on(ground: &Ground) -> Instance {
    least(&ground.network, &ground.subnet_groups[0])
}

fn instance() -> Case {
    Subject::new(ground, on)
        .change("instance_class", |_, instance| instance.instance_class = "db.m6g.xlarge".into())
        .change("master_password", |_, instance| instance.master_password = given("second-Passw0rd").into())
        .change("port", |_, instance| instance.port = 5433_u16.into())
        .change("port", |_, instance| instance.port = 5434_u16.into())
        .change("multi_az", |_, instance| instance.multi_az = true.into())
        .change("multi_az", |_, instance| instance.multi_az = false.into())
        .change("security_group_ids", |ground, instance| {
            instance.security_group_ids = ground.network.security_group_ids.iter().cloned().collect();
        })
        .change("publicly_accessible", |_, instance| instance.publicly_accessible = true.into())
        .change("publicly_accessible", |_, instance| instance.publicly_accessible = false.into())
        .change("parameter_group_name", |ground, instance| {
            instance.parameter_group_name = ground.parameter_groups[0].name.clone().into();
        })
        .change("static_parameters", |ground, instance| {
            instance.static_parameters = ground.parameter_groups[0].static_parameters.clone().into();
        })
        .change_together(["parameter_group_name", "static_parameters"], |ground, instance| {
            instance.parameter_group_name = ground.parameter_groups[1].name.clone().into();
            instance.static_parameters = ground.parameter_groups[1].static_parameters.clone().into();
        })
        .change("backup_retention_days", |_, instance| instance.backup_retention_days = 14.into())
        .change("backup_retention_days", |_, instance| instance.backup_retention_days = 7.into())
        .change("backup_window", |_, instance| instance.backup_window = "03:00-04:00".into())
        .change("backup_window", |_, instance| instance.backup_window = "02:00-03:00".into())
        .change("maintenance_window", |_, instance| {
            instance.maintenance_window = "Sun:05:00-Sun:06:00".into()
        })
        .change("maintenance_window", |_, instance| {
            instance.maintenance_window = "sat:05:00-sat:06:00".into()
        })
        .change("copy_tags_to_snapshot", |_, instance| instance.copy_tags_to_snapshot = true.into())
        .change("copy_tags_to_snapshot", |_, instance| instance.copy_tags_to_snapshot = false.into())
        .change("auto_minor_version_upgrade", |_, instance| {
            instance.auto_minor_version_upgrade = false.into();
        })
        .change("auto_minor_version_upgrade", |_, instance| {
            instance.auto_minor_version_upgrade = true.into();
        })
        .change("iam_database_authentication_enabled", |_, instance| {
            instance.iam_database_authentication_enabled = true.into();
        })
        .change("iam_database_authentication_enabled", |_, instance| {
            instance.iam_database_authentication_enabled = false.into();
        })
        .change_together(["monitoring_interval_seconds", "monitoring_role_arn"], |ground, instance| {
            instance.monitoring_interval_seconds = 60.into();
            instance.monitoring_role_arn = ground.monitoring[0].arn.clone().into();
        })
        .change("monitoring_interval_seconds", |_, instance| {
            instance.monitoring_interval_seconds = 30.into();
        })
        .change("monitoring_role_arn", |ground, instance| {
            instance.monitoring_role_arn = ground.monitoring[1].arn.clone().into();
        })
        .change("monitoring_interval_seconds", |_, instance| {
            instance.monitoring_interval_seconds = Default::default();
            instance.monitoring_role_arn = Default::default();
        })
        .change("performance_insights_enabled", |_, instance| {
            instance.performance_insights_enabled = true.into();
        })
        .change("performance_insights_enabled", |_, instance| {
            instance.performance_insights_enabled = false.into();
        })
        .change_together(
            ["performance_insights_enabled", "performance_insights_kms_key_id"],
            |ground, instance| {
                instance.performance_insights_enabled = true.into();
                instance.performance_insights_kms_key_id = ground.keys[0].clone().into();
            },
        )
        .change("performance_insights_retention_days", |_, instance| {
            instance.performance_insights_retention_days = 31.into();
        })
        .change("performance_insights_retention_days", |_, instance| {
            instance.performance_insights_retention_days = 62.into();
        })
        .change("log_exports", |_, instance| instance.log_exports = vec![LogExport::Postgresql].into())
        .change("log_exports", |_, instance| {
            instance.log_exports = vec![LogExport::Postgresql, LogExport::Upgrade].into();
        })
        .change("ca_certificate_identifier", |_, instance| {
            instance.ca_certificate_identifier = "rds-ca-rsa4096-g1".into();
        })
        .change("ca_certificate_identifier", |_, instance| {
            instance.ca_certificate_identifier = "rds-ca-ecc384-g1".into();
        })
        .change("deletion_protection", |_, instance| instance.deletion_protection = true.into())
        .change("deletion_protection", |_, instance| instance.deletion_protection = false.into())
        .change("skip_final_snapshot", |_, instance| instance.skip_final_snapshot = false.into())
        .change("skip_final_snapshot", |_, instance| instance.skip_final_snapshot = true.into())
        .change("apply_immediately", |_, instance| instance.apply_immediately = false.into())
        .change("apply_immediately", |_, instance| instance.apply_immediately = true.into())
        .change("tags", |_, instance| instance.tags = tags([("Name", "main")]).into())
        .change("tags", |_, instance| instance.tags = tags([("owner", "someone")]).into())
        // Insights need to be on, and an instance that is made here needs a password.
        .needs("performance_insights_enabled")
        .needs("master_password")
        .needs("skip_final_snapshot")
        .needs("apply_immediately")
        .case("")
}

fn instance_storage() -> Case {
    let inputs = |ground: &Ground| Instance { allocated_storage_gib: 400.into(), ..on(ground) };
    Subject::new(ground, inputs)
        .change("max_allocated_storage_gib", |_, instance| instance.max_allocated_storage_gib = 1000.into())
        .change("max_allocated_storage_gib", |_, instance| instance.max_allocated_storage_gib = 2000.into())
        .one_way("engine_version")
        .change("iops", |_, instance| instance.iops = 14_000.into())
        .change("iops", |_, instance| instance.iops = 13_000.into())
        .change("storage_throughput_mib_per_second", |_, instance| {
            instance.storage_throughput_mib_per_second = 700.into();
        })
        .change("storage_throughput_mib_per_second", |_, instance| {
            instance.storage_throughput_mib_per_second = 600.into();
        })
        .change("storage_type", |_, instance| {
            instance.storage_type = StorageType::Io1.into();
            instance.storage_throughput_mib_per_second = Default::default();
        })
        .change("engine_version", |_, instance| instance.engine_version = "16.9".into())
        .change("allow_major_version_upgrade", |_, instance| {
            instance.allow_major_version_upgrade = true.into();
        })
        .change("engine_version", |_, instance| instance.engine_version = "17.6".into())
        .needs("master_password")
        .case("with other storage and engines")
}

/// Storage that AWS does not let grow by itself.
fn instance_with_more_storage() -> Case {
    Subject::new(ground, on)
        .change("allocated_storage_gib", |_, instance| instance.allocated_storage_gib = 200.into())
        .change("allocated_storage_gib", |_, instance| instance.allocated_storage_gib = 300.into())
        .one_way("allocated_storage_gib")
        .needs("master_password")
        .case("with more storage")
}

fn instance_replaced() -> Case {
    Subject::new(ground, on)
        .change("identifier", |_, instance| instance.identifier = "other".into())
        .change("storage_encrypted", |_, instance| instance.storage_encrypted = true.into())
        .change("kms_key_id", |ground, instance| instance.kms_key_id = ground.keys[0].clone().into())
        .change("db_name", |_, instance| instance.db_name = "langsmith".into())
        .change("master_username", |_, instance| instance.master_username = "postgres".into())
        .change("subnet_group_name", |ground, instance| {
            instance.subnet_group_name = ground.subnet_groups[1].name.clone().into();
        })
        .needs("master_password")
        .case("that is replaced")
}

fn instance_of_a_snapshot() -> Case {
    Subject::new(ground, on)
        .change("snapshot_identifier", |_, instance| instance.snapshot_identifier = "kept".into())
        .prepared_by(|rig, instance| {
            Box::pin(async {
                let request = aws_sdk_rds::Client::new(&rig.sdk_config()).create_db_snapshot();
                let id = instance.physical_id.as_ref().unwrap().as_str();
                let request = request.db_instance_identifier(id).db_snapshot_identifier("kept");
                request.send().await.unwrap();
            })
        })
        .needs("master_password")
        .case("of a snapshot")
}
