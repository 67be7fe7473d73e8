//! Reading what a bucket holds of an environment: snapshot and journal, fitting together.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use lsinfra_engine::store::{StoreError, Stored, Unusable};
use lsinfra_engine::surgery::Soundness;

use super::S3Store;
use super::objects::StoredObject;
use crate::format::{
    DecodeError, FORMAT_VERSION, StoredOperationRecord, StoredSnapshot, decode, decode_batch,
};
use crate::soundness::{HistoryEnd, check_newest, in_history, sound};

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
    /// Reads snapshot and journal. A snapshot that is unsound, or not the one that the history ends with, is
    /// refused or not. A run that saves at the same time makes this begin again.
    pub(super) async fn read_contents(&self, soundness: Soundness) -> Result<Contents, StoreError> {
        let mut gap = self.damaged(&self.keys.journal(), "batches vanish while they are read");
        for attempt in 1..=ATTEMPTS {
            match self.try_read_contents(soundness, attempt == ATTEMPTS).await? {
                Ok(contents) => return Ok(contents),
                Err(found) => gap = found,
            }
        }
        Err(gap)
    }

    /// One reading; the inner error is a gap, or another end of the history, which a run that saves at the same
    /// time leaves for a moment. After the last reading it is no matter of a moment.
    async fn try_read_contents(
        &self,
        soundness: Soundness,
        is_last: bool,
    ) -> Result<Result<Contents, StoreError>, StoreError> {
        let mut contents = Contents::default();
        let read = match self.get(&self.keys.snapshot()).await? {
            Some(object) => self.read_snapshot(object, soundness, &mut contents),
            None => self.check_never_was().await,
        };
        match read {
            Err(StoreError::Damaged { reason, .. }) if soundness == Soundness::Replaced => {
                self.look_beside(reason, &mut contents).await?;
            }
            read => read?,
        }
        let history = match &contents.stored.snapshot {
            Some(snapshot) if soundness != Soundness::Waived => self.history_end(snapshot.serial).await?,
            _ => HistoryEnd::default(),
        };
        // What an earlier snapshot has not taken in may be gone, so that its journal says nothing.
        let mut gap = None;
        let mut checked = self.check_newest(&contents, u64::MAX, history);
        if checked.is_ok() {
            gap = self.read_journal(&mut contents).await?.err();
            checked = self.check_newest(&contents, contents.last_batch, history);
        }
        match checked {
            Ok(()) => Ok(gap.map_or(Ok(contents), Err)),
            Err(error) if soundness == Soundness::Replaced && is_last => {
                contents.stored = Stored::default();
                contents.fences.clear();
                self.look_beside(error.to_string(), &mut contents).await?;
                Ok(self.read_journal(&mut contents).await?.map(|()| contents))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// Reads the batches of the journal that the snapshot has not taken in; the inner error is a gap.
    async fn read_journal(&self, contents: &mut Contents) -> Result<Result<(), StoreError>, StoreError> {
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
            // What an unusable snapshot has taken in may be missing, but for the fences, if no record says how far
            // that went.
            let may_begin = contents.stored.unusable.is_some()
                && contents.folded_batch == 0
                && contents.stored.journal.is_empty();
            if number != contents.last_batch + 1 && !may_begin {
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
        Ok(Ok(()))
    }

    /// Refuses a snapshot that is not the one that the history ends with.
    ///
    /// # Errors
    /// [`StoreError::LineageMismatch`], [`StoreError::SerialMoved`].
    pub(super) async fn check_history(&self, contents: &Contents) -> Result<(), StoreError> {
        let Some(snapshot) = &contents.stored.snapshot else { return Ok(()) };
        let history = self.history_end(snapshot.serial).await?;
        self.check_newest(contents, contents.last_batch, history)
    }

    fn check_newest(
        &self,
        contents: &Contents,
        last_batch: u64,
        history: HistoryEnd,
    ) -> Result<(), StoreError> {
        let Some(snapshot) = in_history(&contents.stored) else { return Ok(()) };
        check_newest(snapshot, last_batch, history, || self.url(&self.keys.snapshot()))
    }

    /// Where the history ends, beside a snapshot of that serial.
    async fn history_end(&self, serial: u64) -> Result<HistoryEnd, StoreError> {
        let before = self.keys.operation(serial.saturating_sub(1));
        let mut serials = self.recorded_serials(&before).await?;
        if serials.is_empty() && serial > 1 {
            serials = self.recorded_serials("").await?;
        }
        let mut end = HistoryEnd { newest: serials.last().copied(), ..HistoryEnd::default() };
        let says_lineage = serials.contains(&serial).then_some(serial).or(end.newest);
        if let Some(serial) = says_lineage {
            end.lineage = self.readable_record(serial).await?.and_then(|record| record.lineage());
        }
        if end.newest == Some(serial + 1) {
            end.next_batch = self.readable_record(serial + 1).await?.and_then(|record| record.last_batch());
        }
        Ok(end)
    }

    /// The serials of which there is a record, in order, from after that key.
    async fn recorded_serials(&self, after: &str) -> Result<Vec<u64>, StoreError> {
        let listed = self.bucket.list(&self.keys.history(), after).await;
        let keys = listed.map_err(self.failed("list", &self.keys.history()))?;
        Ok(keys.iter().filter_map(|key| self.keys.operation_serial(key)).collect())
    }

    /// The record of the operation that left the snapshot with that serial. One that cannot be read says nothing:
    /// `history` is what refuses it.
    async fn readable_record(
        &self,
        serial: u64,
    ) -> Result<Option<StoredOperationRecord<'static>>, StoreError> {
        let record = self.get(&self.keys.operation(serial)).await?;
        Ok(record.and_then(|record| decode(&record.body).ok()))
    }

    /// The serial of the newest record and what it says, if there is one.
    pub(super) async fn newest_record(
        &self,
    ) -> Result<Option<(u64, Option<StoredOperationRecord<'static>>)>, StoreError> {
        Ok(match self.recorded_serials("").await?.last().copied() {
            Some(serial) => Some((serial, self.readable_record(serial).await?)),
            None => None,
        })
    }

    /// What is known of a snapshot that cannot be read, by the history beside it.
    async fn look_beside(&self, reason: String, contents: &mut Contents) -> Result<(), StoreError> {
        let (mut serial, record) = self.newest_record().await?.unwrap_or((1, None));
        let lineage = record.as_ref().and_then(StoredOperationRecord::lineage);
        let mut last_batch = record.as_ref().and_then(StoredOperationRecord::last_batch);
        if self.was_not_saved(serial, record.as_ref()).await? {
            serial -= 1;
            last_batch = self.readable_record(serial).await?.and_then(|record| record.last_batch());
        }
        contents.folded_batch = last_batch.unwrap_or_default();
        contents.last_batch = contents.folded_batch;
        contents.stored.unusable = Some(Unusable {
            lineage,
            serial,
            reason,
            kept: format!("an earlier version of {}", self.url(&self.keys.snapshot())),
            journal: self.url(&self.keys.journal()),
        });
        Ok(())
    }

    /// Whether the operation of the newest record did not get to save its snapshot: all batches are there that it
    /// was to take in, and no version of the snapshot is that one.
    async fn was_not_saved(
        &self,
        serial: u64,
        record: Option<&StoredOperationRecord<'static>>,
    ) -> Result<bool, StoreError> {
        let Some((record, last)) = record.and_then(|record| Some((record, record.last_batch()?))) else {
            return Ok(false);
        };
        let before = self.readable_record(serial.saturating_sub(1)).await?;
        let first = before.and_then(|before| before.last_batch()).unwrap_or_default() + 1;
        if serial < 2 || first > last {
            return Ok(false);
        }
        let listed = self.bucket.list(&self.keys.journal(), &self.keys.batch(first - 1)).await;
        let keys = listed.map_err(self.failed("list", &self.keys.journal()))?;
        let there: BTreeSet<u64> = keys.iter().filter_map(|key| self.keys.batch_number(key)).collect();
        let are_there = (first..=last).all(|number| there.contains(&number));
        Ok(are_there && self.kept_snapshot(serial, record.lineage()).await?.is_none())
    }

    /// Refuses to take a snapshot that was lost for one that never was. The record of a first operation may be
    /// there without: it is written before its snapshot.
    pub(super) async fn check_never_was(&self) -> Result<(), StoreError> {
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
        (contents.etag, contents.version) = (Some(object.etag), object.version);
        let stored: StoredSnapshot<'static> =
            decode(&object.body).map_err(|error| self.undecodable(&key, error))?;
        contents.folded_batch = stored.last_batch();
        contents.last_batch = contents.folded_batch;
        contents.stored.moved_to = stored.moved_to().map(str::to_owned);
        if soundness == Soundness::Required
            && let Some(to) = &contents.stored.moved_to
        {
            return Err(StoreError::Moved { location: self.url(""), to: to.clone() });
        }
        let (snapshot, twice) = sound(stored, soundness).map_err(|reason| self.damaged(&key, &reason))?;
        contents.stored.snapshot = Some(snapshot);
        contents.stored.twice = twice;
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
