//! How objects are encrypted that do not say. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html>

use http::StatusCode;
use winterbaume_s3::model::{
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};

use super::{find, find_mut};
use crate::cloud::call::{Call, Reply};
use crate::services::s3::wire::answers::{empty, xml};
use crate::services::s3::wire::errors::{invalid_argument, malformed_xml};
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

/// S3's own keys, the default of every bucket since 2023.
pub(in crate::services::s3) const S3_KEYS: &str = "AES256";
/// The ways of encryption with keys of KMS.
pub(in crate::services::s3) const KMS: [&str; 2] = ["aws:kms", "aws:kms:dsse"];

/// The rule of a bucket that has none of its own.
fn default_rule() -> ServerSideEncryptionRule {
    ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            k_m_s_master_key_i_d: None,
            s_s_e_algorithm: S3_KEYS.to_owned(),
        }),
        blocked_encryption_types: None,
        bucket_key_enabled: Some(false),
    }
}

pub(in crate::services::s3) fn put(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let configuration: ServerSideEncryptionConfiguration = read(input.body()?)?;
    input.finish()?;
    let [mut rule] =
        <[ServerSideEncryptionRule; 1]>::try_from(configuration.rules).map_err(|_| malformed_xml())?;
    let by_default = rule.apply_server_side_encryption_by_default.as_ref().ok_or_else(malformed_xml)?;
    let key = by_default.k_m_s_master_key_i_d.as_deref();
    match by_default.s_s_e_algorithm.as_str() {
        S3_KEYS => {
            if let Some(key) = key {
                let text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
                return Err(invalid_argument(text, "KMSMasterKeyID", key));
            }
        }
        algorithm if KMS.contains(&algorithm) => {}
        _ => return Err(malformed_xml()),
    }
    rule.bucket_key_enabled.get_or_insert(false);
    find_mut(call, input)?.encryption = Some(rule);
    Ok(empty(StatusCode::OK))
}

pub(in crate::services::s3) fn get(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let rule = find(call, input)?.encryption.clone().unwrap_or_else(default_rule);
    xml(&ServerSideEncryptionConfiguration { rules: vec![rule] })
}

pub(in crate::services::s3) fn delete(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    find_mut(call, input)?.encryption = None;
    Ok(empty(StatusCode::NO_CONTENT))
}
