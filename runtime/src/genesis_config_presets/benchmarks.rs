//! The genesis to measure weights with: sets are as large as they get.
//!
//! Account `n` has an id of the byte `n`, and stands at index `n` of the set; pallets'
//! benchmarks count on that. Its keys are nobody's.

use super::local;
use crate::{
    AccountId, BalancesConfig, ChainParametersConfig, L2RegistryConfig, ReputationConfig,
    RuntimeGenesisConfig, SequencerRegistryConfig, SessionConfig, SessionKeys, SudoConfig,
};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::chain::{ChainParameters, MAX_SEQUENCERS};
use frame_support::build_struct_json_patch;
use pallet_sequencer_registry::Member;
use serde_json::Value;
use sp_core::{ecdsa, ed25519};

/// Its name.
pub(super) const NAME: &str = "benchmarks";

/// [`local`] with a full set, in which everybody is eligible as a sequencer.
pub(super) fn preset() -> Value {
    let parameters = ChainParameters {
        max_sequencers: MAX_SEQUENCERS,
        min_sequencer_score: 0,
        min_sequencer_stake: 0,
        ..local()
    };
    let all = 0..MAX_SEQUENCERS as u8;
    let account = |number: u8| AccountId::new([number; 32]);
    let keys = |number: u8| (account(number), account(number), session_keys(number));
    let member = |number: u8| Member { account: account(number), weight: 100 };
    let session: Vec<_> = all.clone().map(keys).collect();
    let members: Vec<_> = all.map(member).collect();
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig { balances: vec![(account(u8::MAX), 1 << 60)] },
        session: SessionConfig { keys: session },
        sudo: SudoConfig { key: None },
        chain_parameters: ChainParametersConfig { parameters },
        sequencer_registry: SequencerRegistryConfig { members },
        reputation: ReputationConfig { l1_scores: vec![] },
        l2_registry: L2RegistryConfig { rules: super::OPEN_AT_ONCE },
    })
}

fn session_keys(number: u8) -> SessionKeys {
    let ed25519 = ed25519::Public::from_raw([number; 32]);
    let mut vault = [number; 33];
    vault[0] = 2;
    SessionKeys {
        aura: ed25519.into(),
        grandpa: ed25519.into(),
        relay: ed25519.into(),
        vault: ecdsa::Public::from_raw(vault).into(),
    }
}
