//! Highest round seen from each voter: the evidence for a round skip.
//!
//! Kept apart from the votes because it must outlast the look-ahead bound: a node that was cut off
//! long drops the votes of rounds far ahead, yet must learn that its peers are there. One entry a
//! voter, so bounded.

use std::collections::BTreeMap;

use crate::types::{Round, SequencerIndex};

/// Highest round seen from each voter of one height.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct RoundsSeen {
    highest: BTreeMap<SequencerIndex, Round>,
}

impl RoundsSeen {
    /// Notes that a message of `round` came from `voter`.
    pub(crate) fn note(&mut self, voter: SequencerIndex, round: Round) {
        let highest = self.highest.entry(voter).or_insert(round);
        *highest = round.max(*highest);
    }

    /// The highest round that at least `voters` distinct voters have reached.
    pub(crate) fn reached_by(&self, voters: usize) -> Option<Round> {
        let mut rounds = self.highest.values().copied().collect::<Vec<_>>();
        rounds.sort_unstable_by(|a, b| b.cmp(a));
        rounds.get(voters.checked_sub(1)?).copied()
    }
}
