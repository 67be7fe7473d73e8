//! Where state is kept: from `--state` to a store.
//!
//! The rule: what `--state` (or `LSINFRA_STATE`) says; else the account's own bucket for state, in the
//! environment's region: `lsinfra-state-<account>-<region>`. With `--sandbox` that is the sandbox's. A state
//! records whether it belongs to a sandbox, so that mixing the two is refused whatever `--state` says.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::provider::{ErrorKind, ProviderError};
use lsinfra_engine::store::{HeldLock, LockHolder, OperationRecord, Session, StateStore, StoreError, Stored};
use lsinfra_engine::{SecretKey, Snapshot};
use lsinfra_stacks::config::Config;
use lsinfra_state::{Access, LocalStore, LockSettings, MovableStore, Place, S3Store, Waiting};
use uuid::Uuid;

use crate::arguments::PlaceArgs;
use crate::bootstrap::BeginError;
use crate::connection::home;
use crate::environment;
use crate::error::{CommandError, ErrorCode};
use crate::printer::Printer;
use crate::suggest;

/// Where states were by default while there was no store for teams.
const FORMER_ROOT: &str = ".lsinfra/state";

/// The table for locks, if `--state` names none.
const DEFAULT_TABLE: &str = "lsinfra-locks";
/// For how many seconds a lock must stand still before another run takes it over, if `--state` says
/// nothing else: twice the longest call, since a holder stops that long before.
const DEFAULT_LEASE_SECONDS: u64 = 120;
const LEASE_SECONDS: std::ops::RangeInclusive<u64> = 10..=3600;
/// What can be set of a bucket.
const SETTINGS: [&str; 2] = ["table", "lease_seconds"];

/// Where the states of many environments are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StatePlace {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a bucket, with the locks in a table.
    Bucket {
        /// Both.
        place: Place,
        /// For how long a lock must stand still before another run takes it over.
        lease: Duration,
        /// Whether the user named it. One that is only meant by the rule may not be there yet: then nothing
        /// is recorded, while a name that the user gave may be mistyped.
        is_named: bool,
    },
}

impl StatePlace {
    /// What the arguments say; else the bucket of the account and region.
    ///
    /// # Errors
    /// [`ErrorCode::StateLocation`] for a `--state` that is no place for state.
    pub(crate) fn parse(args: &PlaceArgs, config: &Config) -> Result<Self, CommandError> {
        // A variable that is empty counts as none; a flag that is empty is a mistake.
        let is_empty = std::env::var_os("LSINFRA_STATE").is_some_and(|state| state.is_empty());
        match args.state.as_deref().filter(|state| !state.is_empty() || !is_empty) {
            None => Ok(Self::of_account(&config.account, config.region.as_str())),
            Some(url) => Self::of_url(url),
        }
    }

    /// What a URL says.
    ///
    /// # Errors
    /// [`ErrorCode::StateLocation`] if it is no place for state.
    pub(crate) fn of_url(url: &str) -> Result<Self, CommandError> {
        let place = match url.split_once("://") {
            Some(("file", "")) => Err("it names no folder".to_owned()),
            Some(("file", folder)) => Ok(Self::Folder(folder.into())),
            Some(("s3", rest)) => bucket(rest),
            Some((scheme, _)) => Err(format!("state is kept in file:// or s3://, not in {scheme}://")),
            None => Err("it has no scheme".to_owned()),
        };
        place.map_err(|problem| {
            CommandError::new(ErrorCode::StateLocation, format!("{url:?} is no place for state: {problem}"))
                .hint("give a folder: --state file:///absolute/folder or --state file://relative/folder")
                .hint(
                    "or a bucket: --state s3://BUCKET, or \
                     --state 's3://BUCKET?table=LOCKS&lease_seconds=120'",
                )
        })
    }

    /// The bucket for state of an account, in a region: buckets' names are unique among all accounts.
    fn of_account(account: &str, region: &str) -> Self {
        Self::Bucket {
            place: Place {
                bucket: Self::bucket_of_account(account, region),
                table: DEFAULT_TABLE.to_owned(),
            },
            lease: Duration::from_secs(DEFAULT_LEASE_SECONDS),
            is_named: false,
        }
    }

    /// The name of that bucket; without a region what the names of all of the account's begin with.
    pub(crate) fn bucket_of_account(account: &str, region: &str) -> String {
        format!("lsinfra-state-{account}-{region}")
    }

    /// The store of the environment that `config` is for.
    ///
    /// # Errors
    /// The store's own, and the sandbox's if the state is in it.
    pub(crate) async fn store(
        &self,
        args: &PlaceArgs,
        config: &Config,
        printer: Printer,
    ) -> Result<Box<dyn StateStore>, CommandError> {
        self.opened_store(self.open(args, config, printer).await?, args, config).await
    }

    /// The store as commands use it: one that is only meant by the rule may not be there yet.
    ///
    /// # Errors
    /// That a state is where it was kept by default before.
    pub(crate) async fn opened_store(
        &self,
        opened: MovableStore,
        args: &PlaceArgs,
        config: &Config,
    ) -> Result<Box<dyn StateStore>, CommandError> {
        Ok(match opened {
            MovableStore::Folder(store) => Box::new(store),
            MovableStore::Bucket(store) => match self {
                Self::Bucket { is_named: false, .. } => {
                    refuse_if_left_behind(config, args.sandbox()).await?;
                    Box::new(PerhapsUnmade(store))
                }
                _ => Box::new(store),
            },
        })
    }

    /// What is at the place, from or to which state can be moved. One that is not made yet is an error.
    ///
    /// # Errors
    /// As [`StatePlace::store`].
    pub(crate) async fn open(
        &self,
        args: &PlaceArgs,
        config: &Config,
        printer: Printer,
    ) -> Result<MovableStore, CommandError> {
        let environment = environment::name(config);
        match self {
            Self::Folder(root) => Ok(MovableStore::Folder(LocalStore::at(root, &environment)?)),
            Self::Bucket { place, lease, .. } => {
                let settings = LockSettings {
                    lease: *lease,
                    timeout: args.lock_timeout.map(Duration::from_secs),
                    longest_call: lsinfra_resources::aws::LONGEST_CALL,
                };
                let access = access(args, config)?;
                let waiting: Waiting = Arc::new(move |holder| {
                    printer.note(&format!("waiting for the lock, which {}\n", held_by(holder)));
                });
                let clock = Clock::system();
                let store = S3Store::open(&access, place, &environment, settings, clock, waiting).await?;
                Ok(MovableStore::Bucket(store))
            }
        }
    }
}

/// The key under which the environment's secrets are digested. In a folder it is made when it is first needed,
/// but by a run that only reads: `None` before there is one. In a bucket it is made with that.
///
/// # Errors
/// The store's own; that it is missing, as if the bucket were.
pub(crate) async fn secret_key(
    opened: &MovableStore,
    read_only: bool,
) -> Result<Option<SecretKey>, BeginError> {
    let existing = match opened {
        MovableStore::Folder(store) if read_only => store.existing_secret_key()?,
        MovableStore::Folder(store) => Some(store.secret_key()?),
        MovableStore::Bucket(store) => store.secret_key().await?,
    };
    match existing {
        Some(key) => Ok(Some(key)),
        None if read_only => Ok(None),
        None => {
            let message = "GetSecretValue: there is no key for digests of secrets";
            Err(StoreError::Call {
                action: "read",
                location: "the key for digests of secrets".to_owned(),
                source: Box::new(ProviderError::new(ErrorKind::NotFound, message)),
            }
            .into())
        }
    }
}

/// A key for a run that only reads, where nothing is digested under one yet.
pub(crate) fn momentary_key() -> SecretKey {
    SecretKey::new(std::array::from_fn(|_| Uuid::new_v4().as_bytes()[0]))
}

/// Refuses to look elsewhere for a state that is still where it was kept before there was a bucket.
async fn refuse_if_left_behind(config: &Config, sandbox: bool) -> Result<(), CommandError> {
    let environment = environment::name(config);
    let left = LocalStore::at(Path::new(FORMER_ROOT), &environment)?.load_unsound().await?;
    let is_ours = left.snapshot.is_some_and(|snapshot| snapshot.home == home(config, sandbox));
    if !is_ours || left.moved_to.is_some() {
        return Ok(());
    }
    let message =
        format!("the state of {environment} is in {FORMER_ROOT}, where it was kept by default before");
    Err(CommandError::new(ErrorCode::StateLocation, message)
        .hint(format!(
            "move it to the account's own bucket: lsinfra state migrate --from file://{FORMER_ROOT}"
        ))
        .hint(format!("or leave it there: --state file://{FORMER_ROOT}")))
}

/// `` `up` by ada on build-7, process 4711, holds since 2026-01-01 10:00:00 UTC``.
pub(crate) fn held_by(holder: &LockHolder) -> String {
    let since = holder.since.strftime("%Y-%m-%d %H:%M:%S UTC");
    let LockHolder { command, user, host, process_id, .. } = holder;
    format!("`{command}` by {user} on {host}, process {process_id}, holds since {since}")
}

/// A store whose bucket may not be made yet: then nothing is recorded. It is locked as any other.
struct PerhapsUnmade(S3Store);

impl PerhapsUnmade {
    fn or_nothing<T: Default>(read: Result<T, StoreError>) -> Result<T, StoreError> {
        match read {
            Err(StoreError::Call { source, .. }) if source.kind == ErrorKind::NotFound => Ok(T::default()),
            read => read,
        }
    }
}

#[async_trait]
impl StateStore for PerhapsUnmade {
    fn location(&self) -> String {
        self.0.location()
    }

    async fn load(&self) -> Result<Stored, StoreError> {
        Self::or_nothing(self.0.load().await)
    }

    async fn load_unsound(&self) -> Result<Stored, StoreError> {
        Self::or_nothing(self.0.load_unsound().await)
    }

    async fn lock(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        self.0.lock(holder).await
    }

    async fn lock_unsound(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        self.0.lock_unsound(holder).await
    }

    async fn lock_to_replace(&self, holder: &LockHolder) -> Result<Box<dyn Session>, StoreError> {
        self.0.lock_to_replace(holder).await
    }

    async fn history(&self) -> Result<Vec<OperationRecord>, StoreError> {
        Self::or_nothing(self.0.history().await)
    }

    async fn snapshot(&self, serial: u64) -> Result<Option<Snapshot>, StoreError> {
        Self::or_nothing(self.0.snapshot(serial).await)
    }

    async fn held_lock(&self) -> Result<Option<HeldLock>, StoreError> {
        Self::or_nothing(self.0.held_lock().await)
    }

    async fn unlock(&self, held: &HeldLock, by: &LockHolder, forced: bool) -> Result<bool, StoreError> {
        self.0.unlock(held, by, forced).await
    }
}

/// How bucket and table are reached: where the environment's account is.
///
/// # Errors
/// The sandbox's, if it cannot be started.
pub(crate) fn access(args: &PlaceArgs, config: &Config) -> Result<Access, CommandError> {
    #[cfg(feature = "sandbox")]
    let sandbox = match args.sandbox {
        true => Some(crate::commands::sandbox::connect_or_start(&config.account)?.0.url),
        false => None,
    };
    #[cfg(not(feature = "sandbox"))]
    let sandbox = None;
    Ok(Access { account: config.account.clone(), region: config.region.to_string(), sandbox })
}

/// `BUCKET`, perhaps with settings.
///
/// # Errors
/// What is wrong with it.
fn bucket(rest: &str) -> Result<StatePlace, String> {
    let (bucket, settings) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut table, mut lease_seconds) = (DEFAULT_TABLE, DEFAULT_LEASE_SECONDS);
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some(("table", name)) => table = name,
            Some(("lease_seconds", seconds)) => {
                lease_seconds = seconds
                    .parse()
                    .map_err(|_| format!("lease_seconds is {seconds:?}, not a whole number of seconds"))?;
            }
            Some((name, _)) => {
                let meant = suggest::closest(name, &SETTINGS);
                let meant = meant.map_or_else(
                    || format!("there are {}", SETTINGS.join(" and ")),
                    |meant| format!("did you mean {meant}?"),
                );
                return Err(format!("there is no setting {name:?}; {meant}"));
            }
            None => return Err(format!("the setting {setting:?} has no value")),
        }
    }
    if let Some((name, below)) = bucket.split_once('/') {
        return Err(format!(
            "a place is a whole bucket, {name:?}, without {below:?}: each environment has a prefix of its own in it"
        ));
    }
    if !is_bucket_name(bucket) {
        return Err(format!(
            "{bucket:?} is no bucket's name: 3 to 63 lowercase letters, digits, hyphens and dots"
        ));
    }
    if !is_table_name(table) {
        return Err(format!(
            "{table:?} is no table's name: 3 to 255 letters, digits, hyphens, underscores and dots"
        ));
    }
    if !LEASE_SECONDS.contains(&lease_seconds) {
        let (least, most) = (LEASE_SECONDS.start(), LEASE_SECONDS.end());
        return Err(format!("lease_seconds is {lease_seconds}, and must be from {least} to {most}"));
    }
    Ok(StatePlace::Bucket {
        place: Place { bucket: bucket.to_owned(), table: table.to_owned() },
        lease: Duration::from_secs(lease_seconds),
        is_named: true,
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn is_bucket_name(name: &str) -> bool {
    let is_legal =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    (3..=63).contains(&name.len()) && name.bytes().all(is_legal) && !name.starts_with(['-', '.'])
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
fn is_table_name(name: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (3..=255).contains(&name.len()) && name.bytes().all(is_legal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    const CONFIG: &str = "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n";

    fn parse(url: Option<&str>) -> Result<StatePlace, CommandError> {
        let config = Config::parse(Path::new("environments/dev.toml"), CONFIG).unwrap();
        let args = PlaceArgs {
            #[cfg(feature = "sandbox")]
            sandbox: false,
            state: url.map(str::to_owned),
            lock_timeout: None,
        };
        StatePlace::parse(&args, &config)
    }

    fn in_bucket(bucket: &str, table: &str, seconds: u64) -> StatePlace {
        let place = Place { bucket: bucket.to_owned(), table: table.to_owned() };
        StatePlace::Bucket { place, lease: Duration::from_secs(seconds), is_named: true }
    }

    #[test]
    fn the_rule() {
        let folder = |path: &str| StatePlace::Folder(path.into());
        let StatePlace::Bucket { place, is_named: false, .. } = parse(None).unwrap() else {
            panic!("no bucket of the account's own")
        };
        assert_eq!(place.bucket, "lsinfra-state-111122223333-us-west-2");
        assert_eq!(place.table, "lsinfra-locks");
        assert_eq!(parse(Some("file:///srv/state")).unwrap(), folder("/srv/state"));
        assert_eq!(parse(Some("file://state")).unwrap(), folder("state"));
        assert_eq!(parse(Some("s3://states")).unwrap(), in_bucket("states", "lsinfra-locks", 120));
        assert_eq!(
            parse(Some("s3://my.states?table=locks&lease_seconds=30")).unwrap(),
            in_bucket("my.states", "locks", 30)
        );
        for (bad, problem) in [
            ("", "no scheme"),
            ("/srv/state", "no scheme"),
            ("file://", "no folder"),
            ("s3://", "\"\" is no bucket's name"),
            ("s3://No_Bucket", "no bucket's name"),
            ("s3://states/dev", "without \"dev\""),
            ("s3://states?tabel=locks", "did you mean table?"),
            ("s3://states?colour=red", "there are table and lease_seconds"),
            ("s3://states?table", "has no value"),
            ("s3://states?table=a", "no table's name"),
            ("s3://states?lease_seconds=1", "from 10 to 3600"),
            ("s3://states?lease_seconds=soon", "not a whole number"),
            ("gs://states", "not in gs://"),
        ] {
            let error = parse(Some(bad)).unwrap_err();
            assert_eq!(error.code, ErrorCode::StateLocation, "{bad}");
            assert!(error.message.contains(problem), "{}", error.message);
        }
    }
}
