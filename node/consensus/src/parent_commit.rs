//! Who signed the block below the height being decided: the precommits for it that
//! this node has checked.
//!
//! The certificate that a node keeps has the first quorum it saw. Here those that
//! come later are gathered too, so that a leader can name who was slow and there
//! ([`ParentCommit::commits`]), and others can check whom it names. With its first
//! proposal a leader sends these signatures along ([`ParentCommit::proof`]); whoever
//! gets them takes what it lacks ([`ParentCommit::take`]). So a signer that the leader
//! knows is known to all who have its proposal, whoever passed it on: what others add
//! or leave out on the way cannot take a signature away.
//!
//! Besides, who voted for anything at that height is remembered: it was there, whether it
//! had a reason to sign or not ([`ParentCommit::heard`]).
//!
//! Pure. Bounded: a round is kept only with a whole quorum of precommits for the
//! decided block, so liars alone make none.

use crate::{
    authority_sets::AuthoritySet,
    wire::{SignedVote, SigningContext},
};
use cascoin_bft::{quorum, BlockId, Height, Round, SequencerIndex, Vote, VoteKind};
use cascoin_l2_primitives::{
    chain::{BlockHash, Header, MAX_SEQUENCERS},
    consensus::{Certificate, GrandpaRound},
    sequencers::{Commit, SequencerBits},
};
use sp_core::ed25519;
use sp_runtime::traits::Header as _;
use std::collections::BTreeMap;

/// Most signatures of one proof: several rounds of the largest set.
const MAX_PROOF: usize = 4 * MAX_SEQUENCERS as usize;

/// A signature in a proof is wrong: nobody honest sends one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSignature;

/// The precommits for one final block that this node has checked.
#[derive(Clone, Debug)]
pub struct ParentCommit {
    height: Height,
    block: BlockId,
    context: SigningContext,
    /// Grandpa keys of the set that signs the block, by index; none for genesis.
    members: Vec<ed25519::Public>,
    /// By round, each with a quorum: who signed, and the signature.
    rounds: BTreeMap<u16, BTreeMap<u16, ed25519::Signature>>,
    /// Who voted for anything, besides those who signed.
    voted: SequencerBits,
}

impl ParentCommit {
    /// Of `parent`, which `set` signs; nothing is known yet.
    pub fn new(parent: &Header, genesis: BlockHash, set: &AuthoritySet) -> Self {
        let signed = *parent.number() > 0;
        let members = set.members.iter().map(|id| id.clone().into());
        Self {
            height: Height(*parent.number()),
            block: BlockId(parent.hash().0),
            context: SigningContext { genesis, set_id: set.set_id },
            members: members.filter(|_| signed).collect(),
            rounds: BTreeMap::new(),
            voted: SequencerBits::NOBODY,
        }
    }

    /// Adds what a certificate of the block holds. It was checked when the block was
    /// imported; what does not fit is left out.
    pub fn add_certificate(&mut self, certificate: &Certificate) {
        let Ok(GrandpaRound { round, .. }) = GrandpaRound::try_from(certificate.round) else {
            return;
        };
        let precommits = certificate.commit.precommits.iter();
        let signed = precommits.filter(|signed| signed.precommit.target_hash.0 == self.block.0);
        let signers = signed.filter_map(|signed| {
            let key: ed25519::Public = signed.id.clone().into();
            let index = self.members.iter().position(|member| *member == key)?;
            Some((u16::try_from(index).ok()?, signed.signature.clone().into()))
        });
        let signers = signers.collect();
        self.add(round, signers);
    }

    /// Takes from `proof` the precommits that are new, after checking them. Of a round
    /// that has no quorum with them it takes none.
    ///
    /// # Errors
    /// [`BadSignature`], at the first one; what was taken before stays.
    pub fn take<'a>(
        &mut self,
        proof: impl IntoIterator<Item = &'a SignedVote>,
    ) -> Result<(), BadSignature> {
        let mut fresh: BTreeMap<u16, BTreeMap<u16, &SignedVote>> = BTreeMap::new();
        let is_new = |signed: &&SignedVote| {
            let vote = signed.vote();
            let (round, voter) = (vote.round.0, vote.voter.0);
            vote == self.precommit(round, voter) && !self.has(round, voter)
        };
        for signed in proof.into_iter().filter(is_new).take(MAX_PROOF) {
            let vote = signed.vote();
            fresh.entry(vote.round.0).or_default().insert(vote.voter.0, signed);
        }
        for (round, signers) in fresh {
            let known = self.rounds.get(&round).map_or(0, BTreeMap::len);
            if known.saturating_add(signers.len()) < quorum(self.members.len()) {
                continue;
            }
            let mut checked = BTreeMap::new();
            for (voter, signed) in signers {
                let Some(key) = self.members.get(usize::from(voter)) else { continue };
                if !signed.verify(&self.context, key) {
                    return Err(BadSignature);
                }
                checked.insert(voter, signed.signature);
            }
            self.add(round, checked);
        }
        Ok(())
    }

    /// Takes note of whoever voted for anything at the block's height, by votes of it that
    /// were checked before. Those of another set, which had the height before a hand-over, are
    /// of others.
    pub fn hear_checked<'a>(&mut self, votes: impl IntoIterator<Item = &'a SignedVote>) {
        for signed in votes {
            let vote = signed.vote();
            let of_this_height = vote.height == self.height && signed.set_id == self.context.set_id;
            if of_this_height && usize::from(vote.voter.0) < self.members.len() {
                self.voted = self.voted.with(vote.voter.0);
            }
        }
    }

    /// The same by votes that were not checked. Of each sequencer one is looked at.
    ///
    /// # Errors
    /// [`BadSignature`], at the first one; what was noted before stays.
    pub fn hear<'a>(
        &mut self,
        votes: impl IntoIterator<Item = &'a SignedVote>,
    ) -> Result<(), BadSignature> {
        for signed in votes.into_iter().take(MAX_PROOF) {
            let vote = signed.vote();
            let voter = usize::from(vote.voter.0);
            let Some(key) = self.members.get(voter) else { continue };
            let of_this_height = vote.height == self.height && signed.set_id == self.context.set_id;
            if !of_this_height || self.heard().contains(voter) {
                continue;
            }
            if !signed.verify(&self.context, key) {
                return Err(BadSignature);
            }
            self.voted = self.voted.with(vote.voter.0);
        }
        Ok(())
    }

    /// Who signed or voted for anything else.
    pub fn heard(&self) -> SequencerBits {
        let signed = self.rounds.values().flat_map(BTreeMap::keys).copied();
        signed.fold(self.voted, SequencerBits::with)
    }

    /// What is known, for whoever is to check it: the round with the most signers
    /// first.
    pub fn proof(&self) -> Vec<SignedVote> {
        let mut rounds: Vec<_> = self.rounds.iter().collect();
        rounds.sort_by_key(|(round, signers)| (std::cmp::Reverse(signers.len()), **round));
        let votes = rounds.into_iter().flat_map(|(round, signers)| {
            signers.iter().map(|(voter, signature)| {
                SignedVote::new(&self.precommit(*round, *voter), &self.context, *signature)
            })
        });
        votes.take(MAX_PROOF).collect()
    }

    /// Who signed, by round.
    pub fn commits(&self) -> Vec<Commit> {
        let commit = |(round, signers): (&u16, &BTreeMap<u16, _>)| Commit {
            round: *round,
            signers: signers.keys().copied().collect(),
        };
        self.rounds.iter().map(commit).collect()
    }

    fn has(&self, round: u16, voter: u16) -> bool {
        self.rounds.get(&round).is_some_and(|signers| signers.contains_key(&voter))
    }

    fn precommit(&self, round: u16, voter: u16) -> Vote {
        Vote {
            kind: VoteKind::Precommit,
            height: self.height,
            round: Round(round),
            block: Some(self.block),
            voter: SequencerIndex(voter),
        }
    }

    // Of a round with a quorum only.
    fn add(&mut self, round: u16, signers: BTreeMap<u16, ed25519::Signature>) {
        let known = self.rounds.get(&round).map_or(0, BTreeMap::len);
        if !signers.is_empty() && known + signers.len() >= quorum(self.members.len()) {
            self.rounds.entry(round).or_default().extend(signers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::{Pair, H256};

    fn pair(index: u16) -> ed25519::Pair {
        ed25519::Pair::from_seed(&[index as u8 + 1; 32])
    }

    fn header(number: u32) -> Header {
        let zero = H256::zero();
        Header::new(number, zero, zero, zero, Default::default())
    }

    fn commit(number: u32) -> ParentCommit {
        let members = (0..4).map(|index| pair(index).public().into()).collect();
        let set = AuthoritySet { first: 1, set_id: 3, members, hand_over: None };
        ParentCommit::new(&header(number), H256::repeat_byte(1), &set)
    }

    fn vote(round: u16, voter: u16, block: Option<BlockId>) -> SignedVote {
        let context = SigningContext { genesis: H256::repeat_byte(1), set_id: 3 };
        let vote = Vote { block, ..commit(7).precommit(round, voter) };
        SignedVote::new(&vote, &context, pair(voter).sign(&SignedVote::payload(&vote, &context)))
    }

    fn good(round: u16, voter: u16) -> SignedVote {
        vote(round, voter, Some(commit(7).block))
    }

    fn signers(commit: &ParentCommit) -> Vec<(u16, u64)> {
        commit.commits().into_iter().map(|commit| (commit.round, commit.signers.0)).collect()
    }

    #[test]
    fn a_round_is_known_with_a_quorum_and_late_ones_join_it() {
        let mut known = commit(7);
        known.take(&[good(1, 0), good(1, 1)]).unwrap();
        assert!(signers(&known).is_empty());
        known.take(&[good(1, 0), good(1, 1), good(1, 3)]).unwrap();
        assert_eq!(signers(&known), [(1, 0b1011)]);
        known.take(&[good(1, 2), good(2, 2)]).unwrap();
        assert_eq!(signers(&known), [(1, 0b1111)], "one of round 2 is no quorum");
        // Whoever gets the proof comes to the same.
        let mut other = commit(7);
        other.take(&known.proof()).unwrap();
        assert_eq!(signers(&other), signers(&known));
        known.take(&[good(4, 0), good(4, 1), good(4, 2)]).unwrap();
        assert_eq!(known.proof().len(), 7);
        assert_eq!(known.proof()[0].vote().round, Round(1), "the one with most signers first");
    }

    #[test]
    fn what_is_not_a_precommit_of_a_member_for_the_block_is_left_out() {
        let mut known = commit(7);
        let quorum = [good(0, 0), good(0, 1), good(0, 2)];
        known.take(&quorum).unwrap();
        let nil = vote(0, 3, None);
        let other = vote(0, 3, Some(BlockId([9; 32])));
        let stranger = vote(0, 4, Some(commit(7).block));
        known.take(&[nil, other, stranger]).unwrap();
        assert_eq!(signers(&known), [(0, 0b111)]);
        let mut child_of_genesis = commit(0);
        child_of_genesis.take(&quorum).unwrap();
        assert!(signers(&child_of_genesis).is_empty() && child_of_genesis.proof().is_empty());
    }

    #[test]
    fn a_wrong_signature_is_an_error_and_known_ones_are_not_looked_at_again() {
        let mut known = commit(7);
        let quorum = [good(0, 0), good(0, 1), good(0, 2)];
        known.take(&quorum).unwrap();
        let forge = |mut signed: SignedVote| {
            signed.signature = ed25519::Signature::from_raw([5; 64]);
            signed
        };
        let other_set = |mut signed: SignedVote| {
            signed.set_id = 4;
            signed
        };
        assert_eq!(known.take(&[forge(good(0, 1))]), Ok(()), "it is known already");
        assert_eq!(known.take(&[forge(good(0, 3))]), Err(BadSignature));
        assert_eq!(known.take(&[other_set(good(0, 3))]), Err(BadSignature));
        assert_eq!(signers(&known), [(0, 0b111)]);
    }

    /// Who was kept from signing shows that it is there by any other vote; once it is heard
    /// nothing of it is looked at again.
    #[test]
    fn r22_1_who_votes_for_anything_is_heard() {
        let mut known = commit(7);
        known.take(&[good(0, 0), good(0, 1), good(0, 2)]).unwrap();
        assert_eq!(known.heard().0, 0b111);
        let nil = vote(0, 3, None);
        let mut forged = nil.clone();
        forged.signature = ed25519::Signature::from_raw([5; 64]);
        assert_eq!(known.hear([&forged]), Err(BadSignature));
        assert_eq!(known.heard().0, 0b111);
        known.hear([&nil, &forged]).unwrap();
        assert_eq!(known.heard().0, 0b1111);
        assert_eq!(signers(&known), [(0, 0b111)], "it did not sign");
        // Votes of other heights say nothing, nor such of nobody.
        let mut other = commit(7);
        let of_another_height = commit(8);
        let late = of_another_height.precommit(0, 1);
        let context = SigningContext { genesis: H256::repeat_byte(1), set_id: 3 };
        let signature = pair(1).sign(&SignedVote::payload(&late, &context));
        let late = SignedVote::new(&late, &context, signature);
        other.hear([&late, &vote(0, 4, None)]).unwrap();
        other.hear_checked([&late, &vote(0, 4, None)]);
        let mut of_another_set = nil.clone();
        of_another_set.set_id = 2;
        other.hear_checked([&of_another_set]);
        assert_eq!(other.heard(), SequencerBits::NOBODY);
        other.hear_checked([&nil]);
        assert_eq!(other.heard().0, 0b1000);
    }

    #[test]
    fn a_certificate_is_a_commit() {
        let precommit = sp_consensus_grandpa::Precommit::<Header> {
            target_hash: H256(commit(7).block.0),
            target_number: 7,
        };
        let signed = |index| finality_grandpa::SignedPrecommit {
            precommit: precommit.clone(),
            signature: good(2, index).signature.into(),
            id: pair(index).public().into(),
        };
        let certificate = Certificate {
            round: GrandpaRound { epoch: 0, height: 7, round: 2 }.into(),
            commit: sp_consensus_grandpa::Commit::<Header> {
                target_hash: precommit.target_hash,
                target_number: 7,
                precommits: [0, 2, 3].map(signed).to_vec(),
            },
            votes_ancestries: Vec::new(),
        };
        let mut known = commit(7);
        known.add_certificate(&certificate);
        assert_eq!(signers(&known), [(2, 0b1101)]);
        let mut other = commit(7);
        other.take(&known.proof()).unwrap();
        assert_eq!(signers(&other), signers(&known), "its signatures are what was signed");
    }
}
