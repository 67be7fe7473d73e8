//! What the store asks of a bucket: the few calls on whole objects whose outcome is certain.
//!
//! Owns the interface and its promises. It must not know what is in the objects, nor any SDK.

use async_trait::async_trait;
use lsinfra_engine::ProviderError;

/// An object as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredObject {
    /// Its content.
    pub(crate) body: Vec<u8>,
    /// Which of the objects that ever had this key it is.
    pub(crate) etag: String,
    /// Under which version it stays once it is replaced, if the bucket keeps versions.
    pub(crate) version: Option<String>,
}

/// What an object says of itself, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectIdentity {
    /// Which of the objects that ever had this key it is.
    pub(crate) etag: String,
    /// See [`StoredObject::version`].
    pub(crate) version: Option<String>,
    /// The mark that its writer gave it.
    pub(crate) mark: Option<String>,
}

/// Which object a write may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition<'a> {
    /// None: `If-None-Match: *`.
    Absent,
    /// The one with this tag: `If-Match`.
    Etag(&'a str),
}

/// How a conditional write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It took effect, and this is the new object.
    Done {
        /// Its tag.
        etag: String,
        /// See [`StoredObject::version`].
        version: Option<String>,
    },
    /// The condition did not hold. That may be so because an earlier try of the same write had taken
    /// effect: whoever asks must look.
    Refused,
}

/// A bucket. Every call is sent again by itself when that may help.
///
/// # Errors
/// Each call gives a [`ProviderError`] when there is no clear answer: a write may have taken effect then.
#[async_trait]
pub(crate) trait Bucket: Send + Sync {
    /// The object, if it is there.
    async fn get(&self, key: &str) -> Result<Option<StoredObject>, ProviderError>;

    /// The object as it was under that version, if it is still kept.
    async fn get_version(&self, key: &str, version: &str) -> Result<Option<StoredObject>, ProviderError>;

    /// The versions that are kept of the object, newest first.
    async fn versions(&self, key: &str) -> Result<Vec<String>, ProviderError>;

    /// The object's identity, if it is there.
    async fn head(&self, key: &str) -> Result<Option<ObjectIdentity>, ProviderError>;

    /// Writes an object if the condition holds. `mark` is kept with it.
    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        mark: &str,
        condition: Condition<'_>,
    ) -> Result<Written, ProviderError>;

    /// The keys with a prefix, in order, from after `start_after`.
    async fn list(&self, prefix: &str, start_after: &str) -> Result<Vec<String>, ProviderError>;

    /// Deletes objects; one that is not there is no error.
    async fn delete(&self, keys: &[String]) -> Result<(), ProviderError>;
}
