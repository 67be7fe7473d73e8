//! `DeleteObject` and `DeleteObjects`. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html>

use http::StatusCode;
use winterbaume_s3::model::{Delete, DeleteObjectsOutput, DeletedObject, Error};

use super::conditions::WriteConditions;
use super::{add, current, newest, version};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::buckets::{BucketName, named};
use crate::services::s3::wire::answers::{empty, set, xml};
use crate::services::s3::wire::errors::{malformed_xml, no_such_key, not_implemented, precondition_failed};
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

/// The most keys of one call.
const MOST: usize = 1000;

/// What a deletion did.
#[derive(Debug, Default)]
struct Deletion {
    /// The version that was removed, or the marker that was put.
    version: Option<String>,
    /// Whether that is a delete marker.
    is_marker: bool,
}

/// Deletes a version for good, or a key as its bucket does that.
fn delete(
    call: &mut Call<'_>,
    bucket: &str,
    entry: &BucketName,
    key: &str,
    id: Option<&str>,
) -> Result<Deletion, ServiceError> {
    let scope = call.scope.global();
    if let Some(id) = id {
        // To delete what is not there succeeds.
        let found = version(call, bucket, key, id)?.map(|(row, version)| (row, version.content.is_none()));
        let is_marker = found.as_ref().is_some_and(|(_, is_marker)| *is_marker);
        if let Some((row, _)) = found {
            call.tables.s3.objects.remove(&scope, &row);
        }
        return Ok(Deletion { version: Some(id.to_owned()), is_marker });
    }
    if entry.versioning.is_none() {
        if let Some(row) = newest(call, bucket, key).map(|(row, _)| row) {
            call.tables.s3.objects.remove(&scope, &row);
        }
        return Ok(Deletion::default());
    }
    let version = add(call, bucket, entry, key, None);
    Ok(Deletion { version, is_marker: true })
}

pub(in crate::services::s3) fn delete_object(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let id = input.query("versionId");
    let conditions = WriteConditions::of(input);
    input.finish()?;
    let entry = named(call, input)?;
    let (bucket, key) = (input.bucket(), input.key());
    conditions.check(key, current(call, bucket, key).map(|(_, content)| content))?;
    let deletion = delete(call, bucket, &entry, key, id)?;
    let mut response = empty(StatusCode::NO_CONTENT);
    if let Some(version) = &deletion.version {
        set(&mut response, "x-amz-version-id", version);
    }
    if deletion.is_marker {
        set(&mut response, "x-amz-delete-marker", "true");
    }
    Ok(response)
}

pub(in crate::services::s3) fn delete_objects(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let request: Delete = read(input.body_with_digest()?)?;
    input.finish()?;
    let entry = named(call, input)?;
    let bucket = input.bucket();
    if request.objects.is_empty() || request.objects.len() > MOST {
        return Err(malformed_xml());
    }
    if request.objects.iter().any(|object| object.last_modified_time.is_some() || object.size.is_some()) {
        return Err(not_implemented("deletions that depend on times or sizes"));
    }
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for object in request.objects {
        let id = object.version_id.as_deref().filter(|id| !id.is_empty());
        let checked = check_etag(call, bucket, &object.key, object.e_tag.as_deref());
        match checked.and_then(|()| delete(call, bucket, &entry, &object.key, id)) {
            Ok(deletion) => deleted.push(DeletedObject {
                delete_marker: deletion.is_marker.then_some(true),
                delete_marker_version_id: deletion.version.clone().filter(|_| deletion.is_marker),
                key: Some(object.key),
                version_id: object.version_id,
            }),
            Err(error) => errors.push(Error {
                code: Some(error.code),
                key: Some(object.key),
                message: Some(error.message),
                version_id: object.version_id,
            }),
        }
    }
    let is_quiet = request.quiet == Some(true);
    xml(&DeleteObjectsOutput {
        deleted: Some(deleted).filter(|deleted| !is_quiet && !deleted.is_empty()),
        errors: Some(errors).filter(|errors| !errors.is_empty()),
    })
}

fn check_etag(call: &Call<'_>, bucket: &str, key: &str, etag: Option<&str>) -> Result<(), ServiceError> {
    let Some(etag) = etag else { return Ok(()) };
    match current(call, bucket, key) {
        None => Err(no_such_key(key)),
        Some((_, content)) if etag == "*" || etag.trim_matches('"') == content.etag => Ok(()),
        Some(_) => Err(precondition_failed("If-Match")),
    }
}
