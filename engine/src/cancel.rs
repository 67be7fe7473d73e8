//! Cancellation in stages: what a first, second and third Ctrl-C ask for.

use tokio::sync::watch;

/// How far an operation is asked to stop. Ordered: it only ever rises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CancelStage {
    /// Go on.
    #[default]
    None,
    /// Start nothing new and finish what is in flight.
    Finish,
    /// Abandon waits too, and record them as unfinished.
    Abandon,
}

/// The side that asks.
#[derive(Clone, Debug)]
pub struct Canceller(watch::Sender<CancelStage>);

/// The side that is asked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cancellation(watch::Receiver<CancelStage>);

/// A pair of both sides.
pub fn cancellation() -> (Canceller, Cancellation) {
    let (sender, receiver) = watch::channel(CancelStage::None);
    (Canceller(sender), Cancellation(receiver))
}

impl Canceller {
    /// Asks for at least `stage`; a lower stage than before changes nothing.
    pub fn request(&self, stage: CancelStage) {
        self.0.send_if_modified(|current| {
            let rises = stage > *current;
            if rises {
                *current = stage;
            }
            rises
        });
    }
}

impl Cancellation {
    /// The stage that is asked for now.
    pub fn stage(&self) -> CancelStage {
        *self.0.borrow()
    }

    /// Waits until at least `stage` is asked for. Never returns if the asking side is gone first.
    pub async fn reached(&mut self, stage: CancelStage) {
        if self.0.wait_for(|current| *current >= stage).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
