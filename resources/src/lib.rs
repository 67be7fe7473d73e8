//! Resource types: the providers through which `lsinfra` creates, reads, updates and deletes objects.
//!
//! Each type is one file that reads like the page of its service's API. Owns the calls and their
//! errors; it must not know plans, journals or stacks.

pub mod aws;
mod durations;
pub mod helm;
pub mod kubernetes;
