//! An L1 node that is exchanged for another, answers uselessly, or is behind.

use crate::{
    eventually, funded, logs, payload,
    proxy::{client, proxy, proxy_in_eras},
};
use cascoin_l1::{
    burn,
    client::{code, MAX_USELESS_ANSWERS},
    follower::RelayPosition,
    testing::{Litecoind, MemoryStore},
    ClientConfig, Follower, FollowerConfig, FollowerHandle, L1Client, L1Error,
};
use cascoin_l2_primitives::l1::{
    params::{CASCOIN_REGTEST, LITECOIN_REGTEST},
    L1Hash,
};
use serde_json::{json, Value};
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
        Arc, Mutex,
    },
    time::Duration,
};

pub fn request_of(text: &str) -> Value {
    serde_json::from_str(text).expect("the client sends JSON")
}

/// The request's reply with another result.
pub fn reply(request: &Value, result: Value, error: Value) -> Option<Vec<u8>> {
    let reply = json!({ "result": result, "error": error, "id": request["id"] });
    Some(reply.to_string().into_bytes())
}

/// Follows from height 100 on.
fn follow(client: L1Client, store: Arc<MemoryStore>) -> FollowerHandle {
    let start = || {
        let attested_hash = LITECOIN_REGTEST.genesis;
        Some(RelayPosition { attested_height: 100, attested_hash, applied_height: 100 })
    };
    let config = FollowerConfig {
        poll_interval: Duration::from_millis(20),
        max_backoff: Duration::from_millis(100),
        ..FollowerConfig::new(1)
    };
    Follower::spawn(client, config, store, Arc::new(start)).expect("a thread")
}

/// A node behind an address where another one, of another chain, can take its
/// place; and what was asked of that one.
struct Exchanged {
    era: Arc<AtomicU32>,
    asked: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Exchanged {
    fn before(node: &Litecoind) -> Self {
        let era = Arc::new(AtomicU32::new(0));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (now, heard) = (era.clone(), asked.clone());
        let tamper = move |request: &str, answer| {
            if now.load(SeqCst) == 0 {
                return Some(answer);
            }
            let request = request_of(request);
            let method = request["method"].as_str().unwrap_or_default();
            heard.lock().expect("no panic before").push(method.to_string());
            if method == "getblockhash" && request["params"] == json!([0]) {
                return reply(&request, json!(CASCOIN_REGTEST.genesis), Value::Null);
            }
            Some(answer)
        };
        let url = proxy_in_eras(node, Arc::new(tamper), era.clone());
        Self { era, asked, url }
    }

    fn exchange(&self) {
        self.era.store(1, SeqCst);
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic before").clone()
    }
}

#[test]
fn a_node_exchanged_between_two_calls_must_prove_itself_before_it_gets_the_second() {
    let node = Litecoind::start().expect("litecoind starts");
    let place = Exchanged::before(&node);
    let client = client(&node, place.url.clone());
    assert_eq!(client.block_count(), Ok(0));
    place.exchange();
    let answered = client.block_count();
    assert!(matches!(answered, Err(L1Error::WrongChain { .. })), "{answered:?}");
    assert_eq!(place.asked(), ["getblockchaininfo", "getblockhash"], "the proof and no more");
}

#[test]
fn a_burn_is_never_signed_or_sent_by_a_node_of_another_chain() {
    let node = funded();
    let place = Exchanged::before(&node);
    let client = client(&node, place.url.clone());
    let unsigned = burn::create(&client, &payload(4_000)).expect("funded");
    let signed = client.sign_raw_transaction(&unsigned.raw).expect("signed");
    assert!(signed.complete);
    place.exchange();

    // The first call that the new node could get is one that must not be repeated.
    let sent = client.send_raw_transaction(&signed.raw);
    assert!(matches!(sent, Err(L1Error::WrongChain { .. })), "{sent:?}");
    let sent = burn::sign_and_send(&client, &unsigned.raw, crate::CHAIN);
    assert!(matches!(sent, Err(burn::BurnError::L1(L1Error::WrongChain { .. }))), "{sent:?}");
    let wallet = client.wallet_call::<Value>("getnewaddress", vec![]);
    assert!(matches!(wallet, Err(L1Error::WrongChain { .. })), "{wallet:?}");
    let proof = ["getblockchaininfo", "getblockhash"];
    assert!(place.asked().iter().all(|method| proof.contains(&&**method)), "{:?}", place.asked());
    let pool: Vec<String> = node.client().query("getrawmempool", vec![]).expect("an answer");
    assert!(pool.is_empty(), "{pool:?}");
}

/// A client of two addresses of one node; blocks of the first are useless while
/// the flag is set, in the way of `spoil`.
fn half_useless(
    node: &Litecoind,
    spoil: fn(&Value, Vec<u8>) -> Option<Vec<u8>>,
) -> (L1Client, String, Arc<AtomicBool>) {
    let useless = Arc::new(AtomicBool::new(true));
    let now = useless.clone();
    let first = proxy(
        node,
        Arc::new(move |request: &str, answer| {
            let request = request_of(request);
            match request["method"] == "getblock" && now.load(SeqCst) {
                true => spoil(&request, answer),
                false => Some(answer),
            }
        }),
    );
    let config = ClientConfig::new(first.clone(), node.credentials(), &LITECOIN_REGTEST);
    let urls = vec![first.clone(), node.url()];
    let client = L1Client::new(ClientConfig { attempts: 1, urls, ..config });
    (client.expect("a good configuration"), first, useless)
}

/// What a node says that has removed the block's data.
fn pruned(request: &Value, _: Vec<u8>) -> Option<Vec<u8>> {
    let message = "Block not available (pruned data)";
    reply(request, Value::Null, json!({ "code": code::MISC_ERROR, "message": message }))
}

/// The block with a byte behind its end, as a serialisation that we do not know.
fn damaged(request: &Value, answer: Vec<u8>) -> Option<Vec<u8>> {
    let answer: Value = serde_json::from_slice(&answer).ok()?;
    let block = format!("{}00", answer["result"].as_str()?);
    reply(request, json!(block), Value::Null)
}

#[test]
fn a_node_without_usable_blocks_is_left_for_the_next_after_a_few_tries() {
    let node = funded();
    let tip = node.client().best_block_hash().expect("an answer");
    for spoil in [pruned, damaged] {
        let (client, first, useless) = half_useless(&node, spoil);
        for _ in 1..MAX_USELESS_ANSWERS {
            assert!(client.block(&tip).is_err());
            client.block_header(&tip).expect("headers are whole");
        }
        // A good answer, and an unknown block, are no reason to leave.
        useless.store(false, SeqCst);
        client.block(&tip).expect("whole");
        useless.store(true, SeqCst);
        for _ in 1..MAX_USELESS_ANSWERS {
            assert!(client.block(&tip).is_err());
        }
        assert_eq!(client.url(), first, "not yet");
        assert!(client.block(&tip).is_err());
        assert_eq!(client.url(), node.url(), "now");
        client.block(&tip).expect("of the other");
        for _ in 0..2 * MAX_USELESS_ANSWERS {
            assert!(client.block(&L1Hash([1; 32])).is_err());
        }
        assert_eq!(client.url(), node.url(), "that there is no such block is a good answer");
    }
}

#[test]
fn the_follower_gets_its_blocks_from_the_next_node_and_says_so() {
    logs::keep();
    let node = funded();
    let (client, first, _useless) = half_useless(&node, pruned);
    let follower = follow(client, Arc::default());
    let status = eventually("the blocks", || {
        Some(follower.status()).filter(|status| status.readable_height == Some(110))
    });
    assert!(status.connected, "{status:?}");
    assert_eq!(status.url, node.url());
    let told = logs::lines_with(&["WARN", &first, &node.url(), "pruned", "from now on"]);
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn a_node_that_is_syncing_is_named_once_and_read_all_the_same() {
    logs::keep();
    let node = funded();
    let syncing = Arc::new(AtomicBool::new(true));
    let now = syncing.clone();
    let url = proxy(
        &node,
        Arc::new(move |request: &str, answer: Vec<u8>| {
            let request = request_of(request);
            if request["method"] != "getblockchaininfo" || !now.load(SeqCst) {
                return Some(answer);
            }
            let answer: Value = serde_json::from_slice(&answer).ok()?;
            let mut info = answer["result"].clone();
            info["headers"] = json!(500);
            reply(&request, info, Value::Null)
        }),
    );
    let client = client(&node, url.clone());
    let tip = client.block_count().expect("an answer");
    assert_eq!(client.check_ready(), Err(L1Error::Syncing { blocks: tip, headers: 500 }));

    let follower = follow(client.clone(), Arc::default());
    let status = eventually("blocks of a node that is syncing", || {
        Some(follower.status()).filter(|status| status.readable_height == Some(110))
    });
    assert!(status.syncing && status.connected, "{status:?}");
    assert_eq!((status.tip_height, status.headers), (Some(110), Some(500)));
    // Two more looks at L1 have nothing new to say.
    for height in [111, 112] {
        node.mine(1).expect("mined");
        eventually("the next block", || {
            (follower.status().readable_height == Some(height)).then_some(())
        });
    }
    let told = || logs::lines_with(&["WARN L1 node is syncing: block ", " of 500", &url]).len();
    assert_eq!(told(), 1);
    let done = || logs::lines_with(&["INFO", "done syncing", &url]).len();
    assert_eq!(done(), 0);

    syncing.store(false, SeqCst);
    eventually("the end of it", || (!follower.status().syncing).then_some(()));
    client.check_ready().expect("caught up");
    eventually("the line in the log", || (done() > 0).then_some(()));
    assert_eq!((told(), done()), (1, 1));
}
