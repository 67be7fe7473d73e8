//! What several services share. Must not know any of them.

pub(crate) mod pages;
pub(crate) mod quotas;
