//! A bucket and a lock table in memory, on a virtual clock, that can do to each call what a network can.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use lsinfra_engine::ProviderError;
use lsinfra_engine::provider::ErrorKind;
use tokio::time::Instant;

use crate::s3::lock::{LockRecord, LockTable, Swap, Version};
use crate::s3::objects::{Bucket, Condition, ObjectIdentity, StoredObject, Written};
use crate::s3::secret_key::KeyStore;

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It never arrives.
    Lost,
    /// It takes effect, and its answer gets lost.
    Unanswered,
    /// Its answer gets lost, and it is sent again.
    Repeated,
    /// It fails, and takes effect a while later.
    Late(Duration),
    /// The caller falls asleep before it is sent, and nothing else of it moves either.
    Asleep(Duration),
    /// It takes effect, and the caller falls asleep before the answer. It is sent again then.
    AsleepAndRepeated(Duration),
}

/// A write that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) key: String,
    pub(super) mark: String,
}

#[derive(Clone, Default)]
struct Object {
    body: Vec<u8>,
    version: u64,
    mark: String,
}

#[derive(Default)]
pub(super) struct State {
    objects: BTreeMap<String, Object>,
    secret_keys: BTreeMap<String, Vec<u8>>,
    /// What objects were, by key and version.
    replaced: BTreeMap<(String, u64), Object>,
    pub(super) locks: BTreeMap<String, LockRecord>,
    versions: u64,
    pub(super) accepted: Vec<Accepted>,
}

/// The services, and one caller's way to them.
#[derive(Clone, Default)]
pub(super) struct Cloud {
    state: Arc<Mutex<State>>,
    caller: Arc<Mutex<Caller>>,
    first_asked: Arc<OnceLock<Instant>>,
}

#[derive(Default)]
struct Caller {
    calls: usize,
    faults: BTreeMap<usize, Fault>,
    asleep_until: Option<Instant>,
}

impl Cloud {
    /// The same services for another caller, to whose calls, counted from 0, these things happen.
    pub(super) fn caller(&self, faults: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        let caller = Caller { faults: faults.into_iter().collect(), ..Caller::default() };
        Self { caller: Arc::new(Mutex::new(caller)), ..self.clone() }
    }

    /// From now on these things happen to this caller's calls.
    pub(super) fn strike(&self, faults: impl IntoIterator<Item = (usize, Fault)>) {
        self.caller.lock().unwrap().faults = faults.into_iter().collect();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes an object as somebody with an editor would: a new version, without a mark.
    pub(super) fn edit(&self, key: &str, change: impl FnOnce(&str) -> String) {
        let mut state = self.state();
        state.versions += 1;
        let version = state.versions;
        let replaced = state.objects[key].clone();
        let body = change(std::str::from_utf8(&replaced.body).unwrap()).into_bytes();
        state.objects.insert(key.to_owned(), Object { body, version, mark: String::new() });
        state.replaced.insert((key.to_owned(), replaced.version), replaced);
    }

    /// What was replaced so far.
    pub(super) fn earlier_versions(&self) -> Vec<Vec<u8>> {
        self.state().replaced.values().map(|object| object.body.clone()).collect()
    }

    /// From now on nothing of this caller moves for a while.
    pub(super) fn fall_asleep(&self, time: Duration) {
        self.caller.lock().unwrap().asleep_until = Some(Instant::now() + time);
    }

    /// The time since somebody first asked: what everybody's clock shows.
    pub(super) fn elapsed(&self) -> Duration {
        self.first_asked.get_or_init(Instant::now).elapsed()
    }

    /// How many calls this caller has made.
    pub(super) fn calls(&self) -> usize {
        self.caller.lock().unwrap().calls
    }

    async fn call<T>(&self, effect: impl Fn(&mut State) -> T + Send + 'static) -> Result<T, ProviderError> {
        let (fault, asleep_until, is_sent) = {
            let mut caller = self.caller.lock().unwrap();
            caller.calls += 1;
            let call = caller.calls - 1;
            let fault = caller.faults.get(&call).copied().unwrap_or(Fault::None);
            let awake = caller.asleep_until;
            if let Fault::Asleep(time) | Fault::AsleepAndRepeated(time) = fault {
                caller.asleep_until = Some(Instant::now() + time);
            }
            let is_sent = matches!(fault, Fault::AsleepAndRepeated(_)) && awake.is_none();
            (fault, caller.asleep_until, is_sent)
        };
        if is_sent {
            effect(&mut self.state());
        }
        if let Some(asleep_until) = asleep_until {
            tokio::time::sleep_until(asleep_until).await;
        }
        // Every answer takes its time, so that callers interleave.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let unclear = || ProviderError::new(ErrorKind::Unclear, "no answer");
        match fault {
            Fault::None | Fault::Asleep(_) | Fault::AsleepAndRepeated(_) => Ok(effect(&mut self.state())),
            Fault::Lost => Err(unclear()),
            Fault::Unanswered => {
                effect(&mut self.state());
                Err(unclear())
            }
            Fault::Repeated => {
                effect(&mut self.state());
                Ok(effect(&mut self.state()))
            }
            Fault::Late(after) => {
                let cloud = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    effect(&mut cloud.state());
                });
                Err(unclear())
            }
        }
    }
}

fn stored(object: &Object) -> StoredObject {
    let version = object.version.to_string();
    StoredObject { body: object.body.clone(), etag: version.clone(), version: Some(version) }
}

#[async_trait]
impl Bucket for Cloud {
    async fn get(&self, key: &str) -> Result<Option<StoredObject>, ProviderError> {
        let key = key.to_owned();
        self.call(move |state| {
            let object = state.objects.get(&key)?;
            Some(stored(object))
        })
        .await
    }

    async fn get_version(&self, key: &str, version: &str) -> Result<Option<StoredObject>, ProviderError> {
        let replaced = (key.to_owned(), version.parse().unwrap());
        self.call(move |state| {
            let present = state.objects.get(&replaced.0).filter(|object| object.version == replaced.1);
            present.or_else(|| state.replaced.get(&replaced)).map(stored)
        })
        .await
    }

    async fn versions(&self, key: &str) -> Result<Vec<String>, ProviderError> {
        let key = key.to_owned();
        self.call(move |state| {
            let present = state.objects.get(&key).map(|object| object.version);
            let replaced = state.replaced.keys().rev().filter(|(of, _)| *of == key);
            let versions = present.into_iter().chain(replaced.map(|(_, version)| *version));
            versions.map(|version| version.to_string()).collect()
        })
        .await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectIdentity>, ProviderError> {
        let key = key.to_owned();
        self.call(move |state| {
            let object = state.objects.get(&key)?;
            let StoredObject { etag, version, .. } = stored(object);
            Some(ObjectIdentity { etag, version, mark: Some(object.mark.clone()) })
        })
        .await
    }

    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        mark: &str,
        condition: Condition<'_>,
    ) -> Result<Written, ProviderError> {
        let (key, mark) = (key.to_owned(), mark.to_owned());
        let expected = match condition {
            Condition::Absent => None,
            Condition::Etag(etag) => Some(etag.parse::<u64>().unwrap()),
        };
        self.call(move |state| {
            if state.objects.get(&key).map(|object| object.version) != expected {
                return Written::Refused;
            }
            state.versions += 1;
            let object = Object { body: body.clone(), version: state.versions, mark: mark.clone() };
            let StoredObject { etag, version, .. } = stored(&object);
            if let Some(replaced) = state.objects.insert(key.clone(), object) {
                state.replaced.insert((key.clone(), replaced.version), replaced);
            }
            state.accepted.push(Accepted { key: key.clone(), mark: mark.clone() });
            Written::Done { etag, version }
        })
        .await
    }

    async fn list(&self, prefix: &str, start_after: &str) -> Result<Vec<String>, ProviderError> {
        let (prefix, start_after) = (prefix.to_owned(), start_after.to_owned());
        self.call(move |state| {
            let keys = state.objects.keys().filter(|key| key.starts_with(&prefix) && **key > start_after);
            keys.cloned().collect()
        })
        .await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), ProviderError> {
        let keys = keys.to_vec();
        self.call(move |state| state.objects.retain(|key, _| !keys.contains(key))).await
    }
}

#[async_trait]
impl KeyStore for Cloud {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ProviderError> {
        Ok(self.state().secret_keys.get(name).cloned())
    }

    async fn make(&self, name: &str, key: &[u8]) -> Result<bool, ProviderError> {
        let mut state = self.state();
        let is_new = !state.secret_keys.contains_key(name);
        state.secret_keys.entry(name.to_owned()).or_insert_with(|| key.to_vec());
        Ok(is_new)
    }

    async fn replace(&self, name: &str, key: &[u8]) -> Result<(), ProviderError> {
        self.state().secret_keys.insert(name.to_owned(), key.to_vec());
        Ok(())
    }
}

#[async_trait]
impl LockTable for Cloud {
    async fn read(&self, environment: &str) -> Result<Option<LockRecord>, ProviderError> {
        let environment = environment.to_owned();
        self.call(move |state| state.locks.get(&environment).cloned()).await
    }

    async fn swap(
        &self,
        environment: &str,
        expected: Option<Version>,
        record: &LockRecord,
    ) -> Result<Swap, ProviderError> {
        let (environment, record) = (environment.to_owned(), record.clone());
        self.call(move |state| {
            let found = state.locks.get(&environment);
            if found.map(LockRecord::version) != expected {
                return Swap::Different(found.cloned());
            }
            state.locks.insert(environment.clone(), record.clone());
            Swap::Done
        })
        .await
    }
}
