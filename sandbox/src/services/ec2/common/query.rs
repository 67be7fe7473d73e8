//! A Describe operation's request: ids, filters and a page; and what it selects.

use super::filters::Filters;
use super::kinds::Kind;
use super::tags::Tags;
use crate::cloud::table::{Scope, Table};
use crate::faults::draw::uniform;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;

/// The fewest results that a page can be asked to have.
const SMALLEST_PAGE: usize = 5;
/// The most.
const LARGEST_PAGE: usize = 1000;
/// What next tokens begin with; the rest is the last id of the page before.
const TOKEN_PREFIX: &str = "after.";

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Query {
    kind: &'static Kind,
    ids: Vec<String>,
    leaves_out_missing: bool,
    filters: Filters,
    page: usize,
    after: Option<String>,
}

/// One page of what was found.
#[derive(Debug)]
pub(crate) struct Found<'a, T> {
    /// Ids and rows.
    pub(crate) items: Vec<(&'a str, &'a T)>,
    /// Where the next page begins, if there is one.
    pub(crate) next_token: Option<String>,
}

impl Query {
    /// Reads the ids listed under `ids`, the filters (names in `known`, and tags), and the page.
    pub(crate) fn read(
        params: &Params,
        kind: &'static Kind,
        ids: &str,
        known: &[&str],
    ) -> Result<Self, ServiceError> {
        let ids: Vec<String> = params.list(ids).into_iter().map(str::to_owned).collect();
        for id in &ids {
            kind.check(id)?;
        }
        let filters = Filters::read(params, known)?;
        let page = params.parsed("MaxResults")?.unwrap_or(LARGEST_PAGE);
        if page < SMALLEST_PAGE {
            let text = format!(
                "Value ( {page} ) for parameter maxResults is invalid. Expecting a value greater than {SMALLEST_PAGE}."
            );
            return Err(ServiceError::new(400, "InvalidParameterValue", text));
        }
        if page > LARGEST_PAGE {
            let text = format!(
                "Value ( {page} ) for parameter maxResults is invalid. Expecting a value lesser than or equal to {LARGEST_PAGE}."
            );
            return Err(ServiceError::new(400, "InvalidParameterValue", text));
        }
        let after = match params.text("NextToken") {
            Some(token) => match token.strip_prefix(TOKEN_PREFIX) {
                Some(id) => Some(id.to_owned()),
                None => {
                    let text = format!("The token '{token}' is invalid");
                    return Err(ServiceError::new(400, "InvalidNextToken", text));
                }
            },
            None => None,
        };
        Ok(Self { kind, ids, leaves_out_missing: false, filters, page, after })
    }

    /// An id that is not there is left out of the answer instead of being an error, as for the few kinds that AWS
    /// answers so about.
    pub(crate) fn leaving_out_missing(self) -> Self {
        Self { leaves_out_missing: true, ..self }
    }

    /// Selects from rows in the order of their ids. An id that is not among them is an error, unless it is left out.
    pub(crate) fn run<'a, T>(
        &self,
        rows: impl Iterator<Item = (&'a str, &'a T)>,
        tags: &Table<Tags>,
        scope: &Scope,
        shuffle: Option<u64>,
        values_of: impl Fn(&str, &T, &str) -> Vec<String>,
    ) -> Result<Found<'a, T>, ServiceError> {
        let mut rows: Vec<(&'a str, &'a T)> = rows.collect();
        if !self.ids.is_empty() {
            let missing: Vec<&str> = self
                .ids
                .iter()
                .map(String::as_str)
                .filter(|id| !rows.iter().any(|(row, _)| row == id))
                .collect();
            if !missing.is_empty() && !self.leaves_out_missing {
                return Err(self.kind.not_found(&missing.join(", ")));
            }
            rows.retain(|(id, _)| self.ids.iter().any(|wanted| wanted == id));
        }
        rows.retain(|(id, row)| {
            self.filters.select(tags.get(scope, id), |name| values_of(id, row, name))
                && self.after.as_deref().is_none_or(|after| *id > after)
        });
        let next_token = match rows.get(self.page - 1) {
            Some((last, _)) if rows.len() > self.page => Some(format!("{TOKEN_PREFIX}{last}")),
            _ => None,
        };
        rows.truncate(self.page);
        mix(&mut rows, shuffle, |(id, _)| id);
        Ok(Found { items: rows, next_token })
    }
}

/// Puts things in an order that depends on the number alone; in none but their own without one.
pub(crate) fn mix<T>(things: &mut [T], shuffle: Option<u64>, name: impl Fn(&T) -> &str) {
    if let Some(seed) = shuffle {
        things.sort_by(|left, right| {
            let place = |thing| uniform(seed, &["shuffle", name(thing)], 0);
            place(left).total_cmp(&place(right))
        });
    }
}
