//! `PutObject`. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>

use http::StatusCode;

use super::conditions::WriteConditions;
use super::settings::Settings;
use super::{Content, add, check_key, current};
use crate::cloud::call::{Call, Reply};
use crate::protocol::Response;
use crate::services::s3::buckets::named;
use crate::services::s3::wire::answers::{empty, set};
use crate::services::s3::wire::checksums::{Algorithm, Checksum, md5_hex};
use crate::services::s3::wire::errors::internal;
use crate::services::s3::wire::input::Input;

pub(in crate::services::s3) fn put_object(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let body = input.body()?;
    let checksum = input.checksum()?.unwrap_or_else(|| Checksum::of(Algorithm::Crc64Nvme, body));
    let conditions = WriteConditions::of(input);
    let settings = Settings::asked_for(call, input)?;
    input.finish()?;
    let entry = named(call, input)?;
    let (bucket, key) = (input.bucket(), input.key());
    check_key(key)?;
    conditions.check(key, current(call, bucket, key).map(|(_, content)| content))?;
    let content = Content {
        blob: call.blobs.put(body).map_err(internal)?,
        size: body.len() as u64,
        etag: md5_hex(body),
        checksum,
        settings,
    };
    let mut response = empty(StatusCode::OK);
    set(&mut response, "etag", &format!("\"{}\"", content.etag));
    content.settings.show_encryption(&mut response);
    show_checksum(&mut response, &content.checksum);
    if let Some(version) = add(call, bucket, &entry, key, Some(content)) {
        set(&mut response, "x-amz-version-id", &version);
    }
    Ok(response)
}

/// Sets the headers that give an object's checksum.
pub(super) fn show_checksum(response: &mut Response, checksum: &Checksum) {
    set(response, &checksum.algorithm.header(), &checksum.value);
    set(response, "x-amz-checksum-type", checksum.kind());
}
