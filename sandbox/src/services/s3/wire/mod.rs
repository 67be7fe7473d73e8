//! S3's REST: requests read, answers and errors written. Owns HTTP and XML; must not know buckets' or objects' rules.

pub(in crate::services::s3) mod answers;
pub(in crate::services::s3) mod checksums;
pub(in crate::services::s3) mod errors;
pub(in crate::services::s3) mod input;
pub(in crate::services::s3) mod target;
pub(in crate::services::s3) mod xml;
