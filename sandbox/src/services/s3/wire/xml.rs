//! Bodies that are XML documents, with S3's errors for those that cannot be read.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::{malformed_xml, not_implemented};
use crate::protocol::error::ServiceError;
use crate::protocol::xml::{self, Unreadable};

/// Reads a document. What the type does not have is an error instead of being dropped.
pub(in crate::services::s3) fn read<T: DeserializeOwned + Serialize>(
    body: &Bytes,
) -> Result<T, ServiceError> {
    xml::read(body).map_err(|problem| match problem {
        Unreadable::Malformed => malformed_xml(),
        Unreadable::UnknownElement(element) => {
            not_implemented(&format!("the element {element} of this document"))
        }
    })
}
