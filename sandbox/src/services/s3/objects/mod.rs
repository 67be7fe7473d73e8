//! Objects: versions, delete markers and multipart uploads. What was answered is seen at once by whoever asks next, and
//! conditional writes have one winner.

mod conditions;
pub(super) mod copy;
pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod list_versions;
pub(super) mod multipart;
pub(super) mod multipart_parts;
pub(super) mod put;
mod ranges;
mod settings;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::settings::Settings;
use super::buckets::{BucketName, Versioning};
use super::wire::checksums::{Algorithm, Checksum};
use super::wire::errors::invalid_argument;
use crate::cloud::call::Call;
use crate::protocol::error::ServiceError;

/// The version id of what was put while no versions were kept.
const NULL_VERSION: &str = "null";
/// The longest key, in bytes.
const LONGEST_KEY: usize = 1024;

/// One version of an object, or a delete marker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    key: String,
    /// 32 letters and digits, or `null`.
    id: String,
    modified: Timestamp,
    /// `None` for a delete marker.
    content: Option<Content>,
}

/// What a version holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Content {
    /// The body's name among the blobs.
    blob: String,
    size: u64,
    /// Without quotes.
    etag: String,
    checksum: Checksum,
    settings: Settings,
}

/// A multipart upload under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    key: String,
    id: String,
    initiated: Timestamp,
    settings: Settings,
    /// How the whole is to be summed up, if the caller said so: with parts' checksums or from the whole.
    checksum: Option<UploadChecksum>,
    parts: BTreeMap<u16, Part>,
}

/// The checksum that an upload is to have.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct UploadChecksum {
    algorithm: Algorithm,
    is_composite: bool,
}

/// One part of an upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Part {
    blob: String,
    size: u64,
    /// The MD5 in hexadecimal digits.
    etag: String,
    checksum: Option<Checksum>,
    modified: Timestamp,
}

impl Version {
    /// The name of its body.
    pub(super) fn blob(&self) -> Option<&str> {
        self.content.as_ref().map(|content| content.blob.as_str())
    }
}

impl Upload {
    /// The names of its parts' bodies.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &str> {
        self.parts.values().map(|part| part.blob.as_str())
    }
}

/// The prefix of all rows of a key. No key has the character that ends it.
fn rows_of(bucket: &str, key: &str) -> String {
    format!("{bucket}/{key}\0")
}

/// A row's key: in the order of buckets and keys, and within a key the newest first.
fn row_id(bucket: &str, key: &str, sequence: u64) -> String {
    format!("{}{:016x}", rows_of(bucket, key), u64::MAX - sequence)
}

/// The newest version of a key with its row's key, be it a delete marker.
fn newest<'c>(call: &'c Call<'_>, bucket: &str, key: &str) -> Option<(String, &'c Version)> {
    let rows = rows_of(bucket, key);
    let found = call.tables.s3.objects.within(&call.scope.global(), &rows).next();
    found.map(|(row, version)| (row.to_owned(), version))
}

/// What the newest version of a key holds, unless it is a delete marker.
fn current<'c>(call: &'c Call<'_>, bucket: &str, key: &str) -> Option<(&'c Version, &'c Content)> {
    let (_, version) = newest(call, bucket, key)?;
    version.content.as_ref().map(|content| (version, content))
}

/// A version of a key with its row's key.
fn version<'c>(
    call: &'c Call<'_>,
    bucket: &str,
    key: &str,
    id: &str,
) -> Result<Option<(String, &'c Version)>, ServiceError> {
    let is_id = id == NULL_VERSION || id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_id {
        return Err(invalid_argument("Invalid version id specified", "versionId", id));
    }
    let rows = rows_of(bucket, key);
    let mut found = call.tables.s3.objects.within(&call.scope.global(), &rows);
    Ok(found.find(|(_, version)| version.id == id).map(|(row, version)| (row.to_owned(), version)))
}

/// Adds a version to a key as its bucket keeps versions; answers with its id, if the bucket ever kept any.
fn add(
    call: &mut Call<'_>,
    bucket: &str,
    entry: &BucketName,
    key: &str,
    content: Option<Content>,
) -> Option<String> {
    let fresh = call.identifiers.alphanumeric(32);
    let id = match entry.versioning {
        Some(Versioning::Enabled) => fresh,
        Some(Versioning::Suspended) | None => NULL_VERSION.to_owned(),
    };
    let scope = call.scope.global();
    if id == NULL_VERSION {
        let rows = rows_of(bucket, key);
        let objects = &call.tables.s3.objects;
        let replaced = objects
            .within(&scope, &rows)
            .find(|(_, version)| version.id == id)
            .map(|(row, _)| row.to_owned());
        if let Some(row) = replaced {
            call.tables.s3.objects.remove(&scope, &row);
        }
    }
    let row = row_id(bucket, key, call.identifiers.next());
    let version = Version { key: key.to_owned(), id: id.clone(), modified: call.now, content };
    call.tables.s3.objects.insert(&scope, row, version);
    entry.versioning.map(|_| id)
}

/// Refuses keys that are too long, or that no list could show.
fn check_key(key: &str) -> Result<(), ServiceError> {
    if key.len() > LONGEST_KEY {
        let text = "Your key is too long";
        return Err(ServiceError::new(400, "KeyTooLongError", text)
            .with("Size", key.len().to_string())
            .with("MaxSizeAllowed", LONGEST_KEY.to_string()));
    }
    if key.contains('\0') {
        return Err(invalid_argument("Object key contains invalid character", "key", key));
    }
    Ok(())
}

/// The token that stands for a place in a list.
pub(super) fn token(place: &str) -> String {
    place.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The place that a token stands for.
pub(super) fn cursor(token: &str) -> Result<String, ServiceError> {
    let invalid =
        || invalid_argument("The continuation token provided is incorrect", "continuation-token", token);
    let pairs = (0..token.len()).step_by(2);
    let bytes: Option<Vec<u8>> =
        pairs.map(|at| u8::from_str_radix(token.get(at..at + 2)?, 16).ok()).collect();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)
}
