//! The queue of ready steps: which one starts next, and whether there is room for it.
//!
//! Owns the two limits, of all steps at once and of those of one service. It must not know what a
//! step does.

use std::collections::{BinaryHeap, HashMap};

use crate::schedule::Ready;

/// The service that a step calls, and how many steps may call it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) parallelism: usize,
}

/// Ready steps and how many are running.
pub(super) struct Queue {
    parallelism: usize,
    running: usize,
    running_by_service: HashMap<&'static str, usize>,
    ready: BinaryHeap<Ready>,
    /// Ready steps whose service has no room.
    held: HashMap<&'static str, BinaryHeap<Ready>>,
}

impl Queue {
    /// A queue that lets `parallelism` steps run at once, at least one.
    pub(super) fn new(parallelism: usize) -> Self {
        Self {
            parallelism: parallelism.max(1),
            running: 0,
            running_by_service: HashMap::new(),
            ready: BinaryHeap::new(),
            held: HashMap::new(),
        }
    }

    /// Adds a step that waits for nothing any more.
    pub(super) fn push(&mut self, ready: Ready) {
        self.ready.push(ready);
    }

    /// Takes out the step with the longest remaining path for which there is room. Either
    /// [`started`](Self::started) or [`passed`](Self::passed) must follow.
    pub(super) fn next(&mut self, service_of: impl Fn(usize) -> Service) -> Option<usize> {
        while self.running < self.parallelism {
            let ready = self.ready.pop()?;
            let service = service_of(ready.step);
            let running = self.running_by_service.get(service.name).copied().unwrap_or_default();
            if running < service.parallelism {
                return Some(ready.step);
            }
            self.held.entry(service.name).or_default().push(ready);
        }
        None
    }

    /// A step that was taken out runs.
    pub(super) fn started(&mut self, service: Service) {
        self.running += 1;
        *self.running_by_service.entry(service.name).or_default() += 1;
    }

    /// A step that was taken out ended without running: its place is another one's.
    pub(super) fn passed(&mut self, service: Service) {
        if let Some(next) = self.held.get_mut(service.name).and_then(BinaryHeap::pop) {
            self.ready.push(next);
        }
    }

    /// A running step ended.
    pub(super) fn ended(&mut self, service: Service) {
        self.running -= 1;
        if let Some(running) = self.running_by_service.get_mut(service.name) {
            *running -= 1;
        }
        self.passed(service);
    }

    /// Whether no step runs.
    pub(super) fn is_idle(&self) -> bool {
        self.running == 0
    }

    /// Whether no step waits for its turn.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_AT_A_TIME: Service = Service { name: "one", parallelism: 1 };

    fn queue(parallelism: usize, steps: usize) -> Queue {
        let mut queue = Queue::new(parallelism);
        for step in 0..steps {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            queue.push(Ready { remaining_seconds: step as f64, step });
        }
        queue
    }

    #[test]
    fn the_longest_remaining_path_comes_first_within_both_limits() {
        let free = Service { name: "free", parallelism: 8 };
        let service_of = |step| if step == 3 { free } else { ONE_AT_A_TIME };
        let mut queue = queue(2, 5);
        assert_eq!(queue.next(service_of), Some(4));
        queue.started(ONE_AT_A_TIME);
        assert_eq!(queue.next(service_of), Some(3));
        queue.started(free);
        assert_eq!(queue.next(service_of), None);
        queue.ended(free);
        assert_eq!(queue.next(service_of), None, "the service has no room");
        queue.ended(ONE_AT_A_TIME);
        assert_eq!(queue.next(service_of), Some(2));
    }

    #[test]
    fn a_step_that_needs_no_call_gives_its_place_away() {
        let mut queue = queue(8, 4);
        assert_eq!(queue.next(|_| ONE_AT_A_TIME), Some(3));
        queue.started(ONE_AT_A_TIME);
        assert_eq!(queue.next(|_| ONE_AT_A_TIME), None);
        queue.ended(ONE_AT_A_TIME);
        for step in [2, 1, 0] {
            assert_eq!(queue.next(|_| ONE_AT_A_TIME), Some(step));
            queue.passed(ONE_AT_A_TIME);
        }
        assert!(queue.is_idle() && queue.is_empty());
    }
}
