//! Parts of multipart uploads. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>

use http::StatusCode;
use winterbaume_s3::model::{ListPartsOutput, Part as PartAnswer};

use super::Part;
use super::multipart::find;
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::buckets::{bucket, named};
use crate::services::s3::wire::answers::{document_time, empty, set, xml};
use crate::services::s3::wire::checksums::{Algorithm, md5_hex};
use crate::services::s3::wire::errors::{internal, invalid_argument, invalid_request, no_such_upload};
use crate::services::s3::wire::input::Input;

/// The highest number of a part.
const HIGHEST: u16 = 10_000;
/// The most parts of one page.
const MOST_LISTED: usize = 1000;

fn part_number(input: &Input<'_>) -> Result<u16, ServiceError> {
    let text = input.query("partNumber").unwrap_or_default();
    let number = text.parse().ok().filter(|number| (1..=HIGHEST).contains(number));
    number.ok_or_else(|| {
        let rule = format!("Part number must be an integer between 1 and {HIGHEST}, inclusive");
        invalid_argument(rule, "partNumber", text)
    })
}

pub(in crate::services::s3) fn upload_part(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let number = part_number(input)?;
    let body = input.body()?;
    let checksum = input.checksum()?;
    input.finish()?;
    named(call, input)?;
    let (row, upload) = find(call, input)?;
    if let (Some(expected), Some(given)) = (upload.checksum, &checksum)
        && expected.algorithm != given.algorithm
    {
        let text = format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            expected.algorithm.name().to_lowercase(),
            given.algorithm.name().to_lowercase()
        );
        return Err(invalid_request(text));
    }
    let part = Part {
        blob: call.blobs.put(body).map_err(internal)?,
        size: body.len() as u64,
        etag: md5_hex(body),
        checksum,
        modified: call.now,
    };
    let mut response = empty(StatusCode::OK);
    set(&mut response, "etag", &format!("\"{}\"", part.etag));
    upload.settings.show_encryption(&mut response);
    if let Some(checksum) = &part.checksum {
        set(&mut response, &checksum.algorithm.header(), &checksum.value);
    }
    let scope = call.scope.global();
    let upload = call.tables.s3.uploads.get_mut(&scope, &row);
    upload
        .ok_or_else(|| no_such_upload(input.query("uploadId").unwrap_or_default()))?
        .parts
        .insert(number, part);
    Ok(response)
}

pub(in crate::services::s3) fn list_parts(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let most = input.number("max-parts", MOST_LISTED)?.unwrap_or(MOST_LISTED);
    let after = input.number("part-number-marker", usize::from(HIGHEST))?.unwrap_or(0);
    input.finish()?;
    named(call, input)?;
    let (_, upload) = find(call, input)?;
    let mut found: Vec<(u16, &Part)> = upload
        .parts
        .iter()
        .map(|(number, part)| (*number, part))
        .filter(|(number, _)| usize::from(*number) > after)
        .collect();
    let is_truncated = found.len() > most && most > 0;
    found.truncate(most);
    let next = found.last().filter(|_| is_truncated).map(|(number, _)| number.to_string());
    let parts: Vec<PartAnswer> = found.into_iter().map(|(number, part)| answer(number, part)).collect();
    xml(&ListPartsOutput {
        bucket: Some(input.bucket().to_owned()),
        checksum_algorithm: upload.checksum.map(|checksum| checksum.algorithm.name().to_owned()),
        checksum_type: None,
        initiator: None,
        is_truncated: Some(is_truncated),
        key: Some(input.key().to_owned()),
        max_parts: i32::try_from(most).ok(),
        next_part_number_marker: next,
        owner: Some(bucket::owner(&call.scope.account)),
        part_number_marker: Some(after.to_string()),
        parts: Some(parts).filter(|parts| !parts.is_empty()),
        storage_class: Some(upload.settings.storage_class.clone()),
        upload_id: Some(upload.id.clone()),
    })
}

fn answer(number: u16, part: &Part) -> PartAnswer {
    let checksum = |algorithm| part.checksum.as_ref().and_then(|checksum| checksum.value_for(algorithm));
    PartAnswer {
        checksum_c_r_c32: checksum(Algorithm::Crc32),
        checksum_c_r_c32_c: checksum(Algorithm::Crc32c),
        checksum_c_r_c64_n_v_m_e: checksum(Algorithm::Crc64Nvme),
        checksum_s_h_a1: checksum(Algorithm::Sha1),
        checksum_s_h_a256: checksum(Algorithm::Sha256),
        e_tag: Some(format!("\"{}\"", part.etag)),
        last_modified: Some(document_time(part.modified)),
        part_number: Some(i32::from(number)),
        size: i64::try_from(part.size).ok(),
    }
}
