//! The bucket of trace payloads.
//!
//! LangSmith writes payloads below `ttl_s/` and `ttl_l/` by the retention of their trace and leaves
//! their removal to the bucket.

use lsinfra_engine::{Resource, Stack};
use lsinfra_resources::aws::s3::{
    Bucket, BucketOutputs, Encryption, LifecycleRule, ObjectOwnership, PublicAccessBlock,
};

use super::{Environment, StackError};
use crate::config::{Config, OnDestroy};
use crate::naming::NameLimit;

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
) -> Result<Resource<BucketOutputs>, StackError> {
    let config = environment.config;
    Ok(stack
        .add(
            "blobs",
            Bucket {
                name: environment.names.global_name("blobs", NameLimit::S3_BUCKET).into(),
                versioning: config.blobs.versioning.into(),
                encryption: Encryption::Aes256.into(),
                public_access_block: PublicAccessBlock::ALL.into(),
                object_ownership: ObjectOwnership::BucketOwnerEnforced.into(),
                tls_only: true.into(),
                lifecycle_rules: lifecycle(config).into(),
                force_destroy: (config.blobs.on_destroy == OnDestroy::Delete).into(),
                tags: environment.tags("blobs").into(),
                ..Bucket::default()
            },
        )?
        .protect(config.protect)
        .retain_on_delete(config.blobs.on_destroy == OnDestroy::Keep))
}

/// Payloads go when their traces go. Noncurrent versions expire even without versioning: a bucket that
/// once had it keeps those that it has. An expiration in days also removes the delete markers that it
/// leaves in a bucket with versions.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>
fn lifecycle(config: &Config) -> Vec<LifecycleRule> {
    let mut short_lived = LifecycleRule::new("short-lived", "ttl_s/");
    short_lived.expiration_days = Some(config.retention.short_lived_days.into());
    let mut long_lived = LifecycleRule::new("long-lived", "ttl_l/");
    long_lived.expiration_days = Some(config.retention.long_lived_days.into());
    let mut whole_bucket = LifecycleRule::new("whole-bucket", "");
    whole_bucket.abort_incomplete_multipart_days = Some(config.blobs.abort_multipart_days.into());
    whole_bucket.noncurrent_expiration_days = Some(config.blobs.noncurrent_expiry_days.into());
    vec![short_lived, long_lived, whole_bucket]
}
