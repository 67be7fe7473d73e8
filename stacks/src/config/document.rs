//! Reading typed values out of a TOML document, and remembering where each stood.
//!
//! A value comes from the user's file, else from the profile's defaults. A value of the wrong type
//! is noted and reading goes on, so that one run shows every problem of a file.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml_edit::{Item, Table};

use super::keys::{KEYS, kind_of, most_similar};
use super::problem::Problems;

/// A value and where it stands in the user's file; `None` for a default of the profile.
#[derive(Clone, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) span: Option<Range<usize>>,
}

impl<T> Located<T> {
    fn with<U>(&self, value: U) -> Located<U> {
        Located { value, span: self.span.clone() }
    }
}

/// The user's document over the defaults of its profile.
pub(super) struct Document<'a> {
    pub(super) user: &'a Table,
    pub(super) defaults: &'a Table,
    pub(super) problems: Problems<'a>,
}

impl<'a> Document<'a> {
    /// Whether the user's file has the key.
    pub(super) fn is_given(&self, path: &str) -> bool {
        lookup(self.user, path).is_some()
    }

    /// Where the user's file has a value for the key.
    pub(super) fn span(&self, path: &str) -> Option<Range<usize>> {
        lookup(self.user, path).and_then(Item::span)
    }

    /// Notes a problem with the value of a key.
    pub(super) fn problem<T>(
        &mut self,
        at: &Located<T>,
        path: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.add(at.span.as_ref(), path, message, Some(help.into()));
    }

    /// A string; noted as a problem and `None` if it is missing or of another type.
    pub(super) fn text(&mut self, path: &str) -> Option<Located<String>> {
        let item = self.item(path)?;
        match item.value.as_str() {
            Some(text) => Some(item.with(text.to_owned())),
            None => self.wrong_type(&item, path, "a string", quoted(item.value)),
        }
    }

    /// A boolean; as [`Document::text`].
    pub(super) fn boolean(&mut self, path: &str) -> Option<Located<bool>> {
        let item = self.item(path)?;
        match item.value.as_bool() {
            Some(flag) => Some(item.with(flag)),
            None => self.wrong_type(&item, path, "a boolean", Some("allowed: true or false".to_owned())),
        }
    }

    /// A whole number within limits, in `unit`; as [`Document::text`].
    pub(super) fn integer<T: TryFrom<i64> + PartialOrd + Copy + Display>(
        &mut self,
        path: &str,
        allowed: RangeInclusive<T>,
        unit: &str,
    ) -> Option<Located<T>> {
        let item = self.item(path)?;
        let help = format!("allowed: {} to {} {unit}", allowed.start(), allowed.end());
        let Some(number) = item.value.as_integer() else {
            return self.wrong_type(&item, path, "an integer", Some(help));
        };
        let fitting = T::try_from(number);
        if let Ok(number) = fitting
            && allowed.contains(&number)
        {
            return Some(item.with(number));
        }
        let is_less = fitting.map_or(number < 0, |number| number < *allowed.start());
        let message = format!("{number} is too {}", if is_less { "small" } else { "large" });
        self.problem(&item, path, message, help);
        None
    }

    /// A table of whole numbers, these and no others, each within limits; as [`Document::text`]. They stand where
    /// the table does.
    pub(super) fn integers<T: TryFrom<i64> + PartialOrd + Copy + Display, const N: usize>(
        &mut self,
        path: &str,
        names: [&str; N],
        allowed: RangeInclusive<T>,
        unit: &str,
    ) -> Option<[Located<T>; N]> {
        let item = self.item(path)?;
        let form: Vec<String> = names.iter().map(|name| format!("{name} = {}", allowed.start())).collect();
        let help = format!(
            "allowed: {{ {} }}, each {} to {} {unit}",
            form.join(", "),
            allowed.start(),
            allowed.end()
        );
        let Some(table) = item.value.as_table_like() else {
            return self.wrong_type(&item, path, "a table of integers", Some(help));
        };
        let is_whole = table.len() == N && names.iter().all(|name| table.contains_key(name));
        let number = |name: &str| {
            let number = T::try_from(table.get(name)?.as_integer()?).ok()?;
            allowed.contains(&number).then(|| item.with(number))
        };
        let numbers: Option<Vec<Located<T>>> = names.iter().map(|name| number(name)).collect();
        match numbers.filter(|_| is_whole).and_then(|numbers| numbers.try_into().ok()) {
            Some(numbers) => Some(numbers),
            None => {
                let message = format!("expected {} within limits, and nothing else", names.join(" and "));
                self.problem(&item, path, message, help);
                None
            }
        }
    }

    /// One of a few words; as [`Document::text`].
    pub(super) fn choice<T: Copy>(&mut self, path: &str, choices: &[(&str, T)]) -> Option<Located<T>> {
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
        let allowed = format!("allowed: {}", words.join(" or "));
        let item = self.item(path)?;
        let Some(text) = item.value.as_str().map(|text| item.with(text.to_owned())) else {
            return self.wrong_type(&item, path, "a string", Some(allowed));
        };
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(text.with(*value));
        }
        let help = match most_similar(&text.value, choices.iter().map(|(word, _)| *word)) {
            Some(meant) => format!("did you mean {meant:?}? {allowed}"),
            None => allowed,
        };
        self.problem(&text, path, format!("{:?} is not known", text.value), help);
        None
    }

    /// A list of strings; as [`Document::text`], with a problem for each element of another type.
    pub(super) fn texts(&mut self, path: &str) -> Option<Vec<Located<String>>> {
        let item = self.item(path)?;
        let Some(array) = item.value.as_array() else {
            return self.wrong_type(&item, path, "a list of strings", None);
        };
        let mut texts = Vec::with_capacity(array.len());
        for (index, element) in array.iter().enumerate() {
            let element = Located { value: Item::Value(element.clone()), span: element.span() };
            match element.value.as_str() {
                Some(text) => texts.push(element.with(text.to_owned())),
                None => {
                    let path = format!("{path}[{index}]");
                    let help = quoted(&element.value);
                    self.wrong_type::<()>(&element.with(&element.value), &path, "a string", help);
                }
            }
        }
        (texts.len() == array.len()).then_some(texts)
    }

    /// A table of strings: keys and values, each with its place; wrong values are noted and left out.
    pub(super) fn text_table(&mut self, path: &str) -> Vec<(Located<String>, Located<String>)> {
        let Some(item) = self.item(path) else { return Vec::new() };
        let Some(table) = item.value.as_table_like() else {
            self.wrong_type::<()>(&item, path, "a table of strings", None);
            return Vec::new();
        };
        let mut entries = Vec::with_capacity(table.len());
        for (name, value) in table.iter() {
            let key = Located {
                value: name.to_owned(),
                span: table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span.clone()),
            };
            let value = Located { value, span: value.span() };
            match value.value.as_str() {
                Some(text) => entries.push((key, value.with(text.to_owned()))),
                None => {
                    let path = format!("{path}.{name}");
                    self.wrong_type::<()>(&value, &path, "a string", quoted(value.value));
                }
            }
        }
        entries
    }

    fn item(&mut self, path: &str) -> Option<Located<&'a Item>> {
        if let Some(item) = lookup(self.user, path) {
            return Some(Located { value: item, span: item.span() });
        }
        if let Some(item) = lookup(self.defaults, path) {
            return Some(Located { value: item, span: None });
        }
        self.missing(path);
        None
    }

    /// Notes that a key is missing.
    pub(super) fn missing(&mut self, path: &str) {
        let help = KEYS.iter().find(|key| key.path == path).map(|key| format!("add it: {}", key.value));
        self.problems.add(None, path, format!("`{path}` is missing"), help);
    }

    fn wrong_type<T>(
        &mut self,
        item: &Located<&Item>,
        path: &str,
        expected: &str,
        help: Option<String>,
    ) -> Option<T> {
        let message = format!("expected {expected}, got {}", kind_of(item.value));
        self.problems.add(item.span.as_ref(), path, message, help);
        None
    }
}

/// The item at a dotted path.
fn lookup<'t>(table: &'t Table, path: &str) -> Option<&'t Item> {
    match path.split_once('.') {
        None => table.get(path),
        Some((table_name, key)) => table.get(table_name)?.as_table_like()?.get(key),
    }
}

/// How to write a plain value as the string that was expected.
fn quoted(item: &Item) -> Option<String> {
    let plain = item.as_value().filter(|value| !value.is_array() && !value.is_inline_table())?;
    Some(format!("write \"{}\" with quotes", plain.to_string().trim()))
}
