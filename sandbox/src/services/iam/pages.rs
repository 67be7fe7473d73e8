//! Lists a page at a time. <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html>

use super::errors::validation;
use super::fields::number;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;

/// How many items come at once if the caller does not say.
const DEFAULT_ITEMS: u32 = 100;

/// Which page is asked for.
#[derive(Debug)]
pub(super) struct PageRequest {
    after: Option<String>,
    items: usize,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    /// At most as many as asked for.
    pub(super) items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub(super) marker: Option<String>,
}

impl PageRequest {
    /// What `Marker` and `MaxItems` ask for.
    pub(super) fn of(params: &Params) -> Result<Self, ServiceError> {
        let items = number(params, "MaxItems", 1, 1000)?.unwrap_or(DEFAULT_ITEMS);
        let after = match params.text("Marker") {
            Some(marker) => Some(decode(marker).ok_or_else(|| validation("Invalid Marker."))?),
            None => None,
        };
        Ok(Self { after, items: usize::try_from(items).unwrap_or(usize::MAX) })
    }

    /// The page, of items with the keys that they are ordered by.
    pub(super) fn page<T>(&self, mut list: Vec<(String, T)>) -> Page<T> {
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
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn pages_cover_a_list_once_even_if_an_item_goes_between_them() {
        let list = |names: &[&str]| {
            names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect::<Vec<_>>()
        };
        let request = |marker: Option<&str>| {
            let mut pairs = vec![("MaxItems".to_owned(), "2".to_owned())];
            pairs.extend(marker.map(|marker| ("Marker".to_owned(), marker.to_owned())));
            PageRequest::of(&Params::new(pairs)).unwrap()
        };
        let first = request(None).page(list(&["é", "a", "b", "c"]));
        assert_eq!(first.items, ["a", "b"]);
        let second = request(first.marker.as_deref()).page(list(&["a", "c", "é"]));
        assert_eq!(second.items, ["c", "é"]);
        assert_eq!(second.marker, None);
        let params = Params::new(vec![("Marker".to_owned(), "é1".to_owned())]);
        assert_eq!(PageRequest::of(&params).unwrap_err().code, "ValidationError");
    }
}
