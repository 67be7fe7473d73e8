//! Lists a page at a time, in the order of keys; a page begins after the last key of the one before, so that what comes and
//! goes in between moves nothing.

/// Which page is asked for.
#[derive(Debug)]
pub(crate) struct PageRequest {
    after: Option<String>,
    items: usize,
}

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// At most as many as asked for.
    pub(crate) items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub(crate) marker: Option<String>,
}

impl PageRequest {
    /// At most `items` from where a marker says, or from the beginning; `None` for a marker that no page ended with.
    pub(crate) fn new(marker: Option<&str>, items: usize) -> Option<Self> {
        let after = match marker {
            Some(marker) => Some(decode(marker)?),
            None => None,
        };
        Some(Self { after, items })
    }

    /// The page, of items with the keys that they are ordered by.
    pub(crate) fn page<T>(&self, mut list: Vec<(String, T)>) -> Page<T> {
        list.sort_by(|(one, _), (other, _)| one.cmp(other));
        list.retain(|(key, _)| self.after.as_ref().is_none_or(|after| key > after));
        let is_truncated = list.len() > self.items;
        list.truncate(self.items);
        let marker = list.last().filter(|_| is_truncated).map(|(key, _)| encode(key));
        Page { items: list.into_iter().map(|(_, item)| item).collect(), marker }
    }
}

fn encode(key: &str) -> String {
    key.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(marker: &str) -> Option<String> {
    let digits: Vec<u8> = marker
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Option<Vec<u8>> =
        digits.chunks(2).map(|pair| Some(pair.first()? * 16 + pair.get(1)?)).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pages_cover_a_list_once_even_if_an_item_goes_between_them() {
        let list = |names: &[&str]| {
            names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect::<Vec<_>>()
        };
        let request = |marker: Option<&str>| PageRequest::new(marker, 2).unwrap();
        let first = request(None).page(list(&["é", "a", "b", "c"]));
        assert_eq!(first.items, ["a", "b"]);
        let second = request(first.marker.as_deref()).page(list(&["a", "c", "é"]));
        assert_eq!(second.items, ["c", "é"]);
        assert_eq!(second.marker, None);
        assert!(PageRequest::new(Some("é1"), 2).is_none());
    }
}
