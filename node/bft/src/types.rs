//! The words of the protocol: heights, rounds, votes, proposals, time-outs and the two thresholds.
//!
//! No bare integer crosses the crate's border: a round cannot be passed for a height. Signatures
//! are not here; the caller checks them before a message reaches the core and keeps them beside it.

/// Number of the block being decided. `0` is the genesis block, which is never decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Height(pub u32);

impl Height {
    /// The height after this one; the last height is its own successor.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Attempt at deciding one height, counted from zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Round(pub u16);

impl Round {
    /// The first attempt of each height.
    pub const ZERO: Self = Self(0);

    /// The round after this one; `None` at the last representable round, where a node stays.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// This round plus `rounds`, at most the last representable round.
    pub fn saturating_add(self, rounds: u16) -> Self {
        Self(self.0.saturating_add(rounds))
    }
}

/// Position of a sequencer in the authority set of the height.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SequencerIndex(pub u16);

/// Hash of the sealed header; it names the block, body included, for all rounds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlockId(pub [u8; 32]);

/// Which of the two votes of a round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum VoteKind {
    /// First vote: "I hold this proposal for acceptable."
    Prevote,
    /// Second vote: "I saw a quorum of prevotes and am locked on this block."
    Precommit,
}

/// A vote; its signature was checked by the caller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Vote {
    /// Prevote or precommit.
    pub kind: VoteKind,
    /// Height voted on.
    pub height: Height,
    /// Round voted in.
    pub round: Round,
    /// Block voted for; `None` is the nil vote.
    pub block: Option<BlockId>,
    /// Who voted.
    pub voter: SequencerIndex,
}

/// A leader's proposal; its signature was checked by the caller. The body travels beside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Proposal {
    /// Height proposed for.
    pub height: Height,
    /// Round proposed in.
    pub round: Round,
    /// Block proposed.
    pub block: BlockId,
    /// Round of the quorum of prevotes (proof of lock) that a re-proposal rests on.
    pub valid_round: Option<Round>,
    /// Who proposed.
    pub proposer: SequencerIndex,
}

/// Which wait of a round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TimeoutKind {
    /// Waiting for an acceptable proposal.
    Propose,
    /// Waiting for a quorum of prevotes to agree.
    Prevote,
    /// Waiting for a quorum of precommits to agree.
    Precommit,
}

/// Names one timer; also the message that it fired.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timeout {
    /// Height it was started at.
    pub height: Height,
    /// Round it was started in.
    pub round: Round,
    /// What is waited for.
    pub kind: TimeoutKind,
}

/// Votes that make a quorum among `n` sequencers: `⌊2n/3⌋ + 1`.
///
/// Two quorums share at least `max_faulty(n) + 1` sequencers, hence an honest one.
pub fn quorum(n: usize) -> usize {
    // ⌊2n/3⌋ without the product, so that no `n` overflows.
    let (thirds, rest) = (n / 3, n % 3);
    thirds.saturating_mul(2).saturating_add(rest.saturating_mul(2) / 3).saturating_add(1)
}

/// Byzantine sequencers that `n` sequencers tolerate: `⌊(n − 1)/3⌋`.
///
/// One more than this many voters contain an honest one, which is what a round skip asks for.
pub fn max_faulty(n: usize) -> usize {
    n.saturating_sub(1) / 3
}
