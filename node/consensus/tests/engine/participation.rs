//! Who signs and who leads is counted on chain, the same on all nodes.

use crate::support::{
    chain::{Author, Reports},
    checks::{certificate, noted},
    cluster::Cluster,
    net::Message,
    until,
};
use cascoin_bft::{BlockId, Height, Proposal, Round, SequencerIndex, Vote, VoteKind};
use cascoin_consensus::{
    executor::{self, Assignment},
    header::{block_id, next_slot, slot},
    parent_commit::ParentCommit,
    schedule::Schedule,
    wire::{ProposalsMessage, SignedProposal, SignedVote, SigningContext},
    KeySource, LocalKeys,
};
use cascoin_l2_primitives::{
    apis::{ParticipationApi, SequencerParticipation},
    consensus::LeaderDigest,
    sequencers::ParticipationData,
};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::Pair;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a node's chain says after a height.
fn counted(cluster: &Cluster, index: usize, height: u32) -> Vec<SequencerParticipation> {
    let client = cluster.client(index);
    let hash = client.hash(height).expect("a database in memory").expect("a final block");
    client.runtime_api().participation(hash).expect("the runtime says it")
}

/// Those who vote are counted as such, who does not is not, and everybody says so.
/// With its return it is counted again.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_sequencer_is_counted_missed_on_all_nodes() {
    let mut cluster = Cluster::new(4);
    let silent = cluster.schedule(0).leaders.leader(Round(0)).0 as usize;
    let rest: Vec<usize> = (0..4).filter(|index| *index != silent).collect();
    rest.iter().for_each(|index| cluster.start(*index));
    cluster.reach(&rest, 12).await;
    let first = counted(&cluster, rest[0], 12);
    for index in &rest {
        assert_eq!(counted(&cluster, *index, 12), first, "node {index}");
    }
    for (index, one) in first.iter().enumerate() {
        // Three of four are a quorum only together, so each of them signed all.
        let votes = if index == silent { [0, 11] } else { [11, 0] };
        assert_eq!([one.votes, one.missed_votes], votes, "sequencer {index}");
        assert_eq!(one.uptime_permille, if index == silent { 0 } else { 1_000 });
    }
    assert!(first[silent].missed_proposals > 0, "it led the first round");
    assert_eq!(first[silent].produced, 0);
    assert_eq!(first.iter().map(|one| one.produced).sum::<u64>(), 12);

    cluster.start(silent);
    until("its votes are counted again", || {
        let height = cluster.height(silent);
        height > 0 && counted(&cluster, silent, height)[silent].votes > 3
    })
    .await;
    let height = cluster.height(silent);
    let back = counted(&cluster, silent, height).remove(silent);
    assert!(back.uptime_permille > 0);
    assert_eq!(back.votes + back.missed_votes, u64::from(height - 1));
    cluster.finish().await;
}

/// A leader after a restart names the signers by the certificate in its database.
#[tokio::test(flavor = "multi_thread")]
async fn the_count_goes_on_when_all_come_back() {
    let mut cluster = Cluster::running(4);
    let all = [0, 1, 2, 3];
    for _ in 0..2 {
        cluster.reach(&all, cluster.top(&all) + 2).await;
        for index in all {
            cluster.crash(index).await;
        }
        cluster.start_all();
    }
    let reached = cluster.top(&all) + 2;
    cluster.reach(&all, reached).await;
    for one in counted(&cluster, 0, reached) {
        assert_eq!(one.votes + one.missed_votes, u64::from(reached - 1));
    }
    cluster.finish().await;
}

/// Sends nothing and claims to have signed: nobody votes for its block.
#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_nobody_has_heard_is_not_believed() {
    let outcome = the_fourth_leads_and(Claims::ToHaveSigned).await;
    assert!(!outcome.decided, "its block was decided");
    assert!(outcome.round > 0, "the round moved on");
}

/// The same with its signature, which nobody had before: the leader's proof is
/// enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_only_the_leader_has_goes_along_with_its_block() {
    let outcome = the_fourth_leads_and(Claims::ToHaveSignedAndHas).await;
    assert!(outcome.decided, "its block was not decided");
    assert_eq!(outcome.round, 0);
}

/// A leader leads again after all others, so its header alone would let it say so, and
/// have everybody counted as a leader who failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_names_a_later_round_than_it_was_proposed_in_gets_no_votes() {
    let outcome = the_fourth_leads_and(Claims::RoundsThatNeverWere).await;
    assert!(!outcome.decided, "its block was decided");
    assert!(outcome.round > 0, "the round moved on");
}

/// What a leader says of its round and of the block below.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claims {
    /// That it has signed that, which nobody has heard.
    ToHaveSigned,
    /// The same, with its signature.
    ToHaveSignedAndHas,
    /// That as many rounds failed as there are sequencers.
    RoundsThatNeverWere,
}

struct Outcome {
    decided: bool,
    round: u16,
}

/// Three engines, which have signed the block below, and a fourth sequencer that the
/// test speaks for. When it leads, in round 0, it proposes a block.
async fn the_fourth_leads_and(claims: Claims) -> Outcome {
    // Long enough for the test to speak before the round is given up.
    let mut cluster = Cluster::with(4, |parameters| {
        parameters.propose_timeout_ms = 5_000;
        parameters.blocks_per_leader = 2;
        parameters.session_blocks = 60;
    });
    let order = cluster.schedule(0).leaders;
    // Not the first leader: genesis has no signers.
    let fourth = order.leader(Round(3)).0 as usize;
    let engines: Vec<usize> = (0..4).filter(|index| *index != fourth).collect();
    let _ear = cluster.net.join(fourth);
    engines.iter().for_each(|index| cluster.start(*index));
    let leads = |cluster: &Cluster| {
        let height = cluster.top(&engines);
        height > 0
            && engines.iter().all(|index| cluster.height(*index) == height)
            && cluster.schedule(engines[0]).leaders.leader(Round(0)).0 as usize == fourth
    };
    until("the fourth leads", || leads(&cluster)).await;
    let schedule = cluster.schedule(engines[0]);
    let (height, parent) = (schedule.height.0, schedule.height.0 - 1);
    let context = SigningContext { genesis: cluster.genesis_hash, set_id: 0 };

    let known = certificate(&cluster, engines[0], parent);
    let sets = cluster.stored_sets(engines[0]);
    let mut commit =
        ParentCommit::new(&schedule.parent, cluster.genesis_hash, sets.read().at(parent));
    commit.add_certificate(&known);
    let mut participation = ParticipationData { commits: commit.commits(), ..Default::default() };
    assert_eq!(participation.best().signers.count(), 3);
    let claimed_round = if claims == Claims::RoundsThatNeverWere { 4 } else { 0 };
    if claims == Claims::RoundsThatNeverWere {
        participation.failed_leaders = schedule.failed_leaders(Round(claimed_round));
        assert_eq!(schedule.leaders.leader(Round(claimed_round)).0 as usize, fourth);
        assert_eq!(participation.failed_leaders.count(), 4);
    } else {
        participation.commits[0].signers = participation.best().signers.with(fourth as u16);
    }
    let round = participation.best().round;
    let mut proof = commit.proof();
    if claims == Claims::ToHaveSignedAndHas {
        let vote = Vote {
            kind: VoteKind::Precommit,
            height: Height(parent),
            round: Round(round),
            block: Some(BlockId(schedule.parent.hash().0)),
            voter: SequencerIndex(fourth as u16),
        };
        let signature = cluster.keys[fourth].sign(&SignedVote::payload(&vote, &context));
        proof.push(SignedVote::new(&vote, &context, signature));
    }

    let said = (claimed_round, participation);
    let block = build(&cluster, fourth, engines[0], &schedule, said).await;
    let proposal = Proposal {
        height: schedule.height,
        round: Round(0),
        block: block_id(&block),
        valid_round: None,
        proposer: SequencerIndex(fourth as u16),
    };
    let signature = cluster.keys[fourth].sign(&SignedProposal::payload(&proposal, &context));
    let signed = SignedProposal::new(&proposal, &context, signature);
    let message = ProposalsMessage::Proposal(signed, Some(block.clone()), proof);
    for index in &engines {
        cluster.net.inject(fourth, *index, Message::Proposals(message.clone()));
    }
    cluster.reach(&engines, height).await;
    let header = cluster.header(engines[0], height).expect("a final block");
    let decided = header.hash() == block.header.hash();
    let leader = LeaderDigest::find(header.digest.logs()).expect("a leader");
    let (_, signers) = noted(&cluster, engines[0], height);
    assert_eq!(signers.contains(fourth), decided);
    if !decided {
        let missed = counted(&cluster, engines[0], height).remove(fourth).missed_proposals;
        assert!(missed > 0, "its round failed");
    }
    cluster.finish().await;
    Outcome { decided, round: leader.round }
}

/// A block of `author`, on the chain of another node.
async fn build(
    cluster: &Cluster,
    author: usize,
    node: usize,
    schedule: &Schedule,
    (round, participation): (u16, ParticipationData),
) -> cascoin_l2_primitives::chain::OpaqueBlock {
    let keystore = KeySource::signing_only(cluster.keystore(author));
    let keys = LocalKeys::find(&keystore, &schedule.set, None).expect("its keys");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as u64;
    let parent = slot(&schedule.parent).unwrap_or(0);
    let assignment = Assignment {
        round,
        slot: next_slot(now, parent, keys.index, schedule.set.members.len() as u16),
        participation,
        recovery_step: None,
        max_duration: Duration::from_secs(30),
        block_size_limit: 1024 * 1024,
    };
    let mut environment = Author(cluster.client(node), Reports::default());
    let built = executor::build(&mut environment, schedule, &keys, assignment).await;
    built.expect("a block builds").block
}
