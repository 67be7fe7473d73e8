//! `CopyObject`. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>

use winterbaume_s3::model::CopyObjectResult;

use super::conditions::{OF_SOURCES, Read, WriteConditions};
use super::get::find;
use super::settings::Settings;
use super::{Content, add, check_key, current};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::buckets::{everywhere, named};
use crate::services::s3::wire::answers::{document_time, set, xml};
use crate::services::s3::wire::checksums::{Algorithm, Checksum, md5_hex};
use crate::services::s3::wire::errors::{
    access_denied, internal, invalid_argument, invalid_request, no_such_bucket, precondition_failed,
};
use crate::services::s3::wire::input::Input;

/// What is copied.
struct Source {
    bucket: String,
    key: String,
    version: Option<String>,
}

impl Source {
    /// `BUCKET/KEY`, percent-encoded, with or without a slash before and `?versionId=` after.
    fn parse(text: &str) -> Result<Self, ServiceError> {
        let (path, version) = match text.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version.to_owned())),
            None => (text, None),
        };
        let path = winterbaume_core::urldecode(&path.replace('+', "%2B"));
        let named = path.strip_prefix('/').unwrap_or(&path).split_once('/');
        match named {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version })
            }
            _ => {
                let text_ = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
                Err(invalid_argument(text_, "x-amz-copy-source", text))
            }
        }
    }
}

pub(in crate::services::s3) fn copy_object(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let source = Source::parse(input.header("x-amz-copy-source").unwrap_or_default())?;
    let conditions = WriteConditions::of(input);
    let replaces_metadata = match input.header("x-amz-metadata-directive") {
        None | Some("COPY") => false,
        Some("REPLACE") => true,
        Some(other) => {
            return Err(invalid_argument("Unknown metadata directive.", "x-amz-metadata-directive", other));
        }
    };
    let algorithm = match input.header("x-amz-checksum-algorithm") {
        None => None,
        Some(name) => Some(Algorithm::named(name).ok_or_else(|| {
            invalid_request("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
        })?),
    };
    let entry = named(call, input)?;
    let source_entry = call
        .tables
        .s3
        .names
        .get(&everywhere(), &source.bucket)
        .ok_or_else(|| no_such_bucket(&source.bucket))?
        .clone();
    let expected = input.header("x-amz-source-expected-bucket-owner");
    if *source_entry.account != *call.scope.account
        || expected.is_some_and(|owner| owner != source_entry.account)
    {
        return Err(access_denied());
    }
    let (version, content) = find(call, &source.bucket, &source.key, source.version.as_deref())?;
    let outcome = OF_SOURCES.evaluate(input, &content.etag, version.modified);
    let settings = if replaces_metadata {
        Settings::asked_for(call, input)?
    } else {
        content.settings.copied(call, input)?
    };
    input.finish()?;
    if outcome? == Read::NotModified {
        return Err(precondition_failed("x-amz-copy-source-If-None-Match"));
    }
    let (bucket, key) = (input.bucket(), input.key());
    check_key(key)?;
    let is_same = source.bucket == bucket && source.key == key && source.version.is_none();
    if is_same && !replaces_metadata && input.header("x-amz-server-side-encryption").is_none() {
        return Err(invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    conditions.check(key, current(call, bucket, key).map(|(_, content)| content))?;
    let body = call.blobs.get(&content.blob).map_err(internal)?;
    let algorithm = algorithm.unwrap_or(content.checksum.algorithm);
    let copy = Content {
        blob: content.blob.clone(),
        size: content.size,
        etag: md5_hex(&body),
        checksum: Checksum::of(algorithm, &body),
        settings,
    };
    let source_version = source_entry.versioning.map(|_| version.id.clone());
    let checksum = &copy.checksum;
    let mut response = xml(&CopyObjectResult {
        checksum_c_r_c32: checksum.value_for(Algorithm::Crc32),
        checksum_c_r_c32_c: checksum.value_for(Algorithm::Crc32c),
        checksum_c_r_c64_n_v_m_e: checksum.value_for(Algorithm::Crc64Nvme),
        checksum_s_h_a1: checksum.value_for(Algorithm::Sha1),
        checksum_s_h_a256: checksum.value_for(Algorithm::Sha256),
        checksum_type: Some(checksum.kind().to_owned()),
        e_tag: Some(format!("\"{}\"", copy.etag)),
        last_modified: Some(document_time(call.now)),
    })?;
    copy.settings.show_encryption(&mut response);
    if let Some(version) = source_version {
        set(&mut response, "x-amz-copy-source-version-id", &version);
    }
    if let Some(version) = add(call, bucket, &entry, key, Some(copy)) {
        set(&mut response, "x-amz-version-id", &version);
    }
    Ok(response)
}
