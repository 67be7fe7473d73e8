//! What all EC2 resources share: kinds and their errors, tags, filters, pages. Must not know any one kind's rules.

pub(super) mod answers;
pub(super) mod filters;
pub(super) mod kinds;
pub(super) mod query;
pub(super) mod quotas;
pub(super) mod tags;
