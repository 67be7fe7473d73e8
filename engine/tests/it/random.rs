//! Deterministic choices: the same seed and the same occasion give the same answer, whatever else
//! happens in between.

use std::time::Duration;

/// A source of choices. Stateless: a choice depends on seed and occasion alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `bound` for an occasion.
    pub(crate) fn below(self, occasion: u64, bound: u64) -> u64 {
        self.mixed(occasion) % bound.max(1)
    }

    /// Whether something with that chance, in thousandths, happens on an occasion.
    pub(crate) fn chance(self, occasion: u64, thousandths: u64) -> bool {
        self.below(occasion, 1000) < thousandths
    }

    /// A duration between two whole milliseconds for an occasion.
    pub(crate) fn between(self, occasion: u64, least: Duration, most: Duration) -> Duration {
        let spread = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(u64::MAX - 1);
        least + Duration::from_millis(self.below(occasion, spread + 1))
    }

    /// Other dice, independent of these.
    pub(crate) fn fork(self, purpose: u64) -> Self {
        Self(self.mixed(purpose ^ 0xa076_1d64_78bd_642f))
    }

    // SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>), its state replaced by seed and occasion.
    fn mixed(self, occasion: u64) -> u64 {
        let mut state = self.0 ^ occasion.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..2 {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            state ^= state >> 31;
        }
        state
    }
}
