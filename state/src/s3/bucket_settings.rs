//! How the bucket for state is set up. What the owner has put there besides stays: statements of its policy, rules of
//! its lifecycle, and encryption with a key of KMS.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketVersioningStatus, ExpirationStatus,
    LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule, VersioningConfiguration,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use serde_json::{Map, Value, json};

use super::access::Access;
use super::answers::provider_error;
use super::bootstrap::built;

/// For how many days a version of an object is kept after another one replaced it.
const NONCURRENT_DAYS: i32 = 90;
/// For how many days the parts of an upload that was given up are kept.
const MULTIPART_DAYS: i32 = 7;
/// The rule of the lifecycle that is this tool's.
const OLD_VERSIONS: &str = "old-versions";
/// The statement of the policy that is this tool's.
const TLS_ONLY: &str = "TlsOnly";

/// Brings a bucket to its settings. Returns what of them it did not have, in words.
pub(super) async fn set_up_bucket(
    s3: &aws_sdk_s3::Client,
    access: &Access,
    bucket: &str,
) -> Result<Vec<&'static str>, ProviderError> {
    let bucket = Bucket { s3, access, name: bucket };
    let mut changed = Vec::new();
    for (is_changed, what) in [
        (bucket.block_public_access().await?, "public access is blocked"),
        (bucket.keep_versions().await?, "versions are kept"),
        (bucket.encrypt().await?, "objects are encrypted"),
        (bucket.refuse_plain_http().await?, "its policy refuses what does not come over TLS"),
        (bucket.expire_old_versions().await?, "its lifecycle deletes old versions in the end"),
    ] {
        if is_changed {
            changed.push(what);
        }
    }
    Ok(changed)
}

struct Bucket<'a> {
    s3: &'a aws_sdk_s3::Client,
    access: &'a Access,
    name: &'a str,
}

/// A bucket that was made a moment ago may not be seen yet: it has no settings then.
const NOT_SEEN: &str = "NoSuchBucket";

/// What a setting is, `None` if it was never made: S3 answers with a code then.
fn setting<T, E>(
    call: &str,
    none: &str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, ProviderError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.code() == Some(none) || error.code() == Some(NOT_SEEN)) =>
        {
            Ok(None)
        }
        Err(error) => Err(provider_error(call, &error)),
    }
}

impl Bucket<'_> {
    async fn block_public_access(&self) -> Result<bool, ProviderError> {
        let (name, owner) = (self.name, &self.access.account);
        let wanted = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let answer = self.s3.get_public_access_block().bucket(name).expected_bucket_owner(owner).send().await;
        let found = setting("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", answer)?;
        if found.is_some_and(|found| found.public_access_block_configuration() == Some(&wanted)) {
            return Ok(false);
        }
        let request = self.s3.put_public_access_block().bucket(name).expected_bucket_owner(owner);
        let answer = request.public_access_block_configuration(wanted).send().await;
        answer.map_err(|error| provider_error("PutPublicAccessBlock", &error))?;
        Ok(true)
    }

    async fn keep_versions(&self) -> Result<bool, ProviderError> {
        let (name, owner) = (self.name, &self.access.account);
        let found = self.s3.get_bucket_versioning().bucket(name).expected_bucket_owner(owner).send().await;
        let found = setting("GetBucketVersioning", NOT_SEEN, found)?;
        if found.is_some_and(|found| found.status() == Some(&BucketVersioningStatus::Enabled)) {
            return Ok(false);
        }
        let wanted = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let request = self.s3.put_bucket_versioning().bucket(name).expected_bucket_owner(owner);
        let answer = request.versioning_configuration(wanted).send().await;
        answer.map_err(|error| provider_error("PutBucketVersioning", &error))?;
        Ok(true)
    }

    /// With keys of S3, unless something is set: a key of KMS is more than that.
    async fn encrypt(&self) -> Result<bool, ProviderError> {
        let (name, owner) = (self.name, &self.access.account);
        let answer = self.s3.get_bucket_encryption().bucket(name).expected_bucket_owner(owner).send().await;
        let none = "ServerSideEncryptionConfigurationNotFoundError";
        let found = setting("GetBucketEncryption", none, answer)?;
        let configuration = found.as_ref().and_then(|found| found.server_side_encryption_configuration());
        if configuration.is_some_and(|found| !found.rules().is_empty()) {
            return Ok(false);
        }
        let by_default = built(
            ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256).build(),
        )?;
        let rule =
            ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(by_default).build();
        let wanted = built(ServerSideEncryptionConfiguration::builder().rules(rule).build())?;
        let request = self.s3.put_bucket_encryption().bucket(name).expected_bucket_owner(owner);
        let answer = request.server_side_encryption_configuration(wanted).send().await;
        answer.map_err(|error| provider_error("PutBucketEncryption", &error))?;
        Ok(true)
    }

    async fn refuse_plain_http(&self) -> Result<bool, ProviderError> {
        let (name, owner) = (self.name, &self.access.account);
        let answer = self.s3.get_bucket_policy().bucket(name).expected_bucket_owner(owner).send().await;
        let found = setting("GetBucketPolicy", "NoSuchBucketPolicy", answer)?;
        let statement = tls_only(self.access, name);
        let wanted = match found.as_ref().and_then(|found| found.policy()) {
            None => Some(json!({"Version": "2012-10-17", "Statement": [statement]})),
            Some(policy) => {
                let policy = serde_json::from_str(policy).map_err(|error| {
                    ProviderError::new(ErrorKind::Invalid, format!("GetBucketPolicy: {error}"))
                })?;
                with_statement(policy, statement)
            }
        };
        let Some(wanted) = wanted else { return Ok(false) };
        let request = self.s3.put_bucket_policy().bucket(name).expected_bucket_owner(owner);
        let answer = request.policy(wanted.to_string()).send().await;
        answer.map_err(|error| provider_error("PutBucketPolicy", &error))?;
        Ok(true)
    }

    async fn expire_old_versions(&self) -> Result<bool, ProviderError> {
        let (name, owner) = (self.name, &self.access.account);
        let request = self.s3.get_bucket_lifecycle_configuration().bucket(name);
        let answer = request.expected_bucket_owner(owner).send().await;
        let found = setting("GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration", answer)?;
        let mut rules = found.as_ref().map(|found| found.rules().to_vec()).unwrap_or_default();
        if rules.iter().any(|rule| rule.id() == Some(OLD_VERSIONS)) {
            return Ok(false);
        }
        let old_versions = NoncurrentVersionExpiration::builder().noncurrent_days(NONCURRENT_DAYS).build();
        let uploads = AbortIncompleteMultipartUpload::builder().days_after_initiation(MULTIPART_DAYS).build();
        let rule = LifecycleRule::builder()
            .id(OLD_VERSIONS)
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("").build())
            .noncurrent_version_expiration(old_versions)
            .abort_incomplete_multipart_upload(uploads);
        rules.push(built(rule.build())?);
        let size = found.and_then(|found| found.transition_default_minimum_object_size);
        let wanted = built(BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build())?;
        let request = self.s3.put_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(owner);
        let request = request.set_transition_default_minimum_object_size(size);
        let answer = request.lifecycle_configuration(wanted).send().await;
        answer.map_err(|error| provider_error("PutBucketLifecycleConfiguration", &error))?;
        Ok(true)
    }
}

/// A policy with that statement in the place of the one with its `Sid`; `None` if it has it. Its `Statement` may be
/// one, without a list.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html>
fn with_statement(mut policy: Map<String, Value>, statement: Value) -> Option<Value> {
    let mut statements = match policy.remove("Statement") {
        Some(Value::Array(statements)) => statements,
        one => one.into_iter().collect(),
    };
    match statements.iter_mut().find(|found| found["Sid"] == statement["Sid"]) {
        Some(found) if *found == statement => return None,
        Some(found) => *found = statement,
        None => statements.push(statement),
    }
    policy.insert("Statement".to_owned(), Value::Array(statements));
    Some(Value::Object(policy))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>
fn tls_only(access: &Access, bucket: &str) -> Value {
    let partition = match access.region.split('-').next().unwrap_or_default() {
        "cn" => "aws-cn",
        "eusc" => "aws-eusc",
        "us" if access.region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let arn = format!("arn:{partition}:s3:::{bucket}");
    json!({
        "Sid": TLS_ONLY,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    })
}
