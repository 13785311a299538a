//! One engine, led through a height message by message by Byzantine sequencers.

use crate::support::{
    cluster::Cluster,
    logger,
    puppets::{Precommit, Prevote, Puppets},
    until,
};
use cascoin_bft::BlockId;
use cascoin_consensus::header::block_id;
use cascoin_l2_primitives::chain::OpaqueBlock;
use sp_core::H256;
use sp_runtime::OpaqueExtrinsic;
use std::time::{Duration, Instant};

/// A network of four with one engine; rounds end only as the script says.
fn scene() -> (Cluster, Puppets) {
    let mut cluster = Cluster::with(4, |parameters| parameters.propose_timeout_ms = 60_000);
    let puppets = Puppets::join(&cluster);
    cluster.start(puppets.engine);
    (cluster, puppets)
}

async fn began(cluster: &Cluster, puppets: &Puppets) {
    until("the engine sequences", || cluster.status(puppets.engine).sequencing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_votes_for_a_good_block_and_decides_with_three() {
    let (cluster, puppets) = scene();
    began(&cluster, &puppets).await;
    let [one, two, _] = puppets.all();
    let block = puppets.block(&cluster, 0, 0).await;
    let id = Some(block_id(&block));
    puppets.propose(0, &block, Some(&block));
    until("it prevotes", || puppets.voted(Prevote, 0, id)).await;
    puppets.cast(one, Prevote, 0, id);
    puppets.cast(two, Prevote, 0, id);
    until("it precommits", || puppets.voted(Precommit, 0, id)).await;
    puppets.cast(one, Precommit, 0, id);
    puppets.cast(two, Precommit, 0, id);
    cluster.reach(&[puppets.engine], 1).await;
    cluster.finish().await;
}

/// The header, and with it the block's id, says nothing of a body that does not
/// belong to it: a wrong body must not be held against the block.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_body_does_not_condemn_its_block() {
    let (cluster, puppets) = scene();
    began(&cluster, &puppets).await;
    let [one, two, three] = puppets.all();
    let block = puppets.block(&cluster, 0, 0).await;
    let id = Some(block_id(&block));
    let mut wrong = block.clone();
    wrong.extrinsics.push(OpaqueExtrinsic::from_blob(vec![1, 2, 3]));
    assert_eq!(block_id(&wrong), block_id(&block));
    // First the leader lies, then who is asked.
    puppets.have(&block, vec![wrong.clone(), block.clone()]);
    puppets.propose(0, &block, Some(&wrong));
    for voter in [one, two, three] {
        puppets.cast(voter, Prevote, 0, id);
        puppets.cast(voter, Precommit, 0, id);
    }
    cluster.reach(&[puppets.engine], 1).await;
    cluster.finish().await;
}

/// A leader that signs many proposals must not use up the room for bodies.
#[tokio::test(flavor = "multi_thread")]
async fn many_proposals_of_one_leader_leave_room_for_the_next() {
    let (cluster, puppets) = scene();
    began(&cluster, &puppets).await;
    let [one, two, three] = puppets.all();
    for salt in 0..20 {
        let block = puppets.block(&cluster, 0, salt).await;
        puppets.propose(0, &block, Some(&block));
    }
    until("it is counted", || cluster.metrics(puppets.engine).equivocations.get() > 0).await;
    // Two in round 1 take the engine along.
    puppets.cast(one, Prevote, 1, None);
    puppets.cast(three, Precommit, 1, None);
    let block = puppets.block(&cluster, 1, 30).await;
    let id = Some(block_id(&block));
    puppets.have(&block, vec![block.clone()]);
    puppets.propose(1, &block, Some(&block));
    until("it prevotes", || puppets.voted(Prevote, 1, id)).await;
    for voter in [two, three] {
        puppets.cast(voter, Prevote, 1, id);
    }
    until("it precommits", || puppets.voted(Precommit, 1, id)).await;
    puppets.cast(one, Precommit, 1, id);
    puppets.cast(two, Precommit, 1, id);
    cluster.reach(&[puppets.engine], 1).await;
    cluster.finish().await;
}

/// However many rounds a height takes, the last one can still be decided.
#[tokio::test(flavor = "multi_thread")]
async fn a_height_of_many_rounds_is_decided() {
    let (cluster, puppets) = scene();
    began(&cluster, &puppets).await;
    let [one, two, three] = puppets.all();
    let last = 28;
    for round in 0..=last {
        // Two in the round take the engine along.
        puppets.cast(one, Precommit, round, None);
        puppets.cast(two, Precommit, round, None);
        if puppets.leader(round) == puppets.engine || round == last {
            continue;
        }
        let block = puppets.block(&cluster, round, u64::from(round)).await;
        puppets.propose(round, &block, Some(&block));
        let id = Some(block_id(&block));
        until("it prevotes", || puppets.voted(Prevote, round, id)).await;
    }
    let block = puppets.block(&cluster, last, u64::from(last)).await;
    let id = Some(block_id(&block));
    puppets.have(&block, vec![block.clone()]);
    puppets.propose(last, &block, Some(&block));
    until("it prevotes", || puppets.voted(Prevote, last, id)).await;
    puppets.cast(two, Prevote, last, id);
    puppets.cast(three, Prevote, last, id);
    until("it precommits", || puppets.voted(Precommit, last, id)).await;
    for voter in [one, two, three] {
        puppets.cast(voter, Precommit, last, id);
    }
    cluster.reach(&[puppets.engine], 1).await;
    cluster.finish().await;
}

/// A late quorum for a block of an old round still decides, also when its body
/// had to make room meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_rounds_block_is_decided_late() {
    let (cluster, puppets) = scene();
    began(&cluster, &puppets).await;
    let [one, two, three] = puppets.all();
    let old = puppets.block(&cluster, 0, 0).await;
    let id = Some(block_id(&old));
    puppets.propose(0, &old, Some(&old));
    until("it prevotes", || puppets.voted(Prevote, 0, id)).await;
    for round in 1..=27 {
        puppets.cast(two, Prevote, round, None);
        puppets.cast(three, Prevote, round, None);
        if puppets.leader(round) != puppets.engine {
            let block = puppets.block(&cluster, round, u64::from(round)).await;
            puppets.propose(round, &block, Some(&block));
            until("it prevotes", || puppets.voted(Prevote, round, Some(block_id(&block)))).await;
        }
    }
    puppets.have(&old, vec![old.clone()]);
    for voter in [one, two, three] {
        puppets.cast(voter, Precommit, 0, id);
    }
    cluster.reach(&[puppets.engine], 1).await;
    cluster.finish().await;
}

/// All votes that the core counts must be there for the certificate, also the
/// fifth story of an equivocator, for a block whose body came late.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_has_every_vote_that_was_counted() {
    let (cluster, puppets) = scene();
    began(&cluster, &puppets).await;
    let [one, two, liar] = puppets.all();
    let block = puppets.block(&cluster, 0, 0).await;
    let id = Some(block_id(&block));
    for lie in 1..=4 {
        puppets.cast(liar, Precommit, 0, Some(BlockId([lie; 32])));
    }
    puppets.cast(one, Precommit, 0, id);
    puppets.cast(two, Precommit, 0, id);
    puppets.cast(liar, Precommit, 0, id);
    until("it asks for the block", || cluster.net.fetches(puppets.engine) > 0).await;
    puppets.have(&block, vec![block.clone()]);
    cluster.reach(&[puppets.engine], 1).await;
    cluster.finish().await;
}

/// An invalid block costs its round and nothing else: it is said, counted, and
/// voted nil for at once, long before the time to propose is over, and the next
/// leader's block is decided.
#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_block_is_voted_nil_at_once_and_the_round_moves_on() {
    type Damage = fn(&mut OpaqueBlock);
    let damages: [(&str, Damage); 2] = [
        ("height 1: execution", |block| block.header.state_root = H256::repeat_byte(1)),
        ("height 1: ", |block| block.header.digest.logs.truncate(1)),
    ];
    for (reason, damage) in damages {
        let (cluster, puppets) = scene();
        began(&cluster, &puppets).await;
        let begin = Instant::now();
        let [one, two, three] = puppets.all();
        let bad = puppets.block(&cluster, 0, 0).await;
        let bad = puppets.reseal(0, &bad, damage);
        puppets.propose(0, &bad, Some(&bad));
        until("it prevotes nil", || puppets.voted(Prevote, 0, None)).await;
        assert!(begin.elapsed() < Duration::from_secs(30), "only when the time was over");
        assert_eq!(cluster.metrics(puppets.engine).invalid_blocks.get(), 1, "{reason}");
        assert!(logger::said("l2::bft", &["SEQ_INVALID_BLOCK", reason]), "{reason}");

        for voter in [one, two] {
            puppets.cast(voter, Prevote, 0, None);
        }
        until("it precommits nil", || puppets.voted(Precommit, 0, None)).await;
        for voter in [one, two] {
            puppets.cast(voter, Precommit, 0, None);
        }
        until("the next round", || cluster.status(puppets.engine).round == 1).await;
        let good = puppets.block(&cluster, 1, 1).await;
        let id = Some(block_id(&good));
        puppets.propose(1, &good, Some(&good));
        for voter in [one, two, three] {
            puppets.cast(voter, Prevote, 1, id);
            puppets.cast(voter, Precommit, 1, id);
        }
        cluster.reach(&[puppets.engine], 1).await;
        assert!(!puppets.voted(Prevote, 0, Some(block_id(&bad))), "{reason}");
        cluster.finish().await;
    }
}
