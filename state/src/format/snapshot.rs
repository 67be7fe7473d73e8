//! The form of a snapshot.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry;
use lsinfra_engine::snapshot::merged;
use lsinfra_engine::store::Unusable;
use lsinfra_engine::{Generation, Properties, Record, Snapshot, Urn, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::object::StoredObject;
use super::{Document, FORMAT_VERSION, StoredSeconds};

/// [`Snapshot`] on disk, and which part of the journal is in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredSnapshot<'a> {
    format: Cow<'a, str>,
    format_version: u64,
    lineage: Uuid,
    serial: u64,
    environment: Cow<'a, str>,
    /// The last batch of the journal that the snapshot has taken in, 0 for none.
    last_batch: u64,
    /// The mark of the run that wrote it, where runs can write after they lost their lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written_by: Option<Cow<'a, str>>,
    /// Where the state was moved to, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_to: Option<Cow<'a, str>>,
    /// In a file that was pulled: how many entries of the journal it has taken in that goes on from its serial.
    #[serde(default, skip_serializing_if = "is_zero")]
    journal_entries: usize,
    home: Cow<'a, BTreeMap<String, String>>,
    facts: Cow<'a, BTreeMap<String, Value>>,
    outputs: Cow<'a, Properties>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<Uuid>,
    durations_seconds: BTreeMap<Cow<'a, str>, StoredSeconds>,
    /// A list, since order matters and a URN that is there twice must be noticed.
    resources: Vec<StoredResource<'a>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "that is what serde calls")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// One URN with its [`Record`] on disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredResource<'a> {
    urn: Cow<'a, Urn>,
    schema_version: u32,
    last_generation: Generation,
    last_name_generation: Generation,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    forgotten: bool,
    objects: Vec<StoredObject<'a>>,
}

/// What a stored snapshot is, without its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct SnapshotIdentity {
    /// Its lineage.
    pub(crate) lineage: Uuid,
    /// Its serial.
    pub(crate) serial: u64,
}

impl SnapshotIdentity {
    /// What a snapshot must have been that cannot be read and that `next` is to replace.
    pub(crate) fn of_unusable(unusable: &Unusable, next: &Snapshot) -> Self {
        Self { lineage: unusable.lineage.unwrap_or(next.lineage), serial: unusable.serial }
    }
}

impl Document for StoredSnapshot<'static> {
    const FORMAT: &'static str = "lsinfra-snapshot";

    fn header(&self) -> (&str, u64) {
        (&self.format, self.format_version)
    }
}

/// What a store notes beside a snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Note<'a> {
    /// The last batch of the journal that it has taken in, 0 for none.
    pub(crate) last_batch: u64,
    /// The mark of the run that wrote it, where runs can write after they lost their lock.
    pub(crate) written_by: Option<&'a str>,
    /// Where the state was moved to, if it was.
    pub(crate) moved_to: Option<&'a str>,
    /// In a file that is pulled: how many entries of the journal it has taken in that goes on from its serial.
    pub(crate) journal_entries: usize,
}

/// The text of `snapshot` with that note.
///
/// # Errors
/// serde's, if a value has no JSON form.
pub(crate) fn encode_snapshot(snapshot: &Snapshot, note: Note<'_>) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&StoredSnapshot::new(snapshot, note))? + "\n")
}

impl<'a> StoredSnapshot<'a> {
    fn new(snapshot: &'a Snapshot, note: Note<'a>) -> Self {
        Self {
            format: StoredSnapshot::FORMAT.into(),
            format_version: FORMAT_VERSION,
            lineage: snapshot.lineage,
            serial: snapshot.serial,
            environment: snapshot.environment.as_str().into(),
            last_batch: note.last_batch,
            written_by: note.written_by.map(Cow::Borrowed),
            moved_to: note.moved_to.map(Cow::Borrowed),
            journal_entries: note.journal_entries,
            home: Cow::Borrowed(&snapshot.home),
            facts: Cow::Borrowed(&snapshot.facts),
            outputs: Cow::Borrowed(&snapshot.outputs),
            approval: snapshot.approval,
            durations_seconds: snapshot
                .durations
                .iter()
                .map(|(name, seconds)| (name.as_str().into(), (*seconds).into()))
                .collect(),
            resources: snapshot
                .resources
                .iter()
                .map(|(urn, record)| StoredResource {
                    urn: Cow::Borrowed(urn),
                    schema_version: record.schema_version,
                    last_generation: record.last_generation,
                    last_name_generation: record.last_name_generation,
                    forgotten: record.forgotten,
                    objects: record.objects.iter().map(|object| object.as_ref().into()).collect(),
                })
                .collect(),
        }
    }

    /// The last batch of the journal that it has taken in, 0 for none.
    pub(crate) fn last_batch(&self) -> u64 {
        self.last_batch
    }

    /// How many entries of the journal a pulled file has taken in.
    pub(crate) fn journal_entries(&self) -> usize {
        self.journal_entries
    }

    /// Where the state was moved to, if it was.
    pub(crate) fn moved_to(&self) -> Option<&str> {
        self.moved_to.as_deref()
    }

    /// The snapshot itself.
    ///
    /// # Errors
    /// The URN that is recorded twice.
    pub(crate) fn into_snapshot(self) -> Result<Snapshot, Urn> {
        let (snapshot, twice) = self.into_merged()?;
        twice.into_iter().next().map_or(Ok(snapshot), Err)
    }

    /// The snapshot with one record of each two of a resource, and the resources of which there were two.
    ///
    /// # Errors
    /// The URN of two records that one cannot say.
    pub(crate) fn into_merged(self) -> Result<(Snapshot, Vec<Urn>), Urn> {
        let mut resources = IndexMap::with_capacity(self.resources.len());
        let mut twice = Vec::new();
        for resource in self.resources {
            let record = Record {
                schema_version: resource.schema_version,
                last_generation: resource.last_generation,
                last_name_generation: resource.last_name_generation,
                forgotten: resource.forgotten,
                objects: resource.objects.into_iter().map(|object| Arc::new(object.into())).collect(),
            };
            match resources.entry(resource.urn.into_owned()) {
                Entry::Occupied(mut entry) => match merged(entry.get(), &record) {
                    Some(both) => {
                        entry.insert(both);
                        twice.push(entry.key().clone());
                    }
                    None => return Err(entry.key().clone()),
                },
                Entry::Vacant(entry) => {
                    entry.insert(record);
                }
            }
        }
        let snapshot = Snapshot {
            lineage: self.lineage,
            serial: self.serial,
            environment: self.environment.into_owned(),
            home: self.home.into_owned(),
            facts: self.facts.into_owned(),
            resources,
            outputs: self.outputs.into_owned(),
            approval: self.approval,
            durations: self
                .durations_seconds
                .into_iter()
                .map(|(name, seconds)| (name.into_owned(), seconds.into()))
                .collect(),
        };
        Ok((snapshot, twice))
    }
}
