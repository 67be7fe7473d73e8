//! Emptying a bucket: versions, delete markers, and uploads that were never finished.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use lsinfra_engine::provider::ProviderError;

use crate::aws::error::{During, built, found, refused};
use crate::aws::s3::calls::BucketCalls;

/// Removes up to a thousand objects or uploads, and tells how many. 0: there is nothing left.
pub(super) async fn remove_some(bucket: &BucketCalls<'_>) -> Result<usize, ProviderError> {
    match remove_versions(bucket).await? {
        0 => abort_uploads(bucket).await,
        removed => Ok(removed),
    }
}

async fn remove_versions(bucket: &BucketCalls<'_>) -> Result<usize, ProviderError> {
    let request = bucket.s3.list_object_versions().bucket(bucket.name).expected_bucket_owner(bucket.account);
    let Some(page) = found(request.send().await.during("ListObjectVersions"))? else { return Ok(0) };
    let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
    let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
    let objects = versions
        .chain(markers)
        .filter_map(|(key, version)| Some((key?, version)))
        .map(|(key, version)| {
            let version = version.map(str::to_owned);
            built(ObjectIdentifier::builder().key(key).set_version_id(version).build())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let count = objects.len();
    if count == 0 {
        return Ok(0);
    }
    let delete = built(Delete::builder().set_objects(Some(objects)).quiet(true).build())?;
    let request = bucket.s3.delete_objects().bucket(bucket.name).expected_bucket_owner(bucket.account);
    let answer = request.delete(delete).send().await.during("DeleteObjects")?;
    // The call succeeds even if it deletes nothing: the answer says what it refused.
    match answer.errors().first() {
        None => Ok(count),
        Some(error) => {
            let (code, text) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
            let text = format!("{}: {text}", error.key().unwrap_or_default());
            found(Err(refused("DeleteObjects", code, &text))).map(|_: Option<()>| count)
        }
    }
}

async fn abort_uploads(bucket: &BucketCalls<'_>) -> Result<usize, ProviderError> {
    let request =
        bucket.s3.list_multipart_uploads().bucket(bucket.name).expected_bucket_owner(bucket.account);
    let Some(page) = found(request.send().await.during("ListMultipartUploads"))? else { return Ok(0) };
    for upload in page.uploads() {
        let request = bucket.s3.abort_multipart_upload().bucket(bucket.name);
        let request = request.expected_bucket_owner(bucket.account);
        let request = request.set_key(upload.key.clone()).set_upload_id(upload.upload_id.clone());
        found(request.send().await.during("AbortMultipartUpload"))?;
    }
    Ok(page.uploads().len())
}
