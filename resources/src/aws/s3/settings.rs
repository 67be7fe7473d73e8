//! The typed values of a bucket's settings, and how the SDK writes them.

use aws_sdk_s3::types::{
    ObjectOwnership as SdkOwnership, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use lsinfra_engine::Property;
use lsinfra_engine::provider::ProviderError;
use serde::{Deserialize, Serialize};

use crate::aws::error::built;

/// How objects are encrypted unless their writer says otherwise.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// With keys of S3 (SSE-S3): AWS's default.
    Aes256,
    /// With a key of KMS (SSE-KMS).
    Kms {
        /// The key's ARN.
        key_arn: String,
        /// Whether S3 derives a key for the bucket, which saves calls to KMS.
        bucket_key: bool,
    },
}

impl Encryption {
    pub(super) fn to_sdk(&self) -> Result<ServerSideEncryptionConfiguration, ProviderError> {
        let (algorithm, key_arn, bucket_key) = match self {
            Self::Aes256 => (ServerSideEncryption::Aes256, None, None),
            Self::Kms { key_arn, bucket_key } => {
                (ServerSideEncryption::AwsKms, Some(key_arn.clone()), Some(*bucket_key))
            }
        };
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(algorithm)
            .set_kms_master_key_id(key_arn)
            .build();
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(built(default)?)
            .set_bucket_key_enabled(bucket_key)
            .build();
        built(ServerSideEncryptionConfiguration::builder().rules(rule).build())
    }

    pub(super) fn from_sdk(configuration: &ServerSideEncryptionConfiguration) -> Option<Self> {
        let rule = configuration.rules().first()?;
        let default = rule.apply_server_side_encryption_by_default()?;
        Some(match default.sse_algorithm() {
            ServerSideEncryption::Aes256 => Self::Aes256,
            _ => Self::Kms {
                key_arn: default.kms_master_key_id().unwrap_or_default().to_owned(),
                bucket_key: rule.bucket_key_enabled().unwrap_or_default(),
            },
        })
    }
}

/// What is refused that would make a bucket or its objects public.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
pub struct PublicAccessBlock {
    /// Refuse public access control lists.
    pub block_public_acls: bool,
    /// Ignore public access control lists.
    pub ignore_public_acls: bool,
    /// Refuse public bucket policies.
    pub block_public_policy: bool,
    /// Let a public bucket policy open the bucket to the account and services of AWS alone.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// Everything: AWS's default for new buckets.
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };

    /// Nothing.
    pub const NONE: Self = Self {
        block_public_acls: false,
        ignore_public_acls: false,
        block_public_policy: false,
        restrict_public_buckets: false,
    };

    pub(super) fn to_sdk(self) -> PublicAccessBlockConfiguration {
        PublicAccessBlockConfiguration::builder()
            .block_public_acls(self.block_public_acls)
            .ignore_public_acls(self.ignore_public_acls)
            .block_public_policy(self.block_public_policy)
            .restrict_public_buckets(self.restrict_public_buckets)
            .build()
    }

    pub(super) fn from_sdk(configuration: &PublicAccessBlockConfiguration) -> Self {
        Self {
            block_public_acls: configuration.block_public_acls().unwrap_or_default(),
            ignore_public_acls: configuration.ignore_public_acls().unwrap_or_default(),
            block_public_policy: configuration.block_public_policy().unwrap_or_default(),
            restrict_public_buckets: configuration.restrict_public_buckets().unwrap_or_default(),
        }
    }
}

/// Who owns objects, and whether access control lists count.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum ObjectOwnership {
    /// The bucket's owner; access control lists are off: AWS's default.
    BucketOwnerEnforced,
    /// The bucket's owner, if the writer grants it full control.
    BucketOwnerPreferred,
    /// Whoever wrote an object.
    ObjectWriter,
}

impl ObjectOwnership {
    pub(super) fn to_sdk(self) -> SdkOwnership {
        match self {
            Self::BucketOwnerEnforced => SdkOwnership::BucketOwnerEnforced,
            Self::BucketOwnerPreferred => SdkOwnership::BucketOwnerPreferred,
            Self::ObjectWriter => SdkOwnership::ObjectWriter,
        }
    }

    pub(super) fn from_sdk(ownership: &SdkOwnership) -> Self {
        match ownership {
            SdkOwnership::BucketOwnerPreferred => Self::BucketOwnerPreferred,
            SdkOwnership::ObjectWriter => Self::ObjectWriter,
            _ => Self::BucketOwnerEnforced,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn settings_survive_the_way_to_aws_and_back() {
        for encryption in
            [Encryption::Aes256, Encryption::Kms { key_arn: "arn:aws:kms:x".to_owned(), bucket_key: true }]
        {
            assert_eq!(Encryption::from_sdk(&encryption.to_sdk().unwrap()), Some(encryption.clone()));
            assert_eq!(Encryption::from_value(&encryption.to_value()).unwrap(), encryption);
        }
        for block in [
            PublicAccessBlock::ALL,
            PublicAccessBlock { block_public_policy: false, ..PublicAccessBlock::ALL },
        ] {
            assert_eq!(PublicAccessBlock::from_sdk(&block.to_sdk()), block);
        }
        for ownership in [
            ObjectOwnership::BucketOwnerEnforced,
            ObjectOwnership::BucketOwnerPreferred,
            ObjectOwnership::ObjectWriter,
        ] {
            assert_eq!(ObjectOwnership::from_sdk(&ownership.to_sdk()), ownership);
        }
    }
}
