//! What is kept with an object beside its body: the headers that come back with it, its storage class, its encryption.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cloud::call::Call;
use crate::protocol::Response;
use crate::protocol::error::ServiceError;
use crate::services::s3::buckets::encryption::{KMS, S3_KEYS};
use crate::services::s3::wire::answers::set;
use crate::services::s3::wire::errors::invalid_argument;
use crate::services::s3::wire::input::Input;

/// Headers that are given back as they were given.
const KEPT_HEADERS: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];
/// The type of objects that have none.
const DEFAULT_TYPE: &str = "binary/octet-stream";
/// The most that metadata may be, in bytes of names and values.
const MOST_METADATA: usize = 2048;
const STORAGE_CLASSES: &[&str] = &[
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
    "REDUCED_REDUNDANCY",
];

/// What is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Settings {
    /// Headers by name, in lower case, metadata among them.
    headers: BTreeMap<String, String>,
    pub(super) storage_class: String,
    encryption: Encryption,
}

/// How an object is encrypted.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Encryption {
    algorithm: String,
    key: Option<String>,
    has_bucket_key: bool,
}

impl Settings {
    /// What a request asks for; what it leaves open the bucket decides.
    pub(super) fn asked_for(call: &Call<'_>, input: &Input<'_>) -> Result<Self, ServiceError> {
        let metadata = input.headers("x-amz-meta-");
        let size: usize =
            metadata.iter().map(|(name, value)| name.len() - "x-amz-meta-".len() + value.len()).sum();
        if size > MOST_METADATA {
            let text = "Your metadata headers exceed the maximum allowed metadata size";
            return Err(ServiceError::new(400, "MetadataTooLarge", text)
                .with("Size", size.to_string())
                .with("MaxSizeAllowed", MOST_METADATA.to_string()));
        }
        let mut headers: BTreeMap<String, String> = metadata.into_iter().collect();
        for name in KEPT_HEADERS {
            if let Some(value) = input.header(name) {
                headers.insert((*name).to_owned(), value.to_owned());
            }
        }
        headers.entry("content-type".to_owned()).or_insert_with(|| DEFAULT_TYPE.to_owned());
        // With access control lists off, the only list that may be asked for is the one that gives the owner everything.
        if !matches!(input.header("x-amz-acl"), None | Some("bucket-owner-full-control" | "private")) {
            return Err(ServiceError::new(
                400,
                "AccessControlListNotSupported",
                "The bucket does not allow ACLs",
            ));
        }
        let encryption = Encryption::asked_for(call, input)?;
        Ok(Self { headers, storage_class: storage_class(input)?, encryption })
    }

    /// The settings of a copy: another object's headers with the request's storage class and encryption.
    pub(super) fn copied(&self, call: &Call<'_>, input: &Input<'_>) -> Result<Self, ServiceError> {
        let encryption = Encryption::asked_for(call, input)?;
        Ok(Self { headers: self.headers.clone(), storage_class: storage_class(input)?, encryption })
    }

    /// Sets the headers of an answer that gives the object.
    pub(super) fn show(&self, response: &mut Response) {
        for (name, value) in &self.headers {
            set(response, name, value);
        }
        if self.storage_class != "STANDARD" {
            set(response, "x-amz-storage-class", &self.storage_class);
        }
        self.show_encryption(response);
    }

    /// Sets the headers that say how the object is encrypted.
    pub(super) fn show_encryption(&self, response: &mut Response) {
        let encryption = &self.encryption;
        set(response, "x-amz-server-side-encryption", &encryption.algorithm);
        if let Some(key) = &encryption.key {
            set(response, "x-amz-server-side-encryption-aws-kms-key-id", key);
        }
        if encryption.has_bucket_key {
            set(response, "x-amz-server-side-encryption-bucket-key-enabled", "true");
        }
    }
}

fn storage_class(input: &Input<'_>) -> Result<String, ServiceError> {
    let class = input.header("x-amz-storage-class").unwrap_or("STANDARD");
    if STORAGE_CLASSES.contains(&class) {
        return Ok(class.to_owned());
    }
    Err(ServiceError::new(400, "InvalidStorageClass", "The storage class you specified is not valid")
        .with("StorageClassRequested", class))
}

impl Encryption {
    fn asked_for(call: &Call<'_>, input: &Input<'_>) -> Result<Self, ServiceError> {
        const ALGORITHM: &str = "x-amz-server-side-encryption";
        const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
        let key = input.header(KEY);
        let bucket_key = input.header("x-amz-server-side-encryption-bucket-key-enabled");
        let aws_key = || call.arn("kms", "alias/aws/s3");
        let Some(algorithm) = input.header(ALGORITHM) else {
            if let Some(key) = key {
                let text = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
                return Err(invalid_argument(text, KEY, key));
            }
            let rule = call.tables.s3.buckets.get(&call.scope.global(), input.bucket());
            let rule = rule.and_then(|bucket| bucket.encryption.as_ref());
            let by_default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default.as_ref());
            let algorithm = by_default.map_or(S3_KEYS, |by_default| by_default.s_s_e_algorithm.as_str());
            let key = by_default.and_then(|by_default| by_default.k_m_s_master_key_i_d.clone());
            return Ok(Self {
                algorithm: algorithm.to_owned(),
                key: KMS.contains(&algorithm).then(|| key.unwrap_or_else(aws_key)),
                has_bucket_key: rule.and_then(|rule| rule.bucket_key_enabled) == Some(true),
            });
        };
        if algorithm != S3_KEYS && !KMS.contains(&algorithm) {
            return Err(invalid_argument(
                "The encryption method specified is not supported",
                ALGORITHM,
                algorithm,
            ));
        }
        let is_kms = KMS.contains(&algorithm);
        if let (false, Some(key)) = (is_kms, key) {
            return Err(invalid_argument("A KMS key is not applicable to this encryption method", KEY, key));
        }
        Ok(Self {
            algorithm: algorithm.to_owned(),
            key: is_kms.then(|| key.map_or_else(aws_key, str::to_owned)),
            has_bucket_key: is_kms && bucket_key == Some("true"),
        })
    }
}
