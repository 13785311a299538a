//! Several L1 nodes behind one follower: one that fails, lags, or is of another branch or
//! network; and credentials that change.

use crate::{
    eventually,
    faults::{reply, request_of},
    funded, logs, payload,
    proxy::proxy,
    CHAIN,
};
use cascoin_l1::{
    burn::{self, BurnError},
    follower::{LocalStore, RelayPosition},
    forced_tx::{self, ForcedOrder, ForcedTxError},
    registration_tx,
    stake_tx::{self, StakeOrder, StakeTxError},
    testing::{Auth, Litecoind, MemoryStore, Options},
    ClientConfig, Credentials, Follower, FollowerConfig, FollowerHandle, L1Client, L1Error,
    L1Status,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        params::{CASCOIN_REGTEST, LITECOIN_REGTEST},
        stake::MIN_LOCK_BLOCKS,
        L1Hash,
    },
    relay::local::{block_key, LocalBlock, LocalTip, TIP_KEY},
};
use codec::Decode;
use serde_json::{json, Value};
use std::{fs, sync::Arc, time::Duration};

/// A client of these nodes, the first one preferred.
pub fn client_of(nodes: &[&Litecoind]) -> L1Client {
    let config = ClientConfig::new("", Credentials::None, &LITECOIN_REGTEST);
    let config = ClientConfig {
        urls: nodes.iter().map(|node| node.url()).collect(),
        credentials_of: nodes.iter().map(|node| node.credentials()).collect(),
        attempts: 1,
        first_return: Duration::from_millis(300),
        ..config
    };
    L1Client::new(config).expect("a good configuration")
}

pub struct Following {
    pub store: Arc<MemoryStore>,
    pub follower: FollowerHandle,
}

/// Follows for a chain that has attested and applied the block at `height`.
pub fn follow(client: L1Client, height: u32, hash: L1Hash, rate: u32) -> Following {
    let position = move || {
        Some(RelayPosition { attested_height: height, attested_hash: hash, applied_height: height })
    };
    let config = FollowerConfig {
        poll_interval: Duration::from_millis(20),
        max_backoff: Duration::from_millis(200),
        max_blocks_per_second: rate,
        ..FollowerConfig::new(1)
    };
    let store = Arc::new(MemoryStore::default());
    let follower =
        Follower::spawn(client, config, store.clone(), Arc::new(position)).expect("a thread");
    Following { store, follower }
}

impl Following {
    /// From the first block on, as fast as it can.
    fn all(client: L1Client) -> Self {
        follow(client, 0, LITECOIN_REGTEST.genesis, 10_000)
    }

    pub fn block(&self, height: u32) -> Option<LocalBlock> {
        LocalBlock::decode(&mut self.store.get(&block_key(height))?.as_slice()).ok()
    }

    fn tip(&self) -> Option<LocalTip> {
        LocalTip::decode(&mut self.store.get(TIP_KEY)?.as_slice()).ok()
    }

    /// Waits until the status is as expected, without an error.
    pub fn wait(&self, what: &str, expected: impl Fn(&L1Status) -> bool) -> L1Status {
        eventually(what, || {
            Some(self.follower.status()).filter(|status| status.connected && expected(status))
        })
    }
}

/// A funded node, and another one with the same blocks and other credentials.
fn pair() -> (Litecoind, Litecoind) {
    let first = funded();
    let options = Options { auth: Auth::Cookie, ..Options::default() };
    let second = Litecoind::start_with(options).expect("litecoind starts");
    first.feed(&second).expect("the same chain");
    (first, second)
}

#[test]
fn another_node_stands_in_and_the_preferred_one_is_read_again() {
    logs::keep();
    let (first, second) = pair();
    let following = Following::all(client_of(&[&first, &second]));
    let status = following.wait("block 110", |status| status.readable_height == Some(110));
    assert_eq!(status.url, first.url());
    let there = || logs::lines_with(&["INFO", &second.url(), "is there too"]).len();
    eventually("the other one to be looked at", || (there() == 1).then_some(()));

    first.stop().expect("it stops");
    second.mine(3).expect("mined");
    let status = following.wait("block 113", |status| status.readable_height == Some(113));
    assert_eq!(status.url, second.url());
    let told = logs::lines_with(&["WARN L1 is read from ", &second.url(), &first.url()]);
    assert_eq!(told.len(), 1, "{told:?}");

    first.restart().expect("it comes back");
    second.feed(&first).expect("the same chain");
    following.wait("the preferred node", |status| status.url == first.url());
    first.mine(1).expect("mined");
    let status = following.wait("block 114", |status| status.readable_height == Some(114));
    assert_eq!(status.url, first.url());
}

/// A stand-in's wallet has other coins and keys: what begins with one must not go on with
/// the other.
#[test]
fn the_wallet_is_the_preferred_nodes_also_while_another_one_stands_in() {
    let (first, second) = pair();
    let client = client_of(&[&first, &second]);
    first.stop().expect("it stops");
    assert_eq!(client.block_count(), Ok(110), "another one stands in");
    assert_eq!(client.url(), second.url());

    let order = StakeOrder {
        chain_id: CHAIN,
        account: AccountId::new([7; 32]),
        value: 3 * LITECOIN_REGTEST.coin,
        unlock: 110 + MIN_LOCK_BLOCKS + 100,
        owner: None,
    };
    let is_down = |error: StakeTxError| matches!(error, StakeTxError::L1(L1Error::Unreachable { url, .. }) if url == first.url());
    assert!(is_down(stake_tx::create(&client, &order).expect_err("it is down")));
    assert!(is_down(stake_tx::release(&client, L1Hash([5; 32])).expect_err("it is down")));
    assert!(is_down(registration_tx::seed(&client).expect_err("it is down")));
    let forced = ForcedOrder { chain_id: CHAIN, transaction: vec![7; 140], paid: 0 };
    let Err(ForcedTxError::Wallet(error)) = forced_tx::send(&client, &forced) else {
        panic!("the wallet is down")
    };
    assert!(is_down(error));
    let Err(BurnError::L1(error)) = burn::create(&client, &payload(4_000)) else {
        panic!("the wallet is down")
    };
    assert!(is_down(error.into()));
    // Nor was a key of the other one used up for any of it.
    let known = vec![0.into(), true.into()];
    let known: Vec<Value> =
        second.client().wallet_call("listreceivedbyaddress", known).expect("a list");
    assert!(known.is_empty(), "{known:?}");

    // Once it is back, it funds, signs and sends, whoever is read meanwhile.
    first.restart().expect("it comes back");
    let unsigned = stake_tx::create(&client, &order).expect("funded");
    let sent = stake_tx::sign_and_send(&client, &unsigned.raw, CHAIN).expect("accepted");
    let pool_of = |node: &Litecoind| -> Vec<String> {
        node.client().query("getrawmempool", vec![]).expect("an answer")
    };
    assert_eq!(pool_of(&first), [sent.txid.to_string()]);
    assert!(pool_of(&second).is_empty());
}

#[test]
fn a_node_that_lags_takes_nothing_back() {
    let (first, second) = pair();
    let following = Following::all(client_of(&[&first, &second]));
    first.mine(4).expect("mined");
    following.wait("block 114", |status| status.readable_height == Some(114));
    let before = following.block(114).expect("stored");

    first.stop().expect("it stops");
    let behind = |status: &L1Status| status.blocks_behind == Some(4);
    let status = following.wait("the one that is behind", behind);
    assert_eq!(status.url, second.url());
    assert_eq!((status.tip_height, status.readable_height), (Some(114), Some(114)));
    assert_eq!(following.tip().expect("a tip").readable_height, 114);
    assert_eq!(following.block(114).as_ref(), Some(&before));

    // It goes on another way: as what it shows now is all there is, it is followed.
    let other = second.mine(1).expect("mined")[0];
    following.wait("the other block 111", |status| status.tip_hash == Some(other));
    assert_eq!(following.tip().expect("a tip").readable_height, 111);
    assert_eq!(following.block(111).expect("stored").digest.hash, other);
    assert_eq!(following.block(114), None);
}

#[test]
fn a_node_of_another_branch_is_passed_over_and_named() {
    logs::keep();
    let first = Litecoind::start().expect("litecoind starts");
    first.mine(112).expect("mined");
    let second = funded();
    let attested = second.client().block_hash(105).expect("an answer");
    let following = follow(client_of(&[&first, &second]), 105, attested, 10_000);
    let status = following.wait("block 110", |status| status.readable_height == Some(110));
    assert_eq!((status.url, status.fork), (second.url(), None));
    let told = || logs::lines_with(&["WARN", &first.url(), "another block at height 105"]);
    eventually("the complaint", || (told().len() == 1).then_some(()));
    // Also when it would be its turn again.
    std::thread::sleep(Duration::from_secs(1));
    second.mine(1).expect("mined");
    let status = following.wait("block 111", |status| status.readable_height == Some(111));
    assert_eq!((status.url, status.fork), (second.url(), None));

    // As the only one left it is read, so that a fork of L1 is seen.
    second.stop().expect("it stops");
    let status = following.wait("the fork", |status| status.fork.is_some());
    assert_eq!(status.url, first.url());
}

#[test]
fn a_node_of_another_network_is_refused_and_the_next_one_read() {
    logs::keep();
    let node = funded();
    // What differs between the regtest networks of two Bitcoin-family chains.
    let foreign = |request: &str, answer| {
        let request = request_of(request);
        if request["method"] == "getblockhash" && request["params"] == json!([0]) {
            return reply(&request, json!(CASCOIN_REGTEST.genesis), Value::Null);
        }
        Some(answer)
    };
    let wrong = proxy(&node, Arc::new(foreign));
    let config = ClientConfig::new("", node.credentials(), &LITECOIN_REGTEST);
    let of = |urls: Vec<String>| {
        L1Client::new(ClientConfig { urls, attempts: 1, ..config.clone() }).expect("good")
    };
    let alone = of(vec![wrong.clone()]).block_count();
    assert!(matches!(alone, Err(L1Error::WrongChain { .. })), "{alone:?}");

    let following = Following::all(of(vec![wrong.clone(), node.url()]));
    let status = following.wait("block 110", |status| status.readable_height == Some(110));
    assert_eq!(status.url, node.url());
    let told = || logs::lines_with(&["WARN", &wrong, "is on the wrong chain", &node.url()]);
    eventually("the complaint", || (told().len() == 1).then_some(()));
}

#[test]
fn credentials_are_one_for_all_or_one_for_each() {
    let with = |count: usize| {
        let config = ClientConfig::new("http://127.0.0.1:1", Credentials::None, &LITECOIN_REGTEST);
        let urls = vec!["http://127.0.0.1:1".into(), "http://127.0.0.1:2".into()];
        let credentials_of = vec![Credentials::UserPassword("l2:secret".into()); count];
        L1Client::new(ClientConfig { urls, credentials_of, ..config }).map(drop)
    };
    assert_eq!(with(0), Ok(()));
    assert_eq!(with(2), Ok(()));
    for count in [1, 3] {
        let refused = with(count).expect_err("not one for each").to_string();
        assert!(refused.contains("2 URLs") && refused.contains(&count.to_string()), "{refused}");
    }
}

#[test]
fn credentials_may_change_while_it_follows() {
    let options = Options { auth: Auth::Cookie, ..Options::default() };
    let node = Litecoind::start_with(options).expect("litecoind starts");
    node.mine(5).expect("mined");
    let following = Following::all(client_of(&[&node]));
    following.wait("block 5", |status| status.readable_height == Some(5));
    // Its new cookie comes with its restart.
    node.restart().expect("it comes back");
    node.mine(1).expect("mined");
    following.wait("block 6", |status| status.readable_height == Some(6));

    let node = Litecoind::start().expect("litecoind starts");
    node.mine(5).expect("mined");
    let file = node.dir().join("own-auth");
    fs::write(&file, "l2:wrong\n").expect("written");
    let credentials = Credentials::AuthFile(file.clone());
    let config = ClientConfig::new(node.url(), credentials, &LITECOIN_REGTEST);
    let client = L1Client::new(ClientConfig { attempts: 1, ..config }).expect("good");
    let following = Following::all(client);
    eventually("the refusal", || {
        (following.follower.status().error_name == Some("WrongCredentials")).then_some(())
    });
    fs::copy(node.auth_file(), &file).expect("corrected");
    following.wait("block 5", |status| status.readable_height == Some(5));
}
