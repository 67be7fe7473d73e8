//! `ListObjectVersions`. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>

use winterbaume_s3::model::{CommonPrefix, DeleteMarkerEntry, ListObjectVersionsOutput, ObjectVersion};

use super::Version;
use super::list::{Encoding, Entry, MOST, common_prefix, page};
use crate::cloud::call::{Call, Reply};
use crate::services::s3::buckets::{bucket, named};
use crate::services::s3::wire::answers::{document_time, xml};
use crate::services::s3::wire::errors::invalid_argument;
use crate::services::s3::wire::input::Input;

/// Where a page begins: after a key, or after one of its versions.
struct After<'q> {
    key: Option<&'q str>,
    version: Option<&'q str>,
}

/// The versions that come after a place, each with whether it is its key's latest, and with their common prefixes.
fn versions<'c>(
    call: &'c Call<'_>,
    within: &'c str,
    prefix: &str,
    delimiter: Option<&str>,
    after: &After<'_>,
) -> impl Iterator<Item = (Option<&'c str>, (&'c Version, bool))> {
    let mut last_key: Option<&str> = None;
    let mut is_marker_passed = false;
    let versions = call.tables.s3.objects.within(&call.scope.global(), within);
    versions.filter_map(move |(_, version)| {
        let key = version.key.as_str();
        let is_latest = last_key.replace(key) != Some(key);
        let common = common_prefix(key, prefix, delimiter);
        if let Some(marker) = after.key {
            let is_below = common == Some(marker);
            let is_before = match (key == marker, after.version) {
                (true, Some(id)) if !is_marker_passed => {
                    is_marker_passed = version.id == id;
                    true
                }
                (true, Some(_)) => false,
                (true, None) => true,
                (false, _) => key < marker,
            };
            if is_below || is_before {
                return None;
            }
        }
        Some((common, (version, is_latest)))
    })
}

pub(in crate::services::s3) fn list_object_versions(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let prefix = input.query("prefix").unwrap_or_default();
    let delimiter = input.query("delimiter");
    let after = After { key: input.query("key-marker"), version: input.query("version-id-marker") };
    let most = input.number("max-keys", MOST)?.unwrap_or(MOST);
    let encoding = Encoding::asked_for(input)?;
    input.finish()?;
    named(call, input)?;
    if let (None, Some(version)) = (after.key, after.version) {
        let text = "A version-id marker cannot be specified without a key marker.";
        return Err(invalid_argument(text, "version-id-marker", version));
    }
    let within = format!("{}/{prefix}", input.bucket());
    let (entries, is_more) = page(versions(call, &within, prefix, delimiter, &after), most);
    let is_truncated = is_more && most > 0;
    let (next_key, next_version) = match entries.last().filter(|_| is_truncated) {
        None => (None, None),
        Some(Entry::Prefix(prefix)) => (Some(encoding.apply(prefix)), None),
        Some(Entry::Own((version, _))) => (Some(encoding.apply(&version.key)), Some(version.id.clone())),
    };
    let owner = bucket::owner(&call.scope.account);
    let (mut versions, mut markers, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &entries {
        let (version, is_latest) = match entry {
            Entry::Prefix(prefix) => {
                prefixes.push(CommonPrefix { prefix: Some(encoding.apply(prefix)) });
                continue;
            }
            Entry::Own((version, is_latest)) => (version, *is_latest),
        };
        let key = Some(encoding.apply(&version.key));
        let last_modified = Some(document_time(version.modified));
        let version_id = Some(version.id.clone());
        match &version.content {
            None => markers.push(DeleteMarkerEntry {
                is_latest: Some(is_latest),
                key,
                last_modified,
                owner: Some(owner.clone()),
                version_id,
            }),
            Some(content) => versions.push(ObjectVersion {
                checksum_algorithm: Some(vec![content.checksum.algorithm.name().to_owned()]),
                checksum_type: Some(content.checksum.kind().to_owned()),
                e_tag: Some(format!("\"{}\"", content.etag)),
                is_latest: Some(is_latest),
                key,
                last_modified,
                owner: Some(owner.clone()),
                restore_status: None,
                size: i64::try_from(content.size).ok(),
                storage_class: Some(content.settings.storage_class.clone()),
                version_id,
            }),
        }
    }
    xml(&ListObjectVersionsOutput {
        common_prefixes: Some(prefixes).filter(|prefixes| !prefixes.is_empty()),
        delete_markers: Some(markers).filter(|markers| !markers.is_empty()),
        delimiter: delimiter.map(|delimiter| encoding.apply(delimiter)),
        encoding_type: encoding.name(),
        is_truncated: Some(is_truncated),
        key_marker: Some(encoding.apply(after.key.unwrap_or_default())),
        max_keys: i32::try_from(most).ok(),
        name: Some(input.bucket().to_owned()),
        next_key_marker: next_key,
        next_version_id_marker: next_version,
        prefix: Some(encoding.apply(prefix)),
        version_id_marker: after.version.map(str::to_owned),
        versions: Some(versions).filter(|versions| !versions.is_empty()),
    })
}
