//! Nodes that stop where they stand and come back with what is on their disks.

use crate::support::{
    checks::{last_vote, own_votes},
    cluster::{newest_segment, Cluster},
    until,
};
use cascoin_bft::{BlockId, Height, Round, SequencerIndex, Vote, VoteKind};
use cascoin_consensus::{
    wal::{Record, Wal},
    wire::{SignedVote, SigningContext},
};
use sp_core::Pair;
use std::{
    fs,
    io::{Seek, SeekFrom, Write},
};

#[tokio::test(flavor = "multi_thread")]
async fn each_in_turn_crashes_and_comes_back() {
    let mut cluster = Cluster::running(4);
    cluster.reach(&[0, 1, 2, 3], 2).await;
    for index in 0..4 {
        cluster.crash(index).await;
        let rest: Vec<usize> = (0..4).filter(|other| *other != index).collect();
        cluster.reach(&rest, cluster.top(&rest) + 2).await;
        let last = last_vote(&cluster, index);
        cluster.start(index);
        cluster.reach(&[index], cluster.top(&rest) + 1).await;
        until("it votes again", || last_vote(&cluster, index) > last).await;
    }
    cluster.finish().await;
}

/// Again and again, at whatever step they happen to be.
#[tokio::test(flavor = "multi_thread")]
async fn all_crash_at_once_and_come_back() {
    let mut cluster = Cluster::running(4);
    let all = [0, 1, 2, 3];
    for _ in 0..4 {
        let before = cluster.top(&all);
        cluster.reach(&all, before + 1).await;
        for index in all {
            cluster.crash(index).await;
        }
        cluster.start_all();
    }
    let before = cluster.top(&all);
    cluster.reach(&all, before + 2).await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_write_at_the_logs_end_is_cut_off() {
    let mut cluster = Cluster::running(4);
    let all = [0, 1, 2, 3];
    cluster.reach(&all, 2).await;
    for index in all {
        cluster.crash(index).await;
        let path = newest_segment(&cluster.segments(index));
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        // A frame that announces more than it holds.
        file.write_all(&[200, 0, 0, 0, 1, 2, 3, 4, 5, 6]).unwrap();
        cluster.start(index);
    }
    let before = cluster.top(&all);
    cluster.reach(&all, before + 3).await;
    cluster.finish().await;
}

/// What a damaged log forgot might be signed again, so its node stops; the
/// others go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_damaged_in_its_middle_stops_its_node() {
    let mut cluster = Cluster::running(4);
    cluster.reach(&[0, 1, 2, 3], 3).await;
    cluster.crash(2).await;
    let path = newest_segment(&cluster.segments(2));
    let whole = fs::read(&path).unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    // Within the first record's body, which follows 17 bytes of the file and 12 of the frame.
    file.seek(SeekFrom::Start(30)).unwrap();
    file.write_all(&[whole[30] ^ 1]).unwrap();
    drop(file);
    let last = last_vote(&cluster, 2);
    cluster.start(2);
    until("the engine refuses to run", || cluster.gave_up(2)).await;
    let rest = [0, 1, 3];
    cluster.reach(&rest, cluster.top(&rest) + 2).await;
    assert_eq!(last_vote(&cluster, 2), last);
    // With the right log it is back.
    cluster.crash(2).await;
    fs::write(&path, whole).unwrap();
    cluster.start(2);
    until("it votes again", || last_vote(&cluster, 2) > last).await;
    cluster.finish().await;
}

/// A node that lost its log long after its last vote comes back: heights that
/// are decided bind nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_its_old_log_rejoins_at_a_later_height() {
    let mut cluster = Cluster::running(4);
    cluster.reach(&[0, 1, 2, 3], 2).await;
    cluster.crash(1).await;
    let rest = [0, 2, 3];
    cluster.reach(&rest, cluster.top(&rest) + 3).await;
    let last = last_vote(&cluster, 1);
    // Its database is caught up first, so that it takes up a height it has not
    // voted at: without keys it only follows.
    cluster.take_key(1);
    cluster.start(1);
    cluster.reach(&[1], last + 1).await;
    cluster.crash(1).await;
    // Kept aside for the check of what was signed before.
    fs::rename(cluster.segments(1), cluster.logs(1).join("aside")).unwrap();
    cluster.give_key(1);
    cluster.start(1);
    until("the engine refuses to run", || cluster.gave_up(1)).await;
    cluster.crash(1).await;
    cluster.accept_missing_log(1);
    cluster.start(1);
    until("it votes again", || last_vote(&cluster, 1) > last).await;
    cluster.crash(1).await;
    // The check wants one log that has all.
    let new = fs::read(newest_segment(&cluster.segments(1))).unwrap();
    fs::remove_dir_all(cluster.segments(1)).unwrap();
    fs::rename(cluster.logs(1).join("aside"), cluster.segments(1)).unwrap();
    fs::write(cluster.segments(1).join("000002.wal"), new).unwrap();
    cluster.finish().await;
}

/// A power cut may cost all nodes the end of their databases: the logs have it.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_comes_back_from_the_log() {
    let mut cluster = Cluster::running(4);
    let all = [0, 1, 2, 3];
    cluster.reach(&all, 6).await;
    for index in all {
        cluster.crash(index).await;
    }
    let (at, highest) = (cluster.height(0), cluster.top(&all));
    let last = cluster.header(0, at).unwrap();
    all.iter().for_each(|index| cluster.lose_database(*index));
    // Alone, so that nothing can come from peers.
    cluster.start(0);
    cluster.reach(&[0], at).await;
    assert_eq!(cluster.header(0, at), Some(last));
    (1..4).for_each(|index| cluster.start(index));
    cluster.reach(&all, highest + 2).await;
    cluster.finish().await;
}

/// What a node did not decide itself but was given is in its log too.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_comes_back_with_the_blocks_of_a_catch_up() {
    let mut cluster = Cluster::new(4);
    (0..3).for_each(|index| cluster.start(index));
    cluster.reach(&[0, 1, 2], 6).await;
    cluster.start(3);
    cluster.reach(&[3], 6).await;
    for index in 0..4 {
        cluster.crash(index).await;
    }
    let at = cluster.height(3);
    cluster.lose_database(3);
    cluster.start(3);
    cluster.reach(&[3], at).await;
    cluster.finish().await;
}

/// A log may speak of later heights than the first one after a restart: a
/// database that lost its end, and a log that misses a block in between.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_binds_at_every_height_that_it_mentions() {
    let mut cluster = Cluster::new(4);
    let context = SigningContext { genesis: cluster.genesis_hash, set_id: 0 };
    let vote = Vote {
        kind: VoteKind::Prevote,
        height: Height(2),
        round: Round(0),
        block: Some(BlockId([7; 32])),
        voter: SequencerIndex(3),
    };
    let key = &cluster.keys[3];
    let signature = key.sign(&SignedVote::payload(&vote, &context));
    let (mut log, _) =
        Wal::open(&cluster.logs(3), cluster.genesis_hash, key.public(), true).unwrap();
    log.append(&[Record::Vote(SignedVote::new(&vote, &context, signature))]).unwrap();
    log.sync().unwrap();
    drop(log);
    cluster.start_all();
    cluster.reach(&[0, 1, 2, 3], 4).await;
    let same = |signed: &SignedVote| {
        let other = signed.vote();
        (other.height, other.round, other.kind) == (vote.height, vote.round, vote.kind)
    };
    let other = own_votes(&cluster, 3).into_iter().map(|signed| (same(&signed), signed.vote()));
    let contradicting: Vec<_> = other.filter(|(same, other)| *same && *other != vote).collect();
    assert!(contradicting.is_empty(), "{contradicting:?} contradict the log");
    // Below, the log may have forgotten what was signed.
    let first = own_votes(&cluster, 3).into_iter().find(|signed| signed.vote().height.0 == 1);
    assert_eq!(first, None, "signed below what the log mentions");
    cluster.finish().await;
}
