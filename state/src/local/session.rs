//! A locked folder: the only writer of its environment.

use async_trait::async_trait;
use lsinfra_engine::store::{LockHolder, OperationRecord, Session, StoreError, Stored};
use lsinfra_engine::{Entry, Snapshot};

use super::blocking;
use super::disk::{Disk, io_error};
use super::history::write_record;
use super::journal::JournalWriter;
use super::layout::Layout;
use super::lock::Lock;
use super::snapshot::{check_follows, read_contents, write_snapshot};

/// The session of a [`LocalStore`](super::LocalStore).
pub(super) struct LocalSession {
    layout: Layout,
    stored: Stored,
    /// Absent while a write is under way, and for good if its future was dropped: nobody knows then
    /// how it ended, and nothing may be written after it.
    files: Option<Box<Files>>,
}

/// What is needed to write. It moves to the thread that writes, so that the lock is held for as long
/// as anything is being written.
struct Files {
    // Dropped in this order: the lock last.
    journal: JournalWriter,
    layout: Layout,
    disk: Disk,
    lock: Lock,
}

impl LocalSession {
    /// Locks the folder, making it if need be, and reads what is there. What a crash left half done
    /// is put right.
    pub(super) fn begin(disk: Disk, layout: Layout, holder: &LockHolder) -> Result<Self, StoreError> {
        disk.create_folder(layout.folder())?;
        let lock = Lock::acquire(&disk, &layout, holder)?;
        let contents = read_contents(&disk, &layout)?;
        let journal = JournalWriter::open(&disk, &layout, contents.journal.as_deref(), &contents.pending)?;
        let files = Files { journal, layout: layout.clone(), disk, lock };
        Ok(Self { layout, stored: contents.stored, files: Some(Box::new(files)) })
    }

    /// Runs `write` on a thread that may block.
    async fn with_files<F>(&mut self, write: F) -> Result<(), StoreError>
    where
        F: FnOnce(&mut Files) -> Result<(), StoreError> + Send + 'static,
    {
        let mut files = self.files.take().ok_or_else(|| self.abandoned())?;
        let location = self.layout.folder().to_owned();
        let (files, written) = blocking(&location, move || {
            let written = files.lock.check().and_then(|()| write(&mut files));
            Ok((files, written))
        })
        .await?;
        self.files = Some(files);
        written
    }

    fn abandoned(&self) -> StoreError {
        io_error("write", &self.layout.journal())(std::io::Error::other("an earlier write was abandoned"))
    }
}

#[async_trait]
impl Session for LocalSession {
    fn stored(&self) -> &Stored {
        &self.stored
    }

    async fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let line = self.files.as_ref().ok_or_else(|| self.abandoned())?.journal.encode(entries)?;
        self.with_files(move |files| files.journal.append(&files.disk, &line)).await
    }

    async fn save(
        &mut self,
        snapshot: &Snapshot,
        record: Option<&OperationRecord>,
    ) -> Result<(), StoreError> {
        // Cheap: objects are shared.
        let (snapshot, record) = (snapshot.clone(), record.cloned());
        self.with_files(move |files| files.save(&snapshot, record.as_ref())).await
    }

    async fn release(mut self: Box<Self>) -> Result<(), StoreError> {
        self.files = None;
        Ok(())
    }
}

impl Files {
    fn save(&mut self, snapshot: &Snapshot, record: Option<&OperationRecord>) -> Result<(), StoreError> {
        check_follows(&self.disk, &self.layout, snapshot)?;
        write_record(&self.disk, &self.layout, snapshot.serial, record)?;
        write_snapshot(&self.disk, &self.layout, snapshot, self.journal.last_batch())?;
        // From here on the snapshot counts: batches that it has taken in are passed over.
        self.journal.start_over(&self.disk, &self.layout)
    }
}
