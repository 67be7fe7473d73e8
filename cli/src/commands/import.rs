//! `lsinfra import`.

use std::path::{Path, PathBuf};

use clap::Args;
use lsinfra_engine::OperationKind;
use lsinfra_stacks::config::{ConfigError, Imports};

use crate::arguments::{
    ChangeArgs, DEFAULT_PARALLELISM, EditArgs, EnvironmentArgs, OperationOutputArgs, PlaceArgs,
};
use crate::bootstrap::MissingStore;
use crate::change::carry_out;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::imports::Wanted;
use crate::printer::Printer;
use crate::session::Run;

/// Take over objects that exist, for resources that the stack declares. Changes nothing in the account.
///
/// Shows how each object differs from what is declared, asks, and records it. The next `up` makes the
/// changes that were shown, and puts the ownership tags on. What an id looks like is in docs/import.md.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The resource's type, such as aws:ec2:Vpc, or the end of it.
    #[arg(value_name = "TYPE", required_unless_present = "file", requires = "id")]
    resource_type: Option<String>,

    /// The resource's name in the stack, or its URN.
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// The object's id, as AWS shows it.
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// Import all objects that this file lists, or none; it has [[import]] with type, name and id.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resource_type", "name", "id"])]
    file: Option<PathBuf>,

    #[command(flatten)]
    environment: EnvironmentArgs,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    edit: EditArgs,

    #[command(flatten)]
    pub(crate) output: OperationOutputArgs,
}

/// Imports.
pub(crate) fn run(args: &ImportArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let wanted = match (&args.file, &args.resource_type, &args.name, &args.id) {
        (Some(file), ..) => Wanted::List(read_list(file)?),
        (None, Some(resource_type), Some(name), Some(id)) => {
            Wanted::One { resource_type: resource_type.clone(), name: name.clone(), id: id.clone() }
        }
        // The parser of the command line takes all three or the file.
        _ => Wanted::Nothing,
    };
    carry_out(
        &Run {
            kind: OperationKind::Import,
            read_only: false,
            environment: &args.environment,
            place: &args.place,
            skips_kubernetes: false,
            targets: &[],
            unprotected: &[],
            begin: None,
            imports: &wanted,
            approved: None,
            refresh: false,
            parallelism: DEFAULT_PARALLELISM,
            missing_store: MissingStore::Ask,
            output: args.output,
        },
        &ChangeArgs { yes: args.edit.yes, plan: None, parallelism: DEFAULT_PARALLELISM },
        printer,
    )
}

fn read_list(file: &Path) -> Result<Imports, CommandError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
    Ok(Imports::parse_list(file, &text)?)
}
