//! Targets of `scripts/fuzz` (R43.5): every message that nodes read of each other, from the
//! first on a connection on. Announcements, certificates and evidence, which are formats of
//! the chain, are fuzzed beside their definitions in the primitives.

use crate::{
    announcements::gossip::ProbeRequest,
    light::{
        fragment::Fragment,
        proof::{
            testing::{certificate, fragment, header, ids, pairs},
            Proof, Trust,
        },
    },
    wire::{
        BlockRequest, BlockResponse, CertifiedBlock, ProposalsMessage, SignedProposal, SignedVote,
        SigningContext, VotesMessage,
    },
};
use cascoin_bft::{BlockId, Height, Proposal, Round, SequencerIndex, Vote, VoteKind};
use cascoin_fuzz::fuzz;
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, OpaqueBlock},
    consensus::LeaderDigest,
};
use codec::{DecodeAll, Encode};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{traits::Header as _, OpaqueExtrinsic};

const CONTEXT: SigningContext = SigningContext { genesis: BlockHash::repeat_byte(1), set_id: 4 };
const BLOCK: BlockId = BlockId([2; 32]);

fn key() -> ed25519::Pair {
    ed25519::Pair::from_seed(&[7; 32])
}

/// Reads all of `bytes`, as [`crate::mesh`] does; what is read must be written as the same
/// bytes, so that no two messages are one.
fn scale<T: DecodeAll + Encode>(bytes: &[u8]) -> Option<T> {
    let value = T::decode_all(&mut &*bytes).ok()?;
    assert_eq!(value.encode(), bytes, "read in another form than it is written in");
    Some(value)
}

fn vote(kind: VoteKind, block: Option<BlockId>) -> SignedVote {
    let vote = Vote { kind, height: Height(9), round: Round(2), block, voter: SequencerIndex(1) };
    SignedVote::new(&vote, &CONTEXT, key().sign(&SignedVote::payload(&vote, &CONTEXT)))
}

fn votes() -> Vec<SignedVote> {
    vec![
        vote(VoteKind::Prevote, Some(BLOCK)),
        vote(VoteKind::Prevote, None),
        vote(VoteKind::Precommit, Some(BLOCK)),
        vote(VoteKind::Precommit, None),
    ]
}

fn proposal(valid_round: Option<Round>) -> SignedProposal {
    let proposal = Proposal {
        height: Height(9),
        round: Round(2),
        block: BLOCK,
        valid_round,
        proposer: SequencerIndex(1),
    };
    let signature = key().sign(&SignedProposal::payload(&proposal, &CONTEXT));
    SignedProposal::new(&proposal, &CONTEXT, signature)
}

fn sealed_block() -> OpaqueBlock {
    let mut header = header(9, H256::repeat_byte(8), None);
    header.digest_mut().push(LeaderDigest { term: 1, round: 2, leader: 3 }.item());
    let extrinsics = [vec![1u8, 2, 3], vec![4; 70]];
    let extrinsics = extrinsics.map(|bytes| {
        OpaqueExtrinsic::decode_all(&mut &bytes.encode()[..]).expect("any bytes are one")
    });
    OpaqueBlock { header, extrinsics: extrinsics.to_vec() }
}

/// Whether the signature holds; then the vote is one that was signed, whoever is said to
/// have signed it: the index only says whose key to look up.
fn is_signed(vote: &SignedVote, signed: &[SignedVote], key: &ed25519::Public) -> bool {
    let holds = vote.verify(&CONTEXT, key);
    if holds {
        let said = vote.vote();
        let same = |other: &SignedVote| {
            let other = other.vote();
            (said.kind, said.height, said.round, said.block)
                == (other.kind, other.height, other.round, other.block)
        };
        assert!(signed.iter().any(same), "a vote that nobody cast");
    }
    holds
}

#[test]
fn votes_and_handshake() {
    let signed = votes();
    let hello = |nonce: u64| VotesMessage::Hello {
        set_id: 4,
        index: 1,
        nonce,
        signature: key().sign(&nonce.encode()),
    };
    let messages: Vec<Vec<u8>> = signed
        .iter()
        .cloned()
        .map(VotesMessage::Vote)
        .chain([hello(0), hello(u64::MAX), VotesMessage::Status { height: 9, round: 2 }])
        .map(|message| message.encode())
        .collect();
    let key = key().public();
    fuzz(&messages, |bytes| {
        let Some(message) = scale::<VotesMessage>(bytes) else { return false };
        // What is readable and not signed is dropped, and counts as not read.
        match &message {
            VotesMessage::Vote(vote) => is_signed(vote, &signed, &key),
            VotesMessage::Hello { .. } | VotesMessage::Status { .. } => true,
        }
    });
}

#[test]
fn proposals() {
    let signed = votes();
    let right = [proposal(None), proposal(Some(Round(1)))];
    let block = sealed_block();
    let certified = CertifiedBlock {
        certificate: certificate(&block.header, 4, &pairs(3, 1)),
        block: block.clone(),
    };
    let messages = [
        ProposalsMessage::Proposal(right[0].clone(), Some(block), signed.clone()),
        ProposalsMessage::Proposal(right[1].clone(), None, Vec::new()),
        ProposalsMessage::Certified(vec![certified.clone(), certified]),
        ProposalsMessage::Certified(Vec::new()),
    ]
    .map(|message| message.encode());
    let key = key().public();
    fuzz(&messages, |bytes| {
        let Some(message) = scale::<ProposalsMessage>(bytes) else { return false };
        if let ProposalsMessage::Proposal(proposal, _, precommits) = &message {
            if proposal.verify(&CONTEXT, &key) {
                // All but the proposer's index is signed.
                let said = proposal.proposal();
                let same = |other: &SignedProposal| {
                    Proposal { proposer: said.proposer, ..other.proposal() } == said
                };
                assert!(right.iter().any(same), "a proposal that nobody made");
            }
            for vote in precommits.iter().take(2) {
                is_signed(vote, &signed, &key);
            }
        }
        true
    });
}

#[test]
fn block_request() {
    let request = BlockRequest::ByHash(H256([3; 32])).encode();
    fuzz(&[request], |bytes| scale::<BlockRequest>(bytes).is_some());
}

#[test]
fn block_response() {
    let responses: [BlockResponse; 2] = [None, Some(sealed_block())];
    let hash = sealed_block().header.hash();
    let right = sealed_block().header;
    fuzz(&responses.map(|response| response.encode()), |bytes| {
        let Some(response) = scale::<BlockResponse>(bytes) else { return false };
        // What is asked for by its hash is what comes, or is dropped.
        if let Some(block) = response.filter(|block| block.header.hash() == hash) {
            assert_eq!(block.header, right);
        }
        true
    });
}

#[test]
fn probe() {
    let request = ProbeRequest { account: AccountId::new([7; 32]), nonce: [9; 32] };
    fuzz(&[request.encode()], |bytes| {
        let read = scale::<ProbeRequest>(bytes).is_some();
        assert!(!read || bytes.len() == 64);
        read
    });
}

/// What a node that warp syncs is sent. Whatever is damaged in it, nothing is final but what
/// the sets certified.
#[test]
fn warp_proof() {
    let (old, new) = (pairs(4, 1), pairs(4, 2));
    let first = header(5, H256::zero(), Some(&new));
    let last = header(9, first.hash(), None);
    let right = [(5, first.hash()), (9, last.hash())];
    let (first, last) = (fragment(first, 0, &old[..3]), fragment(last, 1, &new));
    let proof = |fragments, finished| Proof { fragments, finished }.encode();
    let messages = [
        proof(vec![first.clone(), last.clone()], true),
        proof(vec![first], false),
        proof(vec![last], true),
        proof(Vec::new(), false),
    ];
    let members = ids(&old);
    fuzz(&messages, |bytes| {
        let Some(proof) = scale::<Proof>(bytes) else { return false };
        let mut trust =
            Trust { number: 0, hash: H256::zero(), set_id: 0, members: members.clone() };
        if trust.extend(&proof).is_ok() {
            let proven = proof.fragments.iter();
            let proven = proven.map(|Fragment { header, .. }| (header.number, header.hash()));
            assert!(proven.clone().all(|block| right.contains(&block)));
            assert_eq!(proven.last(), Some((trust.number, trust.hash)));
        }
        true
    });
}
