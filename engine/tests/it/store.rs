//! A state store in memory, as strict as the real ones: one lock, whole batches, dense serials, one
//! lineage. It replays every batch as it becomes durable, so that no prefix of a journal can be one
//! that a later run could not read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lsinfra_engine::schema::Kind;
use lsinfra_engine::snapshot::diagnose;
use lsinfra_engine::store::{LockHolder, OperationRecord, Session, StateStore, StoreError, Stored};
use lsinfra_engine::{Entry, Snapshot};
use tokio::time::Instant;
use uuid::Uuid;

use crate::moments::{Moment, Moments, ProcessNumber};
use crate::random::Dice;
use crate::recorded::{recorded_entry, recorded_object};

/// Looks at what is durable each time that changes, and says what is wrong with it.
type Watcher = Arc<dyn Fn(&Snapshot) -> Option<String> + Send + Sync>;

/// How a write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It is undone, and later ones succeed.
    Undone,
    /// Nobody knows, and all later ones are refused.
    Stuck {
        /// Whether it is durable nevertheless.
        durable: bool,
    },
}

/// The durable part of a store: what survives every process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Disk {
    inner: Arc<Mutex<Inner>>,
    moments: Moments,
    dice: Dice,
}

struct Inner {
    stored: Stored,
    /// The snapshot with the journal replayed.
    state: Snapshot,
    lock: Option<(LockHolder, ProcessNumber)>,
    history: Vec<OperationRecord>,
    writes: u64,
    /// The write, counted from 1, that fails, and how.
    failing_write: Option<(u64, Failure)>,
    /// Whether every write is refused.
    refuses: bool,
    /// How much longer than usual a write takes.
    slowness: Duration,
    violations: Vec<String>,
    /// What became durable when, for a reader of a failing case.
    story: Vec<(Instant, String)>,
    watcher: Option<Watcher>,
}

impl Disk {
    pub(crate) fn new(moments: Moments, dice: Dice) -> Self {
        let inner = Inner {
            stored: Stored::default(),
            state: Snapshot::new(Uuid::nil(), "", Default::default()),
            lock: None,
            history: Vec::new(),
            writes: 0,
            failing_write: None,
            refuses: false,
            slowness: Duration::ZERO,
            violations: Vec::new(),
            story: Vec::new(),
            watcher: None,
        };
        Self { inner: Arc::new(Mutex::new(inner)), moments, dice }
    }

    /// The store as one process sees it.
    pub(crate) fn store(&self, process: ProcessNumber) -> MemoryStore {
        MemoryStore { disk: self.clone(), process }
    }

    /// An independent copy.
    pub(crate) fn fork(&self, moments: Moments) -> Self {
        let inner = self.lock();
        let copy = Inner {
            stored: inner.stored.clone(),
            state: inner.state.clone(),
            history: inner.history.clone(),
            lock: None,
            writes: 0,
            failing_write: None,
            refuses: false,
            slowness: Duration::ZERO,
            violations: Vec::new(),
            story: inner.story.clone(),
            watcher: None,
        };
        Self { inner: Arc::new(Mutex::new(copy)), moments, dice: self.dice }
    }

    /// What is durable: the snapshot with the journal replayed.
    pub(crate) fn state(&self) -> Snapshot {
        self.lock().state.clone()
    }

    /// Looks at what is durable without copying it.
    pub(crate) fn with_state<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        look(&self.lock().state)
    }

    /// What is stored.
    pub(crate) fn stored(&self) -> Stored {
        self.lock().stored.clone()
    }

    /// How many writes there were.
    pub(crate) fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// Changes the stored snapshot, as another version of the tool might have written it.
    pub(crate) fn rewrite(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut inner = self.lock();
        let mut snapshot = inner.stored.snapshot.take().unwrap();
        change(&mut snapshot);
        inner.state = snapshot.clone();
        inner.stored.snapshot = Some(snapshot);
    }

    /// Lets the write after `after` more ones fail.
    pub(crate) fn fail_write(&self, after: u64, failure: Failure) {
        let mut inner = self.lock();
        inner.failing_write = Some((inner.writes + after + 1, failure));
    }

    /// Lets every write take that much longer.
    pub(crate) fn slow_down(&self, slowness: Duration) {
        self.lock().slowness = slowness;
    }

    /// Lets all further writes succeed.
    pub(crate) fn heal(&self) {
        let mut inner = self.lock();
        inner.failing_write = None;
        inner.refuses = false;
    }

    /// The operations of the history.
    pub(crate) fn history(&self) -> Vec<OperationRecord> {
        self.lock().history.clone()
    }

    /// What became durable when.
    pub(crate) fn story(&self) -> Vec<(Instant, String)> {
        self.lock().story.clone()
    }

    /// What went against the contract of a store.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    /// Has every durable state looked at.
    pub(crate) fn watch(&self, watcher: impl Fn(&Snapshot) -> Option<String> + Send + Sync + 'static) {
        self.lock().watcher = Some(Arc::new(watcher));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One durable write: with its moments, its duration, and its chance to fail.
    async fn write(
        &self,
        process: ProcessNumber,
        moments: [Moment; 2],
        effect: impl FnOnce(&mut Inner),
    ) -> Result<(), StoreError> {
        self.moments.pass(process, moments[0]).await;
        let number = self.lock().writes + 1;
        let usual = self.dice.between(number, Duration::from_millis(1), Duration::from_millis(20));
        let slowness = self.lock().slowness;
        tokio::time::sleep(usual + slowness).await;
        if !self.moments.is_alive(process) {
            std::future::pending::<()>().await;
        }
        let fails = {
            let mut inner = self.lock();
            inner.writes = number;
            let failure = inner.failing_write.filter(|(at, _)| *at == number).map(|(_, failure)| failure);
            let fails = inner.refuses || failure.is_some();
            inner.refuses |= matches!(failure, Some(Failure::Stuck { .. }));
            if !fails || failure == Some(Failure::Stuck { durable: true }) {
                effect(&mut inner);
                inner.look();
            }
            fails
        };
        self.moments.pass(process, moments[1]).await;
        if fails {
            return Err(StoreError::Io {
                action: "write",
                location: "memory".to_owned(),
                source: std::io::Error::from(std::io::ErrorKind::StorageFull),
            });
        }
        Ok(())
    }
}

impl Inner {
    fn look(&mut self) {
        if let Some(violation) = self.watcher.clone().and_then(|watcher| watcher(&self.state)) {
            self.violations.push(violation);
        }
    }

    fn append(&mut self, entries: &[Entry]) {
        if entries.is_empty() {
            self.violations.push("an empty batch was appended".to_owned());
        }
        let mut state = self.state.clone();
        self.story.extend(entries.iter().map(|entry| (Instant::now(), told(entry))));
        for entry in entries {
            let before = state.clone();
            if let Err(error) = state.apply(entry) {
                self.violations.push(format!("an entry does not follow: {error}"));
                if state != before {
                    self.violations.push(format!("a refused entry changed the state: {error}"));
                }
            }
        }
        self.state = state;
        self.stored.journal.extend(entries.iter().map(recorded_entry));
    }

    fn save(&mut self, snapshot: &Snapshot, record: Option<&OperationRecord>) {
        let mut recorded = snapshot.clone();
        recorded.resources.values_mut().flat_map(|record| &mut record.objects).for_each(|object| {
            *object = recorded_object(object);
        });
        // The store does not know which resources own objects: ids are checked elsewhere.
        for problem in diagnose(snapshot, |_| Some(Kind::Run)) {
            self.violations.push(format!("the saved snapshot is unsound: {problem}"));
        }
        if let Some(changed) = changed_object(&self.state, snapshot) {
            self.violations.push(format!("the saved snapshot changed {changed}"));
        }
        self.story.push((Instant::now(), format!("Saved serial {}", snapshot.serial)));
        self.state = recorded.clone();
        self.stored = Stored { snapshot: Some(recorded), ..Stored::default() };
        self.history.extend(record.cloned());
    }
}

/// An entry in few words.
fn told(entry: &Entry) -> String {
    let text = format!("{entry:?}");
    let name = text.split([' ', '(']).next().unwrap_or_default();
    let generation = match entry {
        Entry::CreateStarted { object, .. } | Entry::Recorded { object, .. } | Entry::Ran { object, .. } => {
            Some(object.generation)
        }
        Entry::Identified { generation, .. }
        | Entry::UpdateStarted { generation, .. }
        | Entry::DeleteStarted { generation, .. }
        | Entry::Succeeded { generation, .. }
        | Entry::Deleted { generation, .. }
        | Entry::Cleared { generation, .. }
        | Entry::CreationFailed { generation, .. }
        | Entry::Forgotten { generation, .. } => Some(*generation),
        _ => None,
    };
    let urn = entry.urn().map(ToString::to_string).unwrap_or_default();
    format!("{name} {urn} ({})", generation.unwrap_or_default())
}

/// An object that is something else in the snapshot than in the journal that it takes in.
fn changed_object(state: &Snapshot, snapshot: &Snapshot) -> Option<String> {
    state.resources.iter().find_map(|(urn, record)| {
        let changed = record.objects.iter().find(|object| {
            let kept = snapshot.resources.get(urn).and_then(|kept| kept.generation(object.generation));
            kept.is_some_and(|kept| (kept.role, &kept.physical_id) != (object.role, &object.physical_id))
        });
        changed.map(|object| format!("{urn} (generation {})", object.generation))
    })
}

/// The store as one process sees it.
#[derive(Clone)]
pub(crate) struct MemoryStore {
    disk: Disk,
    process: ProcessNumber,
}

#[async_trait]
impl StateStore for MemoryStore {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    async fn load(&self) -> Result<Stored, StoreError> {
        Ok(self.disk.stored())
    }

    async fn lock(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        let mut inner = self.disk.lock();
        if let Some((holder, process)) = &inner.lock
            && self.disk.moments.is_alive(*process)
        {
            return Err(StoreError::Locked { holder: Box::new(holder.clone()) });
        }
        inner.lock = Some((holder.clone(), self.process));
        let stored = inner.stored.clone();
        Ok(Box::new(MemorySession { disk: self.disk.clone(), process: self.process, stored }))
    }

    async fn history(&self) -> Result<Vec<OperationRecord>, StoreError> {
        Ok(self.disk.history())
    }
}

struct MemorySession {
    disk: Disk,
    process: ProcessNumber,
    stored: Stored,
}

#[async_trait]
impl Session for MemorySession {
    fn stored(&self) -> &Stored {
        &self.stored
    }

    async fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let moments = [Moment::BeforeAppend, Moment::AfterAppend];
        self.disk.write(self.process, moments, |inner| inner.append(entries)).await?;
        self.stored.journal.extend(entries.iter().cloned());
        Ok(())
    }

    async fn save(
        &mut self,
        snapshot: &Snapshot,
        record: Option<&OperationRecord>,
    ) -> Result<(), StoreError> {
        let old = self.disk.stored().snapshot;
        let expected = snapshot.serial.saturating_sub(1);
        let found = old.as_ref().map_or(0, |old| old.serial);
        if expected != found {
            return Err(StoreError::SerialMoved { location: "memory".to_owned(), expected, found });
        }
        if let Some(old) = old
            && old.lineage != snapshot.lineage
        {
            return Err(StoreError::LineageMismatch {
                location: "memory".to_owned(),
                expected: snapshot.lineage,
                found: old.lineage,
            });
        }
        let moments = [Moment::BeforeSave, Moment::AfterSave];
        self.disk.write(self.process, moments, |inner| inner.save(snapshot, record)).await?;
        self.stored = Stored { snapshot: Some(snapshot.clone()), ..Stored::default() };
        Ok(())
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        self.disk.lock().lock = None;
        Ok(())
    }
}
