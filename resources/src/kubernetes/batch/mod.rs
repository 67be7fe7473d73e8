//! The API group `batch`.

mod job;

pub use job::{Job, JobOutputs};
