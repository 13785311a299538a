//! Which genesis can start a chain.

use crate::{RuntimeGenesisConfig, SessionKeys};
use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use cascoin_l2_primitives::{
    chain::{Balance, ChainParameters, Network, MAX_SEQUENCERS},
    l1::{params::L1Params, stake::MAX_UNLOCK},
    sequencers::MAX_L1_LOCKS,
};
use pallet_l2_registry::BootstrapRules;
use sp_core::crypto::Ss58Codec;
use sp_runtime::traits::OpaqueKeys;

/// An hour.
const MIN_PUBLIC_EMERGENCY_DELAY_S: u64 = 60 * 60;

/// Checks that a chain can start from `genesis`: usable parameters, enough sequencers, each
/// with an account in the registry and keys of its own, locks on L1 that can count for them,
/// on public networks the rules of bootstrap, and on mainnet neither coins (supply begins with
/// what is burned on L1) nor a sudo key.
///
/// # Errors
/// The first thing that is wrong, as a sentence that says what to do.
pub fn check(genesis: &RuntimeGenesisConfig) -> Result<(), String> {
    let parameters = &genesis.chain_parameters.parameters;
    pallet_chain_parameters::check(parameters)
        .map_err(|why| format!("chainParameters.parameters: {why}"))?;
    let rules = check_rules(genesis)?;
    check_sequencers(genesis, parameters.min_sequencers.max(rules.min_sequencers))?;
    check_l1_locks(genesis)?;
    check_emergency(parameters)?;
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

/// A public network opens by the rules of public networks, or by stricter ones (R32.2,
/// R32.3).
fn check_rules(genesis: &RuntimeGenesisConfig) -> Result<BootstrapRules, String> {
    let rules = genesis.l2_registry.rules;
    let least = match genesis.chain_parameters.parameters.network {
        Network::Mainnet | Network::Testnet => BootstrapRules::default(),
        Network::Regtest | Network::Dev => BootstrapRules { bootstrap_ms: 0, min_sequencers: 1 },
    };
    if rules.bootstrap_ms < least.bootstrap_ms {
        let least = least.bootstrap_ms;
        return Err(format!("l2Registry.rules: bootstrapMs must be at least {least}"));
    }
    if !(least.min_sequencers..=MAX_SEQUENCERS).contains(&rules.min_sequencers) {
        let least = least.min_sequencers;
        return Err(format!(
            "l2Registry.rules: minSequencers must be between {least} and {MAX_SEQUENCERS}"
        ));
    }
    Ok(rules)
}

/// With a delay below the silence that late leaders explain, one leader could bring about an
/// emergency of a public network.
fn check_emergency(parameters: &ChainParameters) -> Result<(), String> {
    let public = matches!(parameters.network, Network::Mainnet | Network::Testnet);
    if public && parameters.emergency_delay_s < MIN_PUBLIC_EMERGENCY_DELAY_S {
        return Err(format!(
            "chainParameters.parameters: emergencyDelayS of a public network must be at least \
             {MIN_PUBLIC_EMERGENCY_DELAY_S}"
        ));
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

/// Only the first sequencers' locks may be named: nobody else's stake needs no bond here.
/// Whether the outputs stand on L1 as they are named no genesis can know: operators look.
fn check_l1_locks(genesis: &RuntimeGenesisConfig) -> Result<(), String> {
    let parameters = &genesis.chain_parameters.parameters;
    let least = parameters.min_l1_lock().max(1);
    let most = L1Params::of(parameters.l1_network).max_money;
    let margin = parameters.l1_stake_margin().max(1);
    let first = parameters.l1_start.height.saturating_add(margin);
    let members: BTreeSet<_> =
        genesis.sequencer_registry.members.iter().map(|member| &member.account).collect();
    let mut outpoints = BTreeSet::new();
    let mut accounts: Vec<_> = Vec::new();
    for lock in &genesis.stake.l1_locks {
        let outpoint = lock.outpoint;
        if !members.contains(&lock.account) {
            let account = lock.account.to_ss58check();
            return Err(format!("stake.l1Locks: {account} is not in sequencerRegistry.members"));
        }
        if !outpoints.insert(outpoint) {
            return Err(format!("stake.l1Locks: {outpoint} is named twice"));
        }
        if Balance::from(lock.value) < least || lock.value > most {
            return Err(format!(
                "stake.l1Locks: {outpoint} must have {least} to {most} base units"
            ));
        }
        if !(first..=MAX_UNLOCK).contains(&lock.unlock) {
            return Err(format!("stake.l1Locks: {outpoint} must be locked until {first} at least"));
        }
        accounts.push(&lock.account);
        let of_account = accounts.iter().filter(|account| **account == &lock.account);
        if of_account.count() > MAX_L1_LOCKS as usize {
            return Err(format!("stake.l1Locks: an account has at most {MAX_L1_LOCKS} of them"));
        }
    }
    Ok(())
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
