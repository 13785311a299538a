//! An L1 node that is down, lies, or is of another chain: the L2 goes on, and
//! nothing wrong is applied.

use cascoin_e2e::{
    burns::{self, Burn, ChainFacts},
    extrinsic::{account, dev_pair},
    genesis::chain_spec,
    l1::L1,
    network::{with_network, Network, Setup},
    node::L1Access,
    ports,
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use serde_json::json;
use std::fs;

const COIN: u64 = 100_000_000;

fn restart_with(network: &mut Network, node: usize, l1: L1Access) -> Result<()> {
    network.nodes[node].stop()?;
    network.nodes[node].config_mut().l1 = Some(l1);
    network.nodes[node].start()?;
    network.nodes[node].wait_for_rpc()
}

/// Waits until the sequencers agree on L1 up to `height`.
fn wait_for_attested(network: &Network, height: u32) -> Result<()> {
    until(&format!("L1 block {height} is attested"), PATIENCE, || {
        let relay = network.call(0, "l2_getchaininfo", json!([]))?["l1"].clone();
        Ok(Seen::when(relay["attestedHeight"].as_u64() == Some(u64::from(height)), relay))
    })
    .map(drop)
}

#[test]
fn one_sequencers_l1_node_that_is_down_or_lies_changes_nothing() {
    with_network(&Setup::regtest(), |network| {
        let facts = ChainFacts::of(network, 0)?;
        let honest = network.l1()?.access()?;
        let recipient = account(&dev_pair("//L1Faults")?);
        let thief = account(&dev_pair("//Thief")?);
        let mut minted = 0;
        let mut burn_and_check = |network: &mut Network| -> Result<()> {
            let burn = Burn::to_account(facts.chain_id, &recipient, COIN);
            let txid = network.l1()?.burn(&burn)?;
            network.l1()?.mine(facts.l1_confirmations)?;
            minted += u128::from(COIN);
            for node in 0..network.nodes.len() {
                burns::minted(network, node, &txid)?;
                assert_eq!(burns::balance(network, node, &recipient)?, minted);
            }
            Ok(())
        };

        // Nobody listens where its L1 node should be.
        let dead =
            L1Access { url: format!("http://127.0.0.1:{}", ports::free()?), ..honest.clone() };
        restart_with(network, 3, dead)?;
        burn_and_check(network)?;
        let info = network.call(3, "l2_getchaininfo", json!([]))?;
        assert_eq!(info["l1"]["node"]["connected"], false, "{info}");

        // It answers, but lets nobody in.
        let stranger = L1Access { credentials: "l2:wrong".into(), ..honest.clone() };
        restart_with(network, 3, stranger)?;
        burn_and_check(network)?;
        until("wrong credentials are named", PATIENCE, || {
            let info = network.call(3, "l2_getchaininfo", json!([]))?;
            let error = info["l1"]["node"]["error"].as_str().unwrap_or_default().to_lowercase();
            let named =
                ["credential", "password", "401", "auth"].iter().any(|word| error.contains(word));
            Ok(Seen::when(named, error))
        })?;

        // It shows nothing but the truth, and that late: the others attest the rest.
        let late = L1::copy_of(network.l1()?)?;
        let late_height = late.height()?;
        restart_with(network, 3, late.access()?)?;
        burn_and_check(network)?;
        until("the late one is read as it is", PATIENCE, || {
            let node = network.call(3, "l2_getchaininfo", json!([]))?["l1"]["node"].clone();
            let shown = node["connected"] == true && node["tipHeight"] == late_height;
            Ok(Seen::when(shown && node["fork"].is_null(), node))
        })?;

        // It shows the true history, and on top of it blocks of its own with a burn
        // that nobody else sees. The votes for them stand on what is attested: only
        // the quorum can refuse them.
        let liar = L1::copy_of(network.l1()?)?;
        let theft = Burn::to_account(facts.chain_id, &thief, 40 * COIN);
        // The true L1's coins are the liar's too, as long as they are not spent.
        let theft = network.l1()?.transaction(&[theft])?;
        liar.litecoind().mine_raw(&[hex::decode(&theft).map_err(Error::other)?])?;
        liar.mine(3)?;
        let stolen = liar.call("decoderawtransaction", json!([theft]))?["txid"].clone();
        let stolen = stolen.as_str().unwrap_or_default().to_string();
        wait_for_attested(network, network.l1()?.height()?)?;
        restart_with(network, 3, liar.access()?)?;
        until("the liar's vote is in the chain", PATIENCE, || {
            let state = burns::status(network, 3, &stolen)?;
            Ok(Seen::when(state.status == "PENDING" && state.votes == Some(1), state))
        })?;
        burn_and_check(network)?;
        until("the liar sees that it is contradicted", PATIENCE, || {
            let node = network.call(3, "l2_getchaininfo", json!([]))?["l1"]["node"].clone();
            Ok(Seen::when(node["fork"].is_object(), node))
        })?;
        network.wait_for_progress(20)?;
        for node in 0..network.nodes.len() {
            assert_eq!(burns::balance(network, node, &thief)?, 0);
            assert_ne!(burns::status(network, node, &stolen)?.status, "MINTED");
        }

        // The truth again: it votes as before, and is needed when another is down.
        restart_with(network, 3, honest)?;
        network.nodes[0].kill()?;
        let burn = Burn::to_account(facts.chain_id, &recipient, COIN);
        let txid = network.l1()?.burn(&burn)?;
        network.l1()?.mine(facts.l1_confirmations)?;
        burns::minted(network, 1, &txid)?;
        assert!(burns::supply(network, 1)?.valid);
        network.expect_one_chain()?;
        Ok(())
    });
}

#[test]
fn blocks_go_on_while_l1_is_down_and_burns_arrive_when_it_is_back() {
    with_network(&Setup::regtest(), |network| {
        let facts = ChainFacts::of(network, 0)?;
        let recipient = account(&dev_pair("//AfterTheOutage")?);
        let burn = Burn::to_account(facts.chain_id, &recipient, COIN);
        let txid = network.l1()?.burn(&burn)?;
        network.l1()?.stop()?;
        network.wait_for_progress(20)?;
        assert_eq!(burns::balance(network, 0, &recipient)?, 0);
        network.l1()?.restart()?;
        // The mempool is kept on disk; more than one range of votes is missing.
        network.l1()?.mine(70)?;
        for node in 0..network.nodes.len() {
            burns::minted(network, node, &txid)?;
        }
        assert_eq!(burns::balance(network, 2, &recipient)?, u128::from(COIN));
        assert!(burns::supply(network, 2)?.valid);
        Ok(())
    });
}

#[test]
fn an_l1_node_of_another_chain_is_named_and_not_read() {
    // The chain stands on Cascoin's regtest; what answers is Litecoin's.
    let prepare = || -> Result<(tempfile::TempDir, Setup)> {
        let mut spec = chain_spec("dev")?;
        let network = find_mut(&mut spec, "l1Network")
            .ok_or_else(|| Error::other("the chain spec has no l1Network"))?;
        *network = json!("cascoin-regtest");
        spec["id"] = json!("foreign_l1");
        let folder = tempfile::tempdir().map_err(Error::other)?;
        let path = folder.path().join("spec.json");
        fs::write(&path, spec.to_string()).map_err(Error::other)?;
        let setup = Setup {
            chain: path.display().to_string(),
            sequencers: 1,
            full_nodes: 0,
            l1: true,
            extra: Vec::new(),
        };
        Ok((folder, setup))
    };
    let (_folder, setup) = prepare().unwrap_or_else(|error| panic!("{error}"));
    with_network(&setup, |network| {
        let error = until("the wrong chain is named", PATIENCE, || {
            let info = network.call(0, "l2_getchaininfo", json!([]))?;
            let error = info["l1"]["node"]["error"].as_str().unwrap_or_default().to_lowercase();
            Ok(Seen::when(error.contains("chain"), error))
        })?;
        assert!(
            error.contains("genesis") || error.contains("wrong") || error.contains("another"),
            "{error}"
        );
        let applied = network.call(0, "l2_getchaininfo", json!([]))?["l1"]["appliedHeight"].clone();
        network.l1()?.mine(10)?;
        network.wait_for_progress(10)?;
        let info = network.call(0, "l2_getchaininfo", json!([]))?;
        assert_eq!(info["l1"]["appliedHeight"], applied, "nothing of it is applied");
        Ok(())
    });
}

/// The value of `key`, wherever it stands.
fn find_mut<'a>(value: &'a mut serde_json::Value, key: &str) -> Option<&'a mut serde_json::Value> {
    match value {
        serde_json::Value::Object(fields) => {
            if fields.contains_key(key) {
                return fields.get_mut(key);
            }
            fields.values_mut().find_map(|field| find_mut(field, key))
        }
        serde_json::Value::Array(items) => items.iter_mut().find_map(|item| find_mut(item, key)),
        _ => None,
    }
}
