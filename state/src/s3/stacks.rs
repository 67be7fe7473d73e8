//! Which stacks have state in a bucket.

use lsinfra_engine::store::StoreError;

use super::Place;
use super::access::{Access, Clients};
use super::answers::provider_error;
use crate::environment::is_part;

/// The stacks with state in a bucket, in order of their names.
///
/// # Errors
/// [`StoreError::Call`].
pub async fn stacks(access: &Access, place: &Place) -> Result<Vec<String>, StoreError> {
    let clients = Clients::connect(access).await;
    let request = clients.s3.list_objects_v2().bucket(&place.bucket).delimiter("/");
    let mut pages = request.expected_bucket_owner(&access.account).into_paginator().send();
    let mut stacks = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| StoreError::Call {
            action: "list",
            location: format!("s3://{}", place.bucket),
            source: Box::new(provider_error("ListObjectsV2", &error)),
        })?;
        let prefixes = page.common_prefixes().iter().filter_map(|prefix| prefix.prefix());
        let names = prefixes.map(|prefix| prefix.trim_end_matches('/'));
        stacks.extend(names.filter(|name| is_part(name)).map(str::to_owned));
    }
    Ok(stacks)
}

/// The names of the account's buckets that begin with `prefix`, in order.
///
/// # Errors
/// [`StoreError::Call`].
pub async fn buckets(access: &Access, prefix: &str) -> Result<Vec<String>, StoreError> {
    let clients = Clients::connect(access).await;
    let mut pages = clients.s3.list_buckets().prefix(prefix).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| StoreError::Call {
            action: "list",
            location: format!("buckets {prefix}*"),
            source: Box::new(provider_error("ListBuckets", &error)),
        })?;
        let found = page.buckets().iter().filter_map(|bucket| bucket.name());
        // Not every service of this protocol knows the prefix.
        names.extend(found.filter(|name| name.starts_with(prefix)).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
