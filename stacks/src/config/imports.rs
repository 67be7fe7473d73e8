//! Objects to import: the table `[import]` of a config, and lists of imports in files of their own.
//!
//! Owns their form. Which resources they mean, `crate::imports` finds out.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Item, Table, TableLike};

use super::document::Document;
use super::keys::{kind_of, most_similar};
use super::problem::{ConfigError, Problem, Problems};

/// The keys of one entry of a list.
const LIST_KEYS: [&str; 3] = ["type", "name", "id"];

const LIST_FORM: &str =
    "write for each object: [[import]], then type = \"aws:ec2:Vpc\", name = \"main\", id = \"vpc-…\"";

/// The objects that a file says to import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imports {
    /// The file.
    pub file: PathBuf,
    /// Its entries, in its order.
    pub entries: Vec<ImportEntry>,
}

/// One object to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportEntry {
    /// The type of its resource, such as `aws:ec2:Vpc` or the end of that; none in a config.
    pub resource_type: Option<String>,
    /// Its resource: a URN, or an end of one.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Where the resource is named, for a problem with it.
    pub(crate) place: Place,
}

/// A place in a file, with the path of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    problem: Problem,
}

impl Place {
    fn new(problems: &Problems<'_>, span: Option<&Range<usize>>, path: &str) -> Self {
        Self { problem: problems.problem(span, path, "", None) }
    }

    /// A problem at this place.
    pub(crate) fn problem(&self, message: String, help: Option<String>) -> Problem {
        Problem { message, help, ..self.problem.clone() }
    }
}

/// The table `[import]`: ids by resource.
pub(super) fn read(document: &mut Document<'_>, file: &Path) -> Imports {
    if !document.is_given("import") {
        return Imports::default();
    }
    let mut entries = Vec::new();
    for (name, id) in document.text_table("import") {
        let path = format!("import.{}", name.value);
        if id.value.is_empty() {
            document.problem(&id, &path, "the id is empty", "give the id as AWS shows it");
        }
        let place = Place::new(&document.problems, name.span.as_ref(), &path);
        entries.push(ImportEntry { resource_type: None, name: name.value, id: id.value, place });
    }
    Imports { file: file.to_owned(), entries }
}

impl Imports {
    /// Reads `text` as a list of imports, the content of `file`: `[[import]]` with `type`, `name` and `id`
    /// for each object.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with all that is wrong.
    pub fn parse_list(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut problems = Problems::new(text);
        let document = match toml_edit::Document::parse(text) {
            Ok(document) => document,
            Err(error) => {
                problems.add(error.span().as_ref(), "", error.message(), None);
                return Err(problems.into_error(file));
            }
        };
        let mut entries = Vec::new();
        for (name, item) in document.as_table() {
            match item.as_array_of_tables().filter(|_| name == "import") {
                Some(tables) => {
                    entries.extend(tables.iter().filter_map(|table| entry(table, &mut problems)));
                }
                None => {
                    let span = key_span(document.as_table(), name).or_else(|| item.span());
                    let message = format!("unexpected `{name}`");
                    problems.add(span.as_ref(), name, message, Some(LIST_FORM.to_owned()));
                }
            }
        }
        if entries.is_empty() && problems.is_empty() {
            problems.add(None, "", "the file lists nothing to import", Some(LIST_FORM.to_owned()));
        }
        if problems.is_empty() {
            Ok(Self { file: file.to_owned(), entries })
        } else {
            Err(problems.into_error(file))
        }
    }
}

fn entry(table: &Table, problems: &mut Problems<'_>) -> Option<ImportEntry> {
    for (name, _) in table {
        if !LIST_KEYS.contains(&name) {
            let help = match most_similar(name, LIST_KEYS.into_iter()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("allowed: {}", LIST_KEYS.join(", ")),
            };
            let message = format!("unknown key `{name}`");
            problems.add(key_span(table, name).as_ref(), name, message, Some(help));
        }
    }
    let mut text = |key: &str| {
        let Some(item) = table.get(key) else {
            problems.add(
                table.span().as_ref(),
                key,
                format!("`{key}` is missing"),
                Some(LIST_FORM.to_owned()),
            );
            return None;
        };
        match item.as_str() {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            Some(_) => {
                problems.add(item.span().as_ref(), key, format!("`{key}` is empty"), None);
                None
            }
            None => {
                let message = format!("expected a string, got {}", kind_of(item));
                problems.add(item.span().as_ref(), key, message, None);
                None
            }
        }
    };
    let (resource_type, name, id) = (text("type"), text("name"), text("id"));
    let place = Place::new(problems, table.get("name").and_then(Item::span).as_ref(), "name");
    Some(ImportEntry { resource_type: Some(resource_type?), name: name?, id: id?, place })
}

fn key_span(table: &dyn TableLike, name: &str) -> Option<Range<usize>> {
    table.key(name).and_then(toml_edit::Key::span)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(text: &str) -> String {
        Imports::parse_list(Path::new("imports.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn a_list_is_read_in_its_order() {
        let text = "[[import]]\ntype = \"aws:ec2:Vpc\"\nname = \"main\"\nid = \"vpc-1\"\n\n\
                    [[import]]\ntype = \"Bucket\"\nname = \"blobs\"\nid = \"b\"\n";
        let list = Imports::parse_list(Path::new("imports.toml"), text).unwrap();
        let told: Vec<_> = list
            .entries
            .iter()
            .map(|entry| (entry.resource_type.as_deref().unwrap(), entry.name.as_str(), entry.id.as_str()))
            .collect();
        assert_eq!(told, [("aws:ec2:Vpc", "main", "vpc-1"), ("Bucket", "blobs", "b")]);
    }

    #[test]
    fn every_problem_of_a_list_is_told_in_its_place() {
        insta::assert_snapshot!(shown(
            "version = 1\n[[import]]\ntype = \"aws:ec2:Vpc\"\nnam = \"main\"\nid = 7\n[[import]]\ntype = \"\"\n\
             name = \"a\"\nid = \"b\"\n[imports]\n"
        ));
        assert!(shown("").contains("the file lists nothing to import"));
        assert!(shown("[[import]\n").starts_with("imports.toml:1:"));
    }
}
