//! Sequencers that join, leave and change their keys.
//!
//! Sessions are as short as terms here: what genesis asks for is queued at block 5
//! and in force behind block 10. Time-outs are longer than the tests, so a round
//! that fails stops the network, and the tests with it.

use crate::support::{
    chain::{account, session_keys},
    checks::{certificate, last_vote, noted},
    cluster::Cluster,
    until,
};
use cascoin_consensus::light::WarpProvider;
use cascoin_l2_primitives::{
    chain::{quorum, ChainParameters},
    consensus::{GrandpaRound, LeaderDigest},
};
use cascoin_l2_runtime::Runtime;
use pallet_sequencer_registry::{Member, Members};
use pallet_session::NextKeys;
use sc_network_sync::strategy::warp::{VerificationResult, WarpSyncProvider};
use sp_blockchain::HeaderBackend;
use sp_core::{ed25519, Pair};

/// The block that changes the set.
const CHANGE: u32 = 10;
/// Enough blocks for a term of every sequencer, most likely.
const FAR: u32 = 3 * CHANGE;
const ALL: [usize; 4] = [0, 1, 2, 3];

fn short_sessions(parameters: &mut ChainParameters) {
    parameters.blocks_per_leader = 5;
    parameters.session_blocks = 5;
    parameters.propose_timeout_ms = 200_000;
    parameters.prevote_timeout_ms = 200_000;
    parameters.precommit_timeout_ms = 200_000;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_changes_its_keys_and_no_block_is_missed() {
    let fresh = |keys: &[ed25519::Pair]| {
        let seed = sp_io::hashing::blake2_256(&[&keys[1].public().0[..], b"fresh"].concat());
        ed25519::Pair::from_seed(&seed)
    };
    let mut cluster = Cluster::changing(4, 4, short_sessions, |keys| {
        NextKeys::<Runtime>::insert(account(&keys[1]), session_keys(&fresh(keys)));
    });
    let new = fresh(&cluster.keys);
    cluster.give_successor(1, new);
    cluster.start_all();
    cluster.reach(&ALL, FAR).await;
    until("it leads with its new key", || led_behind_the_change(&cluster, 1)).await;

    let (before, after) = (cluster.set_at(CHANGE), cluster.set_at(CHANGE + 1));
    assert_eq!((before.id, after.id), (0, 1));
    assert_eq!(before.keys[1], cluster.keys[1].public());
    assert_eq!(after.keys[1], new.public());
    assert!(signed_since(&cluster, &new.public(), CHANGE + 1));
    assert!(!signed_since(&cluster, &cluster.keys[1].public(), CHANGE + 1));
    finish(cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_followed_becomes_a_sequencer_and_no_block_is_missed() {
    let mut cluster = Cluster::changing(4, 3, short_sessions, the_fourth_joins);
    cluster.start_all();
    cluster.reach(&ALL, CHANGE - 1).await;
    cluster.reach(&ALL, FAR).await;
    until("the new one leads", || led_behind_the_change(&cluster, 3)).await;

    assert_eq!((cluster.set_at(CHANGE).keys.len(), cluster.set_at(CHANGE + 1).keys.len()), (3, 4));
    let new = cluster.keys[3].public();
    assert!(signed_since(&cluster, &new, CHANGE + 1));
    finish(cluster).await;
}

/// The key is not in the first set that the node sees again, and yet not new: with an
/// empty log the node would vote where it has voted.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_its_disk_does_not_take_a_later_key_for_new() {
    let sessions = |parameters: &mut ChainParameters| {
        parameters.blocks_per_leader = 5;
        parameters.session_blocks = 5;
    };
    let mut cluster = Cluster::changing(4, 3, sessions, the_fourth_joins);
    cluster.start_all();
    until("it votes with its key", || last_vote(&cluster, 3) > CHANGE).await;
    cluster.reach(&ALL, CHANGE + 2).await;
    cluster.crash(3).await;
    let aside = cluster.logs(3).join("aside");
    std::fs::rename(cluster.segments(3), &aside).unwrap();
    cluster.lose_database(3);
    cluster.is_public(3);
    let last = last_vote(&cluster, 3);
    cluster.start(3);
    cluster.reach(&[3], cluster.top(&ALL) + 2).await;
    assert!(!cluster.status(3).sequencing);
    assert!(!cluster.segments(3).exists(), "a log from nowhere");
    assert_eq!(last_vote(&cluster, 3), last);
    std::fs::rename(&aside, cluster.segments(3)).unwrap();
    until("it votes again", || last_vote(&cluster, 3) > last).await;
    cluster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_leaves_and_follows_and_no_block_is_missed() {
    let mut cluster = Cluster::changing(4, 4, short_sessions, |keys| {
        let leaving = account(&keys[3]);
        Members::<Runtime>::mutate(|members| members.retain(|m| m.account != leaving));
    });
    cluster.start_all();
    cluster.reach(&ALL, FAR).await;
    assert_eq!((cluster.set_at(CHANGE).keys.len(), cluster.set_at(CHANGE + 1).keys.len()), (4, 3));
    until("it no longer sequences", || !cluster.status(3).sequencing).await;
    assert!((1..=CHANGE).contains(&last_vote(&cluster, 3)), "it votes to the end, and no longer");
    finish(cluster).await;
}

/// What governance and the operator of the fourth node have sent.
fn the_fourth_joins(keys: &[ed25519::Pair]) {
    let joining = account(&keys[3]);
    NextKeys::<Runtime>::insert(&joining, session_keys(&keys[3]));
    Members::<Runtime>::mutate(|members| {
        let member = Member { account: joining, weight: 100 };
        members.try_push(member).expect("a seat is free");
    });
}

/// Whether a node has led at a height behind the change.
fn led_behind_the_change(cluster: &Cluster, index: usize) -> bool {
    (CHANGE + 1..=cluster.height(0)).any(|height| {
        let header = cluster.header(0, height).expect("a final block");
        let digest = LeaderDigest::find(header.digest.logs()).expect("a leader");
        cluster.is_own(index, height, digest.leader)
    })
}

/// Whether a key's signature is in a certificate of `height` or a later one.
fn signed_since(cluster: &Cluster, key: &ed25519::Public, height: u32) -> bool {
    let id = (*key).into();
    (height..=cluster.height(0)).any(|height| {
        certificate(cluster, 0, height).commit.precommits.iter().any(|signed| signed.id == id)
    })
}

/// What holds in each of these tests: no round failed, and what the nodes keep of
/// the change proves the head to one who knows genesis only.
async fn finish(cluster: Cluster) {
    for height in 1..=cluster.height(0) {
        let round = GrandpaRound::try_from(certificate(&cluster, 0, height).round).unwrap();
        assert_eq!(round.round, 0, "height {height} took more than one round");
    }
    // Who signed the last block of the old set is told in the first of the new one, by
    // indices of the old set.
    let (_, signers) = noted(&cluster, 0, CHANGE + 1);
    let old = cluster.set_at(CHANGE).keys.len();
    assert!(signers.fits(old) && signers.count() >= quorum(old), "{signers:?} of {old}");
    for index in ALL {
        let client = cluster.client(index);
        let provider = WarpProvider::new(client.clone(), cluster.stored_sets(index));
        let proof = provider.generate(client.info().genesis_hash).expect("a proof");
        match provider.create_verifier().verify(&proof).expect("a good proof") {
            VerificationResult::Complete(head, blocks) => {
                assert!(head.number >= FAR, "{}", head.number);
                assert_eq!(blocks.len(), 2, "the change and the head");
                assert_eq!(blocks[0].0.number, CHANGE);
            }
            VerificationResult::Partial(_) => panic!("the proof ends before the head"),
        }
        assert!(provider.generate(Default::default()).is_err(), "an unknown block");
    }
    cluster.finish().await;
}
