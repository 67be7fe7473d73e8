//! Where state is kept: from `--state` to a store.
//!
//! The rule: what `--state` says; else `.lsinfra/state` in the present folder, and
//! `.lsinfra/sandbox-state` with `--sandbox`. A state records whether it belongs to a sandbox, so
//! that mixing the two is refused whatever `--state` says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lsinfra_engine::SecretKey;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::store::StateStore;
use lsinfra_stacks::config::Config;
use lsinfra_state::{Access, LocalStore, LockSettings, Place, S3Store};
use uuid::Uuid;

use crate::arguments::PlaceArgs;
use crate::environment;
use crate::error::{CommandError, ErrorCode};

/// The folder for state outside the sandbox.
const DEFAULT_ROOT: &str = ".lsinfra/state";
/// The folder for state of the sandbox.
pub(crate) const SANDBOX_ROOT: &str = ".lsinfra/sandbox-state";

/// The table for locks, if `--state` names none.
const DEFAULT_TABLE: &str = "lsinfra-locks";
/// For how many seconds a lock must stand still before another run takes it over, if `--state` says
/// nothing else: twice the longest call, since a holder stops that long before.
const DEFAULT_LEASE_SECONDS: u64 = 120;
const LEASE_SECONDS: std::ops::RangeInclusive<u64> = 10..=3600;

/// Where the states of many environments are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StatePlace {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a bucket, with the locks in a table.
    Bucket { place: Place, lease: Duration },
}

impl StatePlace {
    /// What the arguments say.
    ///
    /// # Errors
    /// [`ErrorCode::StateLocation`] for a `--state` that is no place for state.
    pub(crate) fn parse(args: &PlaceArgs) -> Result<Self, CommandError> {
        match args.state.as_deref() {
            None => Ok(Self::Folder(if args.sandbox() { SANDBOX_ROOT } else { DEFAULT_ROOT }.into())),
            Some(url) => {
                let place = match url.split_once("://") {
                    Some(("file", folder)) if !folder.is_empty() => Some(Self::Folder(folder.into())),
                    Some(("s3", rest)) => bucket(rest),
                    _ => None,
                };
                place.ok_or_else(|| {
                    CommandError::new(ErrorCode::StateLocation, format!("{url:?} is no place for state"))
                        .hint("give a folder: --state file:///absolute/folder or --state file://relative/folder")
                        .hint(
                            "or a bucket: --state s3://BUCKET, or \
                             --state 's3://BUCKET?table=LOCKS&lease_seconds=120'",
                        )
                })
            }
        }
    }

    /// The store of the environment that `config` is for.
    ///
    /// # Errors
    /// The store's own, and the sandbox's if the state is in it.
    pub(crate) async fn store(
        &self,
        args: &PlaceArgs,
        config: &Config,
    ) -> Result<Box<dyn StateStore>, CommandError> {
        let environment = environment::name(config);
        match self {
            Self::Folder(root) => Ok(Box::new(LocalStore::at(root, &environment)?)),
            Self::Bucket { place, lease } => {
                let settings = LockSettings {
                    lease: *lease,
                    timeout: args.lock_timeout.map(Duration::from_secs),
                    longest_call: lsinfra_resources::aws::LONGEST_CALL,
                };
                let access = access(args, config)?;
                let store = S3Store::open(&access, place, &environment, settings, Clock::system()).await?;
                Ok(Box::new(store))
            }
        }
    }

    /// The key under which the environment's secrets are digested. It is made when it is first needed, but by a
    /// run that only reads: before there is one nothing is digested under it, so that one for the moment does.
    /// For a state in a bucket it is kept on this machine: another one takes each secret that it reads for
    /// changed, once.
    ///
    /// # Errors
    /// The store's own.
    pub(crate) fn secret_key(&self, config: &Config, read_only: bool) -> Result<SecretKey, CommandError> {
        let environment = environment::name(config);
        let root = match self {
            Self::Folder(root) => root.as_path(),
            Self::Bucket { .. } => Path::new(DEFAULT_ROOT),
        };
        let store = LocalStore::at(root, &environment)?;
        if read_only {
            let of_the_moment = || SecretKey::new(std::array::from_fn(|_| Uuid::new_v4().as_bytes()[0]));
            return Ok(store.existing_secret_key()?.unwrap_or_else(of_the_moment));
        }
        Ok(store.secret_key()?)
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
fn bucket(rest: &str) -> Option<StatePlace> {
    let (bucket, settings) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut table, mut lease_seconds) = (DEFAULT_TABLE, DEFAULT_LEASE_SECONDS);
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=')? {
            ("table", name) => table = name,
            ("lease_seconds", seconds) => lease_seconds = seconds.parse().ok()?,
            _ => return None,
        }
    }
    let is_whole = is_bucket_name(bucket) && is_table_name(table) && LEASE_SECONDS.contains(&lease_seconds);
    is_whole.then(|| StatePlace::Bucket {
        place: Place { bucket: bucket.to_owned(), table: table.to_owned() },
        lease: Duration::from_secs(lease_seconds),
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(url: Option<&str>, sandbox: bool) -> Result<StatePlace, CommandError> {
        StatePlace::parse(&PlaceArgs {
            #[cfg(feature = "sandbox")]
            sandbox,
            state: url.map(str::to_owned),
            lock_timeout: None,
        })
    }

    fn in_bucket(bucket: &str, table: &str, seconds: u64) -> StatePlace {
        let place = Place { bucket: bucket.to_owned(), table: table.to_owned() };
        StatePlace::Bucket { place, lease: Duration::from_secs(seconds) }
    }

    #[test]
    fn the_rule() {
        let folder = |path: &str| StatePlace::Folder(path.into());
        assert_eq!(parse(None, false).unwrap(), folder(".lsinfra/state"));
        assert_eq!(parse(None, true).unwrap(), folder(".lsinfra/sandbox-state"));
        assert_eq!(parse(Some("file:///srv/state"), true).unwrap(), folder("/srv/state"));
        assert_eq!(parse(Some("file://state"), false).unwrap(), folder("state"));
        assert_eq!(parse(Some("s3://states"), false).unwrap(), in_bucket("states", "lsinfra-locks", 120));
        assert_eq!(
            parse(Some("s3://my.states?table=locks&lease_seconds=30"), false).unwrap(),
            in_bucket("my.states", "locks", 30)
        );
        for bad in [
            "/srv/state",
            "file://",
            "s3://",
            "s3://No_Bucket",
            "s3://states/dev",
            "s3://states?tabel=locks",
            "s3://states?lease_seconds=1",
            "s3://states?lease_seconds=soon",
            "gs://states",
        ] {
            assert_eq!(parse(Some(bad), false).unwrap_err().code, ErrorCode::StateLocation, "{bad}");
        }
    }
}
