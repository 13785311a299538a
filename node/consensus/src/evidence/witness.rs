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
use std::collections::{BTreeMap, BTreeSet};

/// A late message carries a wrong signature: nobody honest sends one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSignature;

/// What one height's sequencers signed first.
pub struct Witness {
    height: Height,
    context: SigningContext,
    /// Grandpa keys of the set, by index.
    keys: Vec<ed25519::Public>,
    leaders: LeaderOrder,
    votes: BTreeMap<(VoteKind, Round, SequencerIndex), SignedVote>,
    proposals: BTreeMap<Round, SignedProposal>,
    /// Of which evidence was given: whatever more there is proves nothing new.
    proven_votes: BTreeSet<(VoteKind, Round, SequencerIndex)>,
    proven_proposals: BTreeSet<Round>,
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
            proven_votes: BTreeSet::new(),
            proven_proposals: BTreeSet::new(),
            highest: Round::default(),
        }
    }

    /// Hears a vote whose signature was checked. Evidence, if it contradicts the
    /// voter's first.
    pub fn vote(&mut self, signed: &SignedVote) -> Option<DoubleSignEvidence> {
        let vote = signed.vote();
        let key = *self.keys.get(usize::from(vote.voter.0))?;
        self.highest = self.highest.max(vote.round);
        let place = (vote.kind, vote.round, vote.voter);
        let first = self.votes.entry(place).or_insert_with(|| signed.clone());
        let evidence = proof::of_votes(key, first, signed)?;
        self.proven_votes.insert(place);
        Some(evidence)
    }

    /// Hears a proposal of the round's leader whose signature was checked.
    /// Evidence, if it contradicts the leader's first.
    pub fn proposal(&mut self, signed: &SignedProposal) -> Option<DoubleSignEvidence> {
        let proposal = signed.proposal();
        let key = *self.keys.get(usize::from(proposal.proposer.0))?;
        self.highest = self.highest.max(proposal.round);
        let first = self.proposals.entry(proposal.round).or_insert_with(|| signed.clone());
        let evidence = proof::of_proposals(key, first, signed)?;
        self.proven_proposals.insert(proposal.round);
        Some(evidence)
    }

    /// Hears a vote that came after the height's end; checks its signature if it
    /// says anything new.
    ///
    /// # Errors
    /// [`BadSignature`], so that whoever sends such can be left: a check is dear.
    pub fn late_vote(
        &mut self,
        signed: &SignedVote,
    ) -> Result<Option<DoubleSignEvidence>, BadSignature> {
        let vote = signed.vote();
        let Some(key) = self.keys.get(usize::from(vote.voter.0)) else { return Ok(None) };
        let new = vote.height == self.height
            && signed.set_id == self.context.set_id
            && vote.round <= self.highest
            && !self.proven_votes.contains(&(vote.kind, vote.round, vote.voter))
            && self.known_vote(&vote) != Some(vote);
        match new {
            true if !signed.verify(&self.context, key) => Err(BadSignature),
            true => Ok(self.vote(signed)),
            false => Ok(None),
        }
    }

    /// Hears a proposal that came after the height's end; checks who signed it if
    /// it says anything new.
    ///
    /// # Errors
    /// [`BadSignature`], as for votes.
    pub fn late_proposal(
        &mut self,
        signed: &SignedProposal,
    ) -> Result<Option<DoubleSignEvidence>, BadSignature> {
        let proposal = signed.proposal();
        let key = self.keys.get(usize::from(proposal.proposer.0));
        let Some(key) = key else { return Ok(None) };
        let new = proposal.height == self.height
            && signed.set_id == self.context.set_id
            && proposal.round <= self.highest
            && self.leaders.leader(proposal.round) == proposal.proposer
            && !self.proven_proposals.contains(&proposal.round)
            && self.known_proposal(&proposal) != Some(proposal);
        match new {
            true if !signed.verify(&self.context, key) => Err(BadSignature),
            true => Ok(self.proposal(signed)),
            false => Ok(None),
        }
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
