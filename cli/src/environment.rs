//! The environment that a command is about: its configuration and what the stack declares for it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use lsinfra_engine::Graph;
use lsinfra_stacks::config::{Config, ConfigError};
use lsinfra_stacks::langsmith::{Layers, langsmith};
use sha2::{Digest, Sha256};

use crate::arguments::EnvironmentArgs;
use crate::error::CommandError;
use crate::kubernetes::Kubernetes;
use crate::suggest;

/// The folder of the configuration files, below the present one.
const FOLDER: &str = "environments";

/// A loaded environment.
pub(crate) struct Environment {
    /// `<stack>/<environment>`.
    pub(crate) name: String,
    /// Its configuration.
    pub(crate) config: Config,
    /// SHA-256 of the configuration file, in hexadecimal.
    pub(crate) config_digest: String,
    /// What the stack declares.
    pub(crate) graph: Graph,
}

impl Environment {
    /// Reads and checks the configuration, and builds the graph, with or without what runs in the cluster.
    ///
    /// # Errors
    /// [`CommandError`] for a file that is missing or wrong, or a stack that cannot be.
    pub(crate) fn load(args: &EnvironmentArgs, kubernetes: &Kubernetes) -> Result<Self, CommandError> {
        let (config, config_digest) = load_config(args)?;
        let graph = langsmith(&config, &Layers { kubernetes: kubernetes.is_declared() })?;
        let name = name(&config);
        Ok(Self { name, config, config_digest, graph })
    }
}

/// Reads and checks the configuration alone.
///
/// # Errors
/// As [`Environment::load`].
pub(crate) fn load_config(args: &EnvironmentArgs) -> Result<(Config, String), CommandError> {
    let file = file(args);
    let text = std::fs::read_to_string(&file)
        .map_err(|source| missing(ConfigError::Read { file: file.clone(), source }, args))?;
    let config = Config::parse(&file, &text)?;
    let digest = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((config, digest))
}

/// The environment's name: `<stack>/<environment>`.
pub(crate) fn name(config: &Config) -> String {
    format!("{}/{}", config.stack, config.environment)
}

fn file(args: &EnvironmentArgs) -> PathBuf {
    match (&args.config, &args.env) {
        (Some(file), _) => file.clone(),
        (None, name) => Path::new(FOLDER).join(format!("{}.toml", name.as_deref().unwrap_or_default())),
    }
}

/// A file that is not there is most often a mistyped name or the wrong folder.
fn missing(error: ConfigError, args: &EnvironmentArgs) -> CommandError {
    let is_missing =
        matches!(&error, ConfigError::Read { source, .. } if source.kind() == ErrorKind::NotFound);
    let command = CommandError::from(error);
    let Some(name) = args.env.as_ref().filter(|_| is_missing) else { return command };
    let known = environments();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match (known.is_empty(), suggest::closest(name, &known)) {
        (true, _) => command.hint(format!(
            "there is no folder {FOLDER}/ with configuration files here; run from the folder that has it, \
             or name the file with --config"
        )),
        (false, Some(meant)) => command.hint(format!("did you mean --env {meant}?")),
        (false, None) => command.hint(format!("there are: {}", known.join(", "))),
    }
}

fn environments() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(FOLDER)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let is_config = path.extension().is_some_and(|extension| extension == "toml");
            path.file_stem().filter(|_| is_config).map(|name| name.to_string_lossy().into_owned())
        })
        .collect();
    names.sort();
    names
}
