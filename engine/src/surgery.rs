//! Surgery: one change by hand of what is recorded, from the lock to the saved snapshot.
//!
//! Owns the order of things, as `operation` does for what changes the cloud; nothing is called here.

use crate::clock::Clock;
use crate::events::OperationOutcome;
use crate::journal::{Entry, OperationInfo, interrupted, prune, replay};
use crate::operation::{OperationError, check_belongs};
use crate::plan::PlanCounts;
use crate::snapshot::{Edit, Snapshot};
use crate::store::{
    Home, InterruptedOperation, LockHolder, OperationRecord, Session, StateStore, StoreError, Unusable,
};
use crate::urn::Urn;

/// A locked environment whose record is changed by hand.
pub struct Surgery {
    session: Box<dyn Session>,
    snapshot: Option<Snapshot>,
    unusable: Option<Unusable>,
    twice: Vec<Urn>,
    /// What an interrupted operation has journalled.
    journal: Vec<Entry>,
    interrupted: Vec<InterruptedOperation>,
}

/// Whether a snapshot that is unsound is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soundness {
    /// It is refused, as by every operation.
    Required,
    /// It is handed out, to be put right.
    Waived,
    /// As waived; and one that cannot even be read, or is not the one that was saved last, is no obstacle, since
    /// another one takes its place.
    Replaced,
}

impl Surgery {
    /// Locks the environment and takes the journal of an interrupted operation in.
    ///
    /// # Errors
    /// [`OperationError::Store`], [`OperationError::IllegalTransition`], or that the state belongs
    /// elsewhere.
    pub async fn begin(
        store: &dyn StateStore,
        holder: &LockHolder,
        environment: &str,
        home: &Home,
        soundness: Soundness,
    ) -> Result<Self, OperationError> {
        let session = match soundness {
            Soundness::Required => store.lock(holder).await?,
            Soundness::Waived => store.lock_unsound(holder).await?,
            Soundness::Replaced => store.lock_to_replace(holder).await?,
        };
        let stored = session.stored().clone();
        let moved_to = stored.moved_to.clone();
        let mut surgery = Self {
            session,
            snapshot: stored.snapshot,
            unusable: stored.unusable,
            twice: stored.twice,
            interrupted: interrupted(&stored.journal),
            journal: stored.journal,
        };
        let opened = match (&mut surgery.snapshot, moved_to) {
            (_, Some(to)) => Err(StoreError::Moved { location: store.location(), to }.into()),
            (None, None) => Ok(()),
            (Some(snapshot), None) => check_belongs(snapshot, environment, home)
                .and_then(|()| Ok(replay(snapshot, &surgery.journal)?)),
        };
        match opened {
            Ok(()) => Ok(surgery),
            Err(error) => {
                // The first error is what the user must see; the lock heals by itself.
                let _ = surgery.release().await;
                Err(error)
            }
        }
    }

    /// What is recorded, with the journal taken in; `None` if there was no operation yet, or if it is
    /// [`unusable`](Self::unusable).
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// What is known of a snapshot that cannot be gone on from; the next one takes its place.
    pub fn unusable(&self) -> Option<&Unusable> {
        self.unusable.as_ref()
    }

    /// The resources that have two records in what is stored, and one in [`snapshot`](Self::snapshot); what is saved
    /// has one.
    pub fn twice(&self) -> &[Urn] {
        &self.twice
    }

    /// Whether an operation was interrupted and not gone on with.
    pub fn has_journal(&self) -> bool {
        !self.journal.is_empty()
    }

    /// What takes the place of an [`unusable`](Self::unusable) snapshot if `replacement` is to: with the journal of an
    /// interrupted operation taken in, or what that made would be lost. In the place of any other it is as it is. It
    /// has taken in so many entries of that journal already.
    ///
    /// # Errors
    /// [`OperationError::JournalFollows`] if the journal follows on another serial,
    /// [`OperationError::JournalShorter`] if it has fewer entries,
    /// [`OperationError::IllegalTransition`] if it does not fit all the same.
    pub fn take_journal_in(
        &self,
        mut replacement: Snapshot,
        taken_in: usize,
    ) -> Result<Snapshot, OperationError> {
        let Some(unusable) = self.unusable.as_ref().filter(|_| self.has_journal()) else {
            return Ok(replacement);
        };
        if replacement.serial != unusable.serial {
            return Err(OperationError::JournalFollows {
                expected: unusable.serial,
                found: replacement.serial,
                journal: unusable.journal.clone(),
            });
        }
        let Some(rest) = self.journal.get(taken_in..) else {
            let (found, journal) = (self.journal.len(), unusable.journal.clone());
            return Err(OperationError::JournalShorter { taken_in, found, journal });
        };
        replay(&mut replacement, rest)?;
        Ok(replacement)
    }

    /// Saves `snapshot` as the next serial, and adds the edits that led to it to the history. Returns
    /// the serial.
    ///
    /// # Errors
    /// [`OperationError::Store`]; nothing was changed then.
    pub async fn save(
        &mut self,
        mut snapshot: Snapshot,
        operation: OperationInfo,
        edits: Vec<Edit>,
        clock: &Clock,
    ) -> Result<u64, OperationError> {
        prune(&mut snapshot);
        let unusable = || self.unusable.as_ref().map(|unusable| unusable.serial);
        let stored = self.snapshot.as_ref().map(|stored| stored.serial).or_else(unusable);
        snapshot.serial = stored.unwrap_or_default() + 1;
        // Nobody approved what a plan would do to what is recorded from now on.
        snapshot.approval = None;
        let serial = snapshot.serial;
        let record = OperationRecord {
            operation,
            ended_at: clock.now(),
            outcome: OperationOutcome::Succeeded,
            counts: PlanCounts::default(),
            serial,
            steps: Vec::new(),
            edits,
            interrupted: self.interrupted.clone(),
        };
        self.session.save(&snapshot, Some(&record)).await?;
        self.snapshot = Some(snapshot);
        self.unusable = None;
        self.twice.clear();
        self.journal.clear();
        Ok(serial)
    }

    /// Gives the lock back. To be called however it ended.
    ///
    /// # Errors
    /// [`OperationError::Store`].
    pub async fn release(self) -> Result<(), OperationError> {
        Ok(self.session.release().await?)
    }
}
