//! A transaction of the layer 2 on a real L1: relayed, mined, and seen in its block.

use crate::{funded, CHAIN};
use cascoin_l1::{
    events::events,
    forced_tx::{self, ForcedOrder, ForcedTxError},
};
use cascoin_l2_primitives::{l1::forced::MAX_FORCED_BYTES, relay::L1Event};

#[test]
fn r17_4_what_the_wallet_posts_is_relayed_and_seen_in_its_block() {
    let node = funded();
    let client = node.client();
    for transaction in [vec![7; 140], vec![8; MAX_FORCED_BYTES]] {
        let order = ForcedOrder { chain_id: CHAIN, transaction: transaction.clone(), paid: 0 };
        let sent = forced_tx::send(&client, &order).expect("accepted");
        let height = client.block_count().expect("a height") + 1;
        let block = client.block(&node.mine(1).expect("mined")[0]).expect("a block");
        assert!(block.outputs().any(|(outpoint, _)| outpoint.txid == sent.txid));
        let seen = events(&block, height);
        let [L1Event::ForcedTransaction { chain_id: CHAIN, paid: 0, transaction: shown }] =
            &seen[..]
        else {
            panic!("one forced transaction: {seen:?}")
        };
        assert_eq!(shown.to_vec(), transaction);
    }
}

#[test]
fn what_is_too_long_is_refused_before_anything_is_spent() {
    let node = funded();
    let client = node.client();
    for length in [0, MAX_FORCED_BYTES + 1] {
        let order = ForcedOrder { chain_id: CHAIN, transaction: vec![7; length], paid: 0 };
        assert_eq!(forced_tx::send(&client, &order), Err(ForcedTxError::BadLength(length)));
    }
}
