//! The genesis of each network, as JSON patches of the runtime's default.
//!
//! | preset | network | sequencers | sudo | L1 |
//! |---|---|---|---|---|
//! | `mainnet` | mainnet | none: the operators fill them in | never | Cascoin |
//! | `testnet` | testnet | none: the operators fill them in | none | Cascoin's test network |
//! | `regtest` | regtest, 100 ms blocks | Alice to Dave | Alice | Litecoin in regtest |
//! | `local` | regtest, 500 ms blocks, mainnet's time-outs | Alice to Dave | Alice | Litecoin in regtest |
//! | `dev` | dev, 500 ms blocks | Alice | Alice | Litecoin in regtest, optional |
//!
//! The public presets hold no keys, because keys that stand in a public file
//! belong to nobody. They are complete but for `session.keys` (account, account,
//! session keys) and `sequencerRegistry.members` (account, weight), which must
//! name the same accounts; [`check`] says so clearly when a chain is to be
//! started without, and what else is wrong. What the first sequencers have locked on L1 may
//! be named in `stake.l1Locks`. At least five sequencers are named, and the public waits for a
//! day from the first block on (`l2Registry.rules`, R32.2, R32.3). Their `l1Start` is L1's first block;
//! a launch sets it to a recent one, so that the relay need not read all of L1.
//!
//! A runtime that is built to be measured has one more, `benchmarks`.
//!
//! Sequencers of the other presets have the well-known development keys: the
//! account is the sr25519 key of `//Alice`, and the session keys are the keys of
//! the same seed in their schemes.

#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
mod check;
mod development;
mod parameters;

use crate::{
    BalancesConfig, ChainParametersConfig, L2RegistryConfig, ReputationConfig,
    RuntimeGenesisConfig, SequencerRegistryConfig, SessionConfig, SudoConfig,
};
use alloc::{string::ToString, vec, vec::Vec};
use cascoin_l2_primitives::chain::ChainParameters;
use frame_support::build_struct_json_patch;
use pallet_l2_registry::BootstrapRules;
use serde_json::Value;
use sp_genesis_builder::PresetId;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};

pub use check::check;
pub use development::development_session_keys;
pub use parameters::{dev, local, mainnet, regtest, testnet};

/// Name of the public network's preset.
pub const MAINNET: &str = "mainnet";
/// Name of the public test network's preset.
pub const TESTNET: &str = "testnet";
/// Name of the private test network's preset.
pub const REGTEST: &str = "regtest";
/// Name of the preset for the demo and for measurements.
pub const LOCAL: &str = "local";
/// Name of the preset for a developer's own node.
pub const DEV: &str = "dev";

/// All presets.
pub const ALL: [&str; 5] = [MAINNET, TESTNET, REGTEST, LOCAL, DEV];

/// The rules of networks for tests: chains open at once, with one sequencer.
const OPEN_AT_ONCE: BootstrapRules = BootstrapRules { bootstrap_ms: 0, min_sequencers: 1 };

/// The names, for the runtime API.
pub fn preset_names() -> Vec<PresetId> {
    let names = ALL.into_iter();
    #[cfg(feature = "runtime-benchmarks")]
    let names = names.chain([benchmarks::NAME]);
    names.map(|name| name.to_string()).collect()
}

/// A preset's JSON, for the runtime API.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    preset(id).map(|patch| patch.to_string().into_bytes())
}

/// A preset as a JSON patch; `None` if there is none of this name.
pub fn preset(name: &str) -> Option<Value> {
    let four = [Alice, Bob, Charlie, Dave];
    Some(match name {
        MAINNET => public(mainnet()),
        TESTNET => public(testnet()),
        REGTEST => with_development_keys(regtest(), &four),
        LOCAL => with_development_keys(local(), &four),
        DEV => with_development_keys(dev(), &[Alice]),
        #[cfg(feature = "runtime-benchmarks")]
        benchmarks::NAME => benchmarks::preset(),
        _ => return None,
    })
}

/// Builds the genesis state from the JSON of a complete genesis, for the runtime
/// API.
///
/// # Errors
/// A sentence for the operator if the JSON cannot be read or [`check`] refuses
/// what it says.
pub fn build_state(json: Vec<u8>) -> sp_genesis_builder::Result {
    let config: RuntimeGenesisConfig = serde_json::from_slice(&json)
        .map_err(|error| alloc::format!("the genesis cannot be read: {error}"))?;
    check(&config)?;
    frame_support::traits::BuildGenesisConfig::build(&config);
    Ok(())
}

/// A network whose sequencers the operators fill in.
fn public(parameters: ChainParameters) -> Value {
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig { balances: vec![] },
        session: SessionConfig { keys: vec![] },
        sudo: SudoConfig { key: None },
        chain_parameters: ChainParametersConfig { parameters },
        sequencer_registry: SequencerRegistryConfig { members: vec![] },
        reputation: ReputationConfig { l1_scores: vec![] },
        l2_registry: L2RegistryConfig { rules: BootstrapRules::default() },
    })
}

/// A network of `sequencers` with keys that everybody knows.
fn with_development_keys(parameters: ChainParameters, sequencers: &[Sr25519Keyring]) -> Value {
    let balances = development::endowments(parameters.decimals);
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig { balances },
        session: SessionConfig { keys: development::session(sequencers) },
        sudo: SudoConfig { key: Some(Alice.to_account_id()) },
        chain_parameters: ChainParametersConfig { parameters },
        sequencer_registry: SequencerRegistryConfig { members: development::members(sequencers) },
        reputation: ReputationConfig { l1_scores: development::l1_scores(sequencers) },
        l2_registry: L2RegistryConfig { rules: OPEN_AT_ONCE },
    })
}
