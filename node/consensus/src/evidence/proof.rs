//! What two signed messages, or two certificates, prove.
//!
//! Signatures are the caller's to check: all that comes in here was verified.

use crate::wire::{SignedProposal, SignedVote, EPOCH};
use cascoin_bft::{Height, Round, VoteKind};
use cascoin_l2_primitives::{
    chain::BlockHash,
    consensus::{Certificate, DoubleSignEvidence, GrandpaRound, SignedStatement, Statement},
};
use sp_consensus_grandpa::AuthorityId;
use sp_core::{ed25519, H256};
use std::collections::BTreeMap;

/// Proof that the owner of `key` voted twice; `None` if the votes do not contradict
/// each other.
pub fn of_votes(
    key: ed25519::Public,
    one: &SignedVote,
    other: &SignedVote,
) -> Option<DoubleSignEvidence> {
    let (first, second) = (one.vote(), other.vote());
    let same =
        (first.height, first.round, one.set_id) == (second.height, second.round, other.set_id);
    let statement = |signed: &SignedVote| {
        let vote = signed.vote();
        let block = vote.block.map(|id| H256(id.0));
        let statement = match vote.kind {
            VoteKind::Prevote => Statement::Prevote { block },
            VoteKind::Precommit => Statement::Precommit { block },
        };
        SignedStatement { statement, signature: signed.signature }
    };
    let round = round_of(first.height, first.round);
    same.then(|| DoubleSignEvidence::new(one.set_id, key, round, statement(one), statement(other)))?
}

/// Proof that the leader with `key` proposed twice in one round; `None` if the two
/// are not of one round, or are the same.
pub fn of_proposals(
    key: ed25519::Public,
    one: &SignedProposal,
    other: &SignedProposal,
) -> Option<DoubleSignEvidence> {
    let (first, second) = (one.proposal(), other.proposal());
    let same =
        (first.height, first.round, one.set_id) == (second.height, second.round, other.set_id);
    let statement = |signed: &SignedProposal| {
        let proposal = signed.proposal();
        let (block, valid_round) = (H256(proposal.block.0), proposal.valid_round);
        let valid_round = valid_round.map(|round| round.0);
        let statement = Statement::Proposal { block, valid_round };
        SignedStatement { statement, signature: signed.signature }
    };
    let round = round_of(first.height, first.round);
    same.then(|| DoubleSignEvidence::new(one.set_id, key, round, statement(one), statement(other)))?
}

/// Proof against everybody who signed both of two certificates of one round.
///
/// Of certificates of different rounds it gives nothing: who signed both broke its
/// lock ("amnesia"), or saw a quorum that released it, and which of the two the
/// certificates do not tell.
pub fn of_certificates(
    set_id: u64,
    one: &Certificate,
    other: &Certificate,
) -> Vec<DoubleSignEvidence> {
    let round = GrandpaRound::try_from(one.round).ok().filter(|_| one.round == other.round);
    let Some(round) = round else { return Vec::new() };
    let (first, second) = (precommits(one), precommits(other));
    let both = first.into_iter().filter_map(|(id, one)| Some((id, one, *second.get(id)?)));
    both.filter_map(|(id, one, other)| {
        DoubleSignEvidence::new(set_id, id.clone().into_inner(), round, one, other)
    })
    .collect()
}

/// The keys that signed both certificates, in whatever rounds.
pub fn signers_of_both(one: &Certificate, other: &Certificate) -> Vec<ed25519::Public> {
    let second = precommits(other);
    let both = precommits(one).into_keys().filter(|id| second.contains_key(id));
    both.map(|id| id.clone().into_inner()).collect()
}

fn precommits(certificate: &Certificate) -> BTreeMap<&AuthorityId, SignedStatement> {
    let signed = certificate.commit.precommits.iter().map(|signed| {
        let block: Option<BlockHash> = Some(signed.precommit.target_hash);
        let signature = signed.signature.clone().into_inner();
        (&signed.id, SignedStatement { statement: Statement::Precommit { block }, signature })
    });
    signed.collect()
}

fn round_of(height: Height, round: Round) -> GrandpaRound {
    GrandpaRound { epoch: EPOCH, height: height.0, round: round.0 }
}
