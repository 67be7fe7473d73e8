//! Making bucket and table, once for all environments of an account and region.
//!
//! Owns the order of things and how the table is set up. Everything here can be done again and again: what is there is
//! left, and brought to these settings if that is asked for.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ScalarAttributeType, TableDescription, TableStatus,
};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::provider::{ErrorKind, PollInterval, ProviderError};

use super::Place;
use super::access::{Access, Clients};
use super::answers::{provider_error, status};
use super::aws_locks::ENVIRONMENT;
use super::bucket_settings::set_up_bucket;
use super::secret_key;

const LOOK_AGAIN: PollInterval = PollInterval::seconds(1, 5);
const LOOKS: u32 = 60;

/// What is brought to its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUp {
    /// What is made, or was left half made.
    Made,
    /// What is there already, too.
    All,
}

/// What had to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bootstrapped {
    /// Whether the bucket was not there.
    pub bucket: bool,
    /// Whether the key under which secrets are digested was not there.
    pub key: bool,
    /// Whether the table was not there.
    pub table: bool,
    /// What was changed of a bucket that was there, in words.
    pub changed: Vec<&'static str>,
}

/// Makes bucket and table where they are missing, and brings what is made, or both, to their settings. What was interrupted
/// before its end is made anew, as if all of it were missing. The bucket is versioned, encrypted, private, over TLS only, with old versions deleted in the end; the table paid per request,
/// protected from deletion, and recoverable to any point of the last 35 days. With them, the key under which
/// secrets are digested. What somebody else has set of the bucket stays: a policy's statements, a lifecycle's rules, a
/// key of KMS.
///
/// # Errors
/// [`ProviderError`] of the first call that failed; what was done stays, and the rest can be done later.
pub async fn bootstrap(
    access: &Access,
    place: &Place,
    set_up: SetUp,
    clock: &Clock,
) -> Result<Bootstrapped, ProviderError> {
    let clients = Clients::connect(access).await;
    // The key is made last, and no run begins without it: where it is missing, nothing was finished.
    let is_unfinished = !secret_key::is_seen(&clients, &place.bucket).await?;
    let everything = set_up == SetUp::All || is_unfinished;
    let bucket = make_bucket(&clients.s3, access, &place.bucket).await?;
    let mut changed = Vec::new();
    if bucket || everything {
        changed = set_up_bucket(&clients.s3, access, &place.bucket).await?;
    }
    let table = make_table(&clients.dynamodb, &place.table).await?;
    if table || everything {
        set_up_table(&clients.dynamodb, &place.table, clock).await?;
    }
    let key = is_unfinished && secret_key::make(&clients, &place.bucket).await?;
    let mut look = 0;
    while !secret_key::is_seen(&clients, &place.bucket).await? {
        let unseen = || ProviderError::new(ErrorKind::TimedOut, "CreateSecret: the secret does not appear");
        wait(clock, &mut look, unseen).await?;
    }
    if bucket {
        // All of a new one is new.
        changed.clear();
    }
    Ok(Bootstrapped { bucket, key, table, changed })
}

async fn make_bucket(s3: &aws_sdk_s3::Client, access: &Access, bucket: &str) -> Result<bool, ProviderError> {
    let head = s3.head_bucket().bucket(bucket).expected_bucket_owner(&access.account).send().await;
    match head {
        Ok(_) => return Ok(false),
        Err(error) if status(&error) == Some(404) => {}
        Err(error) => return Err(provider_error("HeadBucket", &error)),
    }
    // The oldest region has no constraint of its own name.
    let place = (access.region != "us-east-1").then(|| {
        let constraint = BucketLocationConstraint::from(access.region.as_str());
        CreateBucketConfiguration::builder().location_constraint(constraint).build()
    });
    match s3.create_bucket().bucket(bucket).set_create_bucket_configuration(place).send().await {
        Ok(_) => Ok(true),
        // Somebody else of this account was quicker.
        Err(error)
            if error.as_service_error().is_some_and(|error| error.is_bucket_already_owned_by_you()) =>
        {
            Ok(false)
        }
        Err(error) => Err(provider_error("CreateBucket", &error)),
    }
}

/// What is told of the table; of a new one, nothing for a moment.
async fn describe_table(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &str,
) -> Result<Option<TableDescription>, ProviderError> {
    match dynamodb.describe_table().table_name(table).send().await {
        Ok(answer) => Ok(answer.table),
        Err(error)
            if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            Ok(None)
        }
        Err(error) => Err(provider_error("DescribeTable", &error)),
    }
}

async fn make_table(dynamodb: &aws_sdk_dynamodb::Client, table: &str) -> Result<bool, ProviderError> {
    if describe_table(dynamodb, table).await?.is_some() {
        return Ok(false);
    }
    let key = KeySchemaElement::builder().attribute_name(ENVIRONMENT).key_type(KeyType::Hash).build();
    let attribute = AttributeDefinition::builder()
        .attribute_name(ENVIRONMENT)
        .attribute_type(ScalarAttributeType::S)
        .build();
    let made = dynamodb
        .create_table()
        .table_name(table)
        .key_schema(built(key)?)
        .attribute_definitions(built(attribute)?)
        .billing_mode(BillingMode::PayPerRequest)
        .deletion_protection_enabled(true)
        .send()
        .await;
    match made {
        Ok(_) => Ok(true),
        // Somebody else was quicker.
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => {
            Ok(false)
        }
        Err(error) => Err(provider_error("CreateTable", &error)),
    }
}

async fn set_up_table(
    dynamodb: &aws_sdk_dynamodb::Client,
    table: &str,
    clock: &Clock,
) -> Result<(), ProviderError> {
    let mut look = 0;
    let is_protected = loop {
        let described = describe_table(dynamodb, table).await?;
        if let Some(table) = described.filter(|table| table.table_status() == Some(&TableStatus::Active)) {
            break table.deletion_protection_enabled() == Some(true);
        }
        wait(clock, &mut look, table_is_not_ready).await?;
    };
    if !is_protected {
        let request = dynamodb.update_table().table_name(table).deletion_protection_enabled(true);
        request.send().await.map_err(|error| provider_error("UpdateTable", &error))?;
    }
    let recovery = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
    let recovery = built(recovery)?;
    loop {
        let request = dynamodb.update_continuous_backups().table_name(table);
        match request.point_in_time_recovery_specification(recovery.clone()).send().await {
            Ok(_) => return Ok(()),
            // Backups are not ready for a while after the table is, and the table is not seen at once.
            Err(error)
                if matches!(
                    error.as_service_error().and_then(|error| error.code()),
                    Some("ContinuousBackupsUnavailableException" | "TableNotFoundException")
                ) =>
            {
                wait(clock, &mut look, || provider_error("UpdateContinuousBackups", &error)).await?;
            }
            Err(error) => return Err(provider_error("UpdateContinuousBackups", &error)),
        }
    }
}

fn table_is_not_ready() -> ProviderError {
    ProviderError::new(ErrorKind::TimedOut, "CreateTable: the table does not become active")
}

async fn wait(
    clock: &Clock,
    look: &mut u32,
    error: impl FnOnce() -> ProviderError,
) -> Result<(), ProviderError> {
    if *look >= LOOKS {
        return Err(error());
    }
    clock.sleep(LOOK_AGAIN.pause(*look, "state bootstrap")).await;
    *look += 1;
    Ok(())
}

pub(super) fn built<T>(part: Result<T, BuildError>) -> Result<T, ProviderError> {
    part.map_err(|error| ProviderError::new(ErrorKind::Invalid, error.to_string()))
}
