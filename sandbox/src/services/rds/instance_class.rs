//! Instance classes, and which combinations can be ordered: dated data, as of November 2026.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Support.html>

use winterbaume_rds::model::{
    AvailabilityZone, OrderableDBInstanceOption, OrderableDBInstanceOptionsMessage,
};
use winterbaume_rds::wire;

use super::engine_version::{self, ENGINE, EngineVersion};
use super::errors::invalid_combination;
use super::fields;
use super::instance::StorageType;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// Families and their sizes.
const CLASSES: &[(&str, &[&str])] = &[
    ("t3", BURSTABLE),
    ("t4g", BURSTABLE),
    ("m5", LARGE),
    ("m6g", LARGE),
    ("m6i", LARGE),
    ("m7g", LARGE),
    ("m7i", LARGE),
    ("m8g", LARGE),
    ("r5", LARGE),
    ("r6g", LARGE),
    ("r6i", LARGE),
    ("r7g", LARGE),
    ("r7i", LARGE),
    ("r8g", LARGE),
];
const BURSTABLE: &[&str] = &["micro", "small", "medium", "large", "xlarge", "2xlarge"];
const LARGE: &[&str] = &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"];

fn all() -> impl Iterator<Item = String> {
    CLASSES.iter().flat_map(|(family, sizes)| sizes.iter().map(move |size| format!("db.{family}.{size}")))
}

/// Refuses a class that there is not.
pub(super) fn check(class: &str, version: EngineVersion) -> Result<(), ServiceError> {
    if all().any(|known| known == class) {
        return Ok(());
    }
    Err(invalid_combination(format!(
        "RDS does not support creating a DB instance with the following combination: DBInstanceClass={class}, Engine={ENGINE}, EngineVersion={version}, LicenseModel=postgresql-license. For supported combinations of instance class and database engine version, see the documentation."
    )))
}

pub(super) fn describe_orderable(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let engine = params.required("Engine")?;
    let version = params.text("EngineVersion");
    let class = params.text("DBInstanceClass");
    let page = fields::page(params)?;
    params.finish()?;
    let mut options = Vec::new();
    for version in engine_version::matching(version).filter(|_| engine == ENGINE) {
        for class in all().filter(|known| class.is_none_or(|class| class == known)) {
            for storage in StorageType::ALL {
                let key = format!("{:03}.{:03}/{class}/{}", version.major, version.minor, storage.name());
                options.push((key, (version, class.clone(), storage)));
            }
        }
    }
    let page = page.page(options);
    let zone = |letter: &str| AvailabilityZone { name: Some(format!("{}{letter}", call.scope.region)) };
    let option = |(version, class, storage): (EngineVersion, String, StorageType)| {
        let is_gp3 = storage == StorageType::Gp3;
        OrderableDBInstanceOption {
            availability_zones: Some(["a", "b", "c"].map(zone).to_vec().into()),
            d_b_instance_class: Some(class),
            engine: Some(ENGINE.to_owned()),
            engine_version: Some(version.to_string()),
            license_model: Some("postgresql-license".to_owned()),
            min_storage_size: Some(storage.least_gib()),
            max_storage_size: Some(StorageType::MOST_GIB),
            multi_a_z_capable: Some(true),
            read_replica_capable: Some(true),
            storage_type: Some(storage.name().to_owned()),
            supports_enhanced_monitoring: Some(true),
            supports_i_a_m_database_authentication: Some(true),
            supports_iops: Some(storage != StorageType::Gp2),
            supports_performance_insights: Some(true),
            supports_storage_autoscaling: Some(true),
            supports_storage_encryption: Some(true),
            supports_storage_throughput: Some(is_gp3),
            vpc: Some(true),
            ..OrderableDBInstanceOption::default()
        }
    };
    let options: Vec<_> = page.items.into_iter().map(option).collect();
    Ok(response(wire::serialize_describe_orderable_d_b_instance_options_response(
        &OrderableDBInstanceOptionsMessage {
            marker: page.marker,
            orderable_d_b_instance_options: Some(options.into()),
        },
    )))
}
