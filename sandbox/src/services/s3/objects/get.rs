//! `GetObject` and `HeadObject`. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use http::StatusCode;

use super::conditions::{OF_READS, Read};
use super::put::show_checksum;
use super::{Content, Version, newest, ranges, version};
use crate::cloud::call::{Call, Reply};
use crate::protocol::Response;
use crate::protocol::error::ServiceError;
use crate::services::s3::buckets::named;
use crate::services::s3::wire::answers::{empty, header_time, set};
use crate::services::s3::wire::errors::{internal, no_such_key};
use crate::services::s3::wire::input::Input;

pub(in crate::services::s3) fn get_object(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    read(call, input, true)
}

pub(in crate::services::s3) fn head_object(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    read(call, input, false)
}

fn read(call: &mut Call<'_>, input: &Input<'_>, with_body: bool) -> Reply {
    let wanted = input.query("versionId");
    let range = input.header("range");
    let with_checksum =
        input.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
    let entry = named(call, input)?;
    let (version, content) = find(call, input.bucket(), input.key(), wanted)?;
    let outcome = OF_READS.evaluate(input, &content.etag, version.modified);
    input.finish()?;
    let mut response = match outcome? {
        Read::NotModified => {
            let mut response = empty(StatusCode::NOT_MODIFIED);
            identify(&mut response, version, content);
            return Ok(response);
        }
        Read::Give => empty(StatusCode::OK),
    };
    identify(&mut response, version, content);
    set(&mut response, "accept-ranges", "bytes");
    if entry.versioning.is_some() {
        set(&mut response, "x-amz-version-id", &version.id);
    }
    content.settings.show(&mut response);
    let range = ranges::asked_for(range, content.size)?;
    let given = range.clone().unwrap_or(0..content.size);
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let (first, last) = (given.start, given.end - 1);
        set(&mut response, "content-range", &format!("bytes {first}-{last}/{}", content.size));
    } else if with_checksum {
        show_checksum(&mut response, &content.checksum);
    }
    if with_body {
        let body = call.blobs.get(&content.blob).map_err(internal)?;
        let index = |at: u64| usize::try_from(at).map_err(internal);
        *response.body_mut() = body.slice(index(given.start)?..index(given.end)?);
    } else {
        set(&mut response, "content-length", &(given.end - given.start).to_string());
    }
    Ok(response)
}

fn identify(response: &mut Response, version: &Version, content: &Content) {
    set(response, "etag", &format!("\"{}\"", content.etag));
    set(response, "last-modified", &header_time(version.modified));
}

/// The version asked for, or the newest, with what it holds.
pub(super) fn find<'c>(
    call: &'c Call<'_>,
    bucket: &str,
    key: &str,
    wanted: Option<&str>,
) -> Result<(&'c Version, &'c Content), ServiceError> {
    let found = match wanted {
        None => newest(call, bucket, key).ok_or_else(|| no_such_key(key))?.1,
        Some(id) => version(call, bucket, key, id)?.map(|(_, version)| version).ok_or_else(|| {
            ServiceError::new(404, "NoSuchVersion", "The specified version does not exist.")
                .with("Key", key)
                .with("VersionId", id)
        })?,
    };
    match (&found.content, wanted) {
        (Some(content), _) => Ok((found, content)),
        (None, None) => Err(no_such_key(key)),
        (None, Some(_)) => {
            let text = "The specified method is not allowed against this resource.";
            Err(ServiceError::new(405, "MethodNotAllowed", text).with("ResourceType", "DeleteMarker"))
        }
    }
}
