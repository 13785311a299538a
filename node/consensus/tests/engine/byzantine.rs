//! Sequencers and strangers that lie, among engines that do not.

use crate::support::{
    cluster::Cluster,
    net::{copies, Message},
    puppets::{Precommit, Prevote, Puppets},
    until,
};
use cascoin_bft::{Height, Round, SequencerIndex, Vote, VoteKind};
use cascoin_consensus::wire::{
    CertifiedBlock, ProposalsMessage, SignedVote, SigningContext, VotesMessage,
};
use cascoin_l2_primitives::consensus::LeaderDigest;
use sp_core::{ed25519, Pair, H256};
use std::time::Duration;

/// One sequencer tells half of the network something else, and everybody both.
#[tokio::test(flavor = "multi_thread")]
async fn an_equivocator_neither_splits_nor_stalls() {
    let mut cluster = Cluster::new(4);
    let context = SigningContext { genesis: cluster.genesis_hash, set_id: 0 };
    let liar = 3;
    cluster.liars.push(liar);
    let key = cluster.keys[liar];
    cluster.net.rewrite(liar, move |to, message| {
        let Message::Votes(VotesMessage::Vote(signed)) = &message else { return vec![message] };
        let vote = signed.vote();
        if vote.voter.0 as usize != liar {
            return vec![message];
        }
        let other =
            Vote { block: vote.block.is_none().then_some(cascoin_bft::BlockId([9; 32])), ..vote };
        let signature = key.sign(&SignedVote::payload(&other, &context));
        let lie = SignedVote::new(&other, &context, signature);
        let lie = Message::Votes(VotesMessage::Vote(lie));
        if to % 2 == 0 {
            vec![message, lie]
        } else {
            vec![lie, message]
        }
    });
    cluster.start_all();
    let honest = [0, 1, 2];
    cluster.reach(&honest, 8).await;
    let counted = |index: &usize| cluster.metrics(*index).equivocations.get() > 0;
    until("all count it", || honest.iter().all(counted)).await;
    cluster.finish().await;
}

/// A leader proposes a block that does not lead to the state it says.
#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_block_is_refused_and_the_next_round_decides() {
    // The round is not to end before all have judged the block.
    let mut cluster = Cluster::with(4, |parameters| parameters.propose_timeout_ms = 20_000);
    let puppets = Puppets::join(&cluster);
    let liar = puppets.leader(0);
    let block = puppets.block(&cluster, 0, 0).await;
    let block = puppets.reseal(0, &block, |block| block.header.state_root = H256::repeat_byte(1));
    let proposal = ProposalsMessage::Proposal(puppets.proposal(0, &block), Some(block), vec![]);
    let honest = all_but(&mut cluster, &puppets, liar);
    for index in &honest {
        cluster.net.inject(liar, *index, Message::Proposals(proposal.clone()));
    }
    cluster.reach(&honest, 2).await;
    for index in &honest {
        assert!(cluster.metrics(*index).invalid_blocks.get() > 0, "node {index} counted nothing");
        let nil = |message: &Message| match message {
            Message::Votes(VotesMessage::Vote(signed)) => {
                let vote = signed.vote();
                let (kind, height, round) = (vote.kind, vote.height, vote.round);
                (kind, height, round) == (Prevote, Height(1), Round(0)) && vote.block.is_none()
            }
            _ => false,
        };
        assert!(copies(&cluster.net.sent(*index), nil) > 0, "node {index} did not prevote nil");
    }
    let header = cluster.header(honest[0], 1).unwrap();
    assert!(LeaderDigest::find(header.digest.logs()).unwrap().round > 0);
    cluster.finish().await;
}

/// Everything that decodes and is wrong, in masses, from a sequencer whose key
/// the test holds and from a stranger.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_floods_do_no_harm() {
    let mut cluster = Cluster::new(4);
    let puppets = Puppets::join(&cluster);
    let liar = puppets.leader(1);
    let honest = all_but(&mut cluster, &puppets, liar);
    let stranger = 4;
    let _ear = cluster.net.join(stranger);
    let fake = ed25519::Signature::from_raw([5; 64]);
    let right = SigningContext { genesis: cluster.genesis_hash, set_id: 0 };
    let key = cluster.keys[liar];
    let sign = move |vote: &Vote, context: &SigningContext| {
        let signature = key.sign(&SignedVote::payload(vote, context));
        VotesMessage::Vote(SignedVote::new(vote, context, signature))
    };
    let body = puppets.block(&cluster, 1, 0).await;
    let mut number: u64 = 0;
    while cluster.top(&honest) < 6 {
        let at = cluster.top(&honest) + 1;
        number += 1;
        let block = Some(cascoin_bft::BlockId(sp_io::hashing::blake2_256(&number.to_le_bytes())));
        let voter = SequencerIndex(liar as u16);
        let vote = |kind: VoteKind, height: u32, round: u16| Vote {
            kind,
            height: Height(height),
            round: Round(round),
            block,
            voter,
        };
        let other_set = SigningContext { set_id: 1, ..right };
        let other_chain = SigningContext { genesis: H256::repeat_byte(1), ..right };
        let now = vote(Precommit, at, 0);
        let mut messages = vec![
            VotesMessage::Vote(SignedVote::new(&now, &right, fake)),
            sign(&now, &other_set),
            sign(&vote(Prevote, at, 0), &other_chain),
            sign(&now, &right),
            sign(&vote(Prevote, at, u16::MAX), &right),
            sign(&vote(Prevote, at + 1, 0), &right),
            sign(&vote(Precommit, at + 1000, 0), &right),
            VotesMessage::Vote(SignedVote::new(
                &Vote { voter: SequencerIndex(u16::MAX), ..now },
                &right,
                fake,
            )),
            VotesMessage::Status { height: u32::MAX, round: u16::MAX },
            VotesMessage::Status { height: 0, round: 0 },
            VotesMessage::Hello { set_id: 0, index: 0, nonce: number, signature: fake },
            VotesMessage::Hello { set_id: 7, index: u16::MAX, nonce: 0, signature: fake },
        ];
        messages.extend((0..20).map(|round| {
            VotesMessage::Vote(SignedVote::new(&vote(Prevote, at + 1, round), &right, fake))
        }));
        let certificate = cascoin_l2_primitives::consensus::Certificate {
            round: 0,
            commit: sp_consensus_grandpa::Commit::<cascoin_l2_primitives::chain::Header> {
                target_hash: H256::zero(),
                target_number: at,
                precommits: Vec::new(),
            },
            votes_ancestries: Vec::new(),
        };
        let certified = CertifiedBlock { block: body.clone(), certificate };
        let proposals = [
            ProposalsMessage::Certified(vec![certified; 20]),
            ProposalsMessage::Certified(Vec::new()),
            ProposalsMessage::Proposal(puppets.proposal(1, &body), None, vec![]),
        ];
        for to in &honest {
            for from in [liar, stranger] {
                for message in &messages {
                    cluster.net.inject(from, *to, Message::Votes(message.clone()));
                }
                for message in &proposals {
                    cluster.net.inject(from, *to, Message::Proposals(message.clone()));
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cluster.reach(&honest, 6).await;
    let unsigned = |message: &Message| matches!(message, Message::Votes(VotesMessage::Vote(vote)) if vote.signature == fake);
    for index in &honest {
        let relayed = copies(&cluster.net.sent(*index), unsigned);
        assert_eq!(relayed, 0, "node {index} passed votes on that nobody signed");
    }
    let nobody_else = |index: &usize| !cluster.status(*index).reachable.contains(&(liar as u16));
    assert!(honest.iter().all(nobody_else), "a greeting without the key was believed");
    cluster.finish().await;
}

/// Votes are relayed while somebody is missing. What a node does not keep it
/// must not relay: else two nodes relay it to each other for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_vote_of_a_far_round_is_not_relayed_round_and_round() {
    // Nobody proposes, so the first height lasts.
    let mut cluster = Cluster::with(4, |parameters| parameters.propose_timeout_ms = 60_000);
    let puppets = Puppets::join(&cluster);
    let liar = puppets.leader(0);
    let honest = all_but(&mut cluster, &puppets, liar);
    until("they know each other", || {
        honest.iter().all(|index| cluster.status(*index).reachable.len() == 3)
    })
    .await;
    let vote = puppets.vote(liar, Prevote, 5000, None);
    let message = VotesMessage::Vote(vote.clone());
    cluster.net.inject(liar, honest[0], Message::Votes(message.clone()));
    // A vote that is kept follows on the same path: when it has been all around,
    // so has the first.
    let kept = puppets.vote(liar, Prevote, 0, None);
    cluster.net.inject(liar, honest[0], Message::Votes(VotesMessage::Vote(kept.clone())));
    let count = |wanted: &SignedVote| -> usize {
        let same = |message: &Message| matches!(message, Message::Votes(VotesMessage::Vote(vote)) if vote == wanted);
        honest.iter().map(|index| copies(&cluster.net.sent(*index), same)).sum()
    };
    until("all relayed the near vote", || count(&kept) >= 6).await;
    assert!(count(&vote) <= 9, "{} copies of one vote", count(&vote));
    cluster.finish().await;
}

/// Starts the engines of all but one, which stays a puppet.
fn all_but(cluster: &mut Cluster, puppets: &Puppets, liar: usize) -> Vec<usize> {
    for index in puppets.all().into_iter().filter(|index| *index != liar) {
        cluster.net.leave(index);
    }
    let honest: Vec<usize> = (0..cluster.len()).filter(|index| *index != liar).collect();
    honest.iter().for_each(|index| cluster.start(*index));
    honest
}
