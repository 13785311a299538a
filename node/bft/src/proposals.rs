//! Proposal keeper: the first proposal of each round of one height.

use std::collections::BTreeMap;

use crate::types::{Proposal, Round};

/// The proposals of one height; at most one a round counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct ProposalKeeper {
    by_round: BTreeMap<Round, Kept>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Kept {
    first: Proposal,
    contradicted: bool,
}

impl ProposalKeeper {
    /// Takes a proposal of the round's leader. Returns the first proposal if this one is the first
    /// to contradict it.
    pub(crate) fn insert(&mut self, proposal: Proposal) -> Option<Proposal> {
        let kept = self
            .by_round
            .entry(proposal.round)
            .or_insert(Kept { first: proposal, contradicted: false });
        if kept.first == proposal || kept.contradicted {
            return None;
        }
        kept.contradicted = true;
        Some(kept.first)
    }

    /// The proposal of a round.
    pub(crate) fn get(&self, round: Round) -> Option<Proposal> {
        self.by_round.get(&round).map(|kept| kept.first)
    }

    /// The proposals by round.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Proposal> + '_ {
        self.by_round.values().map(|kept| kept.first)
    }
}
