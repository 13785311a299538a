//! The L1 nodes of one operator: one stands in for another, and credentials change, while
//! the L2 node runs.

use cascoin_e2e::{
    burns::{self, ChainFacts},
    l1::L1,
    network::{with_network, Network, Setup},
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use serde_json::json;
use std::fs;

/// One sequencer over an L1: what is attested is what its L1 node shows.
fn dev() -> Setup {
    Setup { chain: "dev".into(), sequencers: 1, full_nodes: 0, l1: true, extra: Vec::new() }
}

/// Waits until all of this L1 that is deep enough is attested.
fn wait_for_all_of(network: &Network, l1: &L1) -> Result<()> {
    let confirmations = ChainFacts::of(network, 0)?.l1_confirmations;
    let deep = l1.height()? + 1 - confirmations;
    until(&format!("L1 block {deep} is attested"), PATIENCE, || {
        let relay = network.call(0, "l2_getchaininfo", json!([]))?["l1"].clone();
        Ok(Seen::when(relay["attestedHeight"].as_u64() == Some(u64::from(deep)), relay))
    })
    .map(drop)
}

fn wait_for_tip_metric(network: &Network, height: u32) -> Result<()> {
    until(&format!("the metric shows L1 block {height}"), PATIENCE, || {
        let shown = network.nodes[0].metric("cascoin_l2_l1_tip_height")?;
        Ok(Seen::when(shown == Some(f64::from(height)), shown))
    })
    .map(drop)
}

#[test]
fn another_l1_node_stands_in_also_after_kill_9_and_the_preferred_one_is_read_again() {
    with_network(&dev(), |network| {
        let spare = L1::copy_of(network.l1()?)?;
        let (first_url, spare_url) = (network.l1()?.access()?.url, spare.access()?.url);
        network.nodes[0].stop()?;
        let urls = [&first_url, &spare_url].map(|url| format!("--l1-rpc-url={url}"));
        network.nodes[0].config_mut().extra.extend(urls);
        network.nodes[0].start()?;
        network.nodes[0].wait_for_rpc()?;
        network.l1()?.mine(2)?;
        wait_for_all_of(network, network.l1()?)?;
        network.l1()?.litecoind().feed(spare.litecoind())?;

        network.l1()?.stop()?;
        spare.mine(3)?;
        wait_for_all_of(network, &spare)?;
        let instead =
            format!("L1 is read from {spare_url} from now on, no longer from {first_url}");
        assert!(network.nodes[0].logged(&instead), "{}", network.nodes[0].log_tail(20));

        // What was read is on disk, and the spare one is found again.
        network.nodes[0].kill()?;
        spare.mine(2)?;
        network.nodes[0].start()?;
        network.nodes[0].wait_for_rpc()?;
        wait_for_all_of(network, &spare)?;
        wait_for_tip_metric(network, spare.height()?)?;

        network.l1()?.restart()?;
        spare.litecoind().feed(network.l1()?.litecoind())?;
        let back = format!("L1 is read from {first_url} from now on, no longer from {spare_url}");
        until("the preferred L1 node is read again", PATIENCE, || {
            let there = network.nodes[0].logged(&back);
            Ok(Seen::when(there, network.nodes[0].log_tail(5)))
        })?;
        network.l1()?.mine(2)?;
        wait_for_all_of(network, network.l1()?)?;
        assert!(burns::supply(network, 0)?.valid);
        Ok(())
    });
}

#[test]
fn credentials_are_corrected_without_a_restart() {
    with_network(&dev(), |network| {
        let mut access = network.l1()?.access()?;
        let right = std::mem::replace(&mut access.credentials, "l2:wrong".into());
        network.nodes[0].stop()?;
        network.nodes[0].config_mut().l1 = Some(access);
        network.nodes[0].start()?;
        network.nodes[0].wait_for_rpc()?;
        until("the credentials are refused", PATIENCE, || {
            let info = network.call(0, "l2_getchaininfo", json!([]))?;
            let error = info["l1"]["node"]["error"].clone();
            Ok(Seen::when(error == "WrongCredentials", error))
        })?;
        let data = network.nodes[0].base_path();
        let folder = data.parent().ok_or_else(|| Error::other("no folder of the node"))?;
        fs::write(folder.join("l1-auth"), right).map_err(Error::other)?;
        network.l1()?.mine(2)?;
        wait_for_all_of(network, network.l1()?)
    });
}
