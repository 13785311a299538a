//! Nodes of another network at the door.

use cascoin_e2e::{
    network::{with_network, Setup},
    node::NodeConfig,
    wait::{until, Seen, PATIENCE},
};
use serde_json::json;

#[test]
fn a_node_of_another_network_is_not_let_in_and_disturbs_nobody() {
    with_network(&Setup::regtest_without_l1(), |network| {
        let addresses: Vec<String> = network.nodes.iter().map(|node| node.multiaddr()).collect();
        let peers = |network: &cascoin_e2e::network::Network, node| {
            network.call(node, "system_health", json!([])).map(|health| health["peers"].clone())
        };
        until("the four are connected", PATIENCE, || {
            let connected = peers(network, 0)?;
            Ok(Seen::when(connected == json!(3), connected))
        })?;
        // The same key and the other network's addresses: the worst mistake.
        network.add(NodeConfig {
            name: "foreign".into(),
            chain: "dev".into(),
            dev_key: Some("alice"),
            l1: None,
            bootnodes: addresses.clone(),
            sequencer_peers: addresses,
            extra: Vec::new(),
        })?;
        let foreign = network.nodes.len() - 1;
        network.nodes[foreign].start()?;
        network.nodes[foreign].wait_for_rpc()?;
        until("the foreign node makes its own blocks", PATIENCE, || {
            let height = network.finalized_height(foreign)?;
            Ok(Seen::when(height >= 10, height))
        })?;
        assert_ne!(network.block_hash(foreign, 0)?, network.block_hash(0, 0)?);
        assert_ne!(network.block_hash(foreign, 5)?, network.block_hash(0, 5)?);
        assert_eq!(peers(network, foreign)?, json!(0), "it finds no peer of its own network");
        assert_eq!(peers(network, 0)?, json!(3), "and is nobody's peer");

        network.nodes[foreign].kill()?;
        network.nodes.pop();
        network.wait_for_progress(10)?;
        network.expect_one_chain()?;
        Ok(())
    });
}
