//! Applying: the plan's steps, each as soon as what it waits for has ended well.
//!
//! One dispatcher owns the state and the journal ([`dispatch`]); it takes ready steps in turn
//! ([`queue`]) and decides what a step really needs when its inputs are known ([`prepare`]). Tasks make
//! the provider's calls ([`work`]) and report back. No task sees the state; the dispatcher makes no call.

mod dispatch;
mod prepare;
mod progress;
mod queue;
mod retry;
mod work;

pub(crate) use dispatch::{Order, apply};
pub(crate) use prepare::Now;
pub(crate) use retry::retrying;
pub(crate) use work::{StepIdentity, look, step_context};
