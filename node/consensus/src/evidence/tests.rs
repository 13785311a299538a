//! What is proof, what is kept of it, and what is not.

use super::{
    book::{Book, Conflict, Standing, MAX_CONFLICTS, MAX_DOUBLE_SIGNS, MAX_OF_ONE},
    proof::{of_certificates, of_proposals, of_votes, signers_of_both},
    store::{EvidenceError, EvidenceStore},
    witness::{BadSignature, Witness},
};
use crate::wire::{SignedProposal, SignedVote, SigningContext};
use cascoin_bft::{BlockId, Height, LeaderOrder, Proposal, Round, SequencerIndex, Vote, VoteKind};
use cascoin_l2_primitives::{
    chain::{BlockHash, Header, OpaqueBlock},
    consensus::{
        precommit_payload, Certificate, DoubleSignEvidence, GrandpaRound, MessageKind,
        SignedStatement, Statement,
    },
};
use finality_grandpa::SignedPrecommit;
use proptest::prelude::*;
use sc_client_api::{in_mem::Blockchain, AuxStore};
use sp_consensus_grandpa::{AuthorityId, AuthoritySignature};
use sp_core::{ed25519, Pair, H256};
use std::sync::Arc;

const GENESIS: BlockHash = BlockHash::repeat_byte(1);
const CONTEXT: SigningContext = SigningContext { genesis: GENESIS, set_id: 3 };
const HEIGHT: Height = Height(5);

fn pair(index: u16) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[index as u8 + 1; 32])
}

fn vote(voter: u16, kind: VoteKind, round: u16, block: Option<u8>) -> SignedVote {
    vote_at(HEIGHT, voter, kind, round, block)
}

fn vote_at(
    height: Height,
    voter: u16,
    kind: VoteKind,
    round: u16,
    block: Option<u8>,
) -> SignedVote {
    let block = block.map(|seed| BlockId([seed; 32]));
    let vote = Vote { kind, height, round: Round(round), block, voter: SequencerIndex(voter) };
    let signature = pair(voter).sign(&SignedVote::payload(&vote, &CONTEXT));
    SignedVote::new(&vote, &CONTEXT, signature)
}

fn proposal(proposer: u16, round: u16, block: u8, valid_round: Option<u16>) -> SignedProposal {
    let proposal = Proposal {
        height: HEIGHT,
        round: Round(round),
        block: BlockId([block; 32]),
        valid_round: valid_round.map(Round),
        proposer: SequencerIndex(proposer),
    };
    let signature = pair(proposer).sign(&SignedProposal::payload(&proposal, &CONTEXT));
    SignedProposal::new(&proposal, &CONTEXT, signature)
}

fn certificate(block: u8, round: u16, signers: &[u16]) -> Certificate {
    let at = GrandpaRound { epoch: 0, height: HEIGHT.0, round };
    let target_hash = H256::repeat_byte(block);
    let payload = precommit_payload(target_hash, HEIGHT.0, at, CONTEXT.set_id);
    let precommit =
        sp_consensus_grandpa::Precommit::<Header> { target_hash, target_number: HEIGHT.0 };
    let mut precommits: Vec<SignedPrecommit<_, _, AuthoritySignature, AuthorityId>> = signers
        .iter()
        .map(|signer| SignedPrecommit {
            precommit: precommit.clone(),
            signature: pair(*signer).sign(&payload).into(),
            id: pair(*signer).public().into(),
        })
        .collect();
    precommits.sort_by(|one, other| one.id.cmp(&other.id));
    let commit =
        sp_consensus_grandpa::Commit::<Header> { target_hash, target_number: HEIGHT.0, precommits };
    Certificate { round: at.into(), commit, votes_ancestries: Vec::new() }
}

fn holds(evidence: &DoubleSignEvidence) -> bool {
    evidence
        .verify(&GENESIS, |signature, message, key| ed25519::Pair::verify(signature, message, key))
}

/// Evidence whose signatures nobody checks.
fn evidence(key: u8, set_id: u64, height: u32) -> DoubleSignEvidence {
    let at = GrandpaRound { epoch: 0, height, round: 0 };
    let signed = |block| SignedStatement {
        statement: Statement::Prevote { block },
        signature: ed25519::Signature::from_raw([7; 64]),
    };
    let (one, other) = (signed(None), signed(Some(H256::repeat_byte(2))));
    let key = ed25519::Public::from_raw([key; 32]);
    DoubleSignEvidence::new(set_id, key, at, one, other).expect("they contradict each other")
}

fn conflict(height: u32) -> Conflict {
    Conflict {
        height,
        set_id: CONTEXT.set_id,
        final_block: H256::repeat_byte(1),
        final_certificate: Some(certificate(1, 0, &[0, 1, 2])),
        other_block: H256::repeat_byte(2),
        other_certificate: certificate(2, 0, &[1, 2, 3]),
    }
}

fn witness() -> Witness {
    let keys = (0..4).map(|index| pair(index).public()).collect();
    let leaders = LeaderOrder::new((0..4).map(SequencerIndex).collect()).expect("an order");
    Witness::new(HEIGHT, CONTEXT, keys, leaders)
}

#[test]
fn votes_of_one_round_and_kind_that_differ_are_proof() {
    for kind in [VoteKind::Prevote, VoteKind::Precommit] {
        let (one, other) = (vote(1, kind, 2, Some(1)), vote(1, kind, 2, None));
        let proof = of_votes(pair(1).public(), &one, &other).expect("proof");
        assert!(holds(&proof));
        assert_eq!((proof.height, proof.round, proof.set_id), (5, 2, 3));
        assert_eq!(of_votes(pair(1).public(), &other, &one), Some(proof), "whichever came first");
        assert_eq!(of_votes(pair(1).public(), &one, &one), None);
        let later = vote(1, kind, 3, None);
        assert_eq!(of_votes(pair(1).public(), &one, &later), None);
        let next = vote_at(Height(6), 1, kind, 2, None);
        assert_eq!(of_votes(pair(1).public(), &one, &next), None);
    }
    let (prevote, precommit) =
        (vote(1, VoteKind::Prevote, 2, Some(1)), vote(1, VoteKind::Precommit, 2, Some(2)));
    assert_eq!(of_votes(pair(1).public(), &prevote, &precommit), None);
}

/// R17.6: behind the base of a hand-over a key may sign in two sets at one height. That is no
/// double signing, for nobody who hears it, nor by any evidence that can be made of it.
#[test]
fn r17_6_messages_of_two_sets_at_one_height_are_no_double_signing() {
    let later = SigningContext { set_id: 4, ..CONTEXT };
    let mut witness = witness();
    for kind in [VoteKind::Prevote, VoteKind::Precommit] {
        let one = vote(1, kind, 0, Some(1));
        let said = Vote { block: Some(BlockId([2; 32])), ..one.vote() };
        let signature = pair(1).sign(&SignedVote::payload(&said, &later));
        let other = SignedVote::new(&said, &later, signature);
        assert!(other.verify(&later, &pair(1).public()));
        assert_eq!(of_votes(pair(1).public(), &one, &other), None);
        assert_eq!(witness.vote(&one), None);
        assert_eq!(witness.late_vote(&other), Ok(None));
        // One set's name over the signatures of two holds for neither.
        let statement = |signed: &SignedVote| {
            let block = signed.vote().block.map(|id| H256(id.0));
            let statement = match kind {
                VoteKind::Prevote => Statement::Prevote { block },
                VoteKind::Precommit => Statement::Precommit { block },
            };
            SignedStatement { statement, signature: signed.signature }
        };
        let round = GrandpaRound { epoch: 0, height: HEIGHT.0, round: 0 };
        for set_id in [CONTEXT.set_id, later.set_id] {
            let (first, second) = (statement(&one), statement(&other));
            let made = DoubleSignEvidence::new(set_id, pair(1).public(), round, first, second);
            assert!(!holds(&made.expect("they differ")));
        }
    }
    let one = proposal(0, 0, 1, None);
    let said = Proposal { block: BlockId([2; 32]), ..one.proposal() };
    let signature = pair(0).sign(&SignedProposal::payload(&said, &later));
    let other = SignedProposal::new(&said, &later, signature);
    assert_eq!(of_proposals(pair(0).public(), &one, &other), None);
    assert_eq!(witness.proposal(&one), None);
    assert_eq!(witness.late_proposal(&other), Ok(None));
}

#[test]
fn proposals_of_one_round_that_differ_are_proof() {
    let key = pair(2).public();
    let one = proposal(2, 2, 1, None);
    for other in [proposal(2, 2, 2, None), proposal(2, 2, 1, Some(0))] {
        let proof = of_proposals(key, &one, &other).expect("proof");
        assert!(holds(&proof));
        assert_eq!(proof.kind(), MessageKind::Proposal);
    }
    assert_eq!(of_proposals(key, &one, &proposal(2, 6, 2, None)), None, "another round");
}

#[test]
fn who_signed_two_certificates_of_a_round_is_proven_to_have() {
    let (one, other) = (certificate(1, 4, &[0, 1, 2]), certificate(2, 4, &[1, 2, 3]));
    let proofs = of_certificates(CONTEXT.set_id, &one, &other);
    let keys: Vec<_> = proofs.iter().map(|proof| proof.key).collect();
    assert_eq!(proofs.len(), 2);
    assert!(proofs.iter().all(holds));
    assert!([1, 2].iter().all(|index| keys.contains(&pair(*index).public())));
    assert_eq!(of_certificates(CONTEXT.set_id, &one, &one), []);

    let later = certificate(2, 5, &[1, 2, 3]);
    assert_eq!(of_certificates(CONTEXT.set_id, &one, &later), [], "not in two rounds");
    let mut both = signers_of_both(&one, &later);
    let mut expected = [1, 2].map(|index| pair(index).public());
    both.sort();
    expected.sort();
    assert_eq!(both, expected);
}

#[test]
fn a_witness_hears_the_contradiction_also_after_the_end() {
    let mut witness = witness();
    let first = vote(1, VoteKind::Prevote, 0, Some(1));
    assert_eq!(witness.vote(&first), None);
    assert_eq!(witness.vote(&first), None, "the same again");
    assert!(witness.vote(&vote(1, VoteKind::Prevote, 0, None)).is_some_and(|proof| holds(&proof)));

    // The height is over; one comes for the first time, then its contradiction.
    assert_eq!(witness.late_vote(&vote(2, VoteKind::Precommit, 0, Some(1))), Ok(None));
    let late = witness.late_vote(&vote(2, VoteKind::Precommit, 0, Some(2))).unwrap();
    assert!(late.is_some_and(|proof| holds(&proof)));
    let more = witness.late_vote(&vote(2, VoteKind::Precommit, 0, Some(3)));
    assert_eq!(more, Ok(None), "it is proven already");
    assert_eq!(witness.late_proposal(&proposal(0, 0, 1, None)), Ok(None));
    let late = witness.late_proposal(&proposal(0, 0, 2, None)).unwrap();
    assert!(late.is_some_and(|proof| holds(&proof)));
    assert_eq!(witness.late_proposal(&proposal(0, 0, 3, None)), Ok(None));
}

#[test]
fn a_witness_takes_no_late_message_that_is_unsigned_or_out_of_place() {
    let mut witness = witness();
    assert_eq!(witness.vote(&vote(1, VoteKind::Prevote, 0, Some(1))), None);
    let (lie, unsigned) =
        (vote(1, VoteKind::Prevote, 0, Some(2)).vote(), ed25519::Signature::from_raw([5; 64]));
    let unsigned = SignedVote::new(&lie, &CONTEXT, unsigned);
    assert_eq!(witness.late_vote(&unsigned), Err(BadSignature), "its sender is left");
    let of_set = SigningContext { set_id: 4, ..CONTEXT };
    let signature = pair(1).sign(&SignedVote::payload(&lie, &of_set));
    assert_eq!(witness.late_vote(&SignedVote::new(&lie, &of_set, signature)), Ok(None));

    // Rounds that nobody played could be filled without end.
    for block in [1, 2] {
        assert_eq!(witness.late_vote(&vote(1, VoteKind::Prevote, 1, Some(block))), Ok(None));
        assert_eq!(witness.late_proposal(&proposal(1, 1, block, None)), Ok(None));
    }
    for block in [1, 2] {
        let other_height = vote_at(Height(4), 1, VoteKind::Precommit, 0, Some(block));
        assert_eq!(witness.late_vote(&other_height), Ok(None));
        assert_eq!(witness.late_proposal(&proposal(1, 0, block, None)), Ok(None), "no leader");
        let nobody = SequencerIndex(4);
        let vote = Vote { voter: nobody, block: Some(BlockId([block; 32])), ..lie };
        let signature = pair(4).sign(&SignedVote::payload(&vote, &CONTEXT));
        assert_eq!(witness.late_vote(&SignedVote::new(&vote, &CONTEXT, signature)), Ok(None));
    }
}

#[test]
fn an_offence_is_kept_once_and_a_sequencer_a_few_times() {
    let mut book = Book::default();
    assert!(book.add_double_sign(evidence(1, 0, 1)));
    assert!(!book.add_double_sign(evidence(1, 0, 1)));
    let more = (2..100).filter(|height| book.add_double_sign(evidence(1, 0, *height))).count();
    assert_eq!(more, MAX_OF_ONE - 1);
    assert!(book.add_double_sign(evidence(1, 1, 1)), "in another set");
    assert!(book.add_double_sign(evidence(2, 0, 1)), "another sequencer");
}

#[test]
fn what_is_settled_makes_room_and_what_is_pending_does_not() {
    let mut book = Book::default();
    let full = (0..MAX_DOUBLE_SIGNS as u64).all(|set| book.add_double_sign(evidence(1, set, 1)));
    assert!(full);
    assert!(!book.add_double_sign(evidence(2, 0, 1)));
    let (settled, again) = (evidence(1, 9, 1).id(), evidence(1, 300, 1));
    assert!(book.settle(settled, Standing::OnChain));
    assert!(!book.settle(settled, Standing::OnChain), "nothing new");
    assert!(book.add_double_sign(again));
    assert_eq!(book.double_signs().len(), MAX_DOUBLE_SIGNS);
    assert_eq!(book.pending().count(), MAX_DOUBLE_SIGNS);
    assert!(book.double_signs().iter().all(|known| known.evidence.id() != settled));
}

#[test]
fn the_first_conflicts_are_kept_one_a_height() {
    let mut book = Book::default();
    assert!(book.add_conflict(conflict(5)));
    assert!(!book.add_conflict(conflict(5)));
    let more = (6..1_000).filter(|height| book.add_conflict(conflict(*height))).count();
    assert_eq!(more, MAX_CONFLICTS - 1);
    assert!(book.has_conflict(5) && !book.has_conflict(999));
    assert_eq!(book.conflicts()[0].signers_of_both().len(), 2);
    let unknown = Conflict { final_certificate: None, ..conflict(5) };
    assert!(unknown.signers_of_both().is_empty());
}

#[test]
fn evidence_outlives_the_process() {
    let database = Arc::new(Blockchain::<OpaqueBlock>::new());
    let store = EvidenceStore::open(database.clone()).unwrap();
    assert!(store.add_double_sign(evidence(1, 0, 1)));
    assert!(store.add_double_sign(evidence(2, 0, 1)));
    assert!(store.add_conflict(conflict(5)));
    store.settle(evidence(2, 0, 1).id(), Standing::OnChain);
    drop(store);
    let store = EvidenceStore::open(database.clone()).unwrap();
    assert_eq!(store.pending(), [evidence(1, 0, 1)]);
    assert_eq!(store.double_signs()[1].standing, Standing::OnChain);
    assert_eq!(store.conflicts(), [conflict(5)]);
    assert!(store.has_conflict(5));
    assert!(!store.add_double_sign(evidence(2, 0, 1)), "it is known");

    let damaged: (&[u8], &[u8]) = (b"cascoin-l2/evidence/conflicts/1", &[4, 1]);
    database.insert_aux(&[damaged], &[]).unwrap();
    assert!(matches!(EvidenceStore::open(database), Err(EvidenceError::Damaged(_))));
}

#[test]
fn the_metrics_show_what_is_kept_from_the_start() {
    use substrate_prometheus_endpoint::{prometheus::TextEncoder, Registry};
    let database = Arc::new(Blockchain::<OpaqueBlock>::new());
    let store = EvidenceStore::open(database.clone()).unwrap();
    store.add_double_sign(evidence(1, 0, 1));
    store.add_conflict(conflict(5));
    let registry = Registry::new();
    EvidenceStore::open(database).unwrap().register(Some(&registry)).unwrap();
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    assert!(text.contains("cascoin_l2_conflicting_certificates 1"), "{text}");
    assert!(text.contains("cascoin_l2_evidence_pending 1"), "{text}");
}

/// A message that a sequencer signed.
#[derive(Clone, Debug)]
enum Said {
    Vote(SignedVote),
    Proposal(SignedProposal),
}

fn said() -> impl Strategy<Value = Said> {
    let kind = prop_oneof![Just(VoteKind::Prevote), Just(VoteKind::Precommit)];
    let votes = (0..4u16, kind, 0..3u16, prop::option::of(1..3u8));
    let proposals = (0..3u16, 1..3u8, prop::option::of(0..2u16));
    prop_oneof![
        4 => votes.prop_map(|(voter, kind, round, block)| Said::Vote(vote(voter, kind, round, block))),
        1 => proposals.prop_map(|(round, block, valid)| {
            Said::Proposal(proposal(round, round, block, valid.filter(|valid| *valid < round)))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// In whatever order messages come, in time or late: proof is found against
    /// exactly those who contradicted themselves, and it holds.
    #[test]
    fn p15_a_witness_finds_who_contradicts_itself_and_nobody_else(
        messages in prop::collection::vec((said(), any::<bool>()), 1..40),
    ) {
        let mut witness = witness();
        // All rounds are played, so that late messages are heard.
        let played = vote(0, VoteKind::Prevote, 2, Some(1));
        witness.vote(&played);
        let mut first = std::collections::BTreeMap::new();
        first.insert((0u16, 1u8, 2u16), (Some(BlockId([1; 32])), None));
        let (mut expected, mut found) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        for (said, late) in messages {
            let (who, what, proof) = match said {
                Said::Vote(signed) => {
                    let vote = signed.vote();
                    let kind = if vote.kind == VoteKind::Prevote { 1u8 } else { 2 };
                    let proof = if late { witness.late_vote(&signed).unwrap() } else { witness.vote(&signed) };
                    ((vote.voter.0, kind, vote.round.0), (vote.block, None), proof)
                }
                Said::Proposal(signed) => {
                    let proposal = signed.proposal();
                    let proof =
                        if late { witness.late_proposal(&signed).unwrap() } else { witness.proposal(&signed) };
                    let what = (Some(proposal.block), proposal.valid_round);
                    ((proposal.proposer.0, 0, proposal.round.0), what, proof)
                }
            };
            if *first.entry(who).or_insert(what) != what {
                expected.insert(who);
            }
            if let Some(proof) = proof {
                prop_assert!(holds(&proof));
                let kind = match proof.kind() {
                    MessageKind::Proposal => 0,
                    MessageKind::Prevote => 1,
                    MessageKind::Precommit => 2,
                };
                let index = (0..4).find(|index| pair(*index).public() == proof.key).unwrap();
                found.insert((index, kind, proof.round));
            }
        }
        prop_assert_eq!(found, expected);
    }
}
