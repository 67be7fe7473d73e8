//! The sandbox time that has elapsed, overwritten at every call, so that no answer is ever followed by an earlier time.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use fs_err::{File, OpenOptions};

use super::log::checksum;

/// Eight bytes of microseconds, little-endian, and their checksum.
#[derive(Debug)]
pub(super) struct ClockFile {
    file: File,
}

impl ClockFile {
    /// Opens the file, and answers with what it says; a damaged one says nothing.
    pub(super) fn open(path: &Path) -> std::io::Result<(Self, Duration)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = [0; 16];
        let elapsed_us = match file.file().read_exact_at(&mut bytes, 0) {
            Ok(()) if checksum(&bytes[..8]) == bytes[8..] => u64::from_le_bytes([
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
            ]),
            _ => 0,
        };
        Ok((Self { file }, Duration::from_micros(elapsed_us)))
    }

    /// Writes the time with one write.
    pub(super) fn write(&self, elapsed_us: u64) -> std::io::Result<()> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&elapsed_us.to_le_bytes());
        let sum = checksum(&bytes[..8]);
        bytes[8..].copy_from_slice(&sum);
        self.file.file().write_all_at(&bytes, 0)
    }
}
