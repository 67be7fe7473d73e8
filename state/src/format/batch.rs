//! The form of the journal: one batch of entries per line, sealed by a checksum.

use std::borrow::Cow;

use lsinfra_engine::Entry;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DecodeError, Document, FORMAT_VERSION, StoredEntry, decode};

/// What stands between the last field that the checksum covers and the checksum.
const SEAL: &[u8] = br#","sha256":""#;
/// The length of a SHA-256 in hexadecimal.
const CHECKSUM_BYTES: usize = 64;

/// Entries that became durable together.
#[derive(Debug, PartialEq)]
pub(crate) struct Batch {
    /// Counts the batches of an environment, from 1, without gaps.
    pub(crate) number: u64,
    /// The entries, in order.
    pub(crate) entries: Vec<Entry>,
}

/// One line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredBatch<'a> {
    format: Cow<'a, str>,
    format_version: u64,
    batch: u64,
    entries: Vec<StoredEntry<'a>>,
    /// SHA-256 of the line before this field, in hexadecimal: [`encode_batch`] adds it, and
    /// [`decode_batch`] compares it before anything is parsed.
    #[serde(rename = "sha256", skip_serializing)]
    _checksum: IgnoredAny,
}

impl Document for StoredBatch<'static> {
    const FORMAT: &'static str = "lsinfra-journal";

    fn header(&self) -> (&str, u64) {
        (&self.format, self.format_version)
    }
}

/// One line of the journal, with its line feed.
///
/// # Errors
/// serde's, if an entry has no JSON form.
pub(crate) fn encode_batch(number: u64, entries: &[Entry]) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(&StoredBatch {
        format: StoredBatch::FORMAT.into(),
        format_version: FORMAT_VERSION,
        batch: number,
        entries: entries.iter().map(StoredEntry::from).collect(),
        _checksum: IgnoredAny,
    })?;
    // The closing brace comes after the checksum.
    line.pop();
    let checksum = checksum(&line);
    line.extend_from_slice(SEAL);
    line.extend_from_slice(checksum.as_bytes());
    line.extend_from_slice(b"\"}\n");
    Ok(line)
}

/// The batch of one line, given without its line feed.
///
/// # Errors
/// [`DecodeError`].
pub(crate) fn decode_batch(line: &[u8]) -> Result<Batch, DecodeError> {
    if !is_sealed(line) {
        // Perhaps a version that seals its lines in another way.
        return Err(match decode::<StoredBatch<'static>>(line) {
            Err(newer @ DecodeError::Newer { .. }) => newer,
            _ => DecodeError::Damaged("its checksum does not match".to_owned()),
        });
    }
    let stored: StoredBatch<'static> = decode(line)?;
    Ok(Batch { number: stored.batch, entries: stored.entries.into_iter().map(Entry::from).collect() })
}

fn is_sealed(line: &[u8]) -> bool {
    line.strip_suffix(b"\"}")
        .and_then(|rest| rest.split_last_chunk::<CHECKSUM_BYTES>())
        .and_then(|(rest, found)| rest.strip_suffix(SEAL).map(|covered| (covered, found)))
        .is_some_and(|(covered, found)| checksum(covered).as_bytes() == found)
}

fn checksum(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(CHECKSUM_BYTES), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
