//! A locked environment in a bucket: the only writer of it.
//!
//! Owns the order of writes that keeps a run out which lost its lock: batches have dense numbers and are
//! never replaced, the snapshot replaces the one that was read, and whoever takes a lock over writes both
//! before anything else.

use std::sync::Arc;

use async_trait::async_trait;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::store::{Guard, OperationRecord, Session, StateStore, StoreError, Stored};
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{Entry, Snapshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::S3Store;
use super::contents::Contents;
use super::lease::{Lease, Loss};
use super::lock::LastHolder;
use super::objects::{Condition, Written};
use crate::format::{Note, RecordNote, SnapshotIdentity, encode_batch, encode_record, encode_snapshot};
use crate::migrate::Moving;
use crate::soundness::{self, unsound};

/// The session of an [`S3Store`].
pub(super) struct S3Session {
    store: S3Store,
    lease: Lease,
    renewing: JoinHandle<()>,
    contents: Contents,
    /// The lock's id, and how many writes were tried under it: each has a mark of its own.
    lock: Uuid,
    writes: u64,
    /// What was sent as the next batch without a clear answer, with its mark.
    in_doubt: Vec<(String, Vec<Entry>)>,
    /// Whether a snapshot was sent without a clear answer.
    save_in_doubt: bool,
    /// Whether nothing is accepted any more that an earlier holder may still write.
    is_alone: bool,
}

impl S3Session {
    pub(super) async fn begin(
        store: S3Store,
        lease: Lease,
        lock: Uuid,
        last_holder: LastHolder,
        soundness: Soundness,
    ) -> Result<Self, StoreError> {
        let renewing = tokio::spawn(lease.clone().keep(Arc::clone(&store.locks), store.lock_key()));
        let mut session = Self {
            store,
            lease,
            renewing,
            contents: Contents::default(),
            lock,
            writes: 0,
            in_doubt: Vec::new(),
            save_in_doubt: false,
            is_alone: last_holder == LastHolder::Ended,
        };
        match session.open(last_holder, soundness).await {
            Ok(()) => Ok(session),
            Err(error) => {
                // The first error is what the user must see.
                let _ = Box::new(session).release().await;
                Err(error)
            }
        }
    }

    /// Reads what is there. After a takeover the last holder may be asleep rather than dead: the next
    /// batch and the snapshot are written first, so that nothing that it wakes up to write is accepted.
    async fn open(&mut self, last_holder: LastHolder, soundness: Soundness) -> Result<(), StoreError> {
        self.contents = self.store.read_contents(soundness).await?;
        if soundness == Soundness::Waived {
            // What is unsound can be put right; another moment's snapshot cannot.
            self.store.check_history(&self.contents).await?;
        }
        let is_empty = self.contents.etag.is_none() && self.contents.last_batch == 0;
        // Where nothing was ever written, a first run would shut out nobody: of two, one gets its first write in.
        if last_holder == LastHolder::Ended || (last_holder == LastHolder::Unrecorded && is_empty) {
            self.is_alone = true;
            return Ok(());
        }
        loop {
            self.check_lease()?;
            let Stored { snapshot, moved_to, .. } = self.contents.stored.clone();
            let is_shut_out = match &snapshot {
                Some(snapshot) => {
                    self.put_snapshot(snapshot, self.contents.folded_batch, moved_to.as_deref()).await?
                }
                None => true,
            };
            if is_shut_out && self.put_batch(&[]).await? {
                self.contents.fence(self.contents.last_batch);
                self.is_alone = true;
                return Ok(());
            }
            // It was awake a moment ago.
            self.contents = self.store.read_contents(soundness).await?;
        }
    }

    fn check_lease(&self) -> Result<(), StoreError> {
        self.lease.check().map_err(|loss| self.lost(loss))
    }

    /// What a write without a clear answer comes to: whoever slept through the answer is told of the lock instead.
    fn unclear(&self, error: StoreError) -> StoreError {
        self.check_lease().err().unwrap_or(error)
    }

    fn lost(&self, loss: Loss) -> StoreError {
        let holder = match loss {
            Loss::Expired => None,
            Loss::TakenOver(holder) => holder.map(Box::new),
        };
        StoreError::LockLost { location: self.store.url(""), holder }
    }

    /// Somebody else wrote where only the holder may: whoever it was has the lock now, or never asked for it.
    async fn replaced(&self) -> StoreError {
        let found = self.store.locks.read(&self.store.lock_key()).await.ok().flatten();
        let holder = found.and_then(|record| record.held).map(|held| held.holder);
        if holder.as_ref().is_some_and(|holder| holder.operation == self.lock)
            && let Some(error) = self.replaced_by_hand().await
        {
            return error;
        }
        self.lost(Loss::TakenOver(holder.filter(|holder| holder.operation != self.lock)))
    }

    /// How the snapshot that is there differs from the one that was to be replaced.
    async fn replaced_by_hand(&self) -> Option<StoreError> {
        let found = self.store.read_contents(Soundness::Waived).await.ok()?.stored.snapshot?;
        let expected = self.contents.stored.snapshot.as_ref()?;
        let location = self.store.url(&self.store.keys.snapshot());
        if found.lineage != expected.lineage {
            let (expected, found) = (expected.lineage, found.lineage);
            return Some(StoreError::LineageMismatch { location, expected, found });
        }
        let (expected, found) = (expected.serial, found.serial);
        (expected != found).then_some(StoreError::SerialMoved { location, expected, found })
    }

    fn next_mark(&mut self) -> String {
        self.writes += 1;
        format!("{}/{}", self.lock, self.writes)
    }

    /// Writes the next batch: whether it is there now, by this try or an earlier one.
    ///
    /// # Errors
    /// [`StoreError`] without a clear answer; the entries are in doubt then.
    async fn put_batch(&mut self, entries: &[Entry]) -> Result<bool, StoreError> {
        let mut rest = entries;
        loop {
            let number = self.contents.last_batch + 1;
            let key = self.store.keys.batch(number);
            let body = encode_batch(number, rest).map_err(|error| self.store.unwritable(&key, &error))?;
            let mark = self.next_mark();
            // In doubt until there is an answer, also if nobody waits for it.
            self.in_doubt.push((mark.clone(), rest.to_vec()));
            let written = self.store.bucket.put(&key, body, &mark, Condition::Absent).await;
            let found = match written.map_err(self.store.failed("write", &key))? {
                Written::Done { .. } => Some(mark),
                Written::Refused => {
                    let head = self.store.bucket.head(&key).await;
                    head.map_err(self.store.failed("read", &key))?.and_then(|identity| identity.mark)
                }
            };
            let stored = self.in_doubt.iter().find(|(mark, _)| found.as_ref() == Some(mark));
            let Some(stored) = stored.map(|(_, entries)| entries.len()) else { return Ok(false) };
            self.in_doubt.clear();
            self.contents.last_batch = number;
            // An earlier try that held a part of the entries has taken effect.
            rest = &rest[stored..];
            if rest.is_empty() {
                return Ok(true);
            }
        }
    }

    /// Replaces the snapshot that was read: whether it is there now.
    async fn put_snapshot(
        &mut self,
        snapshot: &Snapshot,
        last_batch: u64,
        moved_to: Option<&str>,
    ) -> Result<bool, StoreError> {
        let key = self.store.keys.snapshot();
        let mark = self.next_mark();
        let body = encode_snapshot(
            snapshot,
            Note { last_batch, written_by: Some(&mark), moved_to, journal_entries: 0 },
        )
        .map_err(|error| self.store.unwritable(&key, &error))?
        .into_bytes();
        let etag = self.contents.etag.clone();
        let condition = etag.as_deref().map_or(Condition::Absent, Condition::Etag);
        self.save_in_doubt = true;
        let written = self.store.bucket.put(&key, body, &mark, condition).await;
        let found = match written.map_err(self.store.failed("write", &key))? {
            Written::Done { etag, version } => Some((etag, version)),
            Written::Refused => {
                let head = self.store.bucket.head(&key).await.map_err(self.store.failed("read", &key))?;
                let ours = head.filter(|identity| identity.mark.as_ref() == Some(&mark));
                ours.map(|identity| (identity.etag, identity.version))
            }
        };
        self.save_in_doubt = false;
        let Some((etag, version)) = found else { return Ok(false) };
        (self.contents.etag, self.contents.version) = (Some(etag), version);
        self.contents.folded_batch = last_batch;
        Ok(true)
    }

    /// Writes the record of the operation that is about to leave the snapshot with that serial, in the
    /// place of one that a run left behind which did not get to save. It replaces what was seen and
    /// nothing else: a run that slept meanwhile must not do away with its successor's record.
    async fn put_record(&mut self, record: &OperationRecord, note: RecordNote<'_>) -> Result<(), StoreError> {
        let key = self.store.keys.operation(record.serial);
        let body = encode_record(record, note).map_err(|error| self.store.unwritable(&key, &error))?;
        let mut seen: Option<String> = None;
        loop {
            self.check_lease()?;
            let mark = self.next_mark();
            let condition = seen.as_deref().map_or(Condition::Absent, Condition::Etag);
            let written = self.store.bucket.put(&key, body.clone(), &mark, condition).await;
            if let Written::Done { .. } = written.map_err(self.store.failed("write", &key))? {
                return Ok(());
            }
            let head = self.store.bucket.head(&key).await.map_err(self.store.failed("read", &key))?;
            if head.as_ref().is_some_and(|identity| identity.mark.as_ref() == Some(&mark)) {
                return Ok(());
            }
            seen = head.map(|identity| identity.etag);
        }
    }

    /// Refuses to replace a snapshot that is not the one before `snapshot`, or to write one that could
    /// not be read again.
    fn check_follows(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let Stored { snapshot: stored, unusable, .. } = &self.contents.stored;
        let identity = |Snapshot { lineage, serial, .. }: &Snapshot| SnapshotIdentity {
            lineage: *lineage,
            serial: *serial,
        };
        let unusable = unusable.as_ref().map(|one| SnapshotIdentity::of_unusable(one, snapshot));
        let stored = stored.as_ref().map(identity).or(unusable);
        soundness::check_follows(stored, snapshot, || self.store.url(&self.store.keys.snapshot()))?;
        match unsound(snapshot) {
            Some(problems) => {
                let message = format!("the new snapshot is unsound: {problems}");
                Err(self.store.failed("write", &self.store.keys.snapshot())(ProviderError::new(
                    ErrorKind::Invalid,
                    message,
                )))
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Session for S3Session {
    fn stored(&self) -> &Stored {
        &self.contents.stored
    }

    async fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        self.check_lease()?;
        // What is in doubt comes first again, or nobody knows what follows on what.
        if let Some((_, earlier)) = self.in_doubt.iter().find(|(_, earlier)| !entries.starts_with(earlier)) {
            let message = format!("a batch of {} entries has no clear outcome yet", earlier.len());
            let key = self.store.keys.batch(self.contents.last_batch + 1);
            return Err(self.store.failed("write", &key)(ProviderError::new(ErrorKind::Unclear, message)));
        }
        match self.put_batch(entries).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.replaced().await),
            Err(error) => Err(self.unclear(error)),
        }
    }

    async fn save(
        &mut self,
        snapshot: &Snapshot,
        record: Option<&OperationRecord>,
    ) -> Result<(), StoreError> {
        self.check_lease()?;
        self.check_follows(snapshot)?;
        if let Some(record) = record {
            let replaced = self.contents.version.clone();
            let note = RecordNote {
                lineage: snapshot.lineage,
                last_batch: Some(self.contents.last_batch),
                replaced_version: replaced.as_deref(),
            };
            self.put_record(record, note).await.map_err(|error| self.unclear(error))?;
        }
        self.check_lease()?;
        let first = self.contents.folded_batch + 1;
        let put = self.put_snapshot(snapshot, self.contents.last_batch, None).await;
        if !put.map_err(|error| self.unclear(error))? {
            return Err(self.replaced().await);
        }
        self.contents.stored = Stored { snapshot: Some(snapshot.clone()), ..Stored::default() };
        let fences = std::mem::take(&mut self.contents.fences);
        let folded = (first..=self.contents.last_batch).filter(|number| !fences.contains(number));
        let folded: Vec<String> = folded.map(|number| self.store.keys.batch(number)).collect();
        // What is left of them is passed over.
        let _ = self.store.bucket.delete(&folded).await;
        Ok(())
    }

    fn guard(&self) -> Option<Guard> {
        let lease = self.lease.clone();
        Some(Arc::new(move || lease.check().is_ok()))
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        self.renewing.abort();
        // A write that may still arrive must meet a lock that is held: it heals by itself, and whoever takes
        // it over shuts the writer out.
        if self.is_alone && self.in_doubt.is_empty() && !self.save_in_doubt {
            self.lease.give_back(&*self.store.locks, &self.store.lock_key()).await;
        }
        Ok(())
    }
}

#[async_trait]
impl Moving for S3Session {
    async fn write_history(&mut self, lineage: Uuid, history: &[OperationRecord]) -> Result<(), StoreError> {
        // Where the state was before, they say as which versions its earlier snapshots stay.
        let there = self.store.history().await?;
        for record in history.iter().filter(|record| !there.contains(record)) {
            // The snapshots that they replaced stay where they are.
            let note = RecordNote { lineage, last_batch: None, replaced_version: None };
            self.put_record(record, note).await?;
        }
        Ok(())
    }

    async fn write(&mut self, snapshot: &Snapshot, moved_to: Option<&str>) -> Result<(), StoreError> {
        self.check_lease()?;
        match self.put_snapshot(snapshot, self.contents.last_batch, moved_to).await? {
            true => Ok(()),
            false => Err(self.replaced().await),
        }
    }
}

impl Drop for S3Session {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}
