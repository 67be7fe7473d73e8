//! An environment that is recorded elsewhere: under another stack's name or in another region, which is what a
//! changed `stack` or `region` looks like.
//!
//! State lies below `<stack>/<environment>`, by default in a bucket of the region. With another `stack` or
//! `region` nothing is recorded, and a run would make all of it a second time beside what there is.

use lsinfra_engine::Role;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_engine::store::{Home, StateStore, StoreError, Stored};
use lsinfra_stacks::config::{Config, Region};
use lsinfra_state::{MovableStore, environments};

use crate::arguments::PlaceArgs;
use crate::connection::home;
use crate::environment;
use crate::error::{CommandError, ErrorCode};
use crate::printer::Printer;
use crate::recorded::with_journal;
use crate::state_place::{self, StatePlace};

/// Refuses to begin an environment of which one of the same name is recorded under another stack, with
/// objects, in the same account and region. To be called when nothing is recorded under its own.
///
/// # Errors
/// [`ErrorCode::RecordedElsewhere`]; the store's.
pub(crate) async fn refuse_second(
    place: &StatePlace,
    args: &PlaceArgs,
    config: &Config,
    printer: Printer,
) -> Result<(), CommandError> {
    let here = home(config, args.sandbox());
    for stack in stacks(place, args, config).await? {
        let other = Config { stack: stack.clone(), ..config.clone() };
        if stack == config.stack {
            continue;
        }
        let stored = place.store(args, &other, printer).await?.load().await?;
        if let Some(live) = live_objects(stored, &here)? {
            return Err(renamed(config, &other, live));
        }
    }
    Ok(())
}

/// Refuses to begin an environment of which one of the same name is recorded in another region of the account, with
/// objects. Roles and policies have their names in the whole account, so that there cannot be a second one. To be
/// called when nothing is recorded where it is looked for. A place that the user named is the same for all regions,
/// and a state says which one it is of.
///
/// # Errors
/// [`ErrorCode::RecordedElsewhere`]; the store's.
pub(crate) async fn refuse_elsewhere(
    place: &StatePlace,
    args: &PlaceArgs,
    config: &Config,
    printer: Printer,
) -> Result<(), CommandError> {
    if !matches!(place, StatePlace::Bucket { is_named: false, .. }) {
        return Ok(());
    }
    let prefix = StatePlace::bucket_of_account(&config.account, "");
    let buckets = match lsinfra_state::buckets(&state_place::access(args, config)?, &prefix).await {
        // Whoever may not list buckets is told by IAM that the names are taken.
        Err(StoreError::Call { source, .. }) if source.kind == ErrorKind::Denied => return Ok(()),
        buckets => buckets?,
    };
    let regions = buckets.iter().filter_map(|bucket| Region::new(bucket.strip_prefix(&prefix)?));
    for region in regions.filter(|region| *region != config.region) {
        let other = Config { region, ..config.clone() };
        let opened = StatePlace::parse(args, &other)?.open(args, &other, printer).await?;
        let MovableStore::Bucket(store) = opened else { continue };
        let stored = match store.load().await {
            Err(StoreError::Call { source, .. }) if source.kind == ErrorKind::NotFound => continue,
            stored => stored?,
        };
        if let Some(live) = live_objects(stored, &home(&other, args.sandbox()))? {
            return Err(moved(config, &other, live));
        }
    }
    Ok(())
}

/// How many objects are recorded in a state of `home`, if there are any. What was kept on purpose when the rest was
/// destroyed is left behind on purpose.
fn live_objects(stored: Stored, home: &Home) -> Result<Option<usize>, CommandError> {
    if stored.moved_to.is_some() {
        return Ok(None);
    }
    let Some(snapshot) = with_journal(stored)? else { return Ok(None) };
    let objects = snapshot.resources.values().flat_map(|record| &record.objects);
    let live = objects.filter(|object| object.role != Role::Retained).count();
    Ok((snapshot.home == *home && live > 0).then_some(live))
}

/// The stacks with state in a place, of which some may have no such environment.
async fn stacks(place: &StatePlace, args: &PlaceArgs, config: &Config) -> Result<Vec<String>, CommandError> {
    match place {
        StatePlace::Bucket { place, .. } => {
            match lsinfra_state::stacks(&state_place::access(args, config)?, place).await {
                // Where there is no bucket yet, nobody has any state.
                Err(StoreError::Call { source, .. }) if source.kind == ErrorKind::NotFound => Ok(Vec::new()),
                stacks => Ok(stacks?),
            }
        }
        StatePlace::Folder(root) => {
            let of_name = |name: &str| {
                let (stack, environment) = name.split_once('/')?;
                (environment == config.environment).then(|| stack.to_owned())
            };
            Ok(environments(root)?.iter().filter_map(|name| of_name(name)).collect())
        }
    }
}

fn renamed(config: &Config, other: &Config, objects: usize) -> CommandError {
    let (new, old) = (environment::name(config), environment::name(other));
    let message = format!(
        "nothing is recorded for {new}, but {} for {old}, in the same account and region",
        crate::render::plural(objects, "object")
    );
    CommandError::new(ErrorCode::RecordedElsewhere, message)
        .hint(format!(
            "every name begins with the stack's, so that it cannot be changed: put `stack = {:?}` back",
            other.stack
        ))
        .hint(format!("to go without it: destroy {old} first, with its old name"))
        .hint("to have a second one beside it on purpose: --beside")
}

fn moved(config: &Config, other: &Config, objects: usize) -> CommandError {
    let (name, new, old) = (environment::name(config), &config.region, &other.region);
    let message = format!(
        "nothing is recorded for {name} in {new}, but {} in {old}, in the same account",
        crate::render::plural(objects, "object")
    );
    CommandError::new(ErrorCode::RecordedElsewhere, message)
        .hint(format!("an environment stays in its region: put `region = \"{old}\"` back"))
        .hint(format!("to go to {new}: destroy it first, with `region = \"{old}\"`"))
        .hint(
            "to have a second one on purpose: give it another name, in a file of its own, since roles have their \
             names in the whole account",
        )
}
