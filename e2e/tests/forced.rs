//! A transaction that is only ever posted on a real L1 is included on L2.

use cascoin_e2e::{
    extrinsic::{self, account, dev_pair, SigningContext},
    network::{with_network, Setup},
    wait::{until, Seen, PATIENCE},
};
use serde_json::json;

/// No node is given it, and honest leaders include it as soon as the relay tells of it.
#[test]
fn r17_4_what_is_posted_on_l1_is_included_by_honest_leaders() {
    with_network(&Setup::regtest(), |network| {
        let rpc = network.nodes[0].rpc();
        let eve = dev_pair("//Eve")?;
        let who = account(&eve).to_string();
        let bob = account(&dev_pair("//Bob")?);
        let call = extrinsic::transfer(&bob, 1_000_000);
        let signed = SigningContext::of(&rpc)?.sign(call, &eve, 0);
        let sent = network.call(0, "l2_forceinclusion", json!([extrinsic::hex(&signed)]))?;
        network.l1()?.mine(2)?;
        until("the transaction is in a block", PATIENCE, || {
            let count = network.call(1, "l2_gettransactioncount", json!([who]))?;
            let count = count["transactionCount"].as_u64();
            Ok(Seen::when(count == Some(1), format!("{count:?}")))
        })?;
        let known = network.call(1, "l2_getforcedtransactions", json!([]))?;
        assert_eq!((&known["heard"], &known["waiting"]), (&json!(1), &json!(1)), "{known}");
        assert_eq!(known["transactions"][0]["hash"], sent["hash"]);
        network.wait_for_progress(10)?;
        Ok(())
    });
}
