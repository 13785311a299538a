//! Every preset, and what a genesis must have.

use crate::chain::{complete, preset, Chain};
use cascoin_l2_primitives::{
    chain::{ChainParameters, FeeSplit, L1Network, Network},
    l1::params::L1Params,
};
use cascoin_l2_runtime::{
    genesis_config_presets::{self as presets, check, development_session_keys},
    RuntimeGenesisConfig, SequencerRegistry, SessionKeys,
};
use frame_support::traits::Get;
use pallet_sequencer_registry::Member;
use sp_core::{ecdsa, ed25519, Pair};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve};

/// The keys of the seed `//Name`.
fn session_keys(who: Sr25519Keyring) -> SessionKeys {
    let seed = format!("//{who}");
    let ed25519 = ed25519::Pair::from_string(&seed, None).expect("a seed").public();
    let vault = ecdsa::Pair::from_string(&seed, None).expect("a seed").public();
    SessionKeys {
        aura: ed25519.into(),
        grandpa: ed25519.into(),
        relay: ed25519.into(),
        vault: vault.into(),
    }
}

/// A preset of a public network with five sequencers filled in.
fn filled(name: &str) -> RuntimeGenesisConfig {
    let mut genesis = preset(name);
    for who in [Alice, Bob, Charlie, Dave, Eve] {
        let account = who.to_account_id();
        let keys = session_keys(who);
        genesis.session.keys.push((account.clone(), account.clone(), keys));
        genesis.sequencer_registry.members.push(Member { account, weight: 1 });
    }
    genesis
}

fn refusal(genesis: &RuntimeGenesisConfig) -> String {
    check(genesis).expect_err("the genesis must be refused")
}

#[test]
fn every_preset_builds_a_genesis_state() {
    for (name, sequencers) in
        [("mainnet", 0), ("testnet", 0), ("regtest", 4), ("local", 4), ("dev", 1)]
    {
        let genesis = preset(name);
        let parameters = genesis.chain_parameters.parameters.clone();
        let mut chain = Chain::from(genesis);
        chain.read(|| {
            assert_eq!(SequencerRegistry::sequencer_set().members.len(), sequencers, "{name}");
            let stored: ChainParameters = cascoin_l2_runtime::ChainParameters::get();
            assert_eq!(stored, parameters, "{name}");
        });
    }
}

#[test]
fn preset_names_lists_what_preset_knows() {
    assert_eq!(presets::preset_names(), ["mainnet", "testnet", "regtest", "local", "dev"]);
    for name in presets::preset_names() {
        let json = presets::get_preset(&name).expect("a listed preset exists");
        let patch: serde_json::Value = serde_json::from_slice(&json).expect("it is JSON");
        assert!(complete(&patch).is_object());
    }
    assert_eq!(presets::get_preset(&"nonet".into()), None);
}

#[test]
fn presets_with_sequencers_can_start_a_chain() {
    for name in ["regtest", "local", "dev"] {
        assert_eq!(check(&preset(name)), Ok(()), "{name}");
    }
}

#[test]
fn public_presets_start_once_the_operators_named_sequencers() {
    for name in ["mainnet", "testnet"] {
        assert!(refusal(&preset(name)).contains("names no sequencers: add at least 5"), "{name}");
        assert_eq!(check(&filled(name)), Ok(()), "{name}");
    }
}

#[test]
fn a_genesis_with_too_few_sequencers_is_refused() {
    let mut genesis = filled("mainnet");
    genesis.session.keys.truncate(2);
    genesis.sequencer_registry.members.truncate(2);
    assert_eq!(refusal(&genesis), "this genesis names 2 sequencers and needs at least 5");
}

#[test]
fn r32_2_a_public_network_starts_with_five_sequencers() {
    for name in ["mainnet", "testnet"] {
        let mut genesis = filled(name);
        genesis.session.keys.truncate(4);
        genesis.sequencer_registry.members.truncate(4);
        assert_eq!(refusal(&genesis), "this genesis names 4 sequencers and needs at least 5");
        let mut genesis = filled(name);
        genesis.l2_registry.rules.min_sequencers = 4;
        assert_eq!(refusal(&genesis), "l2Registry.rules: minSequencers must be between 5 and 64");
    }
}

#[test]
fn r32_3_a_public_network_opens_a_day_after_its_first_block() {
    const DAY_MS: u64 = 86_400_000;
    for name in ["mainnet", "testnet"] {
        let mut genesis = filled(name);
        assert_eq!(genesis.l2_registry.rules.bootstrap_ms, DAY_MS, "{name}");
        genesis.l2_registry.rules.bootstrap_ms = DAY_MS - 1;
        assert_eq!(refusal(&genesis), "l2Registry.rules: bootstrapMs must be at least 86400000");
        // Longer is as good.
        genesis.l2_registry.rules.bootstrap_ms = 2 * DAY_MS;
        assert_eq!(check(&genesis), Ok(()));
    }
    for name in ["regtest", "local", "dev"] {
        assert_eq!(preset(name).l2_registry.rules.bootstrap_ms, 0, "{name}");
    }
}

#[test]
fn r12_1_no_public_network_has_an_emergency_within_an_hour() {
    for name in ["mainnet", "testnet"] {
        let mut genesis = filled(name);
        let parameters = &mut genesis.chain_parameters.parameters;
        (parameters.emergency_delay_s, parameters.emergency_recovery_s) = (3_599, 600);
        assert_eq!(
            refusal(&genesis),
            "chainParameters.parameters: emergencyDelayS of a public network must be at least 3600"
        );
        genesis.chain_parameters.parameters.emergency_delay_s = 3_600;
        assert_eq!(check(&genesis), Ok(()), "{name}");
    }
}

#[test]
fn session_keys_and_registry_must_name_the_same_accounts() {
    let mut genesis = filled("testnet");
    genesis.sequencer_registry.members.pop();
    assert!(refusal(&genesis).contains("stands in only one of"));
}

#[test]
fn two_sequencers_cannot_share_a_key() {
    let mut genesis = filled("testnet");
    genesis.session.keys[1].2.vault = genesis.session.keys[0].2.vault.clone();
    assert!(refusal(&genesis).contains("have the same key"));
}

#[test]
fn keys_stand_in_one_place() {
    let mut genesis = filled("testnet");
    genesis.aura.authorities = vec![genesis.session.keys[0].2.aura.clone()];
    assert!(refusal(&genesis).contains("come from session.keys"));
    let mut genesis = filled("testnet");
    genesis.session.non_authority_keys = vec![genesis.session.keys[0].clone()];
    assert!(refusal(&genesis).contains("nonAuthorityKeys is not used"));
}

#[test]
fn nobody_is_named_twice() {
    let mut genesis = filled("testnet");
    let first = genesis.session.keys[0].clone();
    genesis.session.keys.push(first);
    assert_eq!(refusal(&genesis), "a sequencer is named twice");
}

#[test]
fn mainnet_has_neither_coins_nor_a_sudo_key() {
    let mut genesis = filled("mainnet");
    genesis.sudo.key = Some(Alice.to_account_id());
    assert!(refusal(&genesis).contains("no sudo key"));
    let mut genesis = filled("mainnet");
    genesis.balances.balances.push((Alice.to_account_id(), 1));
    assert!(refusal(&genesis).contains("without coins"));
}

#[test]
fn useless_parameters_are_refused_by_name() {
    let mut genesis = preset("regtest");
    genesis.chain_parameters.parameters.block_time_ms = 0;
    assert_eq!(
        refusal(&genesis),
        "chainParameters.parameters: blockTimeMs must be between 1 and 30000"
    );
}

#[test]
fn a_genesis_that_cannot_be_read_is_refused_with_the_reason() {
    let error = presets::build_state(b"{\"system\":".to_vec()).expect_err("broken JSON");
    assert!(error.starts_with("the genesis cannot be read"), "{error}");
}

/// All four keys come from the seed `//Name`; the presets hold them as numbers.
#[test]
fn development_keys_are_those_of_their_seeds() {
    for who in [Alice, Bob, Charlie, Dave] {
        let seed = format!("//{who}");
        let keys = development_session_keys(who).expect("a development sequencer");
        let ed25519 = ed25519::Pair::from_string(&seed, None).expect("a seed").public();
        let ecdsa = ecdsa::Pair::from_string(&seed, None).expect("a seed").public();
        assert_eq!(keys.aura, ed25519.into());
        assert_eq!(keys.grandpa, ed25519.into());
        assert_eq!(keys.relay, ed25519.into());
        assert_eq!(keys.vault, ecdsa.into());
    }
    assert!(development_session_keys(Sr25519Keyring::Eve).is_none());
}

/// The whole table of ledger O3, value by value, as the operator guide gives it.
#[test]
fn o3_parameters_are_the_operator_guides() {
    const DAY: u64 = 86_400;
    let cas = 10_000_000;
    let ltc = 100_000_000;
    let start = |network| cascoin_l2_primitives::chain::L1Start {
        height: 0,
        hash: L1Params::of(network).genesis,
    };
    let mainnet = ChainParameters {
        chain_id: 1,
        network: Network::Mainnet,
        l1_network: L1Network::CascoinMainnet,
        decimals: 7,
        l1_start: start(L1Network::CascoinMainnet),
        l1_confirmations: 6,
        block_time_ms: 500,
        blocks_per_leader: 10,
        session_blocks: 600,
        propose_timeout_ms: 3_000,
        prevote_timeout_ms: 500,
        precommit_timeout_ms: 500,
        max_sequencers: 21,
        epoch_sessions: 12,
        min_sequencers: 3,
        min_sequencer_score: 70,
        min_sequencer_stake: 100 * cas,
        min_l2_stake_share: 50,
        min_sequencer_peers: 3,
        block_gas_limit: 30_000_000,
        challenge_period_s: 7 * DAY,
        fast_challenge_period_s: DAY,
        fast_withdrawal_score: 80,
        max_deposit: 10_000 * cas,
        max_daily_deposit: 100_000 * cas,
        max_daily_mint: 1_000_000 * cas,
        anchor_interval: 100,
        forced_inclusion_s: DAY,
        emergency_delay_s: DAY,
        emergency_recovery_s: 3_600,
        l1_stall_s: 7_200,
        relay_withholding_s: 172_800,
        min_fee: 100,
        fee_split: FeeSplit { producer: 70, others: 20 },
        fee_discount_score: 80,
        rate_limit: 100,
        mint_timeout_ms: 600_000,
        recovery_threshold: 1_000 * cas,
    };
    let testnet = ChainParameters {
        chain_id: 2,
        network: Network::Testnet,
        l1_network: L1Network::CascoinTestnet,
        decimals: 7,
        l1_start: start(L1Network::CascoinTestnet),
        l1_confirmations: 3,
        block_time_ms: 500,
        blocks_per_leader: 10,
        session_blocks: 600,
        propose_timeout_ms: 3_000,
        prevote_timeout_ms: 500,
        precommit_timeout_ms: 500,
        max_sequencers: 21,
        epoch_sessions: 12,
        min_sequencers: 3,
        min_sequencer_score: 50,
        min_sequencer_stake: 10 * cas,
        min_l2_stake_share: 50,
        min_sequencer_peers: 3,
        block_gas_limit: 30_000_000,
        challenge_period_s: DAY,
        fast_challenge_period_s: 3_600,
        fast_withdrawal_score: 70,
        max_deposit: 1_000 * cas,
        max_daily_deposit: 10_000 * cas,
        max_daily_mint: 100_000 * cas,
        anchor_interval: 50,
        forced_inclusion_s: DAY,
        emergency_delay_s: 6 * 3_600,
        emergency_recovery_s: 3_600,
        l1_stall_s: 7_200,
        relay_withholding_s: 172_800,
        min_fee: 100,
        fee_split: FeeSplit { producer: 70, others: 20 },
        fee_discount_score: 60,
        rate_limit: 200,
        mint_timeout_ms: 600_000,
        recovery_threshold: 1_000 * cas,
    };
    let regtest = ChainParameters {
        chain_id: 3,
        network: Network::Regtest,
        l1_network: L1Network::LitecoinRegtest,
        decimals: 8,
        l1_start: start(L1Network::LitecoinRegtest),
        l1_confirmations: 1,
        block_time_ms: 100,
        blocks_per_leader: 5,
        session_blocks: 60,
        propose_timeout_ms: 1_000,
        prevote_timeout_ms: 150,
        precommit_timeout_ms: 150,
        max_sequencers: 21,
        epoch_sessions: 1,
        min_sequencers: 1,
        min_sequencer_score: 10,
        min_sequencer_stake: ltc,
        min_l2_stake_share: 50,
        min_sequencer_peers: 1,
        block_gas_limit: 10_000_000,
        challenge_period_s: 600,
        fast_challenge_period_s: 60,
        fast_withdrawal_score: 50,
        max_deposit: 100 * ltc,
        max_daily_deposit: 1_000 * ltc,
        max_daily_mint: 10_000 * ltc,
        anchor_interval: 10,
        forced_inclusion_s: 600,
        emergency_delay_s: 3_600,
        emergency_recovery_s: 60,
        l1_stall_s: 300,
        relay_withholding_s: 600,
        min_fee: 1_000,
        fee_split: FeeSplit { producer: 70, others: 20 },
        fee_discount_score: 50,
        rate_limit: 1_000,
        mint_timeout_ms: 600_000,
        recovery_threshold: 0,
    };
    let local = ChainParameters {
        l1_confirmations: 6,
        block_time_ms: 500,
        session_blocks: 600,
        block_gas_limit: 30_000_000,
        propose_timeout_ms: 3_000,
        prevote_timeout_ms: 500,
        precommit_timeout_ms: 500,
        ..regtest.clone()
    };
    let dev = ChainParameters {
        chain_id: 4,
        network: Network::Dev,
        fee_split: FeeSplit { producer: 100, others: 0 },
        l1_confirmations: 1,
        emergency_delay_s: 7 * DAY,
        ..local.clone()
    };
    for (name, expected) in [
        ("mainnet", mainnet),
        ("testnet", testnet),
        ("regtest", regtest),
        ("local", local),
        ("dev", dev),
    ] {
        assert_eq!(preset(name).chain_parameters.parameters, expected, "{name}");
    }
}

#[test]
fn only_development_presets_have_coins_and_a_sudo_key() {
    for (name, key) in [
        ("mainnet", None),
        ("testnet", None),
        ("regtest", Some(Alice)),
        ("local", Some(Alice)),
        ("dev", Some(Alice)),
    ] {
        let genesis = preset(name);
        assert_eq!(genesis.sudo.key, key.map(|who| who.to_account_id()), "{name}");
        let coins: u128 = genesis.balances.balances.iter().map(|(_, amount)| amount).sum();
        let expected = if key.is_some() { 6_000 * 100_000_000 } else { 0 };
        assert_eq!(coins, expected, "{name}");
    }
}
