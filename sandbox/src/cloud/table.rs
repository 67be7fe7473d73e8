//! Typed rows that remember what changed. Owns visibility (eventual consistency) and the collection of changes to be
//! written down; must not know what a row means or where changes go.

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
    /// Until when readers may still see what this call replaces.
    pub(crate) lag_until: Option<Timestamp>,
    /// Decides which version a reading call sees of rows that changed lately; a changing call sees the newest.
    pub(crate) coin: Option<Coin>,
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
    until: Timestamp,
    value: Option<T>,
}

/// Rows of one kind, by scope and key.
#[derive(Debug)]
pub(crate) struct Table<T> {
    name: &'static str,
    consistency: Consistency,
    rows: BTreeMap<Scope, BTreeMap<String, Row<T>>>,
    changed: BTreeSet<(Scope, String)>,
    lagging: bool,
    moment: Moment,
}

impl<T: Clone + Serialize + DeserializeOwned> Table<T> {
    /// An empty table; `name` is `service/kind`.
    pub(crate) fn new(name: &'static str, consistency: Consistency) -> Self {
        let moment = Moment { now: Timestamp::UNIX_EPOCH, lag_until: None, coin: None };
        Self { name, consistency, rows: BTreeMap::new(), changed: BTreeSet::new(), lagging: false, moment }
    }

    /// The row as the present call sees it.
    pub(crate) fn get(&self, scope: &Scope, id: &str) -> Option<&T> {
        self.rows.get(scope)?.get(id).and_then(|row| self.seen(id, row))
    }

    /// Whether the present call sees the row.
    pub(crate) fn contains(&self, scope: &Scope, id: &str) -> bool {
        self.get(scope, id).is_some()
    }

    /// The newest version of a row, to be changed; it counts as changed from here on.
    pub(crate) fn get_mut(&mut self, scope: &Scope, id: &str) -> Option<&mut T> {
        let lag_until = self.lag_until();
        let row = self.rows.get_mut(scope)?.get_mut(id)?;
        let value = row.newest.as_mut()?;
        if let Some(until) = lag_until {
            self.lagging = true;
            if row.older.is_none() {
                row.older = Some(Older { until, value: Some(value.clone()) });
            }
        }
        self.changed.insert((scope.clone(), id.to_owned()));
        Some(value)
    }

    /// Adds or replaces a row.
    pub(crate) fn insert(&mut self, scope: &Scope, id: impl Into<String>, value: T) {
        let id = id.into();
        let lag_until = self.lag_until();
        let rows = self.rows.entry(scope.clone()).or_default();
        let row = rows.entry(id.clone()).or_insert(Row { newest: None, older: None });
        if let Some(until) = lag_until {
            self.lagging = true;
            let value = row.newest.take();
            row.older.get_or_insert(Older { until, value });
        }
        row.newest = Some(value);
        self.changed.insert((scope.clone(), id));
    }

    /// Removes a row and answers with it.
    pub(crate) fn remove(&mut self, scope: &Scope, id: &str) -> Option<T> {
        let lag_until = self.lag_until();
        let rows = self.rows.get_mut(scope)?;
        let row = rows.get_mut(id)?;
        let value = row.newest.take()?;
        match lag_until {
            Some(until) => {
                self.lagging = true;
                row.older.get_or_insert(Older { until, value: Some(value.clone()) });
            }
            None => {
                rows.remove(id);
            }
        }
        self.changed.insert((scope.clone(), id.to_owned()));
        Some(value)
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
        let prefix = prefix.to_owned();
        let rows = self.rows.get(scope).map(|rows| rows.range(prefix.clone()..));
        rows.into_iter()
            .flatten()
            .take_while(move |(id, _)| id.starts_with(&prefix))
            .filter_map(|(id, row)| self.seen(id, row).map(|value| (id.as_str(), value)))
    }

    /// The rows of all scopes that the present call sees.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Scope, &str, &T)> {
        self.rows.iter().flat_map(move |(scope, rows)| {
            rows.iter()
                .filter_map(move |(id, row)| self.seen(id, row).map(|value| (scope, id.as_str(), value)))
        })
    }

    fn lag_until(&self) -> Option<Timestamp> {
        match self.consistency {
            Consistency::Eventual => self.moment.lag_until,
            Consistency::Strong => None,
        }
    }

    fn seen<'a>(&self, id: &str, row: &'a Row<T>) -> Option<&'a T> {
        match (&row.older, &self.moment.coin) {
            (Some(older), Some(coin)) if self.moment.now < older.until && coin.flip(self.name, id) => {
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
        if !self.lagging {
            return;
        }
        self.lagging = false;
        for rows in self.rows.values_mut() {
            rows.retain(|_, row| {
                if row.older.as_ref().is_some_and(|older| older.until <= moment.now) {
                    row.older = None;
                }
                self.lagging |= row.older.is_some();
                row.newest.is_some() || row.older.is_some()
            });
        }
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

    fn moment(second: i64, lag: Option<i64>, coin: Option<Coin>) -> Moment {
        let at = |second| Timestamp::from_second(second).unwrap();
        Moment { now: at(second), lag_until: lag.map(at), coin }
    }

    fn coin(count: u64) -> Option<Coin> {
        Some(Coin { seed: 1, operation: "ec2:DescribeVpcs".to_owned(), count })
    }

    fn sightings(table: &mut Table<u32>, second: i64) -> Vec<Option<u32>> {
        let scope = Scope::new("1", "r");
        let mut seen: Vec<Option<u32>> = (0..64)
            .map(|count| {
                table.begin(&moment(second, None, coin(count)));
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
        table.begin(&moment(10, Some(20), None));
        table.insert(&scope, "a", 1);
        assert_eq!(table.get(&scope, "a"), Some(&1), "the call that makes a row sees it");
        assert_eq!(sightings(&mut table, 11), [None, Some(1)]);
        assert_eq!(sightings(&mut table, 20), [Some(1)]);
        table.begin(&moment(30, Some(40), None));
        *table.get_mut(&scope, "a").unwrap() = 2;
        assert_eq!(sightings(&mut table, 31), [Some(1), Some(2)]);
        assert_eq!(sightings(&mut table, 40), [Some(2)]);
        table.begin(&moment(50, Some(60), None));
        table.remove(&scope, "a").unwrap();
        assert_eq!(sightings(&mut table, 51), [None, Some(2)]);
        assert_eq!(sightings(&mut table, 60), [None]);
    }

    #[test]
    fn a_strong_table_never_lags() {
        let mut table = Table::new("t/k", Consistency::Strong);
        table.begin(&moment(10, Some(20), None));
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
