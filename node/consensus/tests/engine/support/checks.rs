//! What must hold after every run, whatever happened in it:
//! - no two nodes have different final blocks at one height;
//! - each final block has a certificate that verifies;
//! - no honest node ever signed two different things for one height, set, round and
//!   kind, nor anything for a set of a height after it had signed for a later one;
//! - what a node signed, and what others hold of it in certificates, stands in
//!   its log;
//! - whom a block names as a signer of the one below has signed it, by its log.

use super::{
    cluster::{Cluster, Set},
    net::Message,
};
use cascoin_bft::{Height, VoteKind};
use cascoin_consensus::{
    import::certificate_of,
    wal::{Memory, Wal},
    wire::{Instance, ProposalsMessage, SignedVote, SigningContext, VotesMessage},
};
use cascoin_l2_primitives::{
    consensus::{verify_certificate, Certificate},
    sequencers::SequencerBits,
};
use cascoin_l2_runtime::{RuntimeCall, UncheckedExtrinsic};
use codec::{Decode, Encode};
use sc_client_api::BlockBackend;
use sp_blockchain::HeaderBackend;
use sp_consensus_grandpa::AuthorityId;
use sp_core::ed25519;
use std::collections::BTreeMap;

pub fn check(cluster: &Cluster) {
    agreement(cluster);
    let memories = memories(cluster);
    certificates(cluster, &memories);
    participation(cluster, &memories);
    let honest = |index: &usize| !cluster.liars.contains(index);
    for index in (0..cluster.len()).filter(honest) {
        signatures(cluster, index, &memories);
    }
}

/// What the logs say, by key; none for a key that has none (any more), so that
/// the test itself speaks for it, or took the log away.
type Memories = BTreeMap<ed25519::Public, Memory>;

fn memories(cluster: &Cluster) -> Memories {
    let keys = cluster.all_keys().into_iter();
    keys.filter(|(index, key)| cluster.segments_of(*index, key).exists())
        .map(|(index, key)| {
            let opened = Wal::open(&cluster.logs(index), cluster.genesis_hash, key, true);
            (key, opened.expect("the log of a node that stopped opens").1)
        })
        .collect()
}

fn agreement(cluster: &Cluster) {
    let mut decided = BTreeMap::new();
    for index in 0..cluster.len() {
        for height in 1..=cluster.height(index) {
            let hash = cluster.client(index).hash(height).expect("a database in memory");
            let first = *decided.entry(height).or_insert(hash);
            assert_eq!(first, hash, "two final blocks at height {height}, one at node {index}");
        }
    }
}

/// The certificate a node keeps of a height.
pub fn certificate(cluster: &Cluster, index: usize, height: u32) -> Certificate {
    let client = cluster.client(index);
    let hash = client.hash(height).expect("a database in memory").expect("a final block");
    let justifications = client.justifications(hash).expect("a database in memory");
    certificate_of(&justifications.expect("a justification")).expect("a certificate")
}

fn certificates(cluster: &Cluster, memories: &Memories) {
    for index in 0..cluster.len() {
        for height in 1..=cluster.height(index) {
            let certificate = certificate(cluster, index, height);
            let hash = cluster.client(index).hash(height).expect("a database").expect("a block");
            let set = cluster.set_at(height);
            let members: Vec<AuthorityId> = set.keys.iter().map(|key| (*key).into()).collect();
            let verified = verify_certificate(&certificate, hash, height, set.id, members.iter());
            let round = verified.unwrap_or_else(|error| {
                panic!("node {index} holds a bad certificate of height {height}: {error}")
            });
            for precommit in &certificate.commit.precommits {
                let signer = members.iter().position(|member| *member == precommit.id);
                let signer = signer.expect("a member");
                let Some(memory) = memories.get(&set.keys[signer]) else { continue };
                let at = Instance { height: Height(height), set_id: set.id };
                let logged = memory.votes_at(at).any(|signed| {
                    let vote = signed.vote();
                    vote.kind == VoteKind::Precommit
                        && vote.voter.0 as usize == signer
                        && vote.round.0 == round.round
                        && vote.block.is_some_and(|block| block.0 == hash.0)
                });
                assert!(
                    logged,
                    "node {index} has a precommit of node {signer} at height {height} that is \
                     not in the log of {signer}",
                );
            }
        }
    }
}

/// What a final block says of who signed the one below: round and signers.
pub fn noted(cluster: &Cluster, index: usize, height: u32) -> (u16, SequencerBits) {
    let client = cluster.client(index);
    let hash = client.hash(height).expect("a database in memory").expect("a final block");
    let body = client.block_body(hash).expect("a database in memory").expect("its body");
    let calls = body.iter().filter_map(|extrinsic| {
        let encoded = extrinsic.encode();
        match UncheckedExtrinsic::decode(&mut &encoded[..]).expect("of our runtime").function {
            RuntimeCall::Participation(pallet_participation::Call::note {
                round, signers, ..
            }) => Some((round, signers)),
            _ => None,
        }
    });
    let calls: Vec<_> = calls.collect();
    assert_eq!(calls.len(), 1, "each block has it once");
    calls[0]
}

fn participation(cluster: &Cluster, memories: &Memories) {
    let all: Vec<usize> = (0..cluster.len()).collect();
    let top = cluster.top(&all);
    let Some(ahead) = all.into_iter().find(|index| cluster.height(*index) == top) else { return };
    for height in 2..=top {
        let (round, signers) = noted(cluster, ahead, height);
        let parent = height - 1;
        let hash = cluster.header(ahead, parent).expect("a final block").hash();
        let Set { id: set_id, keys } = cluster.set_at(parent);
        let at = Instance { height: Height(parent), set_id };
        assert!(signers.fits(keys.len()), "block {height} names strangers: {signers:?}");
        for (signer, key) in keys.iter().enumerate().filter(|(at, _)| signers.contains(*at)) {
            let Some(memory) = memories.get(key) else { continue };
            let logged = memory.votes_at(at).any(|signed| {
                let vote = signed.vote();
                vote.kind == VoteKind::Precommit
                    && vote.voter.0 as usize == signer
                    && vote.round.0 == round
                    && vote.block.is_some_and(|block| block.0 == hash.0)
            });
            assert!(logged, "block {height} names {signer}, which has not signed {parent}");
        }
    }
}

/// Votes that a node sent of its own.
pub fn own_votes(cluster: &Cluster, index: usize) -> Vec<SignedVote> {
    let votes = cluster.net.sent(index).into_iter().filter_map(|message| match message {
        Message::Votes(VotesMessage::Vote(vote)) => Some(vote),
        _ => None,
    });
    votes
        .filter(|signed| cluster.is_own_in(index, signed.instance(), signed.vote().voter.0))
        .collect()
}

/// The highest height that a node has voted at; 0 if it has not voted.
pub fn last_vote(cluster: &Cluster, index: usize) -> u32 {
    own_votes(cluster, index).iter().map(|signed| signed.vote().height.0).max().unwrap_or(0)
}

fn signatures(cluster: &Cluster, index: usize, memories: &Memories) {
    let (mut votes, mut last_sets) = (BTreeMap::new(), BTreeMap::new());
    for signed in own_votes(cluster, index) {
        let (vote, at) = (signed.vote(), signed.instance());
        let set = cluster.set_of(at).expect("its own votes are of a set");
        let key = set.keys[vote.voter.0 as usize];
        let context = SigningContext { genesis: cluster.genesis_hash, set_id: set.id };
        let memory = memories.get(&key);
        assert!(signed.verify(&context, &key), "node {index} sent a bad signature: {vote:?}");
        let first = *votes.entry((at, vote.round, vote.kind)).or_insert(vote);
        assert_eq!(first, vote, "node {index} voted twice");
        let before = last_sets.insert(vote.height, at.set_id).unwrap_or(at.set_id);
        assert!(before <= at.set_id, "node {index} votes for a set that it has left: {vote:?}");
        if let Some(memory) = memory {
            let logged = memory.votes_at(at).any(|known| *known == signed);
            assert!(logged, "node {index} sent {vote:?}, which is not in its log");
        }
    }
    let mut proposals = BTreeMap::new();
    for message in cluster.net.sent(index) {
        let Message::Proposals(ProposalsMessage::Proposal(signed, ..)) = message else { continue };
        let (proposal, at) = (signed.proposal(), signed.instance());
        if !cluster.is_own_in(index, at, proposal.proposer.0) {
            continue;
        }
        let set = cluster.set_of(at).expect("its own proposals are of a set");
        let key = set.keys[proposal.proposer.0 as usize];
        let memory = memories.get(&key);
        let first = *proposals.entry((at, proposal.round)).or_insert(proposal);
        assert_eq!(first, proposal, "node {index} proposed twice");
        if let Some(memory) = memory {
            let logged = memory.proposals_at(at).any(|known| *known == signed);
            assert!(logged, "node {index} sent {proposal:?}, which is not in its log");
        }
    }
}
