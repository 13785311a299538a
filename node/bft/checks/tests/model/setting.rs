//! What one exploration is about: how many sequencers, which of them lie, who leads, how far.

use cascoin_bft::*;

/// The only height of the model.
pub const H: Height = Height(1);
/// Two good blocks to disagree on …
pub const V: BlockId = BlockId([1; 32]);
pub const W: BlockId = BlockId([2; 32]);
/// … and one that breaks a rule.
pub const BAD: BlockId = BlockId([0xbd; 32]);

/// The bounds of an exploration. Sequencers `0..honest` are honest, the rest Byzantine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    pub sequencers: u16,
    pub honest: u16,
    /// Rounds `0..rounds` are explored.
    pub rounds: u16,
    /// Who leads round 0, 1, …
    pub leaders: Vec<u16>,
    /// The honest nodes below this one crash and restart, as often as they like.
    pub crashing: u16,
}

impl Setting {
    /// Four sequencers of which the last one lies, two rounds.
    pub fn four(leaders: [u16; 2], crashing: u16) -> Self {
        Self { sequencers: 4, honest: 3, rounds: 2, leaders: leaders.to_vec(), crashing }
    }

    pub fn quorum(&self) -> usize {
        quorum(self.sequencers.into())
    }

    pub fn is_honest(&self, index: SequencerIndex) -> bool {
        index.0 < self.honest
    }

    pub fn may_crash(&self, node: SequencerIndex) -> bool {
        node.0 < self.crashing
    }

    pub fn liars(&self) -> impl Iterator<Item = SequencerIndex> {
        (self.honest..self.sequencers).map(SequencerIndex)
    }

    pub fn rounds(&self) -> impl Iterator<Item = Round> {
        (0..self.rounds).map(Round)
    }

    pub fn is_last(&self, round: Round) -> bool {
        round.0 + 1 >= self.rounds
    }

    pub fn leader(&self, round: Round) -> SequencerIndex {
        self.order().leader(round)
    }

    fn order(&self) -> LeaderOrder {
        LeaderOrder::new(self.leaders.iter().copied().map(SequencerIndex).collect()).unwrap()
    }

    pub fn config(&self, me: SequencerIndex) -> HeightConfig {
        HeightConfig {
            height: H,
            me: Some(me),
            sequencers: self.sequencers,
            leaders: self.order(),
            timeouts: TimeoutParams { propose_ms: 3, prevote_ms: 2, precommit_ms: 2 },
        }
    }

    /// Everything a Byzantine leader can propose.
    pub fn lies(&self) -> Vec<Proposal> {
        let mut lies = Vec::new();
        for round in self.rounds().filter(|round| !self.is_honest(self.leader(*round))) {
            for block in [V, W, BAD] {
                for valid_round in [None].into_iter().chain((0..round.0).map(|r| Some(Round(r)))) {
                    let proposer = self.leader(round);
                    lies.push(Proposal { height: H, round, block, valid_round, proposer });
                }
            }
        }
        lies
    }

    /// What a vote can be for.
    pub fn choices() -> [Option<BlockId>; 4] {
        [None, Some(V), Some(W), Some(BAD)]
    }

    pub fn is_valid(block: BlockId) -> bool {
        block != BAD
    }
}
