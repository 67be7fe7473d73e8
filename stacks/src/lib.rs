//! The stacks of `lsinfra`: from the typed config of an environment to a graph of resources.
//!
//! Start reading at [`langsmith`]. A stack is a pure function: it reads no files but the config,
//! calls no cloud, and does not know what exists.

pub mod capacity;
pub mod config;
pub mod imports;
pub mod langsmith;
pub mod naming;
