//! Networks that lose messages and nodes, with everybody honest.

use crate::support::{
    cluster::Cluster,
    net::{between, Faults, Message},
    until,
};
use cascoin_bft::Round;
use cascoin_consensus::import::certificate_of;
use cascoin_l2_primitives::consensus::LeaderDigest;
use sc_client_api::BlockBackend;
use sp_blockchain::HeaderBackend;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn one_engine_alone_decides() {
    let cluster = Cluster::running(1);
    cluster.reach(&[0], 5).await;
    cluster.finish().await;
}

/// Over more than two terms of leaders.
#[tokio::test(flavor = "multi_thread")]
async fn four_agree_on_every_block() {
    let cluster = Cluster::running(4);
    cluster.reach(&[0, 1, 2, 3], 12).await;
    let client = cluster.client(0);
    let hash = client.hash(12).unwrap().unwrap();
    let certificate = certificate_of(&client.justifications(hash).unwrap().unwrap()).unwrap();
    assert!(certificate.commit.precommits.len() >= 3);
    let everybody: Vec<u16> = (0..4).collect();
    until("everybody knows everybody", || {
        (0..4).all(|index| cluster.status(index).reachable == everybody)
    })
    .await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_leader_is_replaced() {
    let mut cluster = Cluster::new(4);
    let silent = cluster.schedule(0).leaders.leader(Round(0)).0 as usize;
    let rest: Vec<usize> = (0..4).filter(|index| *index != silent).collect();
    rest.iter().for_each(|index| cluster.start(*index));
    cluster.reach(&rest, 5).await;
    let header = cluster.header(rest[0], 1).unwrap();
    let first = LeaderDigest::find(header.digest.logs()).unwrap();
    assert!(first.round > 0, "round 0 was the silent one's");
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_late_doubled_and_reordered_messages_are_survived() {
    let cluster = Cluster::running(4);
    cluster.net.set_faults(Faults { drop_percent: 20, duplicate_percent: 10, max_delay_ms: 40 });
    cluster.reach(&[0, 1, 2, 3], 8).await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_halves_halt_and_heal() {
    let cluster = Cluster::running(4);
    let all = [0, 1, 2, 3];
    cluster.reach(&all, 3).await;
    cluster.net.silence(between(&[0, 1], &[2, 3]));
    let before = cluster.top(&all);
    // Long enough for a dozen blocks, and for round 0 to end.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // Votes for one more height may have been there already.
    assert!(cluster.top(&all) <= before + 1, "a half of the network went on");
    cluster.net.heal();
    cluster.reach(&all, before + 4).await;
    cluster.finish().await;
}

/// Nobody closes the connections, as when a cable is cut far away.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_heard_is_not_reachable() {
    let cluster = Cluster::running(4);
    let all = [0, 1, 2, 3];
    cluster.reach(&all, 3).await;
    cluster.net.silence(between(&[0, 1, 2], &[3]));
    until("silence is noticed", || {
        cluster.status(3).reachable == [3] && cluster.status(0).reachable == [0, 1, 2]
    })
    .await;
    cluster.net.heal();
    until("so is its end", || (0..4).all(|index| cluster.status(index).reachable == [0, 1, 2, 3]))
        .await;
    cluster.finish().await;
}

/// With one node gone, both ends of the missing link are needed for a quorum,
/// so their votes must go through the third.
#[tokio::test(flavor = "multi_thread")]
async fn votes_go_round_a_missing_link() {
    let mut cluster = Cluster::running(4);
    let rest = [0, 1, 2];
    cluster.reach(&[0, 1, 2, 3], 2).await;
    cluster.net.cut(0, 1);
    cluster.crash(3).await;
    let before = cluster.top(&rest);
    cluster.reach(&rest, before + 6).await;
    cluster.net.heal();
    cluster.reach(&rest, cluster.top(&rest) + 2).await;
    cluster.finish().await;
}

/// A node that never gets a proposal still decides, by fetching the block that
/// the others vote for.
#[tokio::test(flavor = "multi_thread")]
async fn a_missed_body_is_fetched_by_hash() {
    let mut cluster = Cluster::new(4);
    // Not the first leader, which would need no proposal of others.
    let deaf = cluster.schedule(0).leaders.leader(Round(1)).0 as usize;
    for index in (0..4).filter(|index| *index != deaf) {
        cluster.net.rewrite(index, move |to, message| match message {
            Message::Proposals(_) if to == deaf => Vec::new(),
            other => vec![other],
        });
    }
    cluster.start_all();
    cluster.reach(&[0, 1, 2, 3], 6).await;
    assert!(cluster.net.fetches(deaf) > 0);
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laggard_catches_up_by_certified_blocks() {
    let mut cluster = Cluster::new(4);
    let early = [0, 1, 2];
    early.iter().for_each(|index| cluster.start(*index));
    cluster.reach(&early, 20).await;
    cluster.start(3);
    cluster.reach(&[3], 20).await;
    // Not only follows: its votes are part of a later certificate.
    until("the laggard's vote counts", || cluster.status(0).last_signers.contains(&3)).await;
    cluster.finish().await;
}

/// It does not wait until it has stalled for long enough: its patience is longer than
/// this test.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_far_behind_asks_at_once_and_goes_on_asking() {
    let mut cluster = Cluster::with(4, |parameters| parameters.prevote_timeout_ms = 600_000);
    let early = [0, 1, 2];
    early.iter().for_each(|index| cluster.start(*index));
    // More than two answers hold.
    cluster.reach(&early, 40).await;
    cluster.start(3);
    cluster.reach(&[3], 40).await;
    until("the laggard's vote counts", || cluster.status(0).last_signers.contains(&3)).await;
    cluster.finish().await;
}
