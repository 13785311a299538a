//! Changes of the set of sequencers and of parameters, as an operator and governance make
//! them.

use crate::{
    error::{Error, Result},
    extrinsic::{self, account, dev_pair, next_nonce, SigningContext},
    network::Network,
    wait::{until, Seen},
};
use cascoin_l2_primitives::chain::AccountId;
use cascoin_l2_runtime::{Runtime, RuntimeCall, SessionKeys};
use codec::Decode;
use pallet_chain_parameters::{Call as Parameters, ParameterChange};
use pallet_sequencer_registry::{Call as Registry, Member};
use serde_json::{json, Value};
use std::time::Duration;

/// Two sessions of the `regtest` preset are twelve seconds; a busy machine may
/// take many times that.
const TWO_SESSIONS: Duration = Duration::from_secs(180);

/// Signs a call with the key of a derivation path, submits it to a node and waits
/// until the account's nonce shows that it is in a block.
///
/// # Errors
/// [`Error::Rpc`] if the pool refuses it, [`Error::TimedOut`], [`Error::Transport`].
pub fn call(network: &Network, node: usize, path: &str, call: RuntimeCall) -> Result<()> {
    let rpc = network.nodes[node].rpc();
    let pair = dev_pair(path)?;
    let who = account(&pair);
    let nonce = next_nonce(&rpc, &who)?;
    let signed = SigningContext::of(&rpc)?.sign(call, &pair, nonce);
    extrinsic::submit(&rpc, &signed)?;
    until(&format!("a transaction of {path} in a block"), TWO_SESSIONS, || {
        let count = network.call(node, "l2_gettransactioncount", json!([who.to_string()]))?;
        let count = count["transactionCount"]
            .as_u64()
            .ok_or_else(|| Error::other(format!("no transaction count in {count}")))?;
        Ok(Seen::when(count > nonce.into(), count))
    })?;
    Ok(())
}

/// Has Alice, who holds the sudo key of test networks, make a call as Root.
///
/// # Errors
/// As [`call`].
pub fn govern(network: &Network, node: usize, what: impl Into<RuntimeCall>) -> Result<()> {
    let inner = Box::new(what.into());
    call(network, node, "//Alice", RuntimeCall::Sudo(pallet_sudo::Call::sudo { call: inner }))
}

/// Has governance set parameters, one after the other.
///
/// # Errors
/// As [`call`].
pub fn set_parameters(network: &Network, changes: &[ParameterChange]) -> Result<()> {
    for change in changes {
        govern(network, 0, Parameters::<Runtime>::set_parameter { change: *change })?;
    }
    Ok(())
}

/// The call that makes an account a member.
pub fn add(account: AccountId) -> Registry<Runtime> {
    Registry::add_member { member: Member { account, weight: 100 } }
}

/// The call that ends a membership.
pub fn remove(account: AccountId) -> Registry<Runtime> {
    Registry::remove_member { account }
}

/// Has a node make new keys for the member of a derivation path, which then sets
/// them; the new grandpa key, as RPC shows it.
///
/// # Errors
/// As [`call`]; [`Error::Other`] if the node's answer is not what Substrate gives.
pub fn rotate_keys(network: &Network, node: usize, path: &str) -> Result<String> {
    let owner = account(&dev_pair(path)?);
    let owner = format!("0x{}", hex::encode(<AccountId as AsRef<[u8]>>::as_ref(&owner)));
    let made = network.call(node, "author_rotateKeysWithOwner", json!([owner]))?;
    let bytes = |field: &str| {
        let text = made[field].as_str().unwrap_or_default().trim_start_matches("0x");
        hex::decode(text).map_err(Error::other)
    };
    let keys = SessionKeys::decode(&mut &bytes("keys")?[..]).map_err(Error::other)?;
    let grandpa: sp_core::ed25519::Public = keys.grandpa.clone().into();
    let proof = bytes("proof")?;
    let set_keys = pallet_session::Call::set_keys { keys, proof };
    call(network, node, path, RuntimeCall::Session(set_keys))?;
    Ok(format!("0x{}", hex::encode(grandpa.0)))
}

/// The grandpa keys of the set in force, as a node shows them.
///
/// # Errors
/// [`Error::Rpc`], [`Error::Transport`].
pub fn keys_in_force(network: &Network, node: usize) -> Result<Vec<String>> {
    let set = network.call(node, "l2_getsequencers", json!([]))?;
    let members = set["sequencers"].as_array().cloned().unwrap_or_default();
    let key = |member: &Value| Some(member["keys"]["grandpa"].as_str()?.to_string());
    Ok(members.iter().filter_map(key).collect())
}

/// Waits until the set in force has these many sequencers and this key; the height
/// at which it was seen.
///
/// # Errors
/// [`Error::TimedOut`].
pub fn wait_for_set(network: &Network, node: usize, size: usize, key: &str) -> Result<u32> {
    until(&format!("a set of {size} with {key}"), TWO_SESSIONS, || {
        let keys = keys_in_force(network, node)?;
        Ok(Seen::when(keys.len() == size && keys.iter().any(|known| known == key), keys))
    })?;
    network.finalized_height(node)
}
