//! What must hold for every stack, every change, every fault and every crash.

mod convergence;

use proptest::test_runner::Config;

/// How many cases a property is tried with: `usual`, times the factor `LSINFRA_CASES`.
pub(crate) fn cases(usual: u32) -> Config {
    let factor = std::env::var("LSINFRA_CASES").ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(1.0);
    Config {
        cases: ((f64::from(usual) * factor).ceil() as u32).max(1),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    }
}
