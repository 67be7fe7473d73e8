//! Reading what a bucket holds of an environment: snapshot and journal, fitting together.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use lsinfra_engine::store::{StoreError, Stored};
use lsinfra_engine::surgery::Soundness;

use super::S3Store;
use super::objects::StoredObject;
use crate::format::{DecodeError, FORMAT_VERSION, StoredSnapshot, decode, decode_batch};
use crate::soundness::unsound;

/// How many batches are read at once.
const PARALLEL_READS: usize = 16;

/// How often reading begins again because a run has saved in between.
const ATTEMPTS: u32 = 8;

/// Everything that the bucket holds of an environment, and what a writer must know of it.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) stored: Stored,
    /// The snapshot's tag, if there is one.
    pub(super) etag: Option<String>,
    /// Under which version the snapshot stays once it is replaced, if the bucket keeps versions.
    pub(super) version: Option<String>,
    /// The number of the last batch that the snapshot has taken in.
    pub(super) folded_batch: u64,
    /// The number of the last batch that counts.
    pub(super) last_batch: u64,
    /// The batches that stay for ever, since nobody knows for how long a holder sleeps that was replaced:
    /// see [`Contents::fence`].
    pub(super) fences: BTreeSet<u64>,
}

impl Contents {
    /// Keeps a batch without entries, which whoever took the lock over wrote in the place of the last
    /// holder's next one, and the batch before it: that may be the last holder's own, and be sent again if
    /// it fell asleep before the answer.
    pub(super) fn fence(&mut self, number: u64) {
        self.fences.extend([number.saturating_sub(1), number]);
    }
}

impl S3Store {
    /// Reads snapshot and journal, whether an unsound snapshot is refused or not. A run that saves at the same time makes this begin again.
    pub(super) async fn read_contents(&self, soundness: Soundness) -> Result<Contents, StoreError> {
        let mut gap = self.damaged(&self.keys.journal(), "batches vanish while they are read");
        for _ in 0..ATTEMPTS {
            match self.try_read_contents(soundness).await? {
                Ok(contents) => return Ok(contents),
                Err(found) => gap = found,
            }
        }
        Err(gap)
    }

    /// One reading; the inner error is a gap, which a run that saves at the same time leaves for a moment.
    async fn try_read_contents(
        &self,
        soundness: Soundness,
    ) -> Result<Result<Contents, StoreError>, StoreError> {
        let mut contents = Contents::default();
        match self.get(&self.keys.snapshot()).await? {
            Some(object) => self.read_snapshot(object, soundness, &mut contents)?,
            None => self.check_never_was().await?,
        }
        let after = self.keys.batch(contents.folded_batch);
        let listed = self.bucket.list(&self.keys.journal(), &after).await;
        let keys = listed.map_err(self.failed("list", &self.keys.journal()))?;
        let mut pending = Vec::new();
        for key in keys {
            let Some(number) = self.keys.batch_number(&key) else {
                return Err(self.damaged(&key, "it is no batch of the journal"));
            };
            pending.push((number, key));
        }
        let reads = pending.into_iter().map(|(number, key)| async move {
            let object = self.get(&key).await?;
            Ok::<_, StoreError>((number, key, object))
        });
        let read: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
        for (number, key, object) in read {
            // Taken in and deleted since it was listed.
            let Some(object) = object else { return Ok(Err(self.damaged(&key, "it vanishes"))) };
            if number != contents.last_batch + 1 {
                let missing = self.keys.batch(contents.last_batch + 1);
                return Ok(Err(self.damaged(&missing, &format!("it is missing before {key}"))));
            }
            let line = object.body.strip_suffix(b"\n").unwrap_or(&object.body);
            let batch = decode_batch(line).map_err(|error| self.undecodable(&key, error))?;
            if batch.number != number {
                return Err(self.damaged(&key, &format!("it is batch {}", batch.number)));
            }
            contents.last_batch = number;
            if batch.entries.is_empty() {
                contents.fence(number);
            }
            contents.stored.journal.extend(batch.entries);
        }
        Ok(Ok(contents))
    }

    /// Refuses to take a snapshot that was lost for one that never was. The record of a first operation may be
    /// there without: it is written before its snapshot.
    async fn check_never_was(&self) -> Result<(), StoreError> {
        let listed = self.bucket.list(&self.keys.history(), &self.keys.operation(1)).await;
        let keys = listed.map_err(self.failed("list", &self.keys.history()))?;
        match keys.last().and_then(|key| self.keys.operation_serial(key)) {
            None => Ok(()),
            Some(serial) => {
                let reason =
                    format!("it is missing, and the history has an operation that left serial {serial}");
                Err(self.damaged(&self.keys.snapshot(), &reason))
            }
        }
    }

    fn read_snapshot(
        &self,
        object: StoredObject,
        soundness: Soundness,
        contents: &mut Contents,
    ) -> Result<(), StoreError> {
        let key = self.keys.snapshot();
        let stored: StoredSnapshot<'static> =
            decode(&object.body).map_err(|error| self.undecodable(&key, error))?;
        contents.folded_batch = stored.last_batch();
        contents.last_batch = contents.folded_batch;
        (contents.etag, contents.version) = (Some(object.etag), object.version);
        contents.stored.moved_to = stored.moved_to().map(str::to_owned);
        if soundness == Soundness::Required
            && let Some(to) = &contents.stored.moved_to
        {
            return Err(StoreError::Moved { location: self.url(""), to: to.clone() });
        }
        let snapshot =
            stored.into_snapshot().map_err(|urn| self.damaged(&key, &format!("{urn} is recorded twice")))?;
        if soundness == Soundness::Required
            && let Some(problems) = unsound(&snapshot)
        {
            return Err(self.damaged(&key, &problems));
        }
        contents.stored.snapshot = Some(snapshot);
        Ok(())
    }

    pub(super) fn undecodable(&self, key: &str, error: DecodeError) -> StoreError {
        match error {
            DecodeError::Newer { found } => {
                StoreError::NewerFormat { location: self.url(key), found, supported: FORMAT_VERSION }
            }
            DecodeError::Damaged(reason) => self.damaged(key, &reason),
        }
    }
}
