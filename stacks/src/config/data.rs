//! How long data is kept, and what happens to it.

use super::document::Document;

/// The longest time that can be set, in days: ten years.
const LIMIT_DAYS: u16 = 3650;

/// For how long traces are kept. One setting for every store that holds a part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Days that ordinary traces are kept.
    pub short_lived_days: u16,
    /// Days that traces of extended retention are kept; not less than the ordinary ones.
    pub long_lived_days: u16,
}

/// The bucket of trace payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobsConfig {
    /// Whether overwritten and deleted objects stay as noncurrent versions.
    pub versioning: bool,
    /// Days that noncurrent versions are kept; without versioning, those that there are from before.
    pub noncurrent_expiry_days: u16,
    /// Days after which an unfinished multipart upload is removed.
    pub abort_multipart_days: u16,
    /// What `destroy` does with the bucket.
    pub on_destroy: OnDestroy,
}

/// What `destroy` does with something that holds data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDestroy {
    /// It is deleted with all that is in it.
    Delete,
    /// It is kept, remembered as retained, and adopted by the next `up`.
    Keep,
}

pub(super) fn retention(document: &mut Document<'_>) -> Option<RetentionConfig> {
    let short = document.integer("retention.short_lived_days", 1..=LIMIT_DAYS, "days");
    let long = document.integer("retention.long_lived_days", 1..=LIMIT_DAYS, "days");
    let (short, long) = (short?, long?);
    if long.value < short.value {
        let at = if long.span.is_some() { &long } else { &short };
        let message = format!(
            "traces of extended retention would go after {} days, before ordinary ones after {}",
            long.value, short.value
        );
        let path =
            if long.span.is_some() { "retention.long_lived_days" } else { "retention.short_lived_days" };
        document.problem(at, path, message, "allowed: short_lived_days at most long_lived_days");
    }
    Some(RetentionConfig { short_lived_days: short.value, long_lived_days: long.value })
}

pub(super) fn blobs(document: &mut Document<'_>) -> Option<BlobsConfig> {
    let versioning = document.boolean("blobs.versioning");
    let noncurrent = document.integer("blobs.noncurrent_expiry_days", 1..=LIMIT_DAYS, "days");
    let abort = document.integer("blobs.abort_multipart_days", 1..=LIMIT_DAYS, "days");
    let choices = [("delete", OnDestroy::Delete), ("keep", OnDestroy::Keep)];
    let on_destroy = document.choice("blobs.on_destroy", &choices);
    Some(BlobsConfig {
        versioning: versioning?.value,
        noncurrent_expiry_days: noncurrent?.value,
        abort_multipart_days: abort?.value,
        on_destroy: on_destroy?.value,
    })
}
