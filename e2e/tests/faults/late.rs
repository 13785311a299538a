//! A full node that comes late.

use crate::support::{start_again, under_load};
use cascoin_e2e::{
    network::{with_network, Setup},
    node::NodeConfig,
};

#[test]
fn a_full_node_that_joins_late_gets_everything_and_follows() {
    with_network(&Setup::regtest_without_l1(), |network| {
        let bootnodes = network.nodes.iter().map(|node| node.multiaddr()).collect();
        network.add(NodeConfig {
            name: "late".into(),
            chain: "regtest".into(),
            dev_key: None,
            l1: None,
            bootnodes,
            sequencer_peers: Vec::new(),
            extra: Vec::new(),
        })?;
        under_load(network, |network| {
            network.wait_for_progress(60)?;
            start_again(network, &[4])?;
            let reached = network.finalized_height(0)?;
            network.wait_for_height(4, reached)?;
            // It follows whoever is left.
            network.nodes[1].kill()?;
            network.wait_for_progress(10)?;
            start_again(network, &[1])
        })
    });
}
