//! Scheduling: which ready step starts first. Pure functions of a plan's steps.

use std::cmp::Ordering;

use crate::plan::Step;

/// For each step the steps that wait for it, by index.
pub fn dependants(steps: &[Step]) -> Vec<Vec<usize>> {
    let mut dependants = vec![Vec::new(); steps.len()];
    for (index, step) in steps.iter().enumerate() {
        for &dependency in &step.depends_on {
            dependants[dependency].push(index);
        }
    }
    dependants
}

/// For each step the expected seconds from its start to the end of everything that waits for it:
/// the longest remaining path. Steps on a cycle, which no plan has, keep their own duration.
pub fn remaining_seconds(steps: &[Step], dependants: &[Vec<usize>]) -> Vec<f64> {
    let mut remaining: Vec<f64> = steps.iter().map(|step| step.expected_seconds).collect();
    let mut waiting: Vec<usize> = dependants.iter().map(Vec::len).collect();
    let mut settled: Vec<usize> = (0..steps.len()).filter(|&step| waiting[step] == 0).collect();
    while let Some(step) = settled.pop() {
        for &dependency in &steps[step].depends_on {
            let through = steps[dependency].expected_seconds + remaining[step];
            remaining[dependency] = remaining[dependency].max(through);
            waiting[dependency] -= 1;
            if waiting[dependency] == 0 {
                settled.push(dependency);
            }
        }
    }
    remaining
}

/// A ready step in the queue: the longest remaining path first, then the plan's order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ready {
    /// The longest remaining path, in seconds.
    pub remaining_seconds: f64,
    /// The step's index.
    pub step: usize,
}

impl Eq for Ready {}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Ordering {
        self.remaining_seconds.total_cmp(&other.remaining_seconds).then_with(|| other.step.cmp(&self.step))
    }
}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
