//! The registry of layer 2 chains, and the way into it.

use super::*;
use cascoin_l1::registration::Registered;
use cascoin_l2_primitives::{
    chain::L1Start,
    l1::{
        registration::{chain_id_of, chain_name, Registration, MIN_REGISTRATION_BLOCKS},
        stake::{TimeLock, MAX_RANKED_BLOCKS},
    },
    registry::RegisteredChain,
};
use cascoin_l2_runtime::{genesis_config_presets as presets, RuntimeGenesisConfig};
use sp_core::H160;

/// The output that the test's L1 wallet has.
pub(super) const SEED: OutPoint = OutPoint { txid: L1Hash([6; 32]), vout: 2 };

const GENESIS: BlockHash = BlockHash::repeat_byte(9);

fn definition() -> ChainDefinition {
    ChainDefinition {
        mainnet: true,
        genesis: GENESIS,
        block_time_ms: 500,
        gas_limit: 30_000_000,
        challenge_period_s: 604_800,
        sequencers: 5,
        rehearsal: 1_000,
    }
}

/// A chain that nobody has defined, and one that is active, with the same name.
pub(super) fn registered() -> Vec<ListedChain> {
    let chain = |status, definition: Option<ChainDefinition>| RegisteredChain {
        name: chain_name(b"demo").expect("a name"),
        definition_hash: self::definition().hash(),
        opened: definition.is_some(),
        definition,
        owner: H160([7; 20]),
        outpoint: OutPoint { txid: L1Hash([8; 32]), vout: 1 },
        value: 100_000_000_000,
        unlock: 60_000,
        l1_height: 90,
        l1_hash: L1Hash([9; 32]),
        registered_at: NOW,
        status,
        status_since: NOW,
    };
    let listed = |id, holds_name, chain| ListedChain { id, chain, holds_name, stake_locked: true };
    vec![
        listed(1_000, true, chain(ChainStatus::Bootstrapping, None)),
        listed(1_001, false, chain(ChainStatus::Active, Some(definition()))),
    ]
}

/// What the test's L1 wallet does: it has two thousand coins.
pub(super) fn register(order: &RegistrationOrder) -> Result<SentRegistration, StakeTxError> {
    if order.value > 200_000_000_000 {
        return Err(StakeTxError::InsufficientFunds("Insufficient funds".into()));
    }
    let lock = TimeLock { unlock: order.unlock, owner: [7; 20] };
    let (definition, name) = (order.definition, order.name.clone());
    let registration = Registration { lock, definition, name };
    let registered = Registered { chain_id: order.registry, registration, value: order.value };
    Ok(SentRegistration { txid: L1Hash([3; 32]), registered, fee: 226 })
}

fn invalid(method: &str, params: Value) -> String {
    let (code, message) = error(Setup::default(), method, params);
    assert_eq!(code, -32_602, "{message}");
    message
}

#[test]
fn o9_chains_are_listed_with_the_nodes_own_first() {
    let answer = call("l2_listchains", json!([]));
    let expected = json!([
        {"chainId": 3, "name": "Test", "isLocal": true},
        {"chainId": 1_000, "name": "demo", "isLocal": false},
        {"chainId": 1_001, "name": "demo", "isLocal": false},
    ]);
    assert_eq!(answer["chains"], expected);
}

#[test]
fn o13_a_registered_chain_is_found_by_id_and_by_name() {
    for params in [json!([1_000]), json!(["1000"]), json!(["demo"]), json!({"chainid": "demo"})] {
        let chain = call("l2_getregisteredchain", params);
        assert_eq!((&chain["chainId"], &chain["holdsName"]), (&json!(1_000), &json!(true)));
        assert_eq!(chain["status"], "BOOTSTRAPPING");
        assert_eq!(chain["stake"], "1000.00000000");
        assert_eq!(chain["definition"], Value::Null);
        assert_eq!(chain["isActive"], false);
    }
    let chain = call("l2_getregisteredchain", json!([1_001]));
    assert_eq!(chain["status"], "ACTIVE");
    assert_eq!(chain["definition"]["params"]["blockTimeMs"], 500);
    assert_eq!(chain["definition"]["params"]["gasLimit"], 30_000_000);
    assert_eq!(chain["definition"]["params"]["challengePeriod"], 604_800);
    assert_eq!(chain["definition"]["rehearsal"], 1_000);
    assert_eq!(chain["definition"]["genesisHash"], format!("{GENESIS:?}"));
}

#[test]
fn o14_an_unknown_chain_is_not_found() {
    for params in [json!([1_002]), json!(["other"])] {
        let (code, message) = error(Setup::default(), "l2_getregisteredchain", params);
        assert_eq!(code, i64::from(Named::ChainNotFound.code()));
        assert_eq!(message, "Chain not found");
    }
    assert!(invalid("l2_getregisteredchain", json!(["no name"])).starts_with("chainid: "));
}

#[test]
fn o13_all_chains_or_the_active_ones_are_listed() {
    let all = call("l2_listregisteredchains", json!([]));
    assert_eq!((&all["count"], &all["chains"][0]["chainId"]), (&json!(2), &json!(1_000)));
    for params in [json!([true]), json!(["true"]), json!({"activeonly": 1})] {
        let active = call("l2_listregisteredchains", params);
        assert_eq!(active["count"], 1);
        assert_eq!(active["chains"][0]["chainId"], 1_001);
    }
}

#[test]
fn o13_chains_are_listed_by_pages() {
    let ids = |method, params| -> Vec<u64> {
        let answer = call(method, params);
        let chains = answer["chains"].as_array().expect("a list");
        chains.iter().filter_map(|chain| chain["chainId"].as_u64()).collect()
    };
    let registered = |params| ids("l2_listregisteredchains", params);
    assert_eq!(registered(json!([false, 1_001])), [1_001]);
    assert_eq!(registered(json!([false, 0, 1])), [1_000]);
    assert_eq!(registered(json!({"activeonly": true, "limit": 1})), [1_001]);
    assert!(registered(json!([false, 1_002])).is_empty());
    // The node's own is always there.
    assert_eq!(ids("l2_listchains", json!([1_001, 5])), [3, 1_001]);
    assert_eq!(ids("l2_listchains", json!({"limit": 1})), [3, 1_000]);
    for limit in [0, 101] {
        let message = invalid("l2_listregisteredchains", json!([false, 0, limit]));
        assert!(message.contains("from 1 to 100 chains"), "{message}");
        assert!(invalid("l2_listchains", json!([0, limit])).contains("from 1 to 100 chains"));
    }
}

/// Issue: the prototype changed any chain's status for anybody.
#[test]
fn o13_a_status_is_changed_by_who_signs_the_call() {
    let expected = format!("0x{}", hex::encode((1_001u32, ChainStatus::Paused).encode()));
    for params in [json!([1_001, "PAUSED"]), json!(["1001", "paused"]), json!([1_001, 2])] {
        let update = call("l2_updatechainstatus", params);
        assert_eq!(update["call"], expected);
        assert_eq!((&update["status"], &update["newStatus"]), (&json!("ACTIVE"), &json!("PAUSED")));
        assert_eq!(update["deployerMay"], true);
    }
    let emergency = call("l2_updatechainstatus", json!([1_001, "EMERGENCY"]));
    assert_eq!(emergency["deployerMay"], false);
    let message = invalid("l2_updatechainstatus", json!([1_001, "BOOTSTRAPPING"]));
    assert!(message.contains("ACTIVE does not become BOOTSTRAPPING"), "{message}");
    assert!(invalid("l2_updatechainstatus", json!([1_001, "OPEN"])).contains("expected"));
}

#[test]
fn o9_deploying_gives_an_id_and_a_genesis_with_safe_defaults() {
    let answer = call("l2_deploy", json!(["demo"]));
    let id = chain_id_of(&SEED);
    assert_eq!(answer["chainId"], id);
    assert_eq!(answer["seed"], SEED.to_string());
    assert_eq!((&answer["blockTime"], &answer["gasLimit"]), (&json!(500), &json!(30_000_000)));
    assert_eq!(answer["challengePeriod"], 604_800);
    let genesis = &answer["genesis"];
    let parameters = &genesis["chainParameters"]["parameters"];
    assert_eq!(parameters["chainId"], id);
    assert_eq!(parameters["blockTimeMs"], 500);
    assert_eq!(parameters["challengePeriodS"], 604_800);
    // R32.5: nobody has power or coins, and the chain opens by the public rules.
    assert_eq!(genesis["sudo"]["key"], Value::Null);
    assert_eq!(genesis["balances"]["balances"], json!([]));
    let rules = json!({"bootstrapMs": 86_400_000, "minSequencers": 5});
    assert_eq!(genesis["l2Registry"]["rules"], rules);

    let chosen = call("l2_deploy", json!(["demo", "1000", 2_000_000, "3600"]));
    assert_eq!((&chosen["blockTime"], &chosen["gasLimit"]), (&json!(1_000), &json!(2_000_000)));
    assert_eq!(chosen["challengePeriod"], 3_600);
    assert!(invalid("l2_deploy", json!(["1demo"])).starts_with("name: "));
    assert!(invalid("l2_deploy", json!(["demo", 99])).starts_with("blocktime: "));
    assert!(invalid("l2_deploy", json!(["demo", 500, 1])).starts_with("gaslimit: "));
    assert!(invalid("l2_deploy", json!(["demo", 500, 1_000_000, 1])).starts_with("challenge"));
}

/// What is refused of a template is that it names no sequencers, whatever is chosen.
#[test]
fn o9_a_template_lacks_nothing_but_its_sequencers() {
    let here = L1Start { height: 100, hash: L1Hash([100; 32]) };
    let chains = [
        presets::mainnet(),
        presets::testnet(),
        presets::regtest(),
        presets::local(),
        presets::dev(),
    ];
    let choices =
        [(100, 1_000_000, 3_600), (500, 30_000_000, 604_800), (30_000, 30_000_000, 2_592_000)];
    for own in chains {
        for rehearsal in [0, 1_000] {
            for (block_time, gas, challenge) in choices {
                let setup = Setup { parameters: Some(own.clone()), ..Setup::default() };
                let params = json!(["demo", block_time, gas, challenge, rehearsal]);
                let template =
                    setup.call("l2_deploy", params).expect("it is made")["genesis"].take();
                let parameters = template["chainParameters"]["parameters"].clone();
                let rules = template["l2Registry"]["rules"].clone();
                let mut genesis = RuntimeGenesisConfig::default();
                let parameters: ChainParameters =
                    serde_json::from_value(parameters).expect("they are the runtime's");
                genesis.chain_parameters.parameters = parameters.clone();
                genesis.l2_registry.rules = serde_json::from_value(rules).expect("so are these");
                let refusal = presets::check(&genesis).expect_err("nobody sequences");
                assert!(refusal.starts_with("this genesis names no sequencers"), "{refusal}");
                // Where both have the same L1, it is read from where this chain stands.
                let start = parameters.l1_start;
                assert_eq!(start == here, parameters.l1_network == own.l1_network);
                assert!(start == here || start.height == 0);
            }
        }
    }
}

#[test]
fn o13_a_chain_is_registered_with_what_was_deployed() {
    let genesis = format!("{GENESIS:?}");
    let seed = SEED.to_string();
    let params = json!(["demo", "1000", 500, 30_000_000, 604_800, genesis, seed, 5, 1_000]);
    let answer = call("l2_registerchain", params);
    let id = chain_id_of(&SEED);
    assert_eq!((&answer["chainId"], &answer["registry"]), (&json!(id), &json!(3)));
    assert_eq!((&answer["success"], &answer["status"]), (&json!(true), &json!("BOOTSTRAPPING")));
    assert_eq!(answer["stake"], "1000.00000000");
    assert_eq!(answer["definitionHash"], definition().hash().to_string());
    let expected = format!("0x{}", hex::encode((id, definition()).encode()));
    assert_eq!(answer["defineCall"], expected);
    // A year above the L1 node's tip.
    assert_eq!(answer["unlockHeight"], 106 + MAX_RANKED_BLOCKS);
}

#[test]
fn o13_what_cannot_be_registered_is_refused_before_anything_is_locked() {
    let genesis = format!("{GENESIS:?}");
    let seed = SEED.to_string();
    let with = |stake: &str, unlock: u32| {
        json!({
            "name": "demo", "stake": stake, "genesishash": genesis, "seed": seed,
            "unlockheight": unlock,
        })
    };
    let least = 106 + MIN_REGISTRATION_BLOCKS + 144;
    assert_eq!(call("l2_registerchain", with("1000", least))["unlockHeight"], least);
    let short = invalid("l2_registerchain", with("1000", least - 1));
    assert!(short.starts_with("unlockheight: "), "{short}");
    let (code, message) = error(Setup::default(), "l2_registerchain", with("999.99999999", least));
    assert_eq!(code, i64::from(Named::StakeTooLow.code()));
    assert_eq!(message, "Stake must be at least X CAS");
    let (code, _) = error(Setup::default(), "l2_registerchain", with("2001", least));
    assert_eq!(code, i64::from(Named::L1Refused.code()));
    let early = invalid("l2_registerchain", json!(["demo", 1_000]));
    assert!(early.contains("run l2_deploy first"), "{early}");
}

#[test]
fn the_methods_that_use_the_l1_wallet_are_unsafe() {
    for (method, params) in
        [("l2_deploy", json!(["demo"])), ("l2_registerchain", json!(["demo", 1_000]))]
    {
        let setup = Setup { deny: Some(DenyUnsafe::Yes), ..Setup::default() };
        let (_, message) = error(setup, method, params);
        assert_eq!(message, "RPC call is unsafe to be called externally", "{method}");
    }
}
