//! Stake on a real L1: locked, seen in its block, and spent when its lock ends.

use crate::{funded, CHAIN};
use cascoin_l1::{
    events::events,
    stake_tx::{self, StakeOrder, StakeTxError},
    L1Error,
};
use cascoin_l2_primitives::{chain::AccountId, l1::stake::MIN_LOCK_BLOCKS, relay::L1Event};

fn order(value: u64, unlock: u32) -> StakeOrder {
    let account = AccountId::new([7; 32]);
    StakeOrder { chain_id: CHAIN, account, value, unlock, owner: None }
}

#[test]
fn r2_3_coins_that_the_wallet_locks_are_seen_in_their_block() {
    let node = funded();
    let client = node.client();
    let tip = client.block_count().expect("a height");
    let unlock = tip + MIN_LOCK_BLOCKS + 100;
    let value = 3 * client.params().coin;
    let unsigned = stake_tx::create(&client, &order(value, unlock)).expect("funded");
    let sent = stake_tx::sign_and_send(&client, &unsigned.raw, CHAIN).expect("accepted");
    assert_eq!(sent.locked, unsigned.locked);
    let block = client.block(&node.mine(1).expect("mined")[0]).expect("a block");
    let events = events(&block, tip + 1);
    let [L1Event::Stake { outpoint, chain_id, account, value: seen, unlock: until, .. }] =
        &events[..]
    else {
        panic!("one lock: {events:?}")
    };
    assert_eq!((outpoint.txid, outpoint.vout, *chain_id), (sent.txid, 1, CHAIN));
    assert_eq!((account, *seen, *until), (&AccountId::new([7; 32]), value, unlock));
    // Nobody can spend it now, though the wallet has the key.
    let early = stake_tx::release(&client, sent.txid);
    assert!(matches!(early, Err(StakeTxError::L1(L1Error::Rpc { .. }))), "{early:?}");
}

#[test]
fn coins_come_back_when_their_lock_ends_and_not_a_block_before() {
    let node = funded();
    let client = node.client();
    let unlock = client.block_count().expect("a height") + 4;
    let value = client.params().coin;
    let unsigned = stake_tx::create(&client, &order(value, unlock)).expect("funded");
    let sent = stake_tx::sign_and_send(&client, &unsigned.raw, CHAIN).expect("accepted");
    node.mine(3).expect("mined");
    let early = stake_tx::release(&client, sent.txid);
    assert!(matches!(early, Err(StakeTxError::L1(L1Error::Rpc { .. }))), "{early:?}");
    node.mine(1).expect("mined");
    let released = stake_tx::release(&client, sent.txid).expect("the lock has ended");
    assert_eq!(released.value + released.fee, value);
    let block = client.block(&node.mine(1).expect("mined")[0]).expect("a block");
    assert!(block.outputs().any(|(outpoint, output)| {
        outpoint.txid == released.txid && output.value == released.value
    }));
    let twice = stake_tx::release(&client, sent.txid);
    assert!(matches!(twice, Err(StakeTxError::L1(L1Error::Rpc { .. }))), "{twice:?}");
    let foreign = stake_tx::release(&client, released.txid);
    assert_eq!(foreign, Err(StakeTxError::NotAStake));
}
