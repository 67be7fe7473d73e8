//! What several services share. Must not know any of them.

pub(crate) mod pages;
pub(crate) mod phases;
pub(crate) mod quotas;
pub(crate) mod tag_list;
pub(crate) mod windows;
