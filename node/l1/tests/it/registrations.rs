//! A chain's registration on a real L1: sent, seen in its block, and its coins got back.

use crate::{funded, CHAIN};
use cascoin_l1::{
    client::Unspent,
    events::events,
    registration_tx::{register, seed, RegistrationOrder},
    stake_tx::{self, StakeTxError},
    ClientConfig, L1Client, L1Error,
};
use cascoin_l2_primitives::{
    l1::{
        registration::{chain_id_of, chain_name, MIN_REGISTRATION_BLOCKS},
        L1Hash,
    },
    relay::L1Event,
};
use serde_json::Value;

/// Of two coins that are locked until `unlock`.
fn order(client: &L1Client, unlock: u32) -> RegistrationOrder {
    RegistrationOrder {
        registry: CHAIN,
        seed: seed(client).expect("the wallet has coins"),
        name: chain_name(b"demo").expect("a name"),
        definition: L1Hash([5; 32]),
        value: 2 * client.params().coin,
        unlock,
    }
}

#[test]
fn r1_5_a_chain_that_the_wallet_registers_is_seen_in_its_block() {
    let node = funded();
    let client = node.client();
    let tip = client.block_count().expect("a height");
    let order = order(&client, tip + MIN_REGISTRATION_BLOCKS + 100);
    let sent = register(&client, &order).expect("accepted");
    let lock = sent.registered.registration.lock;
    let block = client.block(&node.mine(1).expect("mined")[0]).expect("a block");
    let events = events(&block, tip + 1);
    let [L1Event::ChainRegistration {
        outpoint,
        chain_id,
        id,
        name,
        definition,
        owner,
        value,
        unlock,
    }] = &events[..]
    else {
        panic!("one registration: {events:?}")
    };
    assert_eq!((outpoint.txid, outpoint.vout, *chain_id), (sent.txid, 1, CHAIN));
    // R1.3: it was known before.
    assert_eq!(*id, chain_id_of(&order.seed));
    assert_eq!((name, definition), (&order.name, &order.definition));
    assert_eq!((owner.0, *unlock), (lock.owner, order.unlock));
    assert_eq!(*value, order.value);
    // R1.4: nobody can spend it now, though the wallet has the key.
    let early = stake_tx::release(&client, sent.txid);
    assert!(matches!(early, Err(StakeTxError::L1(L1Error::Rpc { .. }))), "{early:?}");
}

/// The wallet could not sign for one that it only watches, such as a cold store's.
#[test]
fn a_seed_is_a_coin_that_the_wallet_can_spend() {
    let node = funded();
    let client = node.client();
    let _: Value = client.query("createwallet", vec!["other".into()]).expect("made");
    let config = ClientConfig { wallet: Some("other".into()), ..client.config().clone() };
    let other = L1Client::new(config).expect("a good configuration");
    let address = other.new_address().expect("an address");
    let watched = vec![address.clone().into(), "".into(), false.into()];
    let _: Option<Value> = client.wallet_call("importaddress", watched).expect("watched");
    // Of the 500 coins that it has: no other output is as large.
    let paid = vec![address.into(), 400u64.into()];
    let txid: L1Hash = client.wallet_call("sendtoaddress", paid).expect("sent");
    node.mine(1).expect("mined");

    let unspent = client.list_unspent(1).expect("a list");
    let largest = unspent.iter().max_by_key(|output| output.value).expect("it has coins");
    assert_eq!((largest.txid, largest.spendable), (txid, false));
    assert_eq!(largest.value, 400 * client.params().coin);
    let chosen = seed(&client).expect("the wallet has others");
    assert_ne!((chosen.txid, chosen.vout), (largest.txid, largest.vout));
    let it = |output: &&Unspent| (output.txid, output.vout) == (chosen.txid, chosen.vout);
    assert!(unspent.iter().find(it).expect("it is listed").spendable);
}

/// R1.3: no second chain has the id.
#[test]
fn r1_3_a_seed_is_spent_once() {
    let node = funded();
    let client = node.client();
    let tip = client.block_count().expect("a height");
    let order = order(&client, tip + MIN_REGISTRATION_BLOCKS + 100);
    register(&client, &order).expect("accepted");
    node.mine(1).expect("mined");
    assert!(register(&client, &order).is_err());
    assert_ne!(seed(&client).expect("the wallet has coins"), order.seed);
}

#[test]
fn the_deployers_coins_come_back_when_their_lock_ends() {
    let node = funded();
    let client = node.client();
    let unlock = client.block_count().expect("a height") + 2;
    let order = order(&client, unlock);
    let sent = register(&client, &order).expect("accepted");
    node.mine(2).expect("mined");
    let released = stake_tx::release(&client, sent.txid).expect("the lock has ended");
    assert_eq!(released.value + released.fee, order.value);
}
