//! A hand-driven node at height 1 of `n` sequencers, led by 0, 1, 2 … in turn.

use cascoin_bft::*;

pub const H: Height = Height(1);
pub const TIMEOUTS: TimeoutParams =
    TimeoutParams { propose_ms: 300, prevote_ms: 50, precommit_ms: 50 };

/// Two blocks to disagree on.
pub const V: BlockId = BlockId([1; 32]);
pub const W: BlockId = BlockId([2; 32]);
pub const NIL: Option<BlockId> = None;

pub use VoteKind::{Precommit, Prevote};

pub fn config(n: u16, me: Option<u16>) -> HeightConfig {
    HeightConfig {
        height: H,
        me: me.map(SequencerIndex),
        sequencers: n,
        leaders: LeaderOrder::new((0..n.max(1)).map(SequencerIndex).collect()).unwrap(),
        timeouts: TIMEOUTS,
    }
}

pub fn vote(kind: VoteKind, round: u16, block: Option<BlockId>, voter: u16) -> Vote {
    Vote { kind, height: H, round: Round(round), block, voter: SequencerIndex(voter) }
}

/// A proposal by the leader of the round among `n`.
pub fn proposal(n: u16, round: u16, block: BlockId, valid_round: Option<u16>) -> Proposal {
    let proposer = SequencerIndex(round % n);
    Proposal {
        height: H,
        round: Round(round),
        block,
        valid_round: valid_round.map(Round),
        proposer,
    }
}

/// A core and everything it put out so far.
#[derive(Clone)]
pub struct Node {
    pub n: u16,
    pub me: u16,
    pub core: Core,
    pub log: Vec<Output>,
}

impl Node {
    pub fn new(n: u16, me: u16) -> Self {
        Self::recovered(n, me, Recovery::default())
    }

    pub fn recovered(n: u16, me: u16, recovery: Recovery) -> Self {
        let mut node = Self { n, me, core: Core::new(), log: Vec::new() };
        node.apply(Input::Start(config(n, Some(me)), recovery));
        node
    }

    pub fn apply(&mut self, input: Input) -> Vec<Output> {
        let out = self.core.apply(input);
        self.log.extend(out.iter().cloned());
        out
    }

    pub fn propose(&mut self, round: u16, block: BlockId, valid_round: Option<u16>) -> Vec<Output> {
        self.apply(Input::Proposal(proposal(self.n, round, block, valid_round)))
    }

    pub fn verdict(&mut self, block: BlockId, verdict: Verdict) -> Vec<Output> {
        self.apply(Input::Verdict { height: H, block, verdict })
    }

    /// A proposal and its good verdict.
    pub fn good_proposal(&mut self, round: u16, block: BlockId, vr: Option<u16>) -> Vec<Output> {
        let mut out = self.propose(round, block, vr);
        out.extend(self.verdict(block, Verdict::Valid));
        out
    }

    pub fn built(&mut self, round: u16, block: BlockId) -> Vec<Output> {
        self.apply(Input::Built { height: H, round: Round(round), block })
    }

    /// The same vote from each of `voters`.
    pub fn votes(
        &mut self,
        kind: VoteKind,
        round: u16,
        block: Option<BlockId>,
        voters: impl IntoIterator<Item = u16>,
    ) -> Vec<Output> {
        let votes = voters.into_iter().map(|voter| vote(kind, round, block, voter));
        votes.collect::<Vec<_>>().into_iter().flat_map(|v| self.apply(Input::Vote(v))).collect()
    }

    pub fn timeout(&mut self, kind: TimeoutKind, round: u16) -> Vec<Output> {
        self.apply(Input::Timeout(Timeout { height: H, round: Round(round), kind }))
    }

    /// My vote as an output.
    pub fn my(&self, kind: VoteKind, round: u16, block: Option<BlockId>) -> Output {
        Output::Vote(vote(kind, round, block, self.me))
    }

    /// What this node voted, in order.
    pub fn voted(&self) -> Vec<Vote> {
        let votes = self.log.iter().filter_map(|out| match out {
            Output::Vote(vote) => Some(*vote),
            _ => None,
        });
        votes.collect()
    }

    /// Brings the node (not the leader of round 0) to a lock on `block` in round 0.
    pub fn lock(&mut self, block: BlockId) {
        self.good_proposal(0, block, None);
        let others = (0..self.n).filter(|i| *i != self.me).take(quorum(self.n.into()) - 1);
        self.votes(Prevote, 0, Some(block), others.collect::<Vec<_>>());
        assert_eq!(self.core.locked(), Some((Round(0), block)));
    }

    /// Leaves `round` by its precommit time-out.
    pub fn next_round(&mut self, round: u16) -> Vec<Output> {
        self.timeout(TimeoutKind::Precommit, round)
    }
}

pub fn lock_output(round: u16, block: BlockId) -> Output {
    Output::Lock { height: H, round: Round(round), block }
}

pub fn validate(block: BlockId, first_proposal: bool) -> Output {
    Output::Validate { height: H, block, first_proposal }
}

pub fn decided(out: &[Output]) -> Option<(Round, BlockId)> {
    out.iter().find_map(|out| match out {
        Output::Decide { round, block, .. } => Some((*round, *block)),
        _ => None,
    })
}
