//! Multipart uploads: begun, completed, aborted, listed.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use http::StatusCode;
use winterbaume_s3::model::{
    CompleteMultipartUploadOutput, CompletedMultipartUpload, CompletedPart, CreateMultipartUploadOutput,
    ListMultipartUploadsOutput, MultipartUpload,
};

use super::conditions::WriteConditions;
use super::list::Encoding;
use super::settings::Settings;
use super::{Content, Part, Upload, UploadChecksum, add, check_key, current, row_id, rows_of};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::buckets::{bucket, named};
use crate::services::s3::wire::answers::{document_time, empty, set, xml};
use crate::services::s3::wire::checksums::{Algorithm, Checksum, decoded, md5_hex};
use crate::services::s3::wire::errors::{
    internal, invalid_argument, invalid_request, malformed_xml, no_such_upload, not_implemented,
};
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

/// The least that every part but the last must have, in bytes.
const LEAST_PART: u64 = 5 * 1024 * 1024;
/// The most uploads of one page.
const MOST_LISTED: usize = 1000;

/// The upload that a request is about, with its row's key.
pub(super) fn find<'c>(call: &'c Call<'_>, input: &Input<'_>) -> Result<(String, &'c Upload), ServiceError> {
    let id = input.query("uploadId").unwrap_or_default();
    let rows = rows_of(input.bucket(), input.key());
    let mut uploads = call.tables.s3.uploads.within(&call.scope.global(), &rows);
    let found = uploads.find(|(_, upload)| upload.id == id).map(|(row, upload)| (row.to_owned(), upload));
    found.ok_or_else(|| no_such_upload(id))
}

pub(in crate::services::s3) fn create(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let settings = Settings::asked_for(call, input)?;
    let algorithm = input.header("x-amz-checksum-algorithm");
    let kind = input.header("x-amz-checksum-type");
    input.finish()?;
    named(call, input)?;
    check_key(input.key())?;
    let checksum = match (algorithm, kind) {
        (None, None) => None,
        (None, Some(_)) => {
            let text =
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
            return Err(invalid_request(text));
        }
        (Some(name), kind) => Some(upload_checksum(name, kind)?),
    };
    let id = format!("{}{}", call.identifiers.alphanumeric(32), call.identifiers.alphanumeric(32));
    let upload = Upload {
        key: input.key().to_owned(),
        id: id.clone(),
        initiated: call.now,
        settings,
        checksum,
        parts: std::collections::BTreeMap::new(),
    };
    let mut response = xml(&CreateMultipartUploadOutput {
        bucket: Some(input.bucket().to_owned()),
        key: Some(input.key().to_owned()),
        upload_id: Some(id),
    })?;
    upload.settings.show_encryption(&mut response);
    if let Some(UploadChecksum { algorithm, is_composite }) = checksum {
        set(&mut response, "x-amz-checksum-algorithm", algorithm.name());
        set(&mut response, "x-amz-checksum-type", if is_composite { "COMPOSITE" } else { "FULL_OBJECT" });
    }
    // Uploads of one key are listed in the order in which they were begun.
    let row = row_id(input.bucket(), input.key(), u64::MAX - call.identifiers.next());
    let scope = call.scope.global();
    call.tables.s3.uploads.insert(&scope, row, upload);
    Ok(response)
}

fn upload_checksum(name: &str, kind: Option<&str>) -> Result<UploadChecksum, ServiceError> {
    let algorithm = Algorithm::named(name).ok_or_else(|| {
        invalid_request("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    })?;
    let is_composite = match kind {
        None => algorithm != Algorithm::Crc64Nvme,
        Some("COMPOSITE") => true,
        Some("FULL_OBJECT") => false,
        Some(other) => {
            return Err(invalid_argument(
                "Value for x-amz-checksum-type header is invalid.",
                "x-amz-checksum-type",
                other,
            ));
        }
    };
    let is_possible =
        if is_composite { algorithm != Algorithm::Crc64Nvme } else { algorithm.covers_whole_objects() };
    if !is_possible {
        let kind = if is_composite { "COMPOSITE" } else { "FULL_OBJECT" };
        let name = name.to_lowercase();
        return Err(invalid_request(format!(
            "The {kind} checksum type cannot be used with the {name} checksum algorithm."
        )));
    }
    Ok(UploadChecksum { algorithm, is_composite })
}

pub(in crate::services::s3) fn complete(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    // The checksum headers of this request are the object's, not the body's.
    let request: CompletedMultipartUpload = read(&input.request.body)?;
    let conditions = WriteConditions::of(input);
    let kind = input.header("x-amz-checksum-type");
    let declared_size = input.header("x-amz-mp-object-size");
    let claimed = input.checksum()?;
    input.finish()?;
    let entry = named(call, input)?;
    let (bucket, key) = (input.bucket(), input.key());
    let (row, upload) = find(call, input)?;
    if let (Some(kind), Some(checksum)) = (kind, upload.checksum)
        && checksum.is_composite != (kind == "COMPOSITE")
    {
        return Err(invalid_request(
            "The upload was created using another checksum type than the one provided.",
        ));
    }
    let parts = chosen(upload, request.parts.unwrap_or_default())?;
    let total: u64 = parts.iter().map(|part| part.size).sum();
    let mut body = Vec::with_capacity(usize::try_from(total).map_err(internal)?);
    for part in &parts {
        body.extend_from_slice(&call.blobs.get(&part.blob).map_err(internal)?);
    }
    if declared_size.is_some_and(|declared| declared.parse() != Ok(total)) {
        return Err(invalid_request(
            "The provided 'x-amz-mp-object-size' header does not match what was computed.",
        ));
    }
    let digests: Vec<u8> = parts.iter().flat_map(|part| from_hex(&part.etag)).collect();
    let count = parts.len();
    let checksum = match upload.checksum {
        None => Checksum::of(Algorithm::Crc64Nvme, &body),
        Some(UploadChecksum { algorithm, is_composite: false }) => Checksum::of(algorithm, &body),
        Some(UploadChecksum { algorithm, is_composite: true }) => composite(call, algorithm, &parts)?,
    };
    if let Some(claimed) = claimed
        && claimed.algorithm == checksum.algorithm
        && claimed.value != checksum.value
    {
        let name = claimed.algorithm.name();
        let text = format!("The {name} you specified did not match the calculated checksum.");
        return Err(ServiceError::new(400, "BadDigest", text));
    }
    conditions.check(key, current(call, bucket, key).map(|(_, content)| content))?;
    let content = Content {
        blob: call.blobs.put(&body).map_err(internal)?,
        size: total,
        etag: format!("{}-{count}", md5_hex(&digests)),
        checksum,
        settings: upload.settings.clone(),
    };
    let checksum = &content.checksum;
    let mut response = xml(&CompleteMultipartUploadOutput {
        bucket: Some(bucket.to_owned()),
        checksum_c_r_c32: checksum.value_for(Algorithm::Crc32),
        checksum_c_r_c32_c: checksum.value_for(Algorithm::Crc32c),
        checksum_c_r_c64_n_v_m_e: checksum.value_for(Algorithm::Crc64Nvme),
        checksum_s_h_a1: checksum.value_for(Algorithm::Sha1),
        checksum_s_h_a256: checksum.value_for(Algorithm::Sha256),
        checksum_type: Some(checksum.kind().to_owned()),
        e_tag: Some(format!("\"{}\"", content.etag)),
        key: Some(key.to_owned()),
        location: Some(format!("http://{bucket}.s3.{}.amazonaws.com/{key}", entry.region)),
    })?;
    content.settings.show_encryption(&mut response);
    let scope = call.scope.global();
    call.tables.s3.uploads.remove(&scope, &row);
    if let Some(version) = add(call, bucket, &entry, key, Some(content)) {
        set(&mut response, "x-amz-version-id", &version);
    }
    Ok(response)
}

/// The parts that are asked for, if they are there and may be put together.
fn chosen(upload: &Upload, wanted: Vec<CompletedPart>) -> Result<Vec<Part>, ServiceError> {
    if wanted.is_empty() {
        return Err(malformed_xml());
    }
    let mut parts = Vec::with_capacity(wanted.len());
    let mut last = 0;
    for part in wanted {
        let number = part.part_number.and_then(|number| u16::try_from(number).ok()).unwrap_or_default();
        if number <= last {
            let text = "The list of parts was not in ascending order. Parts must be ordered by part number.";
            return Err(ServiceError::new(400, "InvalidPartOrder", text).with("UploadId", upload.id.clone()));
        }
        last = number;
        let etag = part.e_tag.as_deref().unwrap_or_default().trim_matches('"').to_owned();
        let found = upload.parts.get(&number).filter(|found| found.etag == etag && agrees(found, &part));
        let found = found.ok_or_else(|| {
            let text = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
            ServiceError::new(400, "InvalidPart", text).with("PartNumber", number.to_string()).with("ETag", etag.clone())
        })?;
        parts.push(found.clone());
    }
    let all_but_last = parts.len() - 1;
    if let Some(small) = parts.iter().take(all_but_last).find(|part| part.size < LEAST_PART) {
        let text = "Your proposed upload is smaller than the minimum allowed size";
        return Err(ServiceError::new(400, "EntityTooSmall", text)
            .with("ProposedSize", small.size.to_string())
            .with("MinSizeAllowed", LEAST_PART.to_string()));
    }
    Ok(parts)
}

/// Whether the checksum that is claimed for a part, if any, is the one that it has.
fn agrees(part: &Part, claim: &CompletedPart) -> bool {
    let claims = [
        (Algorithm::Crc32, &claim.checksum_c_r_c32),
        (Algorithm::Crc32c, &claim.checksum_c_r_c32_c),
        (Algorithm::Crc64Nvme, &claim.checksum_c_r_c64_n_v_m_e),
        (Algorithm::Sha1, &claim.checksum_s_h_a1),
        (Algorithm::Sha256, &claim.checksum_s_h_a256),
    ];
    claims.into_iter().all(|(algorithm, claimed)| {
        claimed.is_none()
            || part.checksum.as_ref().and_then(|checksum| checksum.value_for(algorithm)) == *claimed
    })
}

/// The checksum of the parts' checksums; a part that came without one has it made now.
fn composite(call: &Call<'_>, algorithm: Algorithm, parts: &[Part]) -> Result<Checksum, ServiceError> {
    let mut sums = Vec::new();
    for part in parts {
        let known = part.checksum.as_ref().filter(|checksum| checksum.algorithm == algorithm);
        match known.and_then(|checksum| decoded(&checksum.value)) {
            Some(sum) => sums.extend(sum),
            None => sums.extend(algorithm.raw(&call.blobs.get(&part.blob).map_err(internal)?)),
        }
    }
    let value = format!("{}-{}", algorithm.encoded(&sums), parts.len());
    Ok(Checksum { algorithm, value })
}

fn from_hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .filter_map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect()
}

pub(in crate::services::s3) fn abort(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    named(call, input)?;
    let (row, _) = find(call, input)?;
    let scope = call.scope.global();
    call.tables.s3.uploads.remove(&scope, &row);
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(in crate::services::s3) fn list_multipart_uploads(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let prefix = input.query("prefix").unwrap_or_default();
    let key_marker = input.query("key-marker").filter(|marker| !marker.is_empty());
    let upload_marker = input.query("upload-id-marker").filter(|marker| !marker.is_empty());
    let most = input.number("max-uploads", MOST_LISTED)?.unwrap_or(MOST_LISTED);
    let encoding = Encoding::asked_for(input)?;
    if input.query("delimiter").is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(not_implemented("a delimiter in lists of multipart uploads"));
    }
    input.finish()?;
    named(call, input)?;
    let within = format!("{}/{prefix}", input.bucket());
    let scope = call.scope.global();
    let mut is_marker_passed = false;
    let mut found: Vec<&Upload> = Vec::new();
    for (_, upload) in call.tables.s3.uploads.within(&scope, &within) {
        let is_before = key_marker.is_some_and(|marker| match (upload.key == marker, upload_marker) {
            (true, Some(id)) if !is_marker_passed => {
                is_marker_passed = upload.id == id;
                true
            }
            (true, Some(_)) => false,
            (true, None) => true,
            (false, _) => upload.key.as_str() < marker,
        });
        if !is_before {
            found.push(upload);
        }
    }
    let is_truncated = found.len() > most && most > 0;
    found.truncate(most);
    let last = found.last().filter(|_| is_truncated);
    let uploads: Vec<MultipartUpload> = found
        .iter()
        .map(|upload| MultipartUpload {
            checksum_algorithm: upload.checksum.map(|checksum| checksum.algorithm.name().to_owned()),
            checksum_type: None,
            initiated: Some(document_time(upload.initiated)),
            initiator: None,
            key: Some(encoding.apply(&upload.key)),
            owner: Some(bucket::owner(&call.scope.account)),
            storage_class: Some(upload.settings.storage_class.clone()),
            upload_id: Some(upload.id.clone()),
        })
        .collect();
    xml(&ListMultipartUploadsOutput {
        bucket: Some(input.bucket().to_owned()),
        common_prefixes: None,
        delimiter: None,
        encoding_type: encoding.name(),
        is_truncated: Some(is_truncated),
        key_marker: Some(encoding.apply(key_marker.unwrap_or_default())),
        max_uploads: i32::try_from(most).ok(),
        next_key_marker: last.map(|upload| encoding.apply(&upload.key)),
        next_upload_id_marker: last.map(|upload| upload.id.clone()),
        prefix: Some(encoding.apply(prefix)),
        upload_id_marker: upload_marker.map(str::to_owned),
        uploads: Some(uploads).filter(|uploads| !uploads.is_empty()),
    })
}
