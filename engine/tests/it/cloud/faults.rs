//! What goes wrong between a process and the cloud, decided by seed or set for one call.

use std::collections::BTreeMap;

use lsinfra_engine::provider::ErrorKind;

use crate::cloud::log::Verb;
use crate::random::Dice;

/// What befalls one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is refused for its rate, without effect.
    Throttle,
    /// It is answered with a 5xx, without effect.
    FailBefore,
    /// It has its effect, and the answer is lost.
    LoseAnswer,
    /// Something that it is about is not found, without effect, as when one part of it sees what another does not yet.
    Miss,
}

/// The faults that any call may meet.
pub(crate) const FAULTS: [Fault; 3] = [Fault::Throttle, Fault::FailBefore, Fault::LoseAnswer];

/// Which calls of one process are hit by what. By default none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Faults {
    /// How many in a thousand calls are hit, by dice.
    pub(crate) random: Option<(Dice, u64)>,
    /// The calls of this process, counted from 0, that are hit for certain.
    pub(crate) certain: BTreeMap<u64, Fault>,
    /// Calls that are always refused, by URN and verb.
    pub(crate) refused: BTreeMap<(String, Verb), ErrorKind>,
    /// Calls that are always refused but the first, by URN and verb.
    pub(crate) refused_later: BTreeMap<(String, Verb), ErrorKind>,
}

impl Faults {
    /// What befalls the call of that number.
    pub(crate) fn befall(&self, number: u64) -> Option<Fault> {
        if let Some(fault) = self.certain.get(&number) {
            return Some(*fault);
        }
        let (dice, thousandths) = self.random?;
        dice.chance(number, thousandths).then(|| {
            let index = usize::try_from(dice.fork(1).below(number, 3)).unwrap_or_default();
            FAULTS[index]
        })
    }
}
