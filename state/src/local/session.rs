//! A locked folder: the only writer of its environment.

use async_trait::async_trait;
use lsinfra_engine::store::{LockHolder, OperationRecord, Session, StoreError, Stored};
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{Entry, Snapshot};

use super::disk::Disk;
use super::history::write_record;
use super::journal::JournalWriter;
use super::layout::Layout;
use super::lock::Lock;
use super::snapshot::{check_follows, read_contents, write_snapshot};
use crate::format::Note;
use crate::migrate::Moving;

/// The session of a [`LocalStore`](super::LocalStore).
pub(super) struct LocalSession {
    stored: Stored,
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
        let journal = JournalWriter::open(&disk, &layout, contents.journal.as_deref(), &contents.pending)?;
        Ok(Self { stored: contents.stored, journal, layout, disk, lock })
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
        check_follows(&self.disk, &self.layout, snapshot)?;
        write_record(&self.disk, &self.layout, snapshot.serial, record)?;
        let note = Note { last_batch: self.journal.last_batch(), ..Note::default() };
        write_snapshot(&self.disk, &self.layout, snapshot, Some(snapshot.serial - 1), note)?;
        // From here on the snapshot counts: batches that it has taken in are passed over.
        self.journal.start_over(&self.disk, &self.layout)
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Moving for LocalSession {
    async fn write_history(&mut self, history: &[OperationRecord]) -> Result<(), StoreError> {
        self.lock.check()?;
        for record in history {
            write_record(&self.disk, &self.layout, record.serial, Some(record))?;
        }
        Ok(())
    }

    async fn write(&mut self, snapshot: &Snapshot, moved_to: Option<&str>) -> Result<(), StoreError> {
        self.lock.check()?;
        let note = Note { last_batch: self.journal.last_batch(), moved_to, ..Note::default() };
        write_snapshot(&self.disk, &self.layout, snapshot, None, note)
    }
}
