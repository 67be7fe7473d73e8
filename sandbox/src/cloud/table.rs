//! Typed rows that remember what changed. Owns visibility (eventual consistency) and the collection of changes to be
//! written down; must not know what a row means or where changes go.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::faults::draw::Coin;

/// Where rows live: an account and a region. Global services use the empty region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Scope {
    /// Twelve digits.
    pub(crate) account: Arc<str>,
    /// The region's name, or empty.
    pub(crate) region: Arc<str>,
}

impl Scope {
    /// A scope from its parts.
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The same account without a region, for services that have none.
    pub(crate) fn global(&self) -> Self {
        Self { account: Arc::clone(&self.account), region: Arc::from("") }
    }
}

/// The circumstances of one call, which every table is told before it.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// Sandbox time.
    pub(crate) now: Timestamp,
    /// How long others may not see what this call changes.
    pub(crate) lag: Option<Lag>,
    /// What this call sees of rows that changed lately.
    pub(crate) sight: Sight,
}

impl Moment {
    /// A moment at which nothing lags behind.
    pub(crate) fn plain(now: Timestamp) -> Self {
        Self { now, lag: None, sight: Sight::Newest }
    }
}

/// How long a change stays unseen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lag {
    /// Until when others may still meet what was before.
    pub(crate) until: Timestamp,
    /// How many reads until then do so for certain; for later ones a coin decides.
    pub(crate) certain_reads: u32,
}

/// What a call sees of rows that changed lately.
#[derive(Debug, Clone)]
pub(crate) enum Sight {
    /// Their newest versions.
    Newest,
    /// Perhaps their older versions: a call that reads.
    Older(Coin),
    /// Their newest versions, but what the request names by id is perhaps not found if it is new: a call that changes.
    Missing(Coin),
}

/// One row's new value, or its absence, as it is written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Change {
    /// The table's name, as `service/kind`.
    pub(crate) table: String,
    /// The row's account.
    pub(crate) account: String,
    /// The row's region, empty for global services.
    pub(crate) region: String,
    /// The row's key within its scope.
    pub(crate) id: String,
    /// The row; `None` after a deletion.
    pub(crate) row: Option<serde_json::Value>,
}

/// What persistence needs of a table, whatever its rows are.
pub(crate) trait Rows: Send {
    /// `service/kind`, which is part of the format on disk.
    fn name(&self) -> &'static str;
    /// Starts a call.
    fn begin(&mut self, moment: &Moment);
    /// Whether the call was shown anything but the newest.
    fn was_behind(&self) -> bool;
    /// Moves out what changed since the last time.
    fn take_changes(&mut self, into: &mut Vec<Change>) -> serde_json::Result<()>;
    /// Every row, as changes from nothing.
    fn dump(&self, into: &mut Vec<Change>) -> serde_json::Result<()>;
    /// Applies a change that was written down earlier.
    fn restore(&mut self, change: Change) -> serde_json::Result<()>;
}

/// Whether readers may lag behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consistency {
    /// As in EC2 and IAM: what was answered may not be seen at once.
    Eventual,
    /// As in S3: what was answered is seen by whoever asks next.
    Strong,
}

#[derive(Debug)]
struct Row<T> {
    newest: Option<T>,
    older: Option<Older<T>>,
}

#[derive(Debug)]
struct Older<T> {
    lag: Lag,
    /// Whether the present call was shown it.
    shown: Cell<bool>,
    value: Option<T>,
}

impl<T> Older<T> {
    fn new(lag: Lag, value: Option<T>) -> Self {
        Self { lag, shown: Cell::new(false), value }
    }
}

/// Rows of one kind, by scope and key.
#[derive(Debug)]
pub(crate) struct Table<T> {
    name: &'static str,
    consistency: Consistency,
    rows: BTreeMap<Scope, BTreeMap<String, Row<T>>>,
    changed: BTreeSet<(Scope, String)>,
    lagging: bool,
    behind: Cell<bool>,
    moment: Moment,
}

impl<T: Clone + Serialize + DeserializeOwned> Table<T> {
    /// An empty table; `name` is `service/kind`.
    pub(crate) fn new(name: &'static str, consistency: Consistency) -> Self {
        Self {
            name,
            consistency,
            rows: BTreeMap::new(),
            changed: BTreeSet::new(),
            lagging: false,
            behind: Cell::new(false),
            moment: Moment::plain(Timestamp::UNIX_EPOCH),
        }
    }

    /// The row as the present call sees it.
    pub(crate) fn get(&self, scope: &Scope, id: &str) -> Option<&T> {
        self.rows.get(scope)?.get(id).and_then(|row| self.seen(id, row))
    }

    /// The row that the request names: as [`Table::get`], but a changing call may not find what is new to everyone else.
    /// What must hold of all rows, such as that a name is free, is to be asked of [`Table::get`] and [`Table::iter`].
    pub(crate) fn find(&self, scope: &Scope, id: &str) -> Option<&T> {
        let row = self.rows.get(scope)?.get(id)?;
        if let (Some(older), Sight::Missing(coin)) = (&row.older, &self.moment.sight)
            && older.value.is_none()
            && self.moment.now < older.lag.until
            && !self.changed.contains(&(scope.clone(), id.to_owned()))
            && coin.flip(self.name, id)
        {
            self.behind.set(true);
            return None;
        }
        self.seen(id, row)
    }

    /// The newest version of a row, whatever lags: what a read that is to be consistent sees.
    pub(crate) fn newest(&self, scope: &Scope, id: &str) -> Option<&T> {
        self.rows.get(scope)?.get(id)?.newest.as_ref()
    }

    /// Whether the present call sees the row.
    pub(crate) fn contains(&self, scope: &Scope, id: &str) -> bool {
        self.get(scope, id).is_some()
    }

    /// The newest version of a row, to be changed; it counts as changed from here on.
    pub(crate) fn get_mut(&mut self, scope: &Scope, id: &str) -> Option<&mut T> {
        let lag = self.lag();
        let row = self.rows.get_mut(scope)?.get_mut(id)?;
        let value = row.newest.as_mut()?;
        if let Some(lag) = lag {
            self.lagging = true;
            row.older.get_or_insert_with(|| Older::new(lag, Some(value.clone())));
        }
        self.changed.insert((scope.clone(), id.to_owned()));
        Some(value)
    }

    /// Adds or replaces a row.
    pub(crate) fn insert(&mut self, scope: &Scope, id: impl Into<String>, value: T) {
        let id = id.into();
        let lag = self.lag();
        let rows = self.rows.entry(scope.clone()).or_default();
        let row = rows.entry(id.clone()).or_insert(Row { newest: None, older: None });
        if let Some(lag) = lag {
            self.lagging = true;
            let value = row.newest.take();
            row.older.get_or_insert_with(|| Older::new(lag, value));
        }
        row.newest = Some(value);
        self.changed.insert((scope.clone(), id));
    }

    /// Removes a row and answers with it.
    pub(crate) fn remove(&mut self, scope: &Scope, id: &str) -> Option<T> {
        let lag = self.lag();
        let rows = self.rows.get_mut(scope)?;
        let row = rows.get_mut(id)?;
        let value = row.newest.take()?;
        match lag {
            Some(lag) => {
                self.lagging = true;
                row.older.get_or_insert_with(|| Older::new(lag, Some(value.clone())));
            }
            None => {
                rows.remove(id);
            }
        }
        self.changed.insert((scope.clone(), id.to_owned()));
        Some(value)
    }

    /// Removes the rows of all scopes of which this is true.
    pub(crate) fn remove_where(&mut self, is_over: impl Fn(&str, &T) -> bool) {
        let all = self.all().filter(|(_, id, row)| is_over(id, row));
        let over: Vec<_> = all.map(|(scope, id, _)| (scope.clone(), id.to_owned())).collect();
        for (scope, id) in over {
            self.remove(&scope, &id);
        }
    }

    /// The rows of a scope that the present call sees, by key.
    pub(crate) fn iter<'a>(&'a self, scope: &Scope) -> impl Iterator<Item = (&'a str, &'a T)> {
        self.rows
            .get(scope)
            .into_iter()
            .flatten()
            .filter_map(|(id, row)| self.seen(id, row).map(|value| (id.as_str(), value)))
    }

    /// The rows of a scope that the present call sees and whose keys begin so, by key.
    pub(crate) fn within<'a>(
        &'a self,
        scope: &Scope,
        prefix: &str,
    ) -> impl Iterator<Item = (&'a str, &'a T)> + use<'a, T> {
        self.rows_within(scope, prefix)
            .filter_map(|(id, row)| self.seen(id, row).map(|value| (id.as_str(), value)))
    }

    /// The newest versions of the rows of a scope whose keys begin so, by key.
    pub(crate) fn newest_within<'a>(
        &'a self,
        scope: &Scope,
        prefix: &str,
    ) -> impl Iterator<Item = (&'a str, &'a T)> + use<'a, T> {
        self.rows_within(scope, prefix)
            .filter_map(|(id, row)| row.newest.as_ref().map(|value| (id.as_str(), value)))
    }

    fn rows_within<'a>(
        &'a self,
        scope: &Scope,
        prefix: &str,
    ) -> impl Iterator<Item = (&'a String, &'a Row<T>)> + use<'a, T> {
        let prefix = prefix.to_owned();
        let rows = self.rows.get(scope).map(|rows| rows.range(prefix.clone()..));
        rows.into_iter().flatten().take_while(move |(id, _)| id.starts_with(&prefix))
    }

    /// The rows of all scopes that the present call sees.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Scope, &str, &T)> {
        self.rows.iter().flat_map(move |(scope, rows)| {
            rows.iter()
                .filter_map(move |(id, row)| self.seen(id, row).map(|value| (scope, id.as_str(), value)))
        })
    }

    fn lag(&self) -> Option<Lag> {
        match self.consistency {
            Consistency::Eventual => self.moment.lag,
            Consistency::Strong => None,
        }
    }

    fn seen<'a>(&self, id: &str, row: &'a Row<T>) -> Option<&'a T> {
        match (&row.older, &self.moment.sight) {
            (Some(older), Sight::Older(coin))
                if self.moment.now < older.lag.until
                    && (older.lag.certain_reads > 0 || coin.flip(self.name, id)) =>
            {
                older.shown.set(true);
                self.behind.set(true);
                older.value.as_ref()
            }
            _ => row.newest.as_ref(),
        }
    }
}

impl<T: Clone + Serialize + DeserializeOwned + Send> Rows for Table<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn begin(&mut self, moment: &Moment) {
        self.moment = moment.clone();
        self.behind.set(false);
        if !self.lagging {
            return;
        }
        self.lagging = false;
        for rows in self.rows.values_mut() {
            rows.retain(|_, row| {
                row.older = row.older.take().filter(|older| moment.now < older.lag.until);
                if let Some(older) = &mut row.older
                    && older.shown.take()
                {
                    older.lag.certain_reads = older.lag.certain_reads.saturating_sub(1);
                }
                self.lagging |= row.older.is_some();
                row.newest.is_some() || row.older.is_some()
            });
        }
    }

    fn was_behind(&self) -> bool {
        self.behind.get()
    }

    fn take_changes(&mut self, into: &mut Vec<Change>) -> serde_json::Result<()> {
        for (scope, id) in std::mem::take(&mut self.changed) {
            let row = self.rows.get(&scope).and_then(|rows| rows.get(&id));
            let row = row.and_then(|row| row.newest.as_ref()).map(serde_json::to_value).transpose()?;
            into.push(change(self.name, &scope, id, row));
        }
        Ok(())
    }

    fn dump(&self, into: &mut Vec<Change>) -> serde_json::Result<()> {
        for (scope, rows) in &self.rows {
            for (id, row) in rows {
                if let Some(value) = &row.newest {
                    into.push(change(self.name, scope, id.clone(), Some(serde_json::to_value(value)?)));
                }
            }
        }
        Ok(())
    }

    fn restore(&mut self, change: Change) -> serde_json::Result<()> {
        let scope = Scope::new(&change.account, &change.region);
        let rows = self.rows.entry(scope).or_default();
        match change.row {
            Some(row) => {
                let newest = Some(serde_json::from_value(row)?);
                rows.insert(change.id, Row { newest, older: None });
            }
            None => {
                rows.remove(&change.id);
            }
        }
        Ok(())
    }
}

fn change(table: &str, scope: &Scope, id: String, row: Option<serde_json::Value>) -> Change {
    Change {
        table: table.to_owned(),
        account: scope.account.to_string(),
        region: scope.region.to_string(),
        id,
        row,
    }
}

/// Declares a service's tables: a struct with one field per kind, made empty by `Default`, and listed for persistence.
macro_rules! tables {
    ($(#[$about:meta])* $visibility:vis struct $name:ident {
        $($(#[$doc:meta])* $field:ident: $row:ty = ($table:literal, $consistency:ident),)*
    }) => {
        $(#[$about])*
        #[derive(Debug)]
        $visibility struct $name {
            $($(#[$doc])* pub(crate) $field: $crate::cloud::table::Table<$row>,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $crate::cloud::table::Table::new(
                        $table,
                        $crate::cloud::table::Consistency::$consistency,
                    ),)*
                }
            }
        }

        impl $name {
            /// Every table, for persistence.
            pub(crate) fn each(&mut self) -> Vec<&mut dyn $crate::cloud::table::Rows> {
                vec![$(&mut self.$field,)*]
            }
        }
    };
}
pub(crate) use tables;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A call that changes, and whose changes lag until a time.
    fn changing(second: i64, until: i64, certain_reads: u32) -> Moment {
        Moment { lag: Some(Lag { until: at(until), certain_reads }), ..Moment::plain(at(second)) }
    }

    fn coin(count: u64) -> Coin {
        Coin { seed: 1, operation: "ec2:DescribeVpcs".to_owned(), count }
    }

    fn reading(second: i64, count: u64) -> Moment {
        Moment { sight: Sight::Older(coin(count)), ..Moment::plain(at(second)) }
    }

    fn sightings(table: &mut Table<u32>, second: i64) -> Vec<Option<u32>> {
        let scope = Scope::new("1", "r");
        let mut seen: Vec<Option<u32>> = (0..64)
            .map(|count| {
                table.begin(&reading(second, count));
                table.get(&scope, "a").copied()
            })
            .collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    #[test]
    fn a_reader_within_the_window_sees_either_version_and_afterwards_the_newest() {
        let scope = Scope::new("1", "r");
        let mut table = Table::new("t/k", Consistency::Eventual);
        table.begin(&changing(10, 20, 0));
        table.insert(&scope, "a", 1);
        assert_eq!(table.get(&scope, "a"), Some(&1), "the call that makes a row sees it");
        assert_eq!(sightings(&mut table, 11), [None, Some(1)]);
        assert_eq!(sightings(&mut table, 20), [Some(1)]);
        table.begin(&changing(30, 40, 0));
        *table.get_mut(&scope, "a").unwrap() = 2;
        assert_eq!(sightings(&mut table, 31), [Some(1), Some(2)]);
        assert_eq!(sightings(&mut table, 40), [Some(2)]);
        table.begin(&changing(50, 60, 0));
        table.remove(&scope, "a").unwrap();
        assert_eq!(sightings(&mut table, 51), [None, Some(2)]);
        assert_eq!(sightings(&mut table, 60), [None]);
    }

    #[test]
    fn the_first_reads_within_the_window_are_behind_for_certain() {
        let scope = Scope::new("1", "r");
        let mut table = Table::new("t/k", Consistency::Eventual);
        table.begin(&changing(10, 20, 0));
        table.insert(&scope, "b", 1);
        table.begin(&changing(10, 20, 3));
        table.insert(&scope, "a", 1);
        for count in 0..3 {
            table.begin(&reading(11, count));
            for _ in 0..2 {
                assert_eq!(table.get(&scope, "a"), None, "one call is shown one version");
            }
            assert!(table.was_behind());
        }
        assert_eq!(sightings(&mut table, 12), [None, Some(1)]);
        assert_eq!(sightings(&mut table, 20), [Some(1)]);
        assert!(!table.was_behind());
    }

    #[test]
    fn a_changing_call_may_miss_what_it_names_if_that_is_new_and_not_its_own() {
        let scope = Scope::new("1", "r");
        let mut table = Table::new("t/k", Consistency::Eventual);
        let mut changes = Vec::new();
        let missing =
            |second, count| Moment { sight: Sight::Missing(coin(count)), ..changing(second, 20, 0) };
        for count in 0..8 {
            table.begin(&missing(10, count));
            table.insert(&scope, "a", 1);
            assert_eq!(table.find(&scope, "a"), Some(&1), "its own");
        }
        table.take_changes(&mut changes).unwrap();
        let mut found: Vec<Option<u32>> = Vec::new();
        for count in 0..64 {
            table.begin(&missing(11, count));
            assert_eq!(table.get(&scope, "a"), Some(&1));
            assert_eq!(table.iter(&scope).count(), 1);
            assert!(!table.was_behind());
            found.push(table.find(&scope, "a").copied());
            assert_eq!(table.was_behind(), found.last() == Some(&None));
        }
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, [None, Some(1)]);
        for count in 0..64 {
            table.begin(&missing(20, count));
            assert_eq!(table.find(&scope, "a"), Some(&1));
        }
    }

    #[test]
    fn a_strong_table_never_lags() {
        let mut table = Table::new("t/k", Consistency::Strong);
        table.begin(&changing(10, 20, 1));
        table.insert(&Scope::new("1", "r"), "a", 1);
        assert_eq!(sightings(&mut table, 11), [Some(1)]);
    }

    #[test]
    fn changes_are_taken_once_and_restore_the_same_rows() {
        let scope = Scope::new("1", "r");
        let mut table = Table::new("t/k", Consistency::Eventual);
        table.insert(&scope, "a", 1);
        table.insert(&scope, "b", 2);
        table.remove(&scope, "a");
        let mut changes = Vec::new();
        table.take_changes(&mut changes).unwrap();
        let mut again = Vec::new();
        table.take_changes(&mut again).unwrap();
        assert!(again.is_empty());
        let mut copy: Table<u32> = Table::new("t/k", Consistency::Eventual);
        for change in changes {
            copy.restore(change).unwrap();
        }
        assert_eq!(copy.iter(&scope).collect::<Vec<_>>(), [("b", &2)]);
    }
}
