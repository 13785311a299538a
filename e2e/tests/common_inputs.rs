//! One wallet's coins, spent together on a real L1, make two sequencers one entity.

use base64::{engine::general_purpose::STANDARD, Engine};
use cascoin_e2e::{
    extrinsic::{account, dev_pair},
    network::{with_network, Network, Setup},
    set_changes::call,
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use cascoin_l2_runtime::RuntimeCall;
use codec::Decode;
use pallet_reputation::Call as Reputation;
use serde_json::{json, Value};

/// The account links a new address of the L1 wallet, which gets a coin; what spends it.
fn link_with_coin(network: &Network, path: &str) -> Result<Value> {
    let l1 = network.l1()?;
    let who = account(&dev_pair(path)?).to_string();
    let shown = network.call(0, "l2_getreputation", json!([who]))?;
    let address = l1.call("getnewaddress", json!(["", "legacy"]))?;
    let signed = l1.call("signmessage", json!([address, shown["linkMessage"]]))?;
    let signed = STANDARD.decode(signed.as_str().unwrap_or_default()).map_err(Error::other)?;
    let signature = signed.try_into().map_err(|_| Error::other("not 65 bytes"))?;
    let link = Reputation::link_l1_address { signature };
    call(network, 0, path, RuntimeCall::Reputation(link))?;
    l1.call("sendtoaddress", json!([address, 1]))?;
    l1.mine(1)?;
    let coins = l1.call("listunspent", json!([1, 9_999_999, [address]]))?;
    let coin = json!({ "txid": coins[0]["txid"], "vout": coins[0]["vout"] });
    // The wallet shall not pay with it itself.
    l1.call("lockunspent", json!([false, [coin]]))?;
    Ok(coin)
}

/// The entities of the set in force, in its order.
fn entities(network: &Network) -> Result<Vec<(Value, Value)>> {
    let answer = network.call(0, "l2_getsequencers", json!([]))?;
    let sequencers = answer["sequencers"].as_array().cloned().unwrap_or_default();
    Ok(sequencers.into_iter().map(|one| (one["address"].clone(), one["entity"].clone())).collect())
}

#[test]
fn r22_2_sequencers_whose_coins_one_wallet_spends_together_are_one_entity() {
    with_network(&Setup::regtest(), |network| {
        let (alice, bob) = (account(&dev_pair("//Alice")?), account(&dev_pair("//Bob")?));
        let alone = entities(network)?;
        assert!(alone.iter().all(|(address, entity)| address == entity), "{alone:?}");

        let coins = [link_with_coin(network, "//Alice")?, link_with_coin(network, "//Bob")?];
        let l1 = network.l1()?;
        let to = l1.call("getnewaddress", json!(["", "legacy"]))?;
        let to = to.as_str().unwrap_or_default();
        let raw = l1.call("createrawtransaction", json!([coins, { to: 1.99 }]))?;
        let signed = l1.call("signrawtransactionwithwallet", json!([raw]))?;
        assert_eq!(signed["complete"], true, "{signed}");
        let txid = l1.call("sendrawtransaction", json!([signed["hex"]]))?;
        l1.mine(1)?;
        let (height, block) = (l1.height()?, l1.tip()?);
        until("L2 applies the block", PATIENCE, || {
            let info = network.call(0, "l2_getchaininfo", json!([]))?;
            let applied = info["l1"]["appliedHeight"].clone();
            Ok(Seen::when(applied.as_u64() >= Some(height.into()), applied))
        })?;

        let arguments = json!([alice.to_string(), bob.to_string(), txid, block]);
        let proof = network.call(0, "l2_createcommoninputsproof", arguments)?;
        assert_eq!((&proof["l1Height"], &proof["isApplied"]), (&json!(height), &json!(true)));
        let encoded = proof["call"].as_str().unwrap_or_default().trim_start_matches("0x");
        let encoded = hex::decode(encoded).map_err(Error::other)?;
        let report = RuntimeCall::decode(&mut &encoded[..]).map_err(Error::other)?;
        call(network, 0, "//Eve", report)?;

        let known = entities(network)?;
        let entity_of = |who: &str| {
            known.iter().find(|(address, _)| address == who).map(|(_, entity)| entity.clone())
        };
        let theirs = entity_of(&alice.to_string());
        assert!(theirs.is_some() && theirs == entity_of(&bob.to_string()), "{known:?}");
        let same = known.iter().filter(|(_, entity)| Some(entity) == theirs.as_ref());
        assert_eq!(same.count(), 2, "{known:?}");
        network.expect_one_chain()?;
        Ok(())
    });
}
