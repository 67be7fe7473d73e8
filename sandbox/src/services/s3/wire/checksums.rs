//! Checksums of bodies. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crc_fast::{CrcAlgorithm, checksum};
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How a checksum is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::s3) enum Algorithm {
    /// `CRC32`.
    Crc32,
    /// `CRC32C`.
    Crc32c,
    /// `CRC64NVME`, S3's own choice if the caller makes none.
    Crc64Nvme,
    /// `SHA1`.
    Sha1,
    /// `SHA256`.
    Sha256,
}

/// All of them.
pub(in crate::services::s3) const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

impl Algorithm {
    /// The name in the API.
    pub(in crate::services::s3) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The algorithm of a name.
    pub(in crate::services::s3) fn named(name: &str) -> Option<Self> {
        ALGORITHMS.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The header that carries it.
    pub(in crate::services::s3) fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_lowercase())
    }

    /// Whether a multipart object's checksum can be that of the whole: CRCs alone can be put together from parts.
    pub(in crate::services::s3) fn covers_whole_objects(self) -> bool {
        matches!(self, Self::Crc32 | Self::Crc32c | Self::Crc64Nvme)
    }

    /// The checksum's bytes.
    pub(in crate::services::s3) fn raw(self, data: &[u8]) -> Vec<u8> {
        let crc32 = |algorithm| (checksum(algorithm, data) as u32).to_be_bytes().to_vec();
        match self {
            Self::Crc32 => crc32(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => crc32(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => checksum(CrcAlgorithm::Crc64Nvme, data).to_be_bytes().to_vec(),
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    /// The checksum as headers have it: in base 64.
    pub(in crate::services::s3) fn encoded(self, data: &[u8]) -> String {
        BASE64_STANDARD.encode(self.raw(data))
    }
}

/// A checksum that is kept with an object or a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::s3) struct Checksum {
    /// How it was made.
    pub(in crate::services::s3) algorithm: Algorithm,
    /// In base 64; one made of parts' checksums ends with `-` and their number.
    pub(in crate::services::s3) value: String,
}

impl Checksum {
    /// Of a whole body.
    pub(in crate::services::s3) fn of(algorithm: Algorithm, data: &[u8]) -> Self {
        Self { algorithm, value: algorithm.encoded(data) }
    }

    /// `FULL_OBJECT` or `COMPOSITE`.
    pub(in crate::services::s3) fn kind(&self) -> &'static str {
        if self.value.contains('-') { "COMPOSITE" } else { "FULL_OBJECT" }
    }

    /// The value, if this is its algorithm.
    pub(in crate::services::s3) fn value_for(&self, algorithm: Algorithm) -> Option<String> {
        (self.algorithm == algorithm).then(|| self.value.clone())
    }
}

/// The MD5 of a body as entity tags have it: in hexadecimal digits, without quotes.
pub(in crate::services::s3) fn md5_hex(data: &[u8]) -> String {
    Md5::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text in base 64 as bytes.
pub(in crate::services::s3) fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

/// The bytes of the MD5 of a body.
pub(in crate::services::s3) fn md5_raw(data: &[u8]) -> Vec<u8> {
    Md5::digest(data).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the CRC catalogue and of the hashes' standards, for `123456789`.
    #[test]
    fn checksums_are_the_published_ones() {
        let hex = |algorithm: Algorithm| -> String {
            algorithm.raw(b"123456789").iter().map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(hex(Algorithm::Crc32), "cbf43926");
        assert_eq!(hex(Algorithm::Crc32c), "e3069283");
        assert_eq!(hex(Algorithm::Crc64Nvme), "ae8b14860a799888");
        assert_eq!(hex(Algorithm::Sha1), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        assert_eq!(md5_hex(b"123456789"), "25f9e794323b453885f5181f1b624d0b");
    }
}
