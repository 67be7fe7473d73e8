//! Secrets that a person gives: read from a file, from stdin or from the environment, checked, and kept in
//! memory until they are sealed.
//!
//! Owns the ways and their rules. No value is ever in an argument, nor in a message. What is needed, and what
//! a value must look like, is the stack's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lsinfra_stacks::config::Config;
use lsinfra_stacks::langsmith::{GivenSecret, given_secrets};
use secrecy::{ExposeSecret, SecretString};
use toml_edit::{Document, Item, Value};

use crate::error::{CommandError, ErrorCode};
use crate::render::plural;
use crate::suggest;

/// What the name of an environment variable with a secret begins with; the secret's follows in capitals.
const VARIABLE: &str = "LSINFRA_SECRET_";

/// The bit of a file's mode by which everybody may read it.
const EVERYBODY_READS: u32 = 0o004;

/// The secrets that an environment takes from a person, and those that were given.
pub(crate) struct Secrets {
    takes: Vec<GivenSecret>,
    given: BTreeMap<&'static str, SecretString>,
}

/// One secret as it stands somewhere.
struct Entry {
    /// Where: `secrets.toml:3`, or a variable's name.
    place: String,
    name: String,
    /// `None` if it is no text.
    value: Option<SecretString>,
}

impl Secrets {
    /// None is given.
    pub(crate) fn none(config: &Config) -> Self {
        Self { takes: given_secrets(config), given: BTreeMap::new() }
    }

    /// What the file and the variables have.
    ///
    /// # Errors
    /// [`ErrorCode::SecretsUnusable`], with all that is wrong and no value.
    pub(crate) fn read(file: Option<&Path>, config: &Config) -> Result<Self, CommandError> {
        let mut entries = match file {
            None => Vec::new(),
            Some(file) => {
                let (place, text) = contents(file)?;
                of_file(&place, text.expose_secret())?
            }
        };
        entries.extend(of_variables(std::env::vars_os()));
        Self::of_entries(given_secrets(config), entries)
    }

    fn of_entries(takes: Vec<GivenSecret>, entries: Vec<Entry>) -> Result<Self, CommandError> {
        let mut given: BTreeMap<&'static str, (String, SecretString)> = BTreeMap::new();
        let mut problems = Vec::new();
        for Entry { place, name, value } in entries {
            let known = takes.iter().find(|secret| secret.name == name);
            let problem = match (known, value) {
                (None, _) => unknown(&name, &takes),
                (Some(_), None) => "it is no text: write it in quotes".to_owned(),
                (Some(secret), Some(value)) => {
                    match (secret.check(value.expose_secret()), given.get(secret.name)) {
                        (Err(problem), _) => problem.to_owned(),
                        (Ok(()), Some((other, given))) if given.expose_secret() != value.expose_secret() => {
                            format!("{other} has another value for it")
                        }
                        (Ok(()), _) => {
                            given.insert(secret.name, (place, value));
                            continue;
                        }
                    }
                }
            };
            problems.push(format!("{place}: {name}: {problem}"));
        }
        if problems.is_empty() {
            let given = given.into_iter().map(|(name, (_, value))| (name, value)).collect();
            return Ok(Self { takes, given });
        }
        let message = format!("{} of given secrets", plural(problems.len(), "problem"));
        Err(CommandError::new(ErrorCode::SecretsUnusable, message)
            .details(problems)
            .hint("nothing was changed; docs/secrets.md says which there are and how they are given"))
    }

    /// What was given, by name.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, &SecretString)> {
        self.given.iter().map(|(name, value)| (*name, value))
    }

    /// Which of the secrets with these names were not given.
    pub(crate) fn missing<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        names.into_iter().filter(|name| !self.given.contains_key(name)).collect()
    }

    /// All that were not given, whether they are needed or not.
    pub(crate) fn all_missing(&self) -> BTreeSet<&'static str> {
        self.missing(self.takes.iter().map(|secret| secret.name))
    }

    /// Makes up those with these names that were not given: for an account in which nothing runs that would
    /// use them.
    pub(crate) fn make_up(&mut self, names: &BTreeSet<&str>) {
        for secret in self.takes.iter().filter(|secret| names.contains(secret.name)) {
            self.given.entry(secret.name).or_insert_with(|| secret.placeholder().into());
        }
    }

    /// Says that these are needed, and how to give them.
    pub(crate) fn not_given(&self, names: &BTreeSet<&str>) -> CommandError {
        let described = names.iter().map(|name| {
            let secret = self.takes.iter().find(|secret| secret.name == *name);
            match secret {
                Some(secret) => format!("{name}: {}", secret.description),
                None => (*name).to_owned(),
            }
        });
        let message = format!("{} must be given, and nothing was changed", plural(names.len(), "secret"));
        let variables: Vec<String> = names.iter().map(|name| variable(name)).collect();
        CommandError::new(ErrorCode::SecretsNotGiven, message)
            .details(described.collect::<Vec<_>>())
            .hint(
                "in a file that only you can read, with a line NAME = \"VALUE\" for each: --secrets FILE, or \
                 through a pipe: --secrets -",
            )
            .hint(format!("or in the environment: {}", variables.join(", ")))
    }
}

fn variable(name: &str) -> String {
    format!("{VARIABLE}{}", name.to_uppercase())
}

fn unknown(name: &str, takes: &[GivenSecret]) -> String {
    let known: Vec<&str> = takes.iter().map(|secret| secret.name).collect();
    match suggest::closest(name, &known) {
        Some(meant) => format!("this environment takes no such secret; did you mean {meant}?"),
        None => format!("this environment takes no such secret; it takes {}", known.join(", ")),
    }
}

/// What a file holds, and what to call it.
fn contents(file: &Path) -> Result<(String, SecretString), CommandError> {
    let refused = |message: String| CommandError::new(ErrorCode::SecretsUnusable, message);
    let mut text = String::new();
    if file == Path::new("-") {
        if std::io::stdin().is_terminal() {
            return Err(refused("`--secrets -` reads a pipe, and stdin is a terminal".to_owned())
                .hint("pipe them in, or give a file: --secrets FILE"));
        }
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| refused("cannot read secrets from stdin".to_owned()).because(&error))?;
        return Ok(("stdin".to_owned(), text.into()));
    }
    let name = file.display().to_string();
    let unreadable =
        |error: std::io::Error| refused(format!("cannot read secrets from {name}")).because(&error);
    let mut opened = std::fs::File::open(file).map_err(unreadable)?;
    let metadata = opened.metadata().map_err(unreadable)?;
    if metadata.is_file() && metadata.permissions().mode() & EVERYBODY_READS != 0 {
        return Err(refused(format!("everybody on this machine may read the secrets in {name}"))
            .hint(format!("take that away: chmod 600 {name}"))
            .hint(format!("where you cannot: --secrets - < {name}")));
    }
    opened.read_to_string(&mut text).map_err(unreadable)?;
    Ok((name, text.into()))
}

/// The entries of a TOML file. What a parser says of its mistakes may repeat a value, so only the place is said.
fn of_file(place: &str, text: &str) -> Result<Vec<Entry>, CommandError> {
    let line = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let document = Document::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line(span.start));
        CommandError::new(ErrorCode::SecretsUnusable, format!("{place}:{line}: this is no TOML")).hint(
            "write a line NAME = \"VALUE\" for each secret; '…' takes a value as it is, without escapes",
        )
    })?;
    let entries = document.iter().map(|(name, item)| {
        let at = document.key(name).and_then(toml_edit::Key::span).map_or(0, |span| span.start);
        let value = match item {
            Item::Value(Value::String(text)) => Some(text.value().as_str().into()),
            _ => None,
        };
        Entry { place: format!("{place}:{}", line(at)), name: name.to_owned(), value }
    });
    Ok(entries.collect())
}

/// The entries in the environment.
fn of_variables(variables: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>) -> Vec<Entry> {
    let entry = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let place = name.into_string().ok()?;
        let secret = place.strip_prefix(VARIABLE)?.to_lowercase();
        Some(Entry { place, name: secret, value: value.into_string().ok().map(SecretString::from) })
    };
    let mut entries: Vec<Entry> = variables.filter_map(entry).collect();
    entries.sort_by(|left, right| left.place.cmp(&right.place));
    entries
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CONFIG: &str = "profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n";
    const LICENSE: &str = "lcl_hunter2";
    const PASSWORD: &str = "Hunter-2-hunter";

    fn read(file: &str, variables: &[(&str, &str)]) -> Result<Secrets, CommandError> {
        let config = Config::parse(Path::new("environments/dev.toml"), CONFIG).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let mut entries = of_file("secrets.toml", file)?;
        entries.extend(of_variables(variables));
        Secrets::of_entries(given_secrets(&config), entries)
    }

    fn given(secrets: &Secrets) -> Vec<(&str, &str)> {
        secrets.given().map(|(name, value)| (name, value.expose_secret())).collect()
    }

    /// What is refused is told without a value.
    fn problems(file: &str, variables: &[(&str, &str)]) -> Vec<String> {
        let error = read(file, variables).err().unwrap();
        assert_eq!(error.code, ErrorCode::SecretsUnusable);
        let all = format!("{error:?}").to_lowercase();
        assert!(!all.contains("hunter"), "{all}");
        if error.details.is_empty() { vec![error.message.clone()] } else { error.details.clone() }
    }

    #[test]
    fn a_file_and_the_environment_complete_each_other() {
        let file = format!("# from the vault\nlangsmith_license_key = \"{LICENSE}\"\n");
        let variables = [
            ("LSINFRA_SECRET_INITIAL_ORG_ADMIN_PASSWORD", PASSWORD),
            ("LSINFRA_SECRET_LANGSMITH_LICENSE_KEY", LICENSE),
            ("LSINFRA_STATE", "file://state"),
        ];
        let secrets = read(&file, &variables).unwrap();
        let all = [("initial_org_admin_password", PASSWORD), ("langsmith_license_key", LICENSE)];
        assert_eq!(given(&secrets), all);
        assert!(secrets.all_missing().is_empty());
        let secrets = read(&file, &[]).unwrap();
        assert_eq!(secrets.all_missing(), BTreeSet::from(["initial_org_admin_password"]));
    }

    #[test]
    fn what_is_wrong_is_told_at_once_with_its_place() {
        let file = format!(
            "langsmith_licence_key = \"{LICENSE}\"\ncolour = \"hunter\"\nlangsmith_license_key = 2\n\
             initial_org_admin_password = \"hunter\"\n"
        );
        let problems_found = problems(
            &file,
            &[
                ("LSINFRA_SECRET_LANGSMITH_LICENSE_KEY", "hunter2\n"),
                ("LSINFRA_SECRET_LICENSE", "hunter2"),
                ("LSINFRA_SECRET_INITIAL_ORG_ADMIN_PASSWORD", ""),
            ],
        );
        insta::assert_snapshot!(problems_found.join("\n"));
    }

    #[test]
    fn two_values_for_one_secret_are_refused() {
        let file = format!("langsmith_license_key = \"{LICENSE}\"\n");
        let found = problems(&file, &[("LSINFRA_SECRET_LANGSMITH_LICENSE_KEY", "lcl_hunter3")]);
        assert_eq!(
            found,
            [
                "LSINFRA_SECRET_LANGSMITH_LICENSE_KEY: langsmith_license_key: secrets.toml:1 has another value for it"
            ]
        );
    }

    #[test]
    fn a_file_that_is_no_toml_is_told_by_its_line_alone() {
        for (text, line) in [
            (format!("\nlangsmith_license_key = {LICENSE}\n"), 2),
            (format!("langsmith_license_key: {LICENSE}\n"), 1),
            (format!("langsmith_license_key = \"{LICENSE}\n"), 1),
            (format!("a = 1\nlangsmith_license_key = \"\\hunter{LICENSE}\"\n"), 2),
            ("langsmith_license_key = \"hunter2\"\nlangsmith_license_key = \"hunter3\"\n".to_owned(), 2),
        ] {
            assert_eq!(problems(&text, &[]), [format!("secrets.toml:{line}: this is no TOML")], "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_made_up_on_request_only() {
        let mut secrets = read(&format!("langsmith_license_key = \"{LICENSE}\"\n"), &[]).unwrap();
        let missing = secrets.all_missing();
        assert_eq!(missing, BTreeSet::from(["initial_org_admin_password"]));
        secrets.make_up(&missing);
        assert!(secrets.all_missing().is_empty());
        assert_eq!(given(&secrets)[1], ("langsmith_license_key", LICENSE));
    }

    #[test]
    fn the_ways_to_give_one_are_told() {
        let secrets = read("", &[]).unwrap();
        let error = secrets.not_given(&secrets.all_missing());
        insta::assert_snapshot!(crate::error::render(&error, crate::render::Paint::PLAIN));
    }
}
