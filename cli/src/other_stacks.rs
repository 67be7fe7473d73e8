//! An environment that goes by another stack's name: what a changed `stack` looks like.
//!
//! State lies below `<stack>/<environment>`. With another `stack` nothing is recorded, and a run would make all
//! of it a second time beside what there is.

use lsinfra_engine::Role;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_engine::store::StoreError;
use lsinfra_stacks::config::Config;
use lsinfra_state::environments;

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
/// [`ErrorCode::StackRenamed`]; the store's.
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
        if stored.moved_to.is_some() {
            continue;
        }
        let Some(snapshot) = with_journal(stored)? else { continue };
        // What was kept on purpose when the rest was destroyed is left behind on purpose.
        let objects = snapshot.resources.values().flat_map(|record| &record.objects);
        let live = objects.filter(|object| object.role != Role::Retained).count();
        if snapshot.home == here && live > 0 {
            return Err(renamed(config, &other, live));
        }
    }
    Ok(())
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
    CommandError::new(ErrorCode::StackRenamed, message)
        .hint(format!(
            "every name begins with the stack's, so that it cannot be changed: put `stack = {:?}` back",
            other.stack
        ))
        .hint(format!("to go without it: destroy {old} first, with its old name"))
        .hint("to have a second one beside it on purpose: --beside")
}
