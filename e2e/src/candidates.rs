//! Somebody whom nobody appointed, with a node of its own: on the way to a seat.

use crate::{
    error::{Error, Result},
    network::Network,
    node::{L1Access, NodeConfig},
    wait::{until, Seen, PATIENCE},
};
use cascoin_l2_primitives::chain::AccountId;
use cascoin_l2_runtime::RuntimeCall;
use codec::Decode;
use serde_json::{json, Value};

/// Starts a node of a chain that nobody named, with keys that it makes itself; its position.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn newcomer(network: &mut Network, chain: &str, l1: Option<L1Access>) -> Result<usize> {
    let others: Vec<String> = network.nodes.iter().map(|node| node.multiaddr()).collect();
    network.add(NodeConfig {
        name: "newcomer".into(),
        chain: chain.into(),
        dev_key: None,
        l1,
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
///
/// # Errors
/// [`Error::Rpc`], [`Error::Transport`].
pub fn listed(
    network: &Network,
    node: usize,
    list: &str,
    who: &AccountId,
) -> Result<Option<Value>> {
    let answer = network.call(node, "l2_getsequencers", json!([]))?;
    let known = answer[list].as_array().cloned().unwrap_or_default();
    Ok(known.into_iter().find(|one| one["address"] == who.to_string()))
}

/// The call that `l2_announcesequencer` gives to sign.
///
/// # Errors
/// [`Error::Other`] if it gives none.
pub fn announcement(answer: &Value) -> Result<RuntimeCall> {
    let encoded = answer["call"].as_str().unwrap_or_default().trim_start_matches("0x");
    let encoded = hex::decode(encoded).map_err(Error::other)?;
    RuntimeCall::decode(&mut &encoded[..]).map_err(Error::other)
}

/// Waits until the nodes of the sequencers that are asked have found the newcomer's, and
/// vouch for it.
///
/// # Errors
/// [`Error::TimedOut`].
pub fn wait_for_attestation(network: &Network, who: &AccountId) -> Result<Value> {
    until("the nodes of sequencers vouch", PATIENCE, || {
        let candidate = listed(network, 0, "candidates", who)?.unwrap_or_default();
        Ok(Seen::when(candidate["isVerified"] == true, candidate))
    })
}
