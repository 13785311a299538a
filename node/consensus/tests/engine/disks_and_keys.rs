//! A disk that fails, and keys that come and go.

use crate::support::{
    checks::last_vote,
    cluster::Cluster,
    puppets::{Precommit, Prevote, Puppets},
    until,
};
use cascoin_bft::Round;
use cascoin_consensus::{
    header::block_id,
    wal::{Record, Wal},
};
use cascoin_l2_primitives::chain::OpaqueBlock;
use sp_core::Pair;
use sp_runtime::{traits::Block, OpaqueExtrinsic};
use std::{fs, path::PathBuf};

/// Nobody has keys at first, so nobody can decide anything without taking them
/// up while the first height lasts.
#[tokio::test(flavor = "multi_thread")]
async fn keys_may_come_after_the_start() {
    let mut cluster = Cluster::new(4);
    let all = [0, 1, 2, 3];
    all.iter().for_each(|index| cluster.take_key(*index));
    cluster.start_all();
    until("all wait for the first block", || {
        all.iter().all(|index| cluster.status(*index).height == 1)
    })
    .await;
    all.iter().for_each(|index| cluster.give_key(*index));
    cluster.reach(&all, 3).await;
    assert!(all.iter().all(|index| cluster.status(*index).sequencing));
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_loses_its_keys_follows_and_votes_again_with_them() {
    let cluster = Cluster::running(4);
    let all = [0, 1, 2, 3];
    cluster.reach(&all, 2).await;
    cluster.take_key(2);
    until("it no longer sequences", || !cluster.status(2).sequencing).await;
    let last = last_vote(&cluster, 2);
    cluster.reach(&all, cluster.top(&all) + 3).await;
    assert_eq!(last_vote(&cluster, 2), last);
    cluster.give_key(2);
    until("it votes again", || last_vote(&cluster, 2) > last).await;
    cluster.finish().await;
}

/// The core counts this node's vote before it is signed. A certificate must not
/// be made of a vote that the signer then refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_vote_that_was_not_signed_is_in_no_certificate() {
    let mut cluster = patient();
    let puppets = Puppets::join(&cluster);
    let engine = puppets.engine;
    cluster.start(engine);
    until("it sequences", || cluster.status(engine).sequencing).await;
    let block = puppets.block(&cluster, 0, 0).await;
    let id = Some(block_id(&block));
    cluster.take_key(engine);
    puppets.propose(0, &block, Some(&block));
    let [one, two, three] = puppets.all();
    for voter in [one, two] {
        puppets.cast(voter, Prevote, 0, id);
        puppets.cast(voter, Precommit, 0, id);
    }
    // It has looked at all of that when it says that nothing moves.
    until("it is stuck", || puppets.complaints() > 3).await;
    assert_eq!(cluster.height(engine), 0, "two of four precommits made a block final");
    puppets.cast(three, Precommit, 0, id);
    cluster.reach(&[engine], 1).await;
    cluster.finish().await;
}

/// Neither a vote that could not be logged nor a certificate with it may leave.
#[tokio::test(flavor = "multi_thread")]
async fn a_vote_that_was_not_logged_does_not_leave() {
    let mut cluster = patient();
    let puppets = Puppets::join(&cluster);
    let engine = puppets.engine;
    fill_segment(&cluster, engine);
    cluster.start(engine);
    until("it sequences", || cluster.status(engine).sequencing).await;
    let obstacle = block_next_segment(&cluster, engine);
    let block = puppets.block(&cluster, 0, 0).await;
    let id = Some(block_id(&block));
    puppets.propose(0, &block, Some(&block));
    let [one, two, _] = puppets.all();
    puppets.cast(one, Prevote, 0, id);
    puppets.cast(two, Prevote, 0, id);
    puppets.cast(one, Precommit, 0, id);
    puppets.cast(two, Precommit, 0, id);
    until("it is stuck", || puppets.complaints() > 3).await;
    assert_eq!(puppets.engine_votes(), [], "a vote left without its log");
    assert_eq!(cluster.height(engine), 0, "a certificate holds a vote without its log");
    // The disk is well again: its vote counts, and is the third.
    fs::remove_dir(obstacle).unwrap();
    cluster.reach(&[engine], 1).await;
    cluster.finish().await;
}

/// What a node signed in this very round stood in the log that is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_goes_while_its_node_runs_is_not_made_anew() {
    let mut cluster = patient();
    let puppets = Puppets::join(&cluster);
    let engine = puppets.engine;
    cluster.start(engine);
    until("it sequences", || cluster.status(engine).sequencing).await;
    let block = puppets.block(&cluster, 0, 0).await;
    let id = Some(block_id(&block));
    // It cannot sign, closes its log, and wants to open it again with its key.
    cluster.take_key(engine);
    puppets.propose(0, &block, Some(&block));
    until("it follows", || !cluster.status(engine).sequencing).await;
    let aside = cluster.logs(engine).join("aside");
    fs::rename(cluster.segments(engine), &aside).unwrap();
    cluster.give_key(engine);
    let stalls = puppets.complaints();
    until("it has looked for its log", || puppets.complaints() > stalls + 12).await;
    assert!(!cluster.status(engine).sequencing);
    assert!(!cluster.segments(engine).exists(), "a log from nowhere");
    fs::rename(&aside, cluster.segments(engine)).unwrap();
    until("it sequences again", || cluster.status(engine).sequencing).await;
    for puppet in puppets.all() {
        puppets.cast(puppet, Prevote, 0, id);
        puppets.cast(puppet, Precommit, 0, id);
    }
    cluster.reach(&[engine], 1).await;
    cluster.finish().await;
}

/// A failing disk costs a node its votes and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_failing_disk_follows_and_votes_again_once_it_is_well() {
    let mut cluster = Cluster::with(4, |parameters| parameters.propose_timeout_ms = 2_000);
    cluster.start_all();
    let all = [0, 1, 2, 3];
    cluster.reach(&all, 2).await;
    let sick = crash_a_follower(&mut cluster).await;
    fill_segment(&cluster, sick);
    // Alone it signs nothing before the time-out, so the obstacle comes first.
    cluster.net.silence(all.iter().filter(|index| **index != sick).map(|index| (sick, *index)));
    cluster.start(sick);
    until("it sequences", || cluster.status(sick).sequencing).await;
    let obstacle = block_next_segment(&cluster, sick);
    cluster.net.heal();
    let last = last_vote(&cluster, sick);
    cluster.reach(&all, cluster.top(&all) + 3).await;
    assert_eq!(last_vote(&cluster, sick), last, "it voted without a log");
    fs::remove_dir(obstacle).unwrap();
    until("it votes again", || last_vote(&cluster, sick) > last).await;
    cluster.finish().await;
}

/// Crashes a node that does not lead the height it would take up next.
async fn crash_a_follower(cluster: &mut Cluster) -> usize {
    for index in (0..cluster.len()).cycle() {
        cluster.crash(index).await;
        if cluster.schedule(index).leaders.leader(Round(0)).0 as usize != index {
            return index;
        }
        cluster.start(index);
    }
    unreachable!("a cycle does not end");
}

/// A network of four whose rounds do not end by themselves while a test acts.
fn patient() -> Cluster {
    Cluster::with(4, |parameters| parameters.propose_timeout_ms = 60_000)
}

/// Fills the current segment of a stopped node's log beyond its size, with what
/// concerns no height to come. The next sync then has to begin a new segment.
fn fill_segment(cluster: &Cluster, index: usize) {
    let key = cluster.keys[index].public();
    let (mut log, _) = Wal::open(&cluster.logs(index), cluster.genesis_hash, key, true).unwrap();
    let mut block = OpaqueBlock::new(cluster.header(index, 0).unwrap(), Vec::new());
    block.extrinsics.push(OpaqueExtrinsic::from_blob(vec![0; 1024 * 1024]));
    for _ in 0..33 {
        log.append(&[Record::Block(block.clone())]).unwrap();
    }
}

/// Makes the disk fail when the log wants a new segment: a folder is in its
/// place. Neither can the log be opened again.
fn block_next_segment(cluster: &Cluster, index: usize) -> PathBuf {
    let path = cluster.segments(index).join("000002.wal");
    fs::create_dir(&path).expect("the log has not begun a new segment yet");
    path
}
