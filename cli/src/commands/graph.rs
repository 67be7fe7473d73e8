//! `lsinfra graph`.

use clap::{Args, ValueEnum};

use crate::answers::GraphAnswer;
use crate::arguments::{EnvironmentArgs, OutputArgs};
use crate::environment::Environment;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::kubernetes::Kubernetes;
use crate::printer::Printer;
use crate::render;

/// Show what the stack declares and what depends on what, without looking at AWS or state.
#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    environment: EnvironmentArgs,

    /// The form of the picture.
    #[arg(long, value_enum, default_value_t = Format::Tree, conflicts_with = "output")]
    format: Format,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// The component tree, for a terminal.
    Tree,
    /// For Graphviz: lsinfra graph --env NAME --format dot | dot -Tsvg > graph.svg
    Dot,
    /// For Markdown on GitHub and GitLab.
    Mermaid,
}

/// Prints the graph.
pub(crate) fn run(args: &GraphArgs, printer: Printer) -> Result<ExitCode, CommandError> {
    let environment = Environment::load(&args.environment, &Kubernetes::Included)?;
    let graph = &environment.graph;
    if args.output.is_json() {
        printer.json(&GraphAnswer::new(&environment.name, graph));
        return Ok(ExitCode::Done);
    }
    let text = match args.format {
        Format::Tree => render::graph::tree(graph, printer.data_canvas().paint),
        Format::Dot => render::graph::dot(graph),
        Format::Mermaid => render::graph::mermaid(graph),
    };
    printer.data(&text);
    Ok(ExitCode::Done)
}
