//! Somebody whom nobody appointed becomes a sequencer.

use cascoin_e2e::{
    burns::ChainFacts,
    extrinsic::{account, dev_pair},
    network::{with_network, Network, Setup},
    node::NodeConfig,
    set_changes::{call, govern, rotate_keys, wait_for_set},
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use cascoin_l2_primitives::{chain::AccountId, reputation::Score};
use cascoin_l2_runtime::{Runtime, RuntimeCall};
use codec::Decode;
use serde_json::{json, Value};

/// Starts a node that nobody named, with keys that it makes itself.
fn newcomer(network: &mut Network) -> Result<usize> {
    let others: Vec<String> = network.nodes.iter().map(|node| node.multiaddr()).collect();
    network.add(NodeConfig {
        name: "newcomer".into(),
        chain: "regtest".into(),
        dev_key: None,
        l1: None,
        bootnodes: others.clone(),
        sequencer_peers: others,
        extra: vec!["--sequencer".into()],
    })?;
    let index = network.nodes.len() - 1;
    network.nodes[index].start()?;
    network.nodes[index].wait_for_rpc()?;
    Ok(index)
}

/// What `l2_getsequencers` says of one account, in a list.
fn listed(network: &Network, node: usize, list: &str, who: &AccountId) -> Result<Option<Value>> {
    let answer = network.call(node, "l2_getsequencers", json!([]))?;
    let known = answer[list].as_array().cloned().unwrap_or_default();
    Ok(known.into_iter().find(|one| one["address"] == who.to_string()))
}

/// The call that `l2_announcesequencer` gives to sign.
fn announcement(answer: &Value) -> Result<RuntimeCall> {
    let encoded = answer["call"].as_str().unwrap_or_default().trim_start_matches("0x");
    let encoded = hex::decode(encoded).map_err(Error::other)?;
    RuntimeCall::decode(&mut &encoded[..]).map_err(Error::other)
}

/// The nodes of the sequencers that are asked find the newcomer's, and vouch for it.
fn wait_for_attestation(network: &Network, who: &AccountId) -> Result<()> {
    let found = until("the nodes of sequencers vouch", PATIENCE, || {
        let candidate = listed(network, 0, "candidates", who)?.unwrap_or_default();
        Ok(Seen::when(candidate["isVerified"] == true, candidate))
    })?;
    assert_eq!(found["refusalCount"], 0, "{found}");
    Ok(())
}

#[test]
fn r2_1_a_newcomer_with_stake_and_reputation_sequences_and_its_scores_agree_everywhere() {
    with_network(&Setup::regtest_without_l1(), |network| {
        let node = newcomer(network)?;
        let height = network.finalized_height(0)?;
        network.wait_for_height(node, height)?;
        let eve = account(&dev_pair("//Eve")?);

        // Without a reputation the chain refuses it, and its node says so.
        let arguments = json!(["4", 60, "/dns/eve.example/tcp/30333", eve.to_string()]);
        let early = network.call(node, "l2_announcesequencer", arguments.clone())?;
        assert_eq!(early["eligible"], false, "{early}");
        let score = Score::saturating(60);
        let set = pallet_reputation::Call::<Runtime>::set_l1_score { account: eve.clone(), score };
        govern(network, 0, set)?;
        let answer = network.call(0, "l2_announcesequencer", arguments)?;
        assert_eq!((&answer["eligible"], &answer["hatScore"]), (&json!(true), &json!(60)));

        // What the node gives is what the account signs.
        call(network, 0, "//Eve", announcement(&answer)?)?;
        let key = rotate_keys(network, node, "//Eve")?;
        wait_for_attestation(network, &eve)?;
        // Everybody has heard where it is, from its node.
        let peer = network.call(node, "system_localPeerId", json!([]))?;
        until("all have heard of the newcomer's node", PATIENCE, || {
            let mut heard = Vec::new();
            for other in 0..network.nodes.len() {
                let candidate = listed(network, other, "candidates", &eve)?.unwrap_or_default();
                heard.push(candidate["node"]["peerId"].clone());
            }
            Ok(Seen::when(heard.iter().all(|known| *known == peer), heard))
        })?;
        wait_for_set(network, 0, 5, &key)?;
        let makes_blocks = || {
            let sequencer = listed(network, 0, "sequencers", &eve)?.unwrap_or_default();
            Ok(Seen::when(sequencer["blocksProduced"].as_u64() > Some(0), sequencer))
        };
        until("the newcomer makes blocks", PATIENCE, makes_blocks)?;

        for who in [&eve, &account(&dev_pair("//Alice")?)] {
            let of = |node| network.call(node, "l2_getreputation", json!([who.to_string()]));
            let first = of(0)?;
            for other in 1..network.nodes.len() {
                let answer = of(other)?;
                assert_eq!(
                    (&answer["score"], &answer["parts"]["l1"]),
                    (&first["score"], &first["parts"]["l1"])
                );
            }
        }
        network.expect_one_chain()?;
        network.expect_no_equivocations()?;
        Ok(())
    });
}

/// What is locked on a real L1 is seen by each node's own, and completes a stake.
#[test]
fn r2_3_coins_locked_on_l1_are_stake_on_all_nodes() {
    with_network(&Setup::regtest(), |network| {
        let confirmations = ChainFacts::of(network, 0)?.l1_confirmations;
        let eve = account(&dev_pair("//Eve")?);
        let score = Score::saturating(60);
        let set = pallet_reputation::Call::<Runtime>::set_l1_score { account: eve.clone(), score };
        govern(network, 0, set)?;

        let unlock = network.l1()?.height()? + 9_000;
        let order = json!([eve.to_string(), "2", unlock]);
        let created = network.call(0, "l2_createstaketx", order)?;
        let sent = network.call(0, "l2_sendstaketx", json!([created["hex"]]))?;
        assert_eq!(
            (&sent["amount"], &sent["unlockHeight"]),
            (&json!("2.00000000"), &json!(unlock))
        );
        network.l1()?.mine(confirmations)?;
        let arguments = json!(["3", 60, "/dns/eve.example/tcp/30333", eve.to_string()]);
        let mut answer = Value::Null;
        for node in 0..network.nodes.len() {
            answer = until("the node knows of the lock", PATIENCE, || {
                let answer = network.call(node, "l2_announcesequencer", arguments.clone())?;
                Ok(Seen::when(answer["lockedOnL1"] == "2.00000000", answer))
            })?;
        }
        // Half of three coins must be bonded.
        assert_eq!(
            (&answer["bonded"], &answer["toBond"]),
            (&json!("0.00000000"), &json!("1.50000000"))
        );
        call(network, 0, "//Eve", announcement(&answer)?)?;
        for node in 0..network.nodes.len() {
            let found = until("the node lists the candidate", PATIENCE, || {
                let candidate = listed(network, node, "candidates", &eve)?.unwrap_or_default();
                Ok(Seen::when(candidate["bonded"] == "1.50000000", candidate))
            })?;
            assert_eq!(
                (&found["stake"], &found["lockedOnL1"], &found["isEligible"]),
                (&json!("3.00000000"), &json!("2.00000000"), &json!(true))
            );
        }
        // Until the lock ends nobody gets the coins back.
        let early = network.call(0, "l2_releasestaketx", json!([sent["txid"]]));
        assert!(
            matches!(&early, Err(Error::Rpc { data: Some(data), .. }) if data.contains("L1_REFUSED")),
            "{early:?}"
        );
        network.expect_one_chain()?;
        Ok(())
    });
}
