//! A file of framed, checksummed records behind a line that names the format.
//!
//! A frame is a head and a payload. The head is the payload's length (four bytes, little-endian), the checksum of the
//! payload, and the checksum of these twelve bytes, so that a length can be trusted before it is followed; a checksum is
//! the first eight bytes of the SHA-256. A frame cut off by a kill at the file's end was never answered for, and is left
//! out; damage before the end is an error.

use std::io::Write;
use std::path::{Path, PathBuf};

use fs_err::{File, OpenOptions};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The format that this release reads and writes.
const FORMAT: u32 = 2;
/// The first line up to the format.
const MAGIC: &str = "lsinfra-sandbox-account ";
/// The bytes of a head that its own checksum covers.
const COVERED: usize = 12;
const HEAD: usize = COVERED + 8;

/// A record's payload and where it stood.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) offset: u64,
    payload: Vec<u8>,
}

impl Frame {
    /// The payload as JSON.
    pub(super) fn parse<T: DeserializeOwned>(&self, file: &Path) -> Result<T> {
        serde_json::from_slice(&self.payload).map_err(|error| Error::Damaged {
            file: file.to_owned(),
            offset: self.offset,
            reason: error.to_string(),
        })
    }
}

/// A log that is open for appending.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    length: u64,
}

impl Log {
    /// Replaces the log by these payloads in one step, and opens it.
    pub(super) fn rewrite(path: &Path, payloads: &[Vec<u8>]) -> Result<Self> {
        let new = path.with_extension("log.new");
        let mut bytes = format!("{MAGIC}{FORMAT}\n").into_bytes();
        for payload in payloads {
            bytes.extend(frame(payload)?);
        }
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs_err::rename(&new, path)?;
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        File::open(folder)?.sync_all()?;
        Ok(Self { file: OpenOptions::new().append(true).open(path)?, length: bytes.len() as u64 })
    }

    /// How long the file is, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends a payload with one write.
    pub(super) fn append(&mut self, payload: &[u8]) -> std::io::Result<()> {
        let frame = frame(payload)?;
        self.length += frame.len() as u64;
        self.file.write_all(&frame)
    }
}

/// The frames of a log, none if there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<Frame>> {
    let bytes = match fs_err::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        bytes => bytes?,
    };
    let damaged = |offset: usize, reason: &str| Error::Damaged {
        file: path.to_owned(),
        offset: offset as u64,
        reason: reason.to_owned(),
    };
    let end = bytes.iter().position(|&byte| byte == b'\n');
    let line = end.and_then(|end| std::str::from_utf8(&bytes[..end]).ok());
    let format = line.and_then(|line| line.strip_prefix(MAGIC)).and_then(|format| format.parse::<u32>().ok());
    let (Some(end), Some(format)) = (end, format) else {
        return Err(damaged(0, "this is not a sandbox account"));
    };
    if format > FORMAT {
        return Err(Error::NewerFormat { file: path.to_owned(), found: format, known: FORMAT });
    }
    if format < FORMAT {
        return Err(damaged(0, "it has a format that was never released"));
    }
    let mut frames = Vec::new();
    let mut offset = end + 1;
    while let Some(head) = bytes.get(offset..offset + HEAD) {
        if checksum(&head[..COVERED]) != head[COVERED..] {
            return Err(damaged(offset, "the checksum of a record's head does not match"));
        }
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(payload) = bytes.get(offset + HEAD..offset + HEAD + length) else { break };
        let next = offset + HEAD + length;
        if checksum(payload) != head[4..COVERED] {
            if next == bytes.len() {
                break;
            }
            return Err(damaged(offset, "the checksum does not match"));
        }
        frames.push(Frame { offset: offset as u64, payload: payload.to_vec() });
        offset = next;
    }
    Ok(frames)
}

/// The first eight bytes of the SHA-256.
pub(super) fn checksum(payload: &[u8]) -> [u8; 8] {
    let digest = Sha256::digest(payload);
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    head
}

fn frame(payload: &[u8]) -> std::io::Result<Vec<u8>> {
    let length =
        u32::try_from(payload.len()).map_err(|_| std::io::Error::other("a record is longer than 4 GiB"))?;
    let mut frame = Vec::with_capacity(HEAD + payload.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&checksum(payload));
    let sum = checksum(&frame);
    frame.extend_from_slice(&sum);
    frame.extend_from_slice(payload);
    Ok(frame)
}
