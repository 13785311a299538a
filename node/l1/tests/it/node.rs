//! Reaching the node: identity, credentials, outages, fail-over; and the table of
//! parameters against what the node says.

use cascoin_l1::{
    client::code,
    testing::{free_port, Auth, Litecoind, Options},
    ClientConfig, Credentials, L1Client, L1Error,
};
use cascoin_l2_primitives::l1::{
    address::{AddressError, L1Address},
    params::{CASCOIN_MAINNET, CASCOIN_REGTEST, LITECOIN_REGTEST},
    L1Hash,
};
use std::fs;

fn config(node: &Litecoind) -> ClientConfig {
    let config = ClientConfig::new(node.url(), node.credentials(), &LITECOIN_REGTEST);
    ClientConfig { attempts: 1, wallet: Some(node.wallet().into()), ..config }
}

fn client(config: ClientConfig) -> L1Client {
    L1Client::new(config).expect("a good configuration")
}

#[test]
fn the_node_is_the_one_the_parameters_describe() {
    let node = super::funded();
    let client = node.client();
    let info = client.check_ready().expect("a fresh regtest node is ready");
    assert_eq!((info.chain.as_str(), info.blocks), ("regtest", 110));
    assert_eq!(client.block_hash(0), Ok(LITECOIN_REGTEST.genesis));
    assert_eq!(client.block_count(), Ok(110));
    assert_eq!(client.best_block_hash(), Ok(info.best_block));
    assert_eq!(client.block_height(&info.best_block), Ok(Some(110)));

    let block = client.block(&info.best_block).expect("a block");
    assert_eq!(block.transaction_count(), 1);
    assert_eq!(client.block_header(&info.best_block).as_ref(), Ok(block.header()));
    let (coinbase, output) = block.outputs().next().expect("a coinbase");
    // 50 coins in base units of 8 decimals: ten mature coinbases in the wallet.
    assert_eq!(output.value, 50 * LITECOIN_REGTEST.coin);
    assert_eq!(client.balance(), Ok(10 * 50 * LITECOIN_REGTEST.coin));
    let unspent = client.list_unspent(1).expect("a list");
    assert_eq!(unspent.len(), 10);
    assert!(unspent.iter().all(|coin| coin.value == 50 * LITECOIN_REGTEST.coin));
    client.raw_transaction(&coinbase.txid).expect("the index has it");

    let unknown = client.block_header(&L1Hash([1; 32]));
    assert!(matches!(unknown, Err(L1Error::Rpc { code: code::INVALID_ADDRESS_OR_KEY, .. })));
    let above = client.block_hash(111);
    assert!(matches!(above, Err(L1Error::Rpc { code: code::INVALID_PARAMETER, .. })));
    let unknown = client.query::<()>("nosuchmethod", vec![]);
    assert!(matches!(unknown, Err(L1Error::Rpc { code: code::METHOD_NOT_FOUND, .. })));
}

#[test]
fn addresses_are_read_and_written_as_the_node_does() {
    let node = Litecoind::start().expect("litecoind starts");
    let client = node.client();
    for kind in ["legacy", "p2sh-segwit", "bech32"] {
        let text: String =
            client.wallet_call("getnewaddress", vec!["".into(), kind.into()]).expect("an address");
        let address = L1Address::parse(&text, &LITECOIN_REGTEST).expect("ours");
        assert_eq!(address.encode(&LITECOIN_REGTEST), text, "{kind}");
        let answer = client.validate_address(&text).expect("an answer");
        assert!(answer.is_valid);
        assert_eq!(answer.script, Some(hex::encode(address.script())), "{kind}");
        let elsewhere = L1Address::parse(&text, &CASCOIN_MAINNET);
        assert_eq!(elsewhere, Err(AddressError::WrongNetwork), "{kind}");
    }
}

#[test]
fn a_node_of_another_chain_is_refused_by_name_and_by_genesis() {
    let node = Litecoind::start().expect("litecoind starts");
    // Mainnet differs in name; Cascoin's regtest only in the genesis block.
    for params in [&CASCOIN_MAINNET, &CASCOIN_REGTEST] {
        let client = client(ClientConfig { params, ..config(&node) });
        match client.block_count() {
            Err(L1Error::WrongChain { expected, found, .. }) => {
                assert!(expected.contains(&params.genesis.to_string()));
                assert!(found.contains(&LITECOIN_REGTEST.genesis.to_string()));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn wrong_credentials_are_named_and_new_ones_are_read() {
    let node = Litecoind::start().expect("litecoind starts");
    let with = |credentials| client(ClientConfig { credentials, ..config(&node) });
    let fixed = with(Credentials::UserPassword("l2:wrong".into())).block_count();
    assert!(matches!(fixed, Err(L1Error::WrongCredentials { .. })), "{fixed:?}");
    let none = with(Credentials::None).block_count();
    assert!(matches!(none, Err(L1Error::WrongCredentials { .. })), "{none:?}");

    let file = node.dir().join("own-auth");
    fs::write(&file, "l2:wrong\n").expect("written");
    let client = with(Credentials::AuthFile(file.clone()));
    assert!(matches!(client.block_count(), Err(L1Error::WrongCredentials { .. })));
    fs::copy(node.auth_file(), &file).expect("corrected");
    assert_eq!(client.block_count(), Ok(0), "read again on 401");
    fs::remove_file(&file).expect("removed");
    assert_eq!(client.block_count(), Ok(0), "not read without need");
}

#[test]
fn a_new_cookie_after_a_restart_needs_nobody() {
    let options = Options { auth: Auth::Cookie, ..Options::default() };
    let node = Litecoind::start_with(options).expect("litecoind starts");
    let client = node.client();
    let before = fs::read(node.cookie_file()).expect("a cookie");
    assert_eq!(client.block_count(), Ok(0));
    node.restart().expect("it comes back");
    assert_ne!(fs::read(node.cookie_file()).expect("a cookie"), before);
    assert_eq!(client.block_count(), Ok(0));
}

#[test]
fn an_outage_is_unreachable_and_ends_with_it() {
    let node = Litecoind::start().expect("litecoind starts");
    let client = client(config(&node));
    assert_eq!(client.block_count(), Ok(0));
    node.stop().expect("it stops");
    assert!(matches!(client.block_count(), Err(L1Error::Unreachable { .. })));
    node.restart().expect("it comes back");
    assert_eq!(client.block_count(), Ok(0));
}

#[test]
fn another_node_takes_over_and_the_most_telling_error_is_shown() {
    let node = Litecoind::start().expect("litecoind starts");
    let dead = format!("http://127.0.0.1:{}", free_port().expect("a port"));
    let both = ClientConfig { urls: vec![dead.clone(), node.url()], ..config(&node) };
    let client_of_both = client(both.clone());
    assert_eq!(client_of_both.block_count(), Ok(0));
    assert_eq!(client_of_both.url(), node.url());

    let wrong = client(ClientConfig { params: &CASCOIN_REGTEST, ..both });
    assert!(matches!(wrong.block_count(), Err(L1Error::WrongChain { .. })));
    let no_urls = L1Client::new(ClientConfig { urls: vec![], ..config(&node) });
    assert!(matches!(no_urls, Err(L1Error::Config(_))));
}

/// Without its witnesses a block has the same hash, and would have other events.
#[test]
fn a_node_that_leaves_witnesses_out_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |version: u8| {
        let dir = Some(folder.path().to_owned());
        let config = vec![format!("rpcserialversion={version}")];
        Litecoind::start_with(Options { dir, config, ..Options::default() })
            .expect("litecoind starts")
    };
    let node = with(0);
    let hash = node.mine(1).expect("mined")[0];
    let refused = node.client().block(&hash);
    assert!(
        matches!(&refused, Err(L1Error::BadReply { reason, .. })
            if reason.contains("-rpcserialversion=1")),
        "{refused:?}"
    );
    node.stop().expect("it stops");
    drop(node);
    let block = with(1).client().block(&hash).expect("whole");
    assert_eq!(block.header().hash, hash);
}

#[test]
fn an_unknown_wallet_is_the_nodes_own_error() {
    let node = Litecoind::start().expect("litecoind starts");
    let client = client(ClientConfig { wallet: Some("no such/wallet".into()), ..config(&node) });
    assert!(matches!(client.balance(), Err(L1Error::Rpc { code: -18, .. })));
    assert_eq!(client.block_count(), Ok(0), "the node's own calls need no wallet");
}
