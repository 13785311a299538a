//! A sequencer's keys are revoked by a transaction on a real L1.

use cascoin_e2e::{
    extrinsic::{account, dev_pair},
    l1::L1,
    network::{session_key, with_network, Setup},
    set_changes::{call, keys_in_force, rotate_keys, wait_for_set},
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use cascoin_l2_runtime::RuntimeCall;
use pallet_sequencer_registry::Call as Registry;
use serde_json::{json, Value};
use sp_core::H160;

/// An address of the L1 wallet, as the operator's guide has it made, and HASH160 of its
/// key.
fn cold_key(l1: &L1) -> Result<(String, H160)> {
    let address = l1.call("getnewaddress", json!(["cold", "legacy"]))?;
    let info = l1.call("getaddressinfo", json!([address]))?;
    // DUP HASH160, push of 20 bytes, EQUALVERIFY CHECKSIG.
    let script = info["scriptPubKey"].as_str().unwrap_or_default();
    let hash = script.strip_prefix("76a914").and_then(|rest| rest.strip_suffix("88ac"));
    let hash = hash.ok_or_else(|| Error::other(format!("not a legacy address: {info}")))?;
    let hash = hex::decode(hash).map_err(Error::other)?;
    let address = address.as_str().unwrap_or_default().to_string();
    Ok((address, H160::from_slice(&hash)))
}

/// Has the key of `address` say `data` on L1, with a coin that it gets for it.
fn say(l1: &L1, address: &str, data: &Value) -> Result<()> {
    l1.call("sendtoaddress", json!([address, 1]))?;
    l1.mine(1)?;
    let coins = l1.call("listunspent", json!([1, 9_999_999, [address]]))?;
    let input = json!({ "txid": coins[0]["txid"], "vout": coins[0]["vout"] });
    let change = l1.call("getnewaddress", json!([]))?;
    let change = change.as_str().unwrap_or_default();
    let outputs = json!({ "data": data, change: "0.999" });
    let raw = l1.call("createrawtransaction", json!([[input], outputs]))?;
    let signed = l1.call("signrawtransactionwithwallet", json!([raw]))?;
    assert_eq!(signed["complete"], true, "{signed}");
    l1.call("sendrawtransaction", json!([signed["hex"]]))?;
    l1.mine(1)
}

#[test]
fn r30_5_an_l1_transaction_takes_a_sequencer_out_and_new_keys_bring_it_back() {
    with_network(&Setup::regtest(), |network| {
        let bob = account(&dev_pair("//Bob")?);
        let (address, key) = cold_key(network.l1()?)?;
        let name = Registry::set_revocation_key { key: Some(key) };
        call(network, 0, "//Bob", RuntimeCall::SequencerRegistry(name))?;
        let answer = network.call(0, "l2_createrevocationtx", json!([bob.to_string()]))?;
        assert_eq!(answer["revocationKey"]["l1Address"], address, "{answer}");

        // Somebody else says it first, which is nothing.
        let (other, _) = cold_key(network.l1()?)?;
        say(network.l1()?, &other, &answer["data"])?;
        let height = network.l1()?.height()?;
        until("L2 has heard of it", PATIENCE, || {
            let info = network.call(0, "l2_getchaininfo", json!([]))?;
            let applied = info["l1"]["appliedHeight"].clone();
            Ok(Seen::when(applied.as_u64() >= Some(height.into()), applied))
        })?;
        network.wait_for_progress(10)?;
        assert_eq!(keys_in_force(network, 0)?.len(), 4);

        say(network.l1()?, &address, &answer["data"])?;
        let alices_key = session_key("alice").unwrap_or_default();
        let bobs_old_key = session_key("bob").unwrap_or_default();
        wait_for_set(network, 0, 3, &alices_key)?;
        assert!(!keys_in_force(network, 0)?.contains(&bobs_old_key));
        // Blocks go on without Bob, whose node follows.
        network.wait_for_progress(12)?;
        until("Bob no longer sequences", PATIENCE, || {
            let info = network.call(1, "l2_getchaininfo", json!([]))?;
            let sequencing = info["engine"]["sequencing"].clone();
            Ok(Seen::when(sequencing == false, sequencing))
        })?;

        // With keys that Bob's node makes anew it is back.
        let bobs_key = rotate_keys(network, 1, "//Bob")?;
        wait_for_set(network, 0, 4, &bobs_key)?;
        network.wait_for_progress(12)?;
        let set = network.call(0, "l2_getsequencers", json!([]))?;
        let sequencers = set["sequencers"].as_array().cloned().unwrap_or_default();
        assert!(sequencers.iter().all(|one| one["isBarred"] == false), "{set}");
        network.expect_one_chain()?;
        network.expect_no_equivocations()?;
        Ok(())
    });
}
