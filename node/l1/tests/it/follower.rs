//! The follower over a real L1.

use crate::{eventually, funded, payload};
use cascoin_l1::{
    follower::{LocalStore, RelayPosition},
    testing::{Litecoind, MemoryStore},
    Follower, FollowerConfig, FollowerHandle, SeenBurn,
};
use cascoin_l2_primitives::{
    l1::{params::LITECOIN_REGTEST, L1Hash},
    relay::{
        local::{block_key, LocalBlock, LocalTip, RETRY_KEY, TIP_KEY},
        pages_root, L1Event,
    },
};
use codec::{Decode, Encode};
use std::{sync::Arc, time::Duration};

struct Fixture {
    node: Litecoind,
    store: Arc<MemoryStore>,
    follower: FollowerHandle,
}

fn start(node: Litecoind, confirmations: u32) -> Fixture {
    let store = Arc::new(MemoryStore::default());
    let follower = spawn(&node, confirmations, store.clone());
    Fixture { node, store, follower }
}

/// Follows for a chain that has attested and applied nothing yet.
fn spawn(node: &Litecoind, confirmations: u32, store: Arc<MemoryStore>) -> FollowerHandle {
    let start = || {
        let attested_hash = LITECOIN_REGTEST.genesis;
        Some(RelayPosition { attested_height: 0, attested_hash, applied_height: 0 })
    };
    let config = FollowerConfig {
        poll_interval: Duration::from_millis(20),
        max_backoff: Duration::from_millis(200),
        max_blocks_per_second: 10_000,
        ..FollowerConfig::new(confirmations)
    };
    Follower::spawn(node.client(), config, store, Arc::new(start)).expect("a thread")
}

impl Fixture {
    fn tip(&self) -> Option<LocalTip> {
        LocalTip::decode(&mut self.store.get(TIP_KEY)?.as_slice()).ok()
    }

    fn block(&self, height: u32) -> Option<LocalBlock> {
        LocalBlock::decode(&mut self.store.get(&block_key(height))?.as_slice()).ok()
    }

    fn wait_readable(&self, height: u32) -> LocalTip {
        eventually(&format!("readable height {height}"), || {
            self.tip().filter(|tip| tip.readable_height == height)
        })
    }

    fn wait_seen(&self, txid: &L1Hash, confirmations: u32) -> Vec<SeenBurn> {
        eventually(&format!("{confirmations} confirmations of {txid}"), || {
            let burns = self.follower.seen_burns(txid);
            let there = burns.first().is_some_and(|burn| burn.confirmations == confirmations);
            there.then_some(burns)
        })
    }

    /// What is listed of burns follows what is stored a moment later.
    fn wait_listed(&self, as_expected: impl Fn() -> bool) {
        eventually("the burns to be listed", || as_expected().then_some(()));
    }

    /// Events of the stored block at `height`, checked to stand under its root.
    fn events(&self, height: u32) -> Vec<(L1Hash, u32, u64, Vec<u8>)> {
        let block = self.block(height).expect("stored");
        assert_eq!(pages_root(&block.pages), block.digest.pages_root);
        let events: Vec<_> = block
            .pages
            .iter()
            .flat_map(|page| page.events.iter())
            .map(|event| match event {
                L1Event::Burn { outpoint, value, payload } => {
                    (outpoint.txid, outpoint.vout, *value, payload.to_vec())
                }
                other => panic!("nobody says anything in these tests: {other:?}"),
            })
            .collect();
        assert_eq!(events.len(), block.digest.event_count as usize);
        events
    }
}

#[test]
fn asked_to_it_looks_at_once_and_tells_the_worker() {
    let node = funded();
    let store = Arc::new(MemoryStore::default());
    let start = || {
        let attested_hash = LITECOIN_REGTEST.genesis;
        Some(RelayPosition { attested_height: 0, attested_hash, applied_height: 0 })
    };
    let config =
        FollowerConfig { poll_interval: Duration::from_secs(600), ..FollowerConfig::new(1) };
    let follower =
        Follower::spawn(node.client(), config, store.clone(), Arc::new(start)).expect("a thread");
    let fixture = Fixture { node, store, follower };
    fixture.wait_readable(110);
    assert_eq!(fixture.store.get(RETRY_KEY), None);
    fixture.node.mine(1).expect("mined");
    eventually("block 111, long before its time", || {
        fixture.follower.retry();
        fixture.tip().filter(|tip| tip.readable_height == 111)
    });
    assert_eq!(fixture.store.get(RETRY_KEY), Some(true.encode()));
}

#[test]
fn a_burn_is_seen_at_once_and_readable_after_k_confirmations() {
    let fixture = start(funded(), 3);
    fixture.wait_readable(108);
    let txid = fixture.node.burn(&payload(5_000)).expect("sent");
    assert!(fixture.follower.seen_burns(&txid).is_empty(), "not mined yet");
    let hash = fixture.node.mine(1).expect("mined")[0];

    let burns = fixture.wait_seen(&txid, 1);
    assert_eq!(burns.len(), 1);
    let burn = &burns[0];
    assert_eq!((burn.value, burn.l1_height, burn.l1_hash), (5_000, 111, hash));
    assert_eq!(burn.payload, payload(5_000).encode());
    assert!(!burn.readable);
    assert!(fixture.tip().expect("a tip").readable_height < 111);

    fixture.node.mine(2).expect("mined");
    assert!(fixture.wait_seen(&txid, 3)[0].readable);
    let tip = fixture.wait_readable(111);
    assert_eq!(tip.height, 113);
    let expected = (txid, 0, 5_000, payload(5_000).encode().to_vec());
    assert_eq!(fixture.events(111), [expected]);
    let digest = fixture.block(111).expect("stored").digest;
    let header = fixture.node.client().block_header(&hash).expect("a header");
    assert_eq!((digest.hash, digest.previous, digest.time), (hash, header.previous, header.time));
    fixture.wait_listed(|| fixture.follower.recent_burns().len() == 1);

    // The node computes the same median time.
    let verbose: serde_json::Value = fixture
        .node
        .client()
        .query("getblockheader", vec![hash.to_string().into()])
        .expect("an answer");
    assert_eq!(verbose["mediantime"], digest.median_time);

    let status = fixture.follower.status();
    assert!(status.connected && !status.syncing && status.error.is_none());
    assert_eq!(status.tip_height, Some(113));
    assert_eq!(status.fork, None);
    let shown = serde_json::to_value(&status).expect("serialisable");
    assert_eq!(shown["tipHeight"], 113);
}

#[test]
fn empty_malformed_and_double_burns_arrive_as_they_are() {
    let fixture = start(funded(), 1);
    let node = &fixture.node;
    // A burn as the reference wallet makes it: value 0.
    let zero = node.burn_raw(&payload(700).script(), 0).expect("standard");
    let malformed_script = [&[0x6a, 10][..], b"L2BURN", &[1, 2, 3, 4]].concat();
    let malformed = node.burn_raw(&malformed_script, 300).expect("standard");
    node.mine(1).expect("mined");
    fixture.wait_readable(111);
    let mut events = fixture.events(111);
    events.sort_by_key(|event| event.2);
    assert_eq!(events[0], (zero, 0, 0, payload(700).encode().to_vec()));
    assert_eq!(events[1], (malformed, 0, 300, malformed_script[2..].to_vec()));

    // Two burns in one transaction are not relayed, but may be mined; so may
    // longer ones than relay policy knows.
    let long = [&[0x6a, 0x4d, 0, 2][..], b"L2BURN", &[9; 506]].concat();
    let outputs =
        [(1_000, payload(1_000).script()), (2_000, payload(2_000).script()), (5, long.clone())];
    let raw = node.signed(&outputs).expect("signed");
    node.mine_raw(&[raw]).expect("mined");
    fixture.wait_readable(112);
    let events = fixture.events(112);
    let values: Vec<_> = events.iter().map(|event| event.2).collect();
    assert_eq!(values, [1_000, 2_000, 5]);
    assert_eq!(events[2].3, long[4..84], "cut after 80 bytes");
    fixture.wait_listed(|| fixture.follower.seen_burns(&events[0].0).len() == 3);
}

#[test]
fn a_shallow_reorganisation_is_followed() {
    let fixture = start(funded(), 2);
    let node = &fixture.node;
    let txid = node.burn(&payload(800)).expect("sent");
    let hashes = node.mine(3).expect("mined");
    fixture.wait_readable(112);
    assert_eq!(fixture.events(111)[0].0, txid);

    // The branch with the burn goes; the burn returns to the mempool.
    node.invalidate(&hashes[0]).expect("invalidated");
    eventually("the lower tip", || fixture.tip().filter(|tip| tip.height == 110));
    fixture.wait_listed(|| fixture.follower.seen_burns(&txid).is_empty());
    assert_eq!(fixture.block(111), None);

    // An empty block first, then the burn again, elsewhere.
    node.mine_raw(&[]).expect("mined");
    let again = node.mine(3).expect("mined");
    fixture.wait_readable(113);
    assert!(fixture.events(111).is_empty());
    assert_eq!(fixture.events(112)[0].0, txid);
    assert_eq!(fixture.block(112).expect("stored").digest.hash, again[0]);
}

#[test]
fn an_outage_shows_in_the_status_and_ends_by_itself() {
    let fixture = start(funded(), 1);
    fixture.wait_readable(110);
    fixture.node.stop().expect("it stops");
    let status = eventually("the outage", || {
        Some(fixture.follower.status()).filter(|status| !status.connected)
    });
    assert_eq!(status.error_name, Some("Unreachable"));
    assert!(status.error.is_some());
    assert_eq!(status.tip_height, Some(110), "the last known");
    fixture.node.restart().expect("it comes back");
    fixture.node.mine(5).expect("mined");
    fixture.wait_readable(115);
    eventually("the recovery", || {
        Some(fixture.follower.status()).filter(|status| status.connected && status.error.is_none())
    });
}

#[test]
fn a_stopped_follower_says_so_and_another_takes_up_its_work() {
    let fixture = start(funded(), 1);
    fixture.wait_readable(110);
    fixture.follower.stop();
    assert!(!fixture.follower.status().connected);
    let txid = fixture.node.burn(&payload(900)).expect("sent");
    fixture.node.mine(1).expect("mined");
    assert_eq!(fixture.tip().expect("a tip").height, 110, "nobody looks");
    let next = spawn(&fixture.node, 1, fixture.store.clone());
    fixture.wait_readable(111);
    assert_eq!(fixture.events(111)[0].0, txid);
    drop(next);
}
