//! The help texts, and the rules that every flag and command keeps.
#![allow(clippy::unwrap_used)]

use clap::{Command, CommandFactory};

use crate::arguments::Arguments;

/// All commands with their full names, from the outside in.
fn commands(command: &Command, path: &str, into: &mut Vec<(String, Command)>) {
    into.push((path.to_owned(), command.clone()));
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        commands(inner, &format!("{path} {}", inner.get_name()), into);
    }
}

fn all() -> Vec<(String, Command)> {
    let mut root = Arguments::command().term_width(100);
    root.build();
    let mut found = Vec::new();
    commands(&root, "lsinfra", &mut found);
    found
}

#[test]
fn help_of_every_command() {
    for (path, mut command) in all() {
        insta::assert_snapshot!(path.replace(' ', "-"), command.render_long_help().to_string());
    }
}

#[test]
fn the_definition_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn every_argument_is_explained_without_a_full_stop() {
    for (path, command) in all() {
        for argument in command
            .get_arguments()
            .filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
        {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.is_empty(), "{path}: {} has no help", argument.get_id());
            assert!(!help.ends_with('.'), "{path}: {}: {help}", argument.get_id());
        }
    }
}
