//! How long the rest of a plan is expected to take: the longest path through the steps that are not
//! done.

use lsinfra_engine::plan::Step;
use lsinfra_engine::schedule::dependants;

/// The steps of a plan, ordered once so that each look costs one pass.
#[derive(Default)]
pub(crate) struct RemainingPath {
    steps: Vec<Open>,
    /// Indices, each after all of its dependants.
    order: Vec<usize>,
}

#[derive(Default)]
struct Open {
    dependants: Vec<usize>,
    /// What is still expected of it, in seconds; 0 once it is done.
    seconds: f64,
}

impl RemainingPath {
    /// Nothing is done yet.
    pub(crate) fn new(steps: &[Step]) -> Self {
        let dependants = dependants(steps);
        let mut waiting: Vec<usize> = dependants.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..steps.len()).filter(|&step| waiting[step] == 0).collect();
        let mut next = 0;
        while let Some(&step) = order.get(next) {
            next += 1;
            for &dependency in &steps[step].depends_on {
                waiting[dependency] -= 1;
                if waiting[dependency] == 0 {
                    order.push(dependency);
                }
            }
        }
        let steps = steps
            .iter()
            .zip(dependants)
            .map(|(step, dependants)| Open { dependants, seconds: step.expected_seconds })
            .collect();
        Self { steps, order }
    }

    /// A step is done, in whatever way.
    pub(crate) fn finish(&mut self, step: usize) {
        if let Some(open) = self.steps.get_mut(step) {
            open.seconds = 0.0;
        }
    }

    /// The longest path; `running` gives what is left of a step that has been started.
    pub(crate) fn seconds(&self, running: impl Fn(usize) -> Option<f64>) -> f64 {
        let mut paths = vec![0.0_f64; self.steps.len()];
        let mut longest = 0.0_f64;
        for &step in &self.order {
            let open = &self.steps[step];
            let after = open.dependants.iter().map(|&dependant| paths[dependant]).fold(0.0, f64::max);
            paths[step] = running(step).unwrap_or(open.seconds) + after;
            longest = longest.max(paths[step]);
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use lsinfra_engine::plan::Action;

    use super::*;
    use crate::render::samples::step;

    /// Two chains that meet: a (10) -> b (20) -> d (5), c (100) -> d.
    fn steps() -> Vec<Step> {
        let made = |name: &str, seconds: f64, depends_on: &[usize]| Step {
            expected_seconds: seconds,
            depends_on: depends_on.to_vec(),
            ..step(&format!("aws:ec2:Vpc/{name}"), Action::Create)
        };
        vec![made("d", 5.0, &[2, 3]), made("a", 10.0, &[]), made("b", 20.0, &[1]), made("c", 100.0, &[])]
    }

    #[test]
    fn the_longest_path_shrinks_as_steps_end() {
        let mut remaining = RemainingPath::new(&steps());
        let idle = |_: usize| None;
        assert!((remaining.seconds(idle) - 105.0).abs() < 1e-9);
        assert!((remaining.seconds(|step| (step == 3).then_some(1.0)) - 35.0).abs() < 1e-9);
        remaining.finish(3);
        assert!((remaining.seconds(idle) - 35.0).abs() < 1e-9);
        for step in [1, 2, 0] {
            remaining.finish(step);
        }
        assert!(remaining.seconds(idle).abs() < 1e-9);
    }
}
