//! Buckets: their names, their settings, and who may use them. Each setting is a file.

pub(super) mod bucket;
pub(super) mod cors;
pub(super) mod encryption;
pub(super) mod lifecycle;
mod names;
pub(super) mod object_lock;
pub(super) mod ownership;
pub(super) mod policy;
mod policy_rules;
pub(super) mod public_access_block;
pub(super) mod tagging;
pub(super) mod versioning;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_s3::model::{
    CORSRule, LifecycleRule, PublicAccessBlockConfiguration, ServerSideEncryptionRule,
};

use super::wire::errors::{access_denied, no_such_bucket};
use super::wire::input::Input;
use crate::cloud::call::Call;
use crate::cloud::table::Scope;
use crate::protocol::error::ServiceError;

/// A name that is taken, and what objects need to know of their bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BucketName {
    /// Whose it is.
    pub(super) account: String,
    /// Where the bucket is.
    pub(super) region: String,
    /// `None` until versioning was first switched on.
    pub(super) versioning: Option<Versioning>,
    /// Whether objects can be locked, which is decided when the bucket is made.
    pub(super) object_lock: bool,
}

/// Whether versions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Versioning {
    /// All are.
    Enabled,
    /// Those that there were are; new ones replace the version `null`.
    Suspended,
}

/// A bucket with its settings; those that are `None` were never made or were deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bucket {
    /// Where it is.
    pub(super) region: String,
    pub(super) created: Timestamp,
    pub(super) tags: Option<BTreeMap<String, String>>,
    /// How objects are encrypted that do not say; `None` is S3's own keys.
    pub(super) encryption: Option<ServerSideEncryptionRule>,
    pub(super) public_access_block: Option<PublicAccessBlockConfiguration>,
    /// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`.
    pub(super) ownership: Option<String>,
    /// The policy as it was given.
    pub(super) policy: Option<String>,
    pub(super) lifecycle: Option<Vec<LifecycleRule>>,
    pub(super) cors: Option<Vec<CORSRule>>,
}

/// The scope of what names are shared by all accounts.
pub(super) fn everywhere() -> Scope {
    Scope::new("", "")
}

/// The name's entry, if the caller may use the bucket. This is seen at once.
pub(super) fn named(call: &Call<'_>, input: &Input<'_>) -> Result<BucketName, ServiceError> {
    let name = input.bucket();
    let entry = call.tables.s3.names.get(&everywhere(), name).ok_or_else(|| no_such_bucket(name))?;
    admit(call, input, &entry.account)?;
    let region: &str = &call.scope.region;
    if entry.region != region {
        let text = format!(
            "The authorization header is malformed; the region '{region}' is wrong; expecting '{}'",
            entry.region
        );
        return Err(
            ServiceError::new(400, "AuthorizationHeaderMalformed", text).with("Region", entry.region.clone())
        );
    }
    Ok(entry.clone())
}

/// Whether there is a bucket of this name, whoever owns it.
pub(crate) fn bucket_exists(call: &Call<'_>, name: &str) -> bool {
    call.tables.s3.names.contains(&everywhere(), name)
}

/// The bucket as the call sees it.
pub(super) fn find<'c>(call: &'c Call<'_>, input: &Input<'_>) -> Result<&'c Bucket, ServiceError> {
    let name = input.bucket();
    match call.tables.s3.names.get(&everywhere(), name) {
        Some(_) => drop(named(call, input)?),
        // A reader that lags may still see a bucket of its own whose name is free again.
        None => admit(call, input, &call.scope.account)?,
    }
    call.tables.s3.buckets.get(&call.scope.global(), name).ok_or_else(|| no_such_bucket(name))
}

/// The bucket, to be changed.
pub(super) fn find_mut<'c>(
    call: &'c mut Call<'_>,
    input: &Input<'_>,
) -> Result<&'c mut Bucket, ServiceError> {
    named(call, input)?;
    let scope = call.scope.global();
    call.tables.s3.buckets.get_mut(&scope, input.bucket()).ok_or_else(|| no_such_bucket(input.bucket()))
}

/// Refuses strangers, and callers who expected another owner.
fn admit(call: &Call<'_>, input: &Input<'_>, owner: &str) -> Result<(), ServiceError> {
    let is_expected = input.header("x-amz-expected-bucket-owner").is_none_or(|expected| expected == owner);
    if is_expected && *call.scope.account == *owner { Ok(()) } else { Err(access_denied()) }
}
