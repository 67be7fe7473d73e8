//! Identifiers that look like AWS's, drawn from a seed and a counter, so that one seed gives one sequence.

use sha2::{Digest, Sha256};

/// The generator; its counter is part of the account's state, so that no identifier is given twice.
#[derive(Debug)]
pub(crate) struct Identifiers {
    seed: u64,
    next: u64,
}

impl Identifiers {
    /// A generator that goes on at a counter.
    pub(crate) fn new(seed: u64, next: u64) -> Self {
        Self { seed, next }
    }

    /// The counter, to be written down.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// 32 fresh bytes.
    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        self.next += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(self.next.to_le_bytes());
        hash.finalize().into()
    }

    /// An EC2 identifier: `vpc-0` and sixteen hexadecimal digits for the prefix `vpc`.
    pub(crate) fn ec2(&mut self, prefix: &str) -> String {
        format!("{prefix}-0{}", self.hexadecimal(16))
    }

    /// This many hexadecimal digits, at most 64.
    pub(crate) fn hexadecimal(&mut self, length: usize) -> String {
        let mut text: String = self.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        text.truncate(length);
        text
    }

    /// A UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let digits = self.hexadecimal(32);
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// This many upper-case letters and digits, at most 32, as in IAM's unique ids.
    pub(crate) fn alphanumeric(&mut self, length: usize) -> String {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        self.bytes().iter().take(length).map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
    }
}
