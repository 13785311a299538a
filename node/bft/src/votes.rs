//! Vote keeper: who voted what in each round of one height, and which quorums that makes.
//!
//! Of an equivocator the keeper takes the first vote of a round and kind, one that contradicts it
//! (evidence), and from then on only votes for what at least f + 1 voters voted for. All of them
//! count for the block they name, as in the paper, whose rules speak of messages received. It has
//! to be so: an equivocator could otherwise show each honest node two other stories first, and so
//! keep some of them for ever from seeing a proof of lock, or a certificate, that others hold and
//! that its vote is part of. (Each such quorum holds f + 1 honest votes, so with rebroadcast the
//! vote is taken in the end.) Quorum intersection already allows for faulty voters on both sides,
//! so safety does not depend on it. Totals over all blocks count each voter once.
//!
//! Memory is bounded: a block with f + 1 voters has an honest one, who votes once, so there are at
//! most `n` of them in a round and kind, and but one unless the leader equivocates.

use std::collections::{BTreeMap, BTreeSet};

use crate::types::{BlockId, Height, Round, SequencerIndex, Vote, VoteKind};

/// What became of a vote offered to the keeper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Insertion {
    /// First vote of this voter; counted.
    Counted,
    /// Contradicts the voter's first vote; kept as evidence, counted for its own block.
    Contradicts {
        /// The voter's first vote.
        first: Vote,
    },
    /// A further story of an equivocator, for a block that others back; counted for that block.
    Backed,
    /// Known already, or a further story that nobody backs; nothing changed.
    Ignored,
}

/// The votes of one height.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct VoteKeeper {
    height: Height,
    /// Votes that contain an honest one: f + 1.
    one_honest: usize,
    tallies: BTreeMap<(Round, VoteKind), Tally>,
}

/// The votes of one kind in one round.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Tally {
    by_voter: BTreeMap<SequencerIndex, Stories>,
    by_block: BTreeMap<Option<BlockId>, BTreeSet<SequencerIndex>>,
}

/// What one voter said: its first vote, one contradicting it, and those that others back.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Stories {
    first: Option<BlockId>,
    second: Option<Option<BlockId>>,
    backed: BTreeSet<Option<BlockId>>,
}

impl VoteKeeper {
    /// No votes yet.
    pub(crate) fn new(height: Height, one_honest: usize) -> Self {
        Self { height, one_honest, tallies: BTreeMap::new() }
    }

    /// Takes a vote of this height from a member of the set.
    pub(crate) fn insert(&mut self, vote: Vote) -> Insertion {
        let tally = self.tallies.entry((vote.round, vote.kind)).or_default();
        let voters = tally.by_block.entry(vote.block).or_default();
        let insertion = match tally.by_voter.get_mut(&vote.voter) {
            None => {
                let (first, second, backed) = (vote.block, None, BTreeSet::new());
                tally.by_voter.insert(vote.voter, Stories { first, second, backed });
                Insertion::Counted
            }
            Some(_) if voters.contains(&vote.voter) => Insertion::Ignored,
            Some(stories) if stories.second.is_none() => {
                stories.second = Some(vote.block);
                Insertion::Contradicts { first: Vote { block: stories.first, ..vote } }
            }
            Some(stories) if voters.len() >= self.one_honest => {
                stories.backed.insert(vote.block);
                Insertion::Backed
            }
            Some(_) => Insertion::Ignored,
        };
        if insertion != Insertion::Ignored {
            voters.insert(vote.voter);
        } else if voters.is_empty() {
            tally.by_block.remove(&vote.block);
        }
        insertion
    }

    /// Whether this voter voted at all in the round.
    pub(crate) fn has_voted(&self, round: Round, kind: VoteKind, voter: SequencerIndex) -> bool {
        self.tally(round, kind).is_some_and(|tally| tally.by_voter.contains_key(&voter))
    }

    /// Distinct voters of the round, whatever they voted for.
    pub(crate) fn voters(&self, round: Round, kind: VoteKind) -> usize {
        self.tally(round, kind).map_or(0, |tally| tally.by_voter.len())
    }

    /// Votes of the round for `block` (`None`: nil).
    pub(crate) fn count(&self, round: Round, kind: VoteKind, block: Option<BlockId>) -> usize {
        self.tally(round, kind)
            .and_then(|tally| tally.by_block.get(&block))
            .map_or(0, BTreeSet::len)
    }

    /// The block (not nil) with at least `quorum` votes in the round.
    pub(crate) fn quorum_block(
        &self,
        round: Round,
        kind: VoteKind,
        quorum: usize,
    ) -> Option<BlockId> {
        self.tally(round, kind)?.quorum_block(quorum).map(|(block, _)| block)
    }

    /// Every round with a quorum of precommits for a block, lowest first, with its signers.
    pub(crate) fn commits(
        &self,
        quorum: usize,
    ) -> impl Iterator<Item = (Round, BlockId, &BTreeSet<SequencerIndex>)> + '_ {
        self.tallies.iter().filter(|((_, kind), _)| *kind == VoteKind::Precommit).filter_map(
            move |((round, _), tally)| {
                tally.quorum_block(quorum).map(|(block, signers)| (*round, block, signers))
            },
        )
    }

    /// Every vote kept, contradicting ones included, by round, kind and voter.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Vote> + '_ {
        self.tallies.iter().flat_map(move |((round, kind), tally)| {
            tally.by_voter.iter().flat_map(move |(voter, stories)| {
                let backed = stories.backed.iter().copied();
                let blocks = std::iter::once(stories.first).chain(stories.second).chain(backed);
                blocks.map(move |block| Vote {
                    kind: *kind,
                    height: self.height,
                    round: *round,
                    block,
                    voter: *voter,
                })
            })
        })
    }

    fn tally(&self, round: Round, kind: VoteKind) -> Option<&Tally> {
        self.tallies.get(&(round, kind))
    }
}

impl Tally {
    fn quorum_block(&self, quorum: usize) -> Option<(BlockId, &BTreeSet<SequencerIndex>)> {
        self.by_block.iter().find_map(|(block, voters)| {
            block.filter(|_| voters.len() >= quorum).map(|block| (block, voters))
        })
    }
}
