//! The form of state on disk, version 4.
//!
//! Owns types of their own for everything that is written, and the conversions from and to the
//! engine's types, so that the engine can change without changing files. It must not know files.
//!
//! Every document says what it is (`format`) and in which version (`format_version`). Fields that
//! its version does not have are refused, so that adding one takes a new version. A newer version
//! is refused; an older one stays readable. All that version 1 had is in version 2, which added how far an
//! object was before its deletion was started, the approval that goes on, what is edited by hand, and who
//! wrote a snapshot; version 3 added imports, what a snapshot replaced, where a state was moved to, which
//! interrupted operations one finished, which snapshot an operation left, and the recorded forms of a secret
//! that a store keeps; version 4 added to the journal how a step ended, and to a record what the operations had done that
//! were interrupted before it, and to a file that is pulled how much of a journal it has taken in. Once an older form does not fit any more, its types get a module of their own.

mod batch;
mod entry;
mod history;
mod object;
mod snapshot;

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(crate) use batch::{decode_batch, encode_batch};
use entry::{StoredEntry, StoredInterrupted, StoredOperation};
pub(crate) use history::{RecordNote, StoredOperationRecord, encode_record};
pub(crate) use snapshot::{Note, SnapshotIdentity, StoredSnapshot, encode_snapshot};

/// The version that every document is written in, and the newest one that is read.
pub(crate) const FORMAT_VERSION: u64 = 4;

/// The oldest version that is read.
const OLDEST_VERSION: u64 = 1;

/// A document with a header.
pub(crate) trait Document: DeserializeOwned {
    /// The name that its field `format` must have.
    const FORMAT: &'static str;

    /// Its fields `format` and `format_version`.
    fn header(&self) -> (&str, u64);
}

/// Why a document does not read back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// Written by a newer version of the tool.
    Newer {
        /// Its format version.
        found: u64,
    },
    /// What is wrong with it.
    Damaged(String),
}

/// Reads one document.
///
/// # Errors
/// [`DecodeError`]. A newer version is told from damage by its header alone.
pub(crate) fn decode<T: Document>(text: &[u8]) -> Result<T, DecodeError> {
    #[derive(Deserialize)]
    struct Header {
        format: String,
        format_version: u64,
    }

    // The header is looked at only if this fails, so that a sound document is parsed once.
    let is_known = |document: &T| {
        let (format, version) = document.header();
        format == T::FORMAT && (OLDEST_VERSION..=FORMAT_VERSION).contains(&version)
    };
    let problem = match serde_json::from_slice::<T>(text) {
        Ok(document) if is_known(&document) => return Ok(document),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    let header: Header =
        serde_json::from_slice(text).map_err(|error| DecodeError::Damaged(error.to_string()))?;
    if header.format != T::FORMAT {
        return Err(DecodeError::Damaged(format!("its format is {:?}, not {:?}", header.format, T::FORMAT)));
    }
    if header.format_version > FORMAT_VERSION {
        return Err(DecodeError::Newer { found: header.format_version });
    }
    let no_such_version = || format!("there is no format version {}", header.format_version);
    Err(DecodeError::Damaged(problem.unwrap_or_else(no_such_version)))
}

/// A duration in seconds. JSON has no infinities: one would be written as `null` and make the whole
/// document unreadable, so that it is written as zero, which estimates ignore.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredSeconds(f64);

impl From<f64> for StoredSeconds {
    fn from(seconds: f64) -> Self {
        Self(if seconds.is_finite() { seconds } else { 0.0 })
    }
}

impl From<StoredSeconds> for f64 {
    fn from(seconds: StoredSeconds) -> f64 {
        seconds.0
    }
}

/// The disk's form of an enum of the engine that has no fields: same variants, names of its own.
macro_rules! stored_enum {
    ($(#[$attribute:meta])* $stored:ident of $engine:ident { $($variant:ident),+ $(,)? }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $stored { $($variant),+ }

        impl From<$engine> for $stored {
            fn from(value: $engine) -> Self {
                match value { $($engine::$variant => Self::$variant),+ }
            }
        }

        impl From<$stored> for $engine {
            fn from(value: $stored) -> Self {
                match value { $($stored::$variant => Self::$variant),+ }
            }
        }
    };
}
pub(crate) use stored_enum;
