//! From the crime to the record: double signs end on chain, two certificates of a
//! height are kept.

use crate::support::{
    checks::certificate,
    cluster::Cluster,
    net::Message,
    puppets::{Precommit, Prevote, Puppets},
    until,
};
use cascoin_bft::{BlockId, Proposal, SequencerIndex, Vote};
use cascoin_consensus::{
    announce::CertifiedAnnounceValidator,
    header::{block_id, SealedHeader},
    wire::{
        CertifiedBlock, ProposalsMessage, SignedProposal, SignedVote, SigningContext, VotesMessage,
    },
};
use cascoin_l2_primitives::{
    chain::OpaqueBlock,
    consensus::{Certificate, GrandpaRound, MessageKind, CERTIFICATE_ENGINE_ID},
};
use codec::Encode;
use finality_grandpa::SignedPrecommit;
use sc_consensus::{BlockImport, BlockImportParams, ForkChoiceStrategy};
use sp_consensus::{
    block_validation::{BlockAnnounceValidator, Validation},
    BlockOrigin,
};
use sp_consensus_grandpa::{AuthorityId, AuthoritySignature};
use sp_core::Pair;
use sp_runtime::{traits::Block as _, Justifications};

const LIAR: usize = 3;
const HONEST: [usize; 3] = [0, 1, 2];

/// Node 3 says to everybody what it means, and something else besides, also as a
/// leader.
fn lying(votes: bool) -> Cluster {
    let mut cluster = Cluster::new(4);
    cluster.liars.push(LIAR);
    let context = SigningContext { genesis: cluster.genesis_hash, set_id: 0 };
    let key = cluster.keys[LIAR];
    let lie = move |message: &Message| match message {
        Message::Votes(VotesMessage::Vote(signed)) if votes => {
            let vote = signed.vote();
            let block = vote.block.is_none().then_some(BlockId([9; 32]));
            let other = Vote { block, ..vote };
            let signature = key.sign(&SignedVote::payload(&other, &context));
            let lie = SignedVote::new(&other, &context, signature);
            (vote.voter.0 as usize == LIAR).then(|| Message::Votes(VotesMessage::Vote(lie)))
        }
        Message::Proposals(ProposalsMessage::Proposal(signed, _, _)) if !votes => {
            let proposal = signed.proposal();
            let other = Proposal { block: BlockId([9; 32]), ..proposal };
            let signature = key.sign(&SignedProposal::payload(&other, &context));
            let lie = SignedProposal::new(&other, &context, signature);
            let lie = Message::Proposals(ProposalsMessage::Proposal(lie, None, Vec::new()));
            (proposal.proposer.0 as usize == LIAR).then_some(lie)
        }
        _ => None,
    };
    cluster.net.rewrite(LIAR, move |_, message| {
        let lie = lie(&message);
        std::iter::once(message).chain(lie).collect()
    });
    cluster
}

/// Waits until the liar's offence stands in the final chain of all honest nodes and
/// nobody has anything left to report.
async fn recorded(cluster: &Cluster) {
    let done = |index: &usize| {
        !cluster.double_signs(*index).is_empty() && cluster.evidence(*index).pending().is_empty()
    };
    until("all have it on chain", || HONEST.iter().all(done)).await;
    let records = cluster.double_signs(HONEST[0]);
    assert_eq!(records.len(), 1, "one offence of a sequencer and set: {records:?}");
    assert_eq!(records[0].key, cluster.keys[LIAR].public());
    assert_eq!(records[0].offender, crate::support::chain::account(&cluster.keys[LIAR]));
    for index in HONEST {
        assert_eq!(cluster.double_signs(index), records);
        // R30.4: with the block on which it stands the liar has led its last round.
        let leaders = cluster.schedule(index).leaders;
        assert!(!leaders.as_slice().contains(&SequencerIndex(LIAR as u16)), "{leaders:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_equivocating_voter_ends_on_chain() {
    let mut cluster = lying(true);
    cluster.start_all();
    recorded(&cluster).await;
    assert_ne!(cluster.double_signs(0)[0].kind, MessageKind::Proposal);
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_equivocating_leader_ends_on_chain() {
    let mut cluster = lying(false);
    cluster.start_all();
    recorded(&cluster).await;
    assert_eq!(cluster.double_signs(0)[0].kind, MessageKind::Proposal);
    cluster.finish().await;
}

/// All nodes stop between finding and reporting; the liar says nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_survives_a_restart_before_it_is_reported() {
    let mut cluster = lying(true);
    cluster.reporting = false;
    cluster.start_all();
    let found = |index: &usize| !cluster.evidence(*index).pending().is_empty();
    until("all find it", || HONEST.iter().all(found)).await;
    for index in 0..4 {
        cluster.crash(index).await;
    }
    assert!(HONEST.iter().all(|index| cluster.double_signs(*index).is_empty()));
    cluster.reporting = true;
    HONEST.iter().for_each(|index| cluster.start(*index));
    recorded(&cluster).await;
    cluster.finish().await;
}

/// A second process with one key is often a little late: its votes come when the
/// height is decided.
#[tokio::test(flavor = "multi_thread")]
async fn a_contradiction_after_the_heights_end_is_found() {
    let (cluster, puppets, block) = decided().await;
    let [one, two, _] = puppets.all();
    let engine = puppets.engine;
    let evidence = cluster.evidence(engine);
    puppets.cast(one, Precommit, 0, Some(block_id(&block)));
    puppets.cast(two, Prevote, 0, Some(BlockId([8; 32])));
    until("it finds the late vote", || !evidence.pending().is_empty()).await;
    let pending = evidence.pending();
    assert_eq!(pending.len(), 1, "who said the same again did nothing: {pending:?}");
    assert_eq!((pending[0].height, pending[0].kind()), (1, MessageKind::Prevote));
    assert_eq!(pending[0].key, cluster.keys[two].public());
    assert!(cluster.metrics(engine).equivocations.get() > 0);
    cluster.finish().await;
}

/// The puppets certify another block as well: whichever way it comes, both
/// certificates are kept, also over a restart, and who signed both is known.
#[tokio::test(flavor = "multi_thread")]
async fn two_certificates_of_a_height_are_kept_whichever_way_the_second_comes() {
    for way in [Way::Mesh, Way::Sync, Way::Announcement] {
        let (mut cluster, puppets, block) = decided().await;
        let engine = puppets.engine;
        let other = puppets.block(&cluster, 0, 7).await;
        assert_ne!(block_id(&other), block_id(&block));
        let forged = certify(&cluster, &other, 0, &puppets.all()[..2]);
        bring(&cluster, engine, way, &other, &forged).await;
        assert!(cluster.evidence(engine).conflicts().is_empty(), "{way:?}: two are no quorum");

        let second = certify(&cluster, &other, 0, &puppets.all());
        bring(&cluster, engine, way, &other, &second).await;
        until("it is kept", || cluster.evidence(engine).has_conflict(1)).await;
        let ours = certificate(&cluster, engine, 1);
        let conflicts = cluster.evidence(engine).conflicts();
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].final_block, block.hash());
        assert_eq!(conflicts[0].final_certificate.as_ref(), Some(&ours));
        assert_eq!(conflicts[0].other_block, other.hash());
        assert_eq!(conflicts[0].other_certificate, second);
        let both = conflicts[0].signers_of_both();
        assert!(both.len() >= 2, "{both:?}");
        let mut proven: Vec<_> =
            cluster.evidence(engine).pending().iter().map(|proof| proof.key).collect();
        proven.sort();
        assert_eq!(proven, both, "who signed both in one round signed twice");

        cluster.crash(engine).await;
        cluster.start(engine);
        assert_eq!(cluster.evidence(engine).conflicts(), conflicts, "after a restart");
        assert_eq!(cluster.client_block(engine, 1), Some(block.hash()), "what is final stays");
        cluster.finish().await;
    }
}

/// Certificates of two rounds prove that the sequencers are faulty, and of nobody
/// that it signed twice.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_two_rounds_are_kept_and_blame_nobody_alone() {
    let (cluster, puppets, _) = decided().await;
    let engine = puppets.engine;
    let other = puppets.block(&cluster, 1, 7).await;
    let second = certify(&cluster, &other, 1, &puppets.all());
    bring(&cluster, engine, Way::Mesh, &other, &second).await;
    until("it is kept", || cluster.evidence(engine).has_conflict(1)).await;
    assert!(cluster.evidence(engine).double_signs().is_empty());
    cluster.finish().await;
}

/// Only a certificate that no later knowledge makes good costs its sender the
/// connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_must_be_wrong_costs_the_connection() {
    let (cluster, puppets, block) = decided().await;
    let mut validator = CertifiedAnnounceValidator::new(cluster.import(puppets.engine).watch());
    let good = certify(&cluster, &block, 0, &puppets.all());
    let rival = puppets.block(&cluster, 0, 7).await;
    let rivals = certify(&cluster, &rival, 0, &puppets.all()[..2]);
    let few = certify(&cluster, &block, 0, &puppets.all()[..2]);
    let mut unsorted = good.clone();
    unsorted.commit.precommits.reverse();
    // Of a height that is not decided: whose signatures it needs is not known.
    let mut later = block.header().clone();
    later.number = 9;
    let mut of_later = good.clone();
    of_later.round = GrandpaRound { epoch: 0, height: 9, round: 0 }.into();
    of_later.commit.target_hash = later.hash();
    of_later.commit.target_number = 9;
    for signed in &mut of_later.commit.precommits {
        signed.precommit.target_hash = later.hash();
        signed.precommit.target_number = 9;
    }
    let mut of_later_unsorted = of_later.clone();
    of_later_unsorted.commit.precommits.reverse();
    let cases = [
        (block.header(), &good, "best"),
        (block.header(), &few, "out"),
        (block.header(), &rivals, "out"),
        (rival.header(), &rivals, "nothing"),
        (rival.header(), &good, "out"),
        (block.header(), &unsorted, "out"),
        (&later, &of_later, "nothing"),
        (&later, &of_later_unsorted, "out"),
        (&later, &good, "out"),
    ];
    for (index, (header, certificate, expected)) in cases.into_iter().enumerate() {
        let judged = validator.validate(header, &certificate.encode()).await;
        let judged = match judged.expect("it judges") {
            Validation::Success { is_new_best: true } => "best",
            Validation::Success { is_new_best: false } => "nothing",
            Validation::Failure { disconnect: true } => "out",
            Validation::Failure { disconnect: false } => "failure",
        };
        assert_eq!(judged, expected, "case {index}");
    }
    cluster.finish().await;
}

/// One engine that decided height 1 with the puppets, and the block.
async fn decided() -> (Cluster, Puppets, OpaqueBlock) {
    let mut cluster = Cluster::with(4, |parameters| parameters.propose_timeout_ms = 60_000);
    let puppets = Puppets::join(&cluster);
    cluster.liars.extend(puppets.all());
    cluster.start(puppets.engine);
    until("the engine sequences", || cluster.status(puppets.engine).sequencing).await;
    let block = puppets.block(&cluster, 0, 0).await;
    puppets.propose(0, &block, Some(&block));
    let id = Some(block_id(&block));
    for voter in puppets.all() {
        puppets.cast(voter, Prevote, 0, id);
        puppets.cast(voter, Precommit, 0, id);
    }
    cluster.reach(&[puppets.engine], 1).await;
    until("the next height began", || cluster.status(puppets.engine).height == 2).await;
    (cluster, puppets, block)
}

/// A certificate of height 1 by some.
fn certify(cluster: &Cluster, block: &OpaqueBlock, round: u16, signers: &[usize]) -> Certificate {
    let at = GrandpaRound { epoch: 0, height: 1, round };
    let target_hash = block.hash();
    let payload = cascoin_l2_primitives::consensus::precommit_payload(target_hash, 1, at, 0);
    let precommit = sp_consensus_grandpa::Precommit::<cascoin_l2_primitives::chain::Header> {
        target_hash,
        target_number: 1,
    };
    let mut precommits: Vec<SignedPrecommit<_, _, AuthoritySignature, AuthorityId>> = signers
        .iter()
        .map(|signer| SignedPrecommit {
            precommit: precommit.clone(),
            signature: cluster.keys[*signer].sign(&payload).into(),
            id: cluster.keys[*signer].public().into(),
        })
        .collect();
    precommits.sort_by(|one, other| one.id.cmp(&other.id));
    let commit = sp_consensus_grandpa::Commit::<cascoin_l2_primitives::chain::Header> {
        target_hash,
        target_number: 1,
        precommits,
    };
    Certificate { round: at.into(), commit, votes_ancestries: Vec::new() }
}

/// How a block with its certificate comes to a node.
#[derive(Clone, Copy, Debug)]
enum Way {
    Mesh,
    Sync,
    Announcement,
}

async fn bring(
    cluster: &Cluster,
    node: usize,
    way: Way,
    block: &OpaqueBlock,
    certificate: &Certificate,
) {
    let import = cluster.import(node);
    match way {
        Way::Mesh => {
            let certified =
                CertifiedBlock { block: block.clone(), certificate: certificate.clone() };
            let message = Message::Proposals(ProposalsMessage::Certified(vec![certified]));
            let from = (node + 1) % cluster.len();
            cluster.net.inject(from, node, message);
        }
        Way::Sync => {
            // As the verifier hands it on.
            let (header, body) = block.clone().deconstruct();
            let sealed = SealedHeader::parse(&header).expect("a sealed header");
            let mut params = BlockImportParams::new(BlockOrigin::NetworkBroadcast, sealed.unsealed);
            params.post_digests.push(sealed.seal);
            params.post_hash = Some(header.hash());
            params.body = Some(body);
            params.fork_choice = Some(ForkChoiceStrategy::Custom(false));
            params.justifications =
                Some(Justifications::from((CERTIFICATE_ENGINE_ID, certificate.encode())));
            assert!(import.import_block(params).await.is_err(), "a block beside a final one");
        }
        Way::Announcement => {
            let mut validator = CertifiedAnnounceValidator::new(import.watch());
            let judged = validator.validate(block.header(), &certificate.encode()).await;
            let judged = judged.expect("it judges");
            assert!(!matches!(judged, Validation::Success { is_new_best: true }), "{judged:?}");
        }
    }
}
