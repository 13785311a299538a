//! A transaction of the layer 2 on a real L1: relayed, mined, and seen in its block.

use crate::{funded, CHAIN};
use cascoin_l1::{
    events::events,
    forced_block::{self, ForcedInBlockError},
    forced_tx::{self, ForcedOrder, ForcedTxError},
};
use cascoin_l2_primitives::{
    l1::{forced::MAX_FORCED_BYTES, L1Hash},
    relay::L1Event,
};
use serde_json::Value;

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

/// What a hand-over is asked for with: where it stands is what the L1 node itself says.
#[test]
fn r17_6_depth_and_times_are_those_of_the_node_and_of_its_best_chain() {
    let node = funded();
    let client = node.client();
    let order = ForcedOrder { chain_id: CHAIN, transaction: vec![7; 140], paid: 0 };
    let sent = forced_tx::send(&client, &order).expect("accepted");
    let block = node.mine(1).expect("mined")[0];
    let height = client.block_count().expect("a height");
    let tip = *node.mine(2).expect("mined").last().expect("two blocks");
    let find = |block: &L1Hash, chain_id| forced_block::find(&client, block, &sent.txid, chain_id);
    let found = find(&block, CHAIN).expect("it is there");
    assert_eq!((found.height, found.confirmations), (height, 3));
    for (hash, median_time) in [(block, found.median_time), (tip, found.tip_median_time)] {
        let params = vec![hash.to_string().into(), true.into()];
        let header: Value = client.query("getblockheader", params).expect("a header");
        assert_eq!(header["mediantime"], median_time, "{header}");
    }
    assert_eq!(find(&block, CHAIN + 1), Err(ForcedInBlockError::NotForced));
    assert_eq!(find(&tip, CHAIN), Err(ForcedInBlockError::NotInBlock));
    let unknown = L1Hash([7; 32]);
    assert_eq!(find(&unknown, CHAIN), Err(ForcedInBlockError::UnknownBlock(unknown)));

    // Another branch, longer than the one that it stood on.
    node.invalidate(&block).expect("it is taken off");
    node.mine(4).expect("mined");
    assert_eq!(find(&block, CHAIN), Err(ForcedInBlockError::NotOnBestChain));
}
