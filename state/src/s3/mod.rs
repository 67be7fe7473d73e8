//! The store for teams: a bucket for the state, a table for the locks.
//!
//! What lies where is said in [`keys`]. Writers are kept apart by three things that hold however long any
//! of them sleeps: the lock ([`lock`], [`lease`]), batches that are never replaced, and a snapshot that
//! replaces only the one that was read ([`session`]). The protocol knows the services by two narrow
//! interfaces ([`objects`], [`lock`]), so that it can be tried under every fault; the key for digests of secrets
//! is behind another ([`secret_key`]).

mod access;
mod answers;
mod aws_bucket;
mod aws_locks;
mod bootstrap;
mod bucket_settings;
mod contents;
mod keys;
mod lease;
mod lock;
mod objects;
mod process;
mod secret_key;
mod session;
mod stacks;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::store::{
    HeldLease, HeldLock, HolderProcess, LockHolder, OperationRecord, Session, StateStore, StoreError, Stored,
};
use lsinfra_engine::surgery::Soundness;
use lsinfra_engine::{SecretKey, Snapshot};
use uuid::Uuid;

pub use access::Access;
pub use bootstrap::{Bootstrapped, SetUp, bootstrap};
pub use stacks::{buckets, stacks};

use access::Clients;
use aws_bucket::AwsBucket;
use aws_locks::AwsLocks;
use keys::Keys;
use lease::Lease;
use lock::{Acquired, Held, LockRecord, LockTable, NotAcquired, Request, acquire, take_away};
use objects::{Bucket, StoredObject};
use process::Process;
use secret_key::{AwsKeys, KeyStore};
use session::S3Session;

use crate::document::decode_snapshot;
use crate::environment::{self, EnvironmentNameError};
use crate::format::{SnapshotIdentity, StoredOperationRecord, decode};
use crate::migrate::Moving;
use crate::soundness::decode_kept;

/// Bucket and table, which many environments share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bucket's name.
    pub bucket: String,
    /// The table's name.
    pub table: String,
}

/// How the lock of an environment is held and waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockSettings {
    /// For how long a lock must stand still before another run takes it over.
    pub lease: Duration,
    /// For how long a run waits for a lock; `None` for the lease of whoever holds it, and a quarter more.
    pub timeout: Option<Duration>,
    /// How long a call to the cloud may take: a holder stops so long before its lease ends.
    pub longest_call: Duration,
}

/// How often a key that was just written is looked for, and the pause between.
const LOOKS_FOR_KEY: u32 = 30;
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Told of a run that holds the lock, when another begins to wait for it.
pub type Waiting = Arc<dyn Fn(&LockHolder) + Send + Sync>;

/// The state of one environment in a bucket. Clones are the same store.
#[derive(Clone)]
pub struct S3Store {
    bucket: Arc<dyn Bucket>,
    locks: Arc<dyn LockTable>,
    secret_keys: Arc<dyn KeyStore>,
    bucket_name: String,
    environment: String,
    keys: Keys,
    clock: Clock,
    settings: LockSettings,
    waiting: Waiting,
}

impl S3Store {
    /// The state of `environment` (`<stack>/<environment>`) in a bucket whose locks are in `place.table`.
    /// Credentials are looked for; nothing is asked yet. `clock` times leases: the wall's own pace, unless
    /// everybody who shares the table has the same other one. `waiting` is told of whoever holds the lock.
    ///
    /// # Errors
    /// [`EnvironmentNameError`] if that is no environment.
    pub async fn open(
        access: &Access,
        place: &Place,
        environment: &str,
        settings: LockSettings,
        clock: Clock,
        waiting: Waiting,
    ) -> Result<Self, EnvironmentNameError> {
        environment::parts(environment)?;
        let clients = Clients::connect(access).await;
        let bucket =
            AwsBucket { clients: clients.clone(), name: place.bucket.clone(), owner: access.account.clone() };
        Ok(Self {
            bucket: Arc::new(bucket),
            locks: Arc::new(AwsLocks { clients: clients.clone(), table: place.table.clone() }),
            secret_keys: Arc::new(AwsKeys { clients }),
            bucket_name: place.bucket.clone(),
            environment: environment.to_owned(),
            keys: Keys::new(environment),
            clock,
            settings,
            waiting,
        })
    }

    /// The key under which the environment's secrets are digested: its own if its state came from elsewhere, or else
    /// that of all environments in the bucket; `None` if that is not made yet.
    ///
    /// # Errors
    /// [`StoreError::Call`], [`StoreError::Damaged`].
    pub async fn secret_key(&self) -> Result<Option<SecretKey>, StoreError> {
        Ok(self.key_bytes().await?.map(SecretKey::new))
    }

    /// The same key, to be taken to another store.
    pub(crate) async fn key_bytes(&self) -> Result<Option<[u8; 32]>, StoreError> {
        let own_name = secret_key::own_name(&self.bucket_name, &self.environment);
        let shared_name = secret_key::name(&self.bucket_name);
        let (own, shared) = futures_util::future::join(
            secret_key::read(&*self.secret_keys, &own_name),
            secret_key::read(&*self.secret_keys, &shared_name),
        )
        .await;
        Ok(match own? {
            Some(own) => Some(own),
            None => shared?,
        })
    }

    /// Gives the environment that key, as its own. When this is done, it can be seen.
    pub(crate) async fn keep_key(&self, key: [u8; 32]) -> Result<(), StoreError> {
        let name = secret_key::own_name(&self.bucket_name, &self.environment);
        let failed = |source| StoreError::Call {
            action: "write",
            location: format!("the secret {name}"),
            source: Box::new(source),
        };
        if !self.secret_keys.make(&name, &key).await.map_err(failed)? {
            self.secret_keys.replace(&name, &key).await.map_err(failed)?;
        }
        for _ in 0..LOOKS_FOR_KEY {
            if secret_key::read(&*self.secret_keys, &name).await? == Some(key) {
                return Ok(());
            }
            self.clock.sleep(LOOK_AGAIN).await;
        }
        Err(failed(ProviderError::new(ErrorKind::Unclear, "it is not seen after it was written")))
    }

    /// The key of the environment's lock: a table may serve many buckets.
    fn lock_key(&self) -> String {
        format!("{}/{}", self.bucket_name, self.environment)
    }

    /// A key as a URL; the environment's own for an empty one.
    fn url(&self, key: &str) -> String {
        let key = if key.is_empty() { &self.environment } else { key };
        format!("s3://{}/{key}", self.bucket_name)
    }

    fn failed(&self, action: &'static str, key: &str) -> impl FnOnce(ProviderError) -> StoreError + use<> {
        let location = self.url(key);
        move |source| StoreError::Call { action, location, source: Box::new(source) }
    }

    fn unwritable(&self, key: &str, error: &serde_json::Error) -> StoreError {
        self.failed("write", key)(ProviderError::new(ErrorKind::Invalid, error.to_string()))
    }

    fn damaged(&self, key: &str, reason: &str) -> StoreError {
        StoreError::Damaged { location: self.url(key), reason: reason.to_owned() }
    }

    /// The bucket that has the environments, as a URL.
    pub(crate) fn place(&self) -> String {
        format!("s3://{}", self.bucket_name)
    }

    /// Locks the environment to move what is in it, or to take in what is moved.
    pub(crate) async fn lock_to_move(&self, holder: &LockHolder) -> Result<Box<dyn Moving>, StoreError> {
        Ok(Box::new(self.begin(holder, Soundness::Waived).await?))
    }

    async fn begin(&self, holder: &LockHolder, soundness: Soundness) -> Result<S3Session, StoreError> {
        let key = self.lock_key();
        let acquired = acquire(&*self.locks, &self.clock, &self.request(&key, holder)).await;
        let acquired = acquired.map_err(|error| self.not_acquired(error))?;
        self.open_session(acquired, holder, soundness).await
    }

    fn request<'a>(&'a self, key: &'a str, holder: &'a LockHolder) -> Request<'a> {
        Request {
            environment: key,
            holder,
            process: Process::present(),
            lease: self.settings.lease,
            patience: self.settings.timeout,
            waiting: &*self.waiting,
        }
    }

    fn not_acquired(&self, error: NotAcquired) -> StoreError {
        match error {
            NotAcquired::Held(holder) => StoreError::Locked { holder: Box::new(holder) },
            NotAcquired::Failed(source) => self.failed("lock", "")(source),
        }
    }

    async fn open_session(
        &self,
        acquired: Acquired,
        holder: &LockHolder,
        soundness: Soundness,
    ) -> Result<S3Session, StoreError> {
        let last_holder = acquired.last_holder;
        let lease = Lease::new(self.clock.clone(), acquired, self.settings.longest_call);
        let session = S3Session::begin(self.clone(), lease, holder.operation, last_holder, soundness);
        session.await
    }

    /// The snapshot of a serial that is not the present one, `None` if it is not kept any more. The operation that
    /// replaced it has recorded as which version it stays, unless it was spoiled before that.
    pub(super) async fn kept_snapshot(
        &self,
        serial: u64,
        lineage: Option<Uuid>,
    ) -> Result<Option<StoredObject>, StoreError> {
        let record_key = self.keys.operation(serial + 1);
        let is_it = |object: &StoredObject| {
            let found = serde_json::from_slice::<SnapshotIdentity>(&object.body);
            found.is_ok_and(|found| found.serial == serial && lineage.is_none_or(|one| one == found.lineage))
        };
        if let Some(record) = self.get(&record_key).await? {
            let record: StoredOperationRecord<'static> =
                decode(&record.body).map_err(|error| self.undecodable(&record_key, error))?;
            let Some(version) = record.replaced_version() else { return Ok(None) };
            match self.get_snapshot_version(version).await? {
                Some(object) if !is_it(&object) => {}
                kept => return Ok(kept),
            }
        }
        let key = self.keys.snapshot();
        for version in self.bucket.versions(&key).await.map_err(self.failed("list the versions of", &key))? {
            let kept = self.get_snapshot_version(&version).await?.filter(is_it);
            if kept.as_ref().is_some_and(|kept| decode_snapshot(&kept.body, "").is_ok()) {
                return Ok(kept);
            }
        }
        Ok(None)
    }

    async fn get_snapshot_version(&self, version: &str) -> Result<Option<StoredObject>, StoreError> {
        let key = self.keys.snapshot();
        self.bucket.get_version(&key, version).await.map_err(self.failed("read", &key))
    }

    async fn get(&self, key: &str) -> Result<Option<StoredObject>, StoreError> {
        self.bucket.get(key).await.map_err(self.failed("read", key))
    }
}

#[async_trait]
impl StateStore for S3Store {
    fn location(&self) -> String {
        self.url("")
    }

    async fn load(&self) -> Result<Stored, StoreError> {
        Ok(self.read_contents(Soundness::Required).await?.stored)
    }

    async fn load_unsound(&self) -> Result<Stored, StoreError> {
        Ok(self.read_contents(Soundness::Waived).await?.stored)
    }

    async fn lock(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        Ok(Box::new(self.begin(holder, Soundness::Required).await?))
    }

    async fn lock_unsound(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        Ok(Box::new(self.begin(holder, Soundness::Waived).await?))
    }

    async fn lock_to_replace(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        Ok(Box::new(self.begin(holder, Soundness::Replaced).await?))
    }

    async fn history(&self) -> Result<Vec<OperationRecord>, StoreError> {
        // Beside a snapshot that is missing or cannot be read, all are.
        let last = match self.get(&self.keys.snapshot()).await? {
            Some(object) => serde_json::from_slice(&object.body)
                .map_or(u64::MAX, |snapshot: SnapshotIdentity| snapshot.serial),
            None if self.check_never_was().await.is_ok() => return Ok(Vec::new()),
            None => u64::MAX,
        };
        let listed = self.bucket.list(&self.keys.history(), "").await;
        let mut records = Vec::new();
        for key in listed.map_err(self.failed("list", &self.keys.history()))? {
            // One whose snapshot was not saved is not part of the history yet.
            if self.keys.operation_serial(&key).is_none_or(|serial| serial > last) {
                continue;
            }
            let Some(object) = self.get(&key).await? else { continue };
            let stored: StoredOperationRecord<'static> =
                decode(&object.body).map_err(|error| self.undecodable(&key, error))?;
            records.push(stored.into());
        }
        Ok(records)
    }

    async fn snapshot(&self, serial: u64) -> Result<Option<Snapshot>, StoreError> {
        let key = self.keys.snapshot();
        let object = self.get(&key).await?;
        let read = object.as_ref();
        let read = read.map(|object| Ok(decode_snapshot(&object.body, &self.url(&key))?.snapshot));
        let present = match read {
            Some(Ok(present)) => Some(present),
            // Those before it can be read all the same.
            None | Some(Err(StoreError::Damaged { .. })) => None,
            Some(Err(error)) => return Err(error),
        };
        let newest = self.newest_record().await?.and_then(|(_, record)| record);
        let lineage = newest.and_then(|record| record.lineage());
        let lineage = lineage.or_else(|| Some(present.as_ref()?.lineage));
        let object = match present.is_some_and(|present| present.serial == serial) {
            true => object,
            // Of serial 0 there never was one.
            false if serial == 0 => None,
            false => self.kept_snapshot(serial, lineage).await?,
        };
        let location = format!("serial {serial} of {}", self.url(&key));
        object.map(|object| decode_kept(&object.body, serial, lineage, location)).transpose()
    }

    async fn held_lock(&self) -> Result<Option<HeldLock>, StoreError> {
        let read = self.locks.read(&self.lock_key()).await;
        let record = read.map_err(self.failed("read the lock of", ""))?;
        Ok(record.and_then(|LockRecord { held, lease, renewal, .. }| {
            let Held { holder, process } = held?;
            let process = process.map_or(HolderProcess::Unknown, |process| process.state());
            Some(HeldLock { holder, process, lease: Some(HeldLease { length: lease, renewals: renewal }) })
        }))
    }

    async fn unlock(&self, held: &HeldLock, by: &LockHolder, forced: bool) -> Result<bool, StoreError> {
        let key = self.lock_key();
        let request = self.request(&key, by);
        let taken = take_away(&*self.locks, &self.clock, &request, &held.holder, forced).await;
        let Some(acquired) = taken.map_err(|error| self.not_acquired(error))? else { return Ok(false) };
        // As after any takeover: the holder is shut out first. What is stored is no reason not to.
        Box::new(self.open_session(acquired, by, Soundness::Replaced).await?).release().await?;
        Ok(true)
    }
}
