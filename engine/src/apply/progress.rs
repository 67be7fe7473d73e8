//! Messages from the tasks to the dispatcher, and the promise that an id is durable before a wait.

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

use crate::apply::work::WorkResult;
use crate::events::StepError;
use crate::provider::Progress;
use crate::snapshot::PhysicalId;

/// What a task tells the dispatcher.
pub(super) enum Message {
    /// The creating call returned, or the object was found.
    Identified { step: usize, id: PhysicalId },
    /// The step waits.
    Waiting { step: usize, status: String },
    /// A call failed and is sent again after a pause.
    Retrying { step: usize, attempt: u32, error: StepError, pause_seconds: f64 },
    /// The step ended, after so many seconds.
    Finished { step: usize, result: WorkResult, seconds: f64 },
}

/// Whether what a step reported is on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// There is nothing to record yet, or it is durable.
    Settled,
    /// An id was reported and is not durable yet.
    Pending,
}

/// A task's end of the channel.
pub(crate) struct StepProgress {
    step: usize,
    messages: mpsc::UnboundedSender<Message>,
    recorded: watch::Sender<Recorded>,
}

impl StepProgress {
    /// The progress of one step; the dispatcher keeps a clone of `recorded` to settle it.
    pub(super) fn new(
        step: usize,
        messages: mpsc::UnboundedSender<Message>,
        recorded: watch::Sender<Recorded>,
    ) -> Self {
        Self { step, messages, recorded }
    }

    /// Reports the object's id.
    pub(super) fn identified(&self, id: &PhysicalId) {
        self.recorded.send_replace(Recorded::Pending);
        self.send(Message::Identified { step: self.step, id: id.clone() });
    }

    /// Reports that a call is sent again.
    pub(super) fn retrying(&self, attempt: u32, error: StepError, pause_seconds: f64) {
        self.send(Message::Retrying { step: self.step, attempt, error, pause_seconds });
    }

    fn send(&self, message: Message) {
        // The dispatcher is gone only when the whole operation was dropped: nobody is left to tell.
        let _ = self.messages.send(message);
    }
}

#[async_trait]
impl Progress for StepProgress {
    fn waiting(&self, status: &str) {
        self.send(Message::Waiting { step: self.step, status: status.to_owned() });
    }

    async fn settled(&self) {
        let mut recorded = self.recorded.subscribe();
        // An error means that the dispatcher is gone; then there is nothing to wait for.
        let _ = recorded.wait_for(|recorded| *recorded == Recorded::Settled).await;
    }
}
