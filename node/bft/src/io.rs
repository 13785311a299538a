//! What goes into the core and what comes out: its whole contract with the caller.

use std::collections::BTreeSet;

use crate::{
    schedule::LeaderOrder,
    timeouts::TimeoutParams,
    types::{BlockId, Height, Proposal, Round, SequencerIndex, Timeout, Vote},
    verdicts::Verdict,
};

/// What the core must know about a height to take part in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HeightConfig {
    /// The height to decide.
    pub height: Height,
    /// This node's place in the set; `None` (or a place beyond the set) follows without voting.
    pub me: Option<SequencerIndex>,
    /// Size of the authority set of this height.
    pub sequencers: u16,
    /// Who leads which round.
    pub leaders: LeaderOrder,
    /// How long the waits are.
    pub timeouts: TimeoutParams,
}

/// What the write-ahead log says this node did at this height before a restart (empty on a fresh
/// start). Entries of another height or a stranger are ignored.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Recovery {
    /// Own votes; they bind this node. Peers' votes may be among them and are counted: with each
    /// [`Output::Lock`] the log should keep the prevotes that made it, or a network that loses all
    /// copies of one of them in crashes may never agree again (see the crate's notes on crashes).
    pub votes: Vec<Vote>,
    /// Own proposals.
    pub proposals: Vec<Proposal>,
    /// The latest lock.
    pub lock: Option<(Round, BlockId)>,
    /// The latest valid value; `lock` stands in for it where the log does not tell.
    pub valid: Option<(Round, BlockId)>,
}

/// What happened to this node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    /// Take up a height above the current one; anything else is ignored.
    Start(HeightConfig, Recovery),
    /// A block was built: the answer to [`Output::Build`].
    Built {
        /// Height it was built for.
        height: Height,
        /// Round it was built for.
        round: Round,
        /// The sealed block.
        block: BlockId,
    },
    /// A proposal came in; its signature is already checked.
    Proposal(Proposal),
    /// A block was judged: the answer to [`Output::Validate`]. An untimely one may be superseded.
    Verdict {
        /// Height of the block.
        height: Height,
        /// The block.
        block: BlockId,
        /// What it is.
        verdict: Verdict,
    },
    /// A vote came in; its signature is already checked.
    Vote(Vote),
    /// A timer fired.
    Timeout(Timeout),
}

/// What the caller must do, in this order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Output {
    /// A round was entered; for logs and metrics.
    EnterRound {
        /// Its height.
        height: Height,
        /// The round.
        round: Round,
        /// Who leads it.
        leader: SequencerIndex,
    },
    /// Start a timer and feed `timeout` back when it fires. Stale ones need not be cancelled.
    StartTimer {
        /// What to feed back.
        timeout: Timeout,
        /// How long to wait.
        duration_ms: u64,
    },
    /// I lead and have no valid value: build a block.
    Build {
        /// Height to build for.
        height: Height,
        /// Round to build for.
        round: Round,
    },
    /// Persist, sign and send this proposal with the block's body.
    Propose(Proposal),
    /// Judge the block, fetching its body by hash if it is not here. Emitted at most once per
    /// (block, `first_proposal`), and never while the other question about the block is out: an
    /// answer is owed, however late it comes.
    Validate {
        /// Height of the block.
        height: Height,
        /// The block.
        block: BlockId,
        /// Whether its timestamp must be acceptable now; `false`: skip that check.
        first_proposal: bool,
    },
    /// Persist this lock before the precommit that follows it, and with it the quorum of prevotes
    /// it rests on, which [`Core::votes`](crate::Core::votes) lists.
    Lock {
        /// Height of the lock.
        height: Height,
        /// Round of the quorum of prevotes.
        round: Round,
        /// The block locked on.
        block: BlockId,
    },
    /// Persist, then sign and send. At most one per (height, round, kind), ever, also across
    /// [`Recovery`].
    Vote(Vote),
    /// The height is decided.
    Decide {
        /// The height.
        height: Height,
        /// Round of the quorum of precommits.
        round: Round,
        /// The block decided.
        block: BlockId,
        /// Who sent exactly the precommit `(height, round, Some(block))`. An equivocator may be
        /// among them, so look signatures up by the whole [`Vote`].
        signers: BTreeSet<SequencerIndex>,
    },
    /// A peer sent two different votes; reported once per (voter, round, kind).
    Equivocation {
        /// The vote seen first.
        first: Vote,
        /// The vote contradicting it.
        second: Vote,
    },
    /// A peer sent two different proposals; reported once per round.
    ProposalEquivocation {
        /// The proposal seen first, which counts.
        first: Proposal,
        /// The proposal contradicting it.
        second: Proposal,
    },
}
