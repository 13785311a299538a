//! Which states a node keeps.

use cascoin_e2e::{
    network::{Network, Setup},
    wait::{until, Seen, PATIENCE},
    Result,
};
use serde_json::{json, Value};

/// `:code`, which every state has.
const CODE: &str = "0x3a636f6465";
/// Substrate's default number of states, which is too few for a sequencer.
const SUBSTRATE_DEFAULT: u32 = 256;

/// Whether a node still has the state behind the block at `height`.
fn has_state(network: &Network, node: usize, height: u32) -> Result<bool> {
    let hash = network.call(node, "chain_getBlockHash", json!([height]))?;
    let size = network.call(node, "state_getStorageSize", json!([CODE, hash]));
    Ok(matches!(size, Ok(Value::Number(_))))
}

#[test]
fn a_pruned_node_follows_and_a_sequencer_keeps_what_disputes_need() {
    if let Err(error) = prune() {
        panic!("{error}");
    }
}

fn prune() -> Result<()> {
    let mut network = Network::prepare(&Setup { full_nodes: 1, ..Setup::regtest_without_l1() })?;
    let pruned = network.nodes.len() - 1;
    network.nodes[pruned].config_mut().extra.push("--state-pruning=16".into());
    network.start_nodes()?;
    let early = 2;
    until("an early state is pruned", PATIENCE, || {
        let kept = has_state(&network, pruned, early)?;
        Ok(Seen::when(!kept, kept))
    })?;
    until("more blocks than Substrate keeps states of", PATIENCE, || {
        let height = network.finalized_height(0)?;
        Ok(Seen::when(height > SUBSTRATE_DEFAULT + early + 8, height))
    })?;
    assert!(has_state(&network, 0, early)?, "a sequencer was not told to keep so few");

    // A sequencer that is started again keeps them, too.
    assert!(network.nodes[0].stop()?, "it stops when it is told to");
    network.start_nodes()?;
    assert!(has_state(&network, 0, early)?, "nor did it forget after a restart");

    // The pruned node is none the worse: it has the head's state, and blocks.
    network.wait_for_progress(5)?;
    let head = network.finalized_height(pruned)?;
    assert!(has_state(&network, pruned, head)?);
    let block = network.call(pruned, "l2_getblockbynumber", json!([early]))?;
    assert!(block["sequencer"].is_string(), "its seal tells who made it: {block}");
    network.expect_one_chain()?;
    Ok(())
}
