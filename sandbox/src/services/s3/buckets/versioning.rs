//! Versioning. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>

use http::StatusCode;
use winterbaume_s3::model::VersioningConfiguration;

use super::bucket::invalid_state;
use super::{Versioning, everywhere, named};
use crate::cloud::call::{Call, Reply};
use crate::services::s3::wire::answers::{empty, xml};
use crate::services::s3::wire::errors::{malformed_xml, not_implemented};
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

pub(in crate::services::s3) fn put(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let configuration: VersioningConfiguration = read(input.body()?)?;
    input.finish()?;
    let mut entry = named(call, input)?;
    if configuration.m_f_a_delete.as_deref().is_some_and(|status| status != "Disabled") {
        return Err(not_implemented("deletion by multi-factor authentication"));
    }
    let versioning = match configuration.status.as_deref() {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") if entry.object_lock => {
            return Err(invalid_state(
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            ));
        }
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(malformed_xml()),
    };
    entry.versioning = Some(versioning);
    call.tables.s3.names.insert(&everywhere(), input.bucket(), entry);
    Ok(empty(StatusCode::OK))
}

pub(in crate::services::s3) fn get(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let status = named(call, input)?.versioning.map(|versioning| match versioning {
        Versioning::Enabled => "Enabled".to_owned(),
        Versioning::Suspended => "Suspended".to_owned(),
    });
    xml(&VersioningConfiguration { m_f_a_delete: None, status })
}
