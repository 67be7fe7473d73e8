//! A locked folder: the only writer of its environment.

use async_trait::async_trait;
use lsinfra_engine::store::{LockHolder, OperationRecord, Session, StoreError, Stored};
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{Entry, Snapshot};
use uuid::Uuid;

use super::disk::Disk;
use super::history::{write_record, write_record_with};
use super::journal::JournalWriter;
use super::layout::Layout;
use super::lock::Lock;
use super::snapshot::{
    check_follows, check_history, check_unread, read_contents, write_copy, write_snapshot,
};
use crate::format::{Note, RecordNote};
use crate::migrate::Moving;

/// The session of a [`LocalStore`](super::LocalStore).
pub(super) struct LocalSession {
    stored: Stored,
    /// The bytes of a snapshot that is unusable.
    unread: Option<Vec<u8>>,
    // Dropped in this order: the lock last.
    journal: JournalWriter,
    layout: Layout,
    disk: Disk,
    lock: Lock,
}

impl LocalSession {
    /// Locks the folder, making it if need be, and reads what is there. What a crash left half done
    /// is put right.
    pub(super) fn begin(
        disk: Disk,
        layout: Layout,
        holder: &LockHolder,
        soundness: Soundness,
    ) -> Result<Self, StoreError> {
        disk.create_folder(layout.folder())?;
        let lock = Lock::acquire(&disk, &layout, holder)?;
        let contents = read_contents(&disk, &layout, soundness)?;
        if soundness == Soundness::Waived {
            // What is unsound can be put right; another moment's snapshot cannot.
            check_history(&disk, &layout, &contents)?;
        }
        let journal = JournalWriter::open(&disk, &layout, contents.journal.as_deref(), &contents.pending)?;
        Ok(Self { stored: contents.stored, unread: contents.unread, journal, layout, disk, lock })
    }
}

#[async_trait]
impl Session for LocalSession {
    fn stored(&self) -> &Stored {
        &self.stored
    }

    async fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let line = self.journal.encode(entries)?;
        self.lock.check()?;
        self.journal.append(&self.disk, &line)
    }

    async fn save(
        &mut self,
        snapshot: &Snapshot,
        record: Option<&OperationRecord>,
    ) -> Result<(), StoreError> {
        self.lock.check()?;
        let unusable = self.stored.unusable.as_ref();
        if unusable.is_some() {
            check_unread(&self.disk, &self.layout, self.unread.as_deref())?;
        }
        check_follows(&self.disk, &self.layout, unusable, snapshot)?;
        let last_batch = self.journal.last_batch();
        write_record(&self.disk, &self.layout, snapshot, last_batch, record)?;
        let note = Note { last_batch, ..Note::default() };
        write_snapshot(&self.disk, &self.layout, snapshot, Some(snapshot.serial - 1), note)?;
        self.stored.unusable = None;
        // From here on the snapshot counts: batches that it has taken in are passed over.
        self.journal.start_over(&self.disk, &self.layout)?;
        if record.is_some_and(|record| !record.edits.is_empty()) {
            // No journal leads to what was edited by hand.
            write_copy(&self.disk, &self.layout, snapshot, note)?;
        }
        Ok(())
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Moving for LocalSession {
    async fn write_history(&mut self, lineage: Uuid, history: &[OperationRecord]) -> Result<(), StoreError> {
        self.lock.check()?;
        let note = RecordNote { lineage, last_batch: None, replaced_version: None };
        for record in history {
            write_record_with(&self.disk, &self.layout, record, note)?;
        }
        Ok(())
    }

    async fn write(&mut self, snapshot: &Snapshot, moved_to: Option<&str>) -> Result<(), StoreError> {
        self.lock.check()?;
        let note = Note { last_batch: self.journal.last_batch(), moved_to, ..Note::default() };
        write_snapshot(&self.disk, &self.layout, snapshot, None, note)
    }
}
