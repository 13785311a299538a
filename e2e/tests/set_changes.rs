//! The set of sequencers changes while the network runs, and those who come later
//! follow across the changes: block by block, and by warp sync.

use cascoin_e2e::{
    burns,
    extrinsic::{account, dev_pair},
    network::{session_key, with_network, Network, Setup},
    node::NodeConfig,
    set_changes::{add, govern, remove, rotate_keys, wait_for_set},
    wait::{until, Seen, PATIENCE},
    Result,
};
use serde_json::json;

/// Adds and starts a node that only follows.
fn follower(network: &mut Network, name: &str, extra: &[&str]) -> Result<usize> {
    let bootnodes = network.nodes[..4].iter().map(|node| node.multiaddr()).collect();
    network.add(NodeConfig {
        name: name.into(),
        chain: "regtest".into(),
        dev_key: None,
        l1: None,
        bootnodes,
        sequencer_peers: Vec::new(),
        extra: extra.iter().map(|flag| (*flag).into()).collect(),
    })?;
    let index = network.nodes.len() - 1;
    network.nodes[index].start()?;
    network.nodes[index].wait_for_rpc()?;
    Ok(index)
}

#[test]
fn sequencers_change_keys_leave_and_join_and_late_nodes_follow_by_every_sync() {
    with_network(&Setup::regtest_without_l1(), |network| {
        let dave = account(&dev_pair("//Dave")?);
        let daves_key = session_key("dave").unwrap_or_default();

        // Bob changes his keys while his node runs, and Dave leaves.
        let bobs_key = rotate_keys(network, 1, "//Bob")?;
        govern(network, 0, remove(dave.clone()))?;
        wait_for_set(network, 0, 3, &bobs_key)?;
        // All three are needed for a quorum, so Bob signs with his new key; Dave
        // follows.
        network.wait_for_progress(12)?;
        until("Dave no longer sequences", PATIENCE, || {
            let info = network.call(3, "l2_getchaininfo", json!([]))?;
            let sequencing = info["engine"]["sequencing"].clone();
            Ok(Seen::when(sequencing == false, sequencing))
        })?;

        // Dave comes back, with the keys that he had.
        govern(network, 0, add(dave.clone()))?;
        wait_for_set(network, 0, 4, &daves_key)?;
        let reached = network.wait_for_progress(12)?;

        // Two nodes that know nothing but genesis.
        let full = follower(network, "by-blocks", &[])?;
        let warp = follower(network, "by-warp", &["--sync=warp"])?;
        for node in [full, warp] {
            network.wait_for_height(node, reached)?;
        }
        assert!(network.nodes[warp].logged("Warp sync is complete"), "it synced some other way");
        // Its head is final before it has the head's state.
        until("the state is there", PATIENCE, || {
            let node = &network.nodes[warp];
            Ok(Seen::when(node.logged("State sync is complete"), node.log_tail(3)))
        })?;
        let endowment = burns::balance(network, 0, &account(&dev_pair("//Eve")?))?;
        assert!(endowment > 0);
        for node in [full, warp] {
            assert_eq!(burns::balance(network, node, &account(&dev_pair("//Eve")?))?, endowment);
        }

        // The next change happens before their eyes.
        govern(network, 0, remove(dave))?;
        for node in [0, full, warp] {
            wait_for_set(network, node, 3, &bobs_key)?;
        }
        network.wait_for_progress(12)?;
        // The history comes in behind a warp sync.
        until("the history is complete", PATIENCE, || {
            let first = network.call(warp, "chain_getBlockHash", json!([1]))?;
            let middle = network.call(warp, "chain_getBlockHash", json!([reached - 2]))?;
            Ok(Seen::when(first.is_string() && middle.is_string(), (first, middle)))
        })?;
        network.expect_one_chain()?;
        network.expect_no_equivocations()?;
        Ok(())
    });
}
