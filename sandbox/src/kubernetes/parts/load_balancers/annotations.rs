//! Annotations, as the controller reads them.

use std::collections::BTreeMap;

use kube::{Resource, ResourceExt};

/// The annotations of one object, or of several of which the first that says something counts.
pub(super) struct Annotations<'a> {
    prefix: &'static str,
    objects: Vec<&'a BTreeMap<String, String>>,
}

impl<'a> Annotations<'a> {
    /// Those of objects whose names begin so.
    pub(super) fn of<K: Resource + 'a>(
        prefix: &'static str,
        objects: impl IntoIterator<Item = &'a K>,
    ) -> Self {
        Self { prefix, objects: objects.into_iter().map(ResourceExt::annotations).collect() }
    }

    /// Adds those of one more object.
    pub(super) fn append<K: Resource>(&mut self, object: &'a K) {
        self.objects.push(object.annotations());
    }

    /// The text of one.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let key = format!("{}/{name}", self.prefix);
        self.objects.iter().find_map(|object| object.get(&key)).map(|text| text.trim())
    }

    /// The texts of one, which commas separate.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        let texts = self.text(name)?.split(',').map(|text| text.trim().to_owned());
        Some(texts.filter(|text| !text.is_empty()).collect())
    }

    /// Keys and values: `KEY=VALUE` with commas between, of all objects.
    pub(super) fn map(&self, name: &str) -> Result<BTreeMap<String, String>, String> {
        let key = format!("{}/{name}", self.prefix);
        let mut map = BTreeMap::new();
        for text in self.objects.iter().filter_map(|object| object.get(&key)) {
            for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').ok_or_else(|| {
                    format!("failed to parse stringMap annotation, {}/{name}: {text}", self.prefix)
                })?;
                map.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
        Ok(map)
    }

    /// A number.
    pub(super) fn number(&self, name: &str, otherwise: i32) -> Result<i32, String> {
        match self.text(name) {
            None => Ok(otherwise),
            Some(text) => text
                .parse()
                .map_err(|_| format!("failed to parse int64 annotation, {}/{name}: {text}", self.prefix)),
        }
    }
}
