//! Which genesis can start a chain.

use crate::{RuntimeGenesisConfig, SessionKeys};
use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use cascoin_l2_primitives::chain::{Network, MAX_SEQUENCERS};
use sp_core::crypto::Ss58Codec;
use sp_runtime::traits::OpaqueKeys;

/// Checks that a chain can start from `genesis`: usable parameters, enough
/// sequencers, each with an account in the registry and keys of its own, and on
/// mainnet neither coins (supply begins with what is burned on L1) nor a sudo
/// key.
///
/// # Errors
/// The first thing that is wrong, as a sentence that says what to do.
pub fn check(genesis: &RuntimeGenesisConfig) -> Result<(), String> {
    let parameters = &genesis.chain_parameters.parameters;
    pallet_chain_parameters::check(parameters)
        .map_err(|why| format!("chainParameters.parameters: {why}"))?;
    check_sequencers(genesis, parameters.min_sequencers)?;
    if parameters.network == Network::Mainnet {
        if !genesis.balances.balances.is_empty() || genesis.balances.dev_accounts.is_some() {
            return Err("mainnet starts without coins: empty balances".into());
        }
        if genesis.sudo.key.is_some() {
            return Err("mainnet has no sudo key: remove sudo.key".into());
        }
    }
    Ok(())
}

fn check_sequencers(genesis: &RuntimeGenesisConfig, min_sequencers: u32) -> Result<(), String> {
    let keys = &genesis.session.keys;
    let members = &genesis.sequencer_registry.members;
    if keys.is_empty() {
        return Err(format!(
            "this genesis names no sequencers: add at least {min_sequencers} to session.keys \
             and to sequencerRegistry.members"
        ));
    }
    if keys.len() < min_sequencers as usize {
        return Err(format!(
            "this genesis names {} sequencers and needs at least {min_sequencers}",
            keys.len()
        ));
    }
    if keys.len() > MAX_SEQUENCERS as usize {
        return Err(format!("this genesis names more than {MAX_SEQUENCERS} sequencers"));
    }
    if !genesis.aura.authorities.is_empty() || !genesis.grandpa.authorities.is_empty() {
        return Err(
            "aura.authorities and grandpa.authorities come from session.keys: empty them".into()
        );
    }
    if !genesis.session.non_authority_keys.is_empty() {
        return Err("session.nonAuthorityKeys is not used: remove it".into());
    }
    if let Some((account, _, _)) = keys.iter().find(|(account, id, _)| account != id) {
        let account = account.to_ss58check();
        return Err(format!("session.keys: the second field of {account} must be the account"));
    }
    let in_session: BTreeSet<_> = keys.iter().map(|(account, _, _)| account).collect();
    let in_registry: BTreeSet<_> = members.iter().map(|member| &member.account).collect();
    if in_session.len() != keys.len() || in_registry.len() != members.len() {
        return Err("a sequencer is named twice".into());
    }
    if let Some(account) = in_session.symmetric_difference(&in_registry).next() {
        let account = account.to_ss58check();
        return Err(format!(
            "{account} stands in only one of session.keys and sequencerRegistry.members"
        ));
    }
    check_keys(keys.iter().map(|(_, _, keys)| keys).collect())
}

/// No two sequencers may share a key: one could vote for both.
fn check_keys(all: Vec<&SessionKeys>) -> Result<(), String> {
    for id in SessionKeys::key_ids() {
        let distinct: BTreeSet<_> = all.iter().map(|keys| keys.get_raw(*id)).collect();
        if distinct.len() != all.len() {
            return Err("session.keys: two sequencers have the same key".into());
        }
    }
    Ok(())
}
