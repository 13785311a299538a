//! The signed messages of one height, kept to see who contradicts itself.
//!
//! It stays a height longer than the height lasts: a second process with one key is
//! often a little late, and its votes come when the block is decided.
//!
//! Memory is bounded by what its owner lets in: of each signer one vote of a round
//! and kind, and one proposal of a round. After the height's end rounds that it did
//! not have are not taken up.

use super::proof;
use crate::wire::{SignedProposal, SignedVote, SigningContext};
use cascoin_bft::{Height, LeaderOrder, Proposal, Round, SequencerIndex, Vote, VoteKind};
use cascoin_l2_primitives::consensus::DoubleSignEvidence;
use sp_core::ed25519;
use std::collections::BTreeMap;

/// What one height's sequencers signed first.
pub struct Witness {
    height: Height,
    context: SigningContext,
    /// Grandpa keys of the set, by index.
    keys: Vec<ed25519::Public>,
    leaders: LeaderOrder,
    votes: BTreeMap<(VoteKind, Round, SequencerIndex), SignedVote>,
    proposals: BTreeMap<Round, SignedProposal>,
    /// The highest round of all these.
    highest: Round,
}

impl Witness {
    /// One that has heard nothing yet.
    pub fn new(
        height: Height,
        context: SigningContext,
        keys: Vec<ed25519::Public>,
        leaders: LeaderOrder,
    ) -> Self {
        Self {
            height,
            context,
            keys,
            leaders,
            votes: BTreeMap::new(),
            proposals: BTreeMap::new(),
            highest: Round::default(),
        }
    }

    /// Hears a vote whose signature was checked. Evidence, if it contradicts the
    /// voter's first.
    pub fn vote(&mut self, signed: &SignedVote) -> Option<DoubleSignEvidence> {
        let vote = signed.vote();
        let key = *self.keys.get(usize::from(vote.voter.0))?;
        self.highest = self.highest.max(vote.round);
        let first = self.votes.entry((vote.kind, vote.round, vote.voter));
        proof::of_votes(key, first.or_insert_with(|| signed.clone()), signed)
    }

    /// Hears a proposal of the round's leader whose signature was checked.
    /// Evidence, if it contradicts the leader's first.
    pub fn proposal(&mut self, signed: &SignedProposal) -> Option<DoubleSignEvidence> {
        let proposal = signed.proposal();
        let key = *self.keys.get(usize::from(proposal.proposer.0))?;
        self.highest = self.highest.max(proposal.round);
        let first = self.proposals.entry(proposal.round);
        proof::of_proposals(key, first.or_insert_with(|| signed.clone()), signed)
    }

    /// Hears a vote that came after the height's end; checks its signature if it
    /// says anything new.
    pub fn late_vote(&mut self, signed: &SignedVote) -> Option<DoubleSignEvidence> {
        let vote = signed.vote();
        let key = *self.keys.get(usize::from(vote.voter.0))?;
        let new = vote.height == self.height
            && vote.round <= self.highest
            && self.known_vote(&vote) != Some(vote);
        (new && signed.verify(&self.context, &key)).then(|| self.vote(signed))?
    }

    /// Hears a proposal that came after the height's end; checks who signed it if
    /// it says anything new.
    pub fn late_proposal(&mut self, signed: &SignedProposal) -> Option<DoubleSignEvidence> {
        let proposal = signed.proposal();
        let key = *self.keys.get(usize::from(proposal.proposer.0))?;
        let new = proposal.height == self.height
            && proposal.round <= self.highest
            && self.leaders.leader(proposal.round) == proposal.proposer
            && self.known_proposal(&proposal) != Some(proposal);
        (new && signed.verify(&self.context, &key)).then(|| self.proposal(signed))?
    }

    /// The height.
    pub fn height(&self) -> Height {
        self.height
    }

    fn known_vote(&self, vote: &Vote) -> Option<Vote> {
        self.votes.get(&(vote.kind, vote.round, vote.voter)).map(SignedVote::vote)
    }

    fn known_proposal(&self, proposal: &Proposal) -> Option<Proposal> {
        self.proposals.get(&proposal.round).map(SignedProposal::proposal)
    }
}
