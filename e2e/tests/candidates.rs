//! Somebody whom nobody appointed becomes a sequencer.

use cascoin_e2e::{
    burns::ChainFacts,
    candidates::{announcement, listed, newcomer, wait_for_attestation},
    extrinsic::{account, dev_pair},
    network::{with_network, Setup},
    set_changes::{call, govern, rotate_keys, wait_for_set},
    wait::{until, Seen, PATIENCE},
    Error,
};
use cascoin_l2_primitives::reputation::Score;
use cascoin_l2_runtime::Runtime;
use serde_json::{json, Value};

#[test]
fn r2_1_a_newcomer_with_stake_and_reputation_sequences_and_its_scores_agree_everywhere() {
    with_network(&Setup::regtest_without_l1(), |network| {
        let node = newcomer(network, "regtest", None)?;
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
        let found = wait_for_attestation(network, &eve)?;
        assert_eq!(found["refusalCount"], 0, "{found}");
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
