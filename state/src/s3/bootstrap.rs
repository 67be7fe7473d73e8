//! Making bucket and table, once for all environments of an account and region.
//!
//! Owns how they are set up. Everything here can be done again and again: what is there is left, and
//! brought to these settings.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ScalarAttributeType, TableDescription, TableStatus,
};
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketLocationConstraint,
    BucketVersioningStatus, CreateBucketConfiguration, ExpirationStatus, LifecycleRule, LifecycleRuleFilter,
    NoncurrentVersionExpiration, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    VersioningConfiguration,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::provider::{ErrorKind, PollInterval, ProviderError};

use super::Place;
use super::access::{Access, Clients};
use super::answers::{provider_error, status};
use super::aws_locks::ENVIRONMENT;
use super::secret_key;

/// For how many days a version of an object is kept after another one replaced it.
const NONCURRENT_DAYS: i32 = 90;
/// For how many days the parts of an upload that was given up are kept.
const MULTIPART_DAYS: i32 = 7;

const LOOK_AGAIN: PollInterval = PollInterval::seconds(1, 5);
const LOOKS: u32 = 60;

/// What had to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bootstrapped {
    /// Whether the bucket was not there.
    pub bucket: bool,
    /// Whether the key under which secrets are digested was not there.
    pub key: bool,
    /// Whether the table was not there.
    pub table: bool,
}

/// Makes bucket and table where they are missing, and brings both to their settings: the bucket versioned,
/// encrypted, private, over TLS only, with old versions deleted in the end; the table paid per request,
/// protected from deletion, and recoverable to any point of the last 35 days. With them, the key under which
/// secrets are digested.
///
/// # Errors
/// [`ProviderError`] of the first call that failed; what was done stays, and the rest can be done later.
pub async fn bootstrap(access: &Access, place: &Place, clock: &Clock) -> Result<Bootstrapped, ProviderError> {
    let clients = Clients::connect(access).await;
    let bucket = make_bucket(&clients.s3, access, &place.bucket).await?;
    set_up_bucket(&clients.s3, access, &place.bucket).await?;
    let key = secret_key::make(&clients, &place.bucket).await?;
    // Last, since a run without it does not begin: what is interrupted before is noticed by the next one.
    let table = make_table(&clients.dynamodb, &place.table).await?;
    set_up_table(&clients.dynamodb, &place.table, clock).await?;
    let mut look = 0;
    while !secret_key::is_seen(&clients, &place.bucket).await? {
        let unseen = || ProviderError::new(ErrorKind::TimedOut, "CreateSecret: the secret does not appear");
        wait(clock, &mut look, unseen).await?;
    }
    Ok(Bootstrapped { bucket, key, table })
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

async fn set_up_bucket(s3: &aws_sdk_s3::Client, access: &Access, bucket: &str) -> Result<(), ProviderError> {
    let owner = &access.account;
    let access_block = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build();
    let request = s3.put_public_access_block().bucket(bucket).expected_bucket_owner(owner);
    let answer = request.public_access_block_configuration(access_block).send().await;
    answer.map_err(|error| provider_error("PutPublicAccessBlock", &error))?;

    let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let request = s3.put_bucket_versioning().bucket(bucket).expected_bucket_owner(owner);
    let answer = request.versioning_configuration(versioning).send().await;
    answer.map_err(|error| provider_error("PutBucketVersioning", &error))?;

    let by_default =
        built(ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256).build())?;
    let rule =
        ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(by_default).build();
    let encryption = built(ServerSideEncryptionConfiguration::builder().rules(rule).build())?;
    let request = s3.put_bucket_encryption().bucket(bucket).expected_bucket_owner(owner);
    let answer = request.server_side_encryption_configuration(encryption).send().await;
    answer.map_err(|error| provider_error("PutBucketEncryption", &error))?;

    let request = s3.put_bucket_policy().bucket(bucket).expected_bucket_owner(owner);
    let answer = request.policy(tls_only(access, bucket)).send().await;
    answer.map_err(|error| provider_error("PutBucketPolicy", &error))?;

    let old_versions = NoncurrentVersionExpiration::builder().noncurrent_days(NONCURRENT_DAYS).build();
    let uploads = AbortIncompleteMultipartUpload::builder().days_after_initiation(MULTIPART_DAYS).build();
    let rule = LifecycleRule::builder()
        .id("old-versions")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("").build())
        .noncurrent_version_expiration(old_versions)
        .abort_incomplete_multipart_upload(uploads);
    let lifecycle = built(BucketLifecycleConfiguration::builder().rules(built(rule.build())?).build())?;
    let request = s3.put_bucket_lifecycle_configuration().bucket(bucket).expected_bucket_owner(owner);
    let answer = request.lifecycle_configuration(lifecycle).send().await;
    answer.map_err(|error| provider_error("PutBucketLifecycleConfiguration", &error))?;
    Ok(())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>
fn tls_only(access: &Access, bucket: &str) -> String {
    let partition = match access.region.split('-').next().unwrap_or_default() {
        "cn" => "aws-cn",
        "eusc" => "aws-eusc",
        "us" if access.region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let arn = format!("arn:{partition}:s3:::{bucket}");
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }],
    })
    .to_string()
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

fn built<T>(part: Result<T, BuildError>) -> Result<T, ProviderError> {
    part.map_err(|error| ProviderError::new(ErrorKind::Invalid, error.to_string()))
}
