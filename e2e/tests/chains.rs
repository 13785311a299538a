//! A second layer 2 chain on the same L1, from its registration to its own money.

use base64::{engine::general_purpose::STANDARD, Engine};
use cascoin_e2e::{
    burns::{self, Burn, ChainFacts},
    extrinsic::{account, dev_pair, transfer},
    network::{with_network, with_prepared, Network, Setup},
    node::NodeConfig,
    set_changes::call,
    spec,
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use cascoin_l2_primitives::l1::params::LITECOIN_REGTEST;
use cascoin_l2_runtime::{Runtime, RuntimeCall};
use codec::Decode;
use pallet_reputation::Call as Reputation;
use serde_json::{json, Value};
use std::{path::Path, time::Duration};
use tempfile::TempDir;

const COIN: u64 = LITECOIN_REGTEST.coin;
const NAME: &str = "second";
/// R32.2: what the template asks for.
const SEQUENCERS: usize = 5;
/// The template's day, shortened: long enough to start five nodes and to try something.
const BOOTSTRAP: Duration = Duration::from_secs(90);
/// So that the L1 wallet can lock a thousand coins: coinbases of 50 of them, and a hundred
/// blocks more.
const MATURE: u32 = 30;

/// The call that a node gives to be signed.
fn given(call: &Value) -> Result<RuntimeCall> {
    let digits = call.as_str().unwrap_or_default().trim_start_matches("0x");
    let encoded = hex::decode(digits).map_err(Error::other)?;
    RuntimeCall::decode(&mut &encoded[..]).map_err(Error::other)
}

/// Waits until a node has applied all L1 blocks that there are.
fn wait_for_applied(network: &Network, node: usize, tip: u32) -> Result<()> {
    until("L1's blocks are applied", 2 * PATIENCE, || {
        let info = network.call(node, "l2_getchaininfo", json!([]))?;
        let applied = info["l1"]["appliedHeight"].clone();
        Ok(Seen::when(applied.as_u64() >= Some(tip.into()), applied))
    })
    .map(drop)
}

/// Whether a chain is closed to the public, at a node's last final block.
fn is_closed(network: &Network, node: usize) -> Result<bool> {
    let key = pallet_l2_registry::OwnBootstrap::<Runtime>::hashed_key();
    let head = network.call(node, "chain_getFinalizedHead", json!([]))?;
    let params = json!([format!("0x{}", hex::encode(key)), head]);
    Ok(!network.call(node, "state_getStorage", params)?.is_null())
}

/// The registered chain with this id, as a node shows it once `is` holds of it.
fn registered(
    network: &Network,
    what: &str,
    id: &Value,
    is: impl Fn(&Value) -> bool,
) -> Result<Value> {
    until(&format!("the second chain is {what}"), PATIENCE, || {
        let shown = network.call(0, "l2_getregisteredchain", json!([id]))?;
        Ok(Seen::when(is(&shown), shown))
    })
}

/// Five nodes of the chain of `spec`, over the L1 of another network. Two of them make the
/// genesis by themselves; the others are given what was made of the same specification.
fn prepare(spec: &Path, first: &Network) -> Result<Network> {
    let chain = spec.display().to_string();
    let setup = Setup {
        chain: chain.clone(),
        sequencers: SEQUENCERS,
        full_nodes: 0,
        l1: false,
        extra: Vec::new(),
    };
    let mut second = Network::prepare(&setup)?;
    let access = first.l1()?.access()?;
    for (position, node) in second.nodes.iter_mut().enumerate() {
        let config = node.config_mut();
        config.l1 = Some(access.clone());
        if position == 0 || position == SEQUENCERS - 1 {
            config.extra.push(format!("--chain={chain}"));
        }
    }
    Ok(second)
}

#[test]
fn r1_r32_a_second_chain_really_starts_from_its_registration_and_burns_reach_the_right_one() {
    let setup = Setup { chain: "dev".into(), sequencers: 1, ..Setup::regtest() };
    with_network(&setup, |first| {
        first.l1()?.mine(MATURE)?;
        let deployed = first.call(0, "l2_deploy", json!([NAME]))?;
        let unknown = first.call(0, "l2_getregisteredchain", json!([deployed["chainId"]]));
        assert!(
            matches!(&unknown, Err(Error::Rpc { data: Some(data), .. }) if data.contains("CHAIN_NOT_FOUND")),
            "nothing is registered yet: {unknown:?}"
        );
        let folder = TempDir::new().map_err(Error::other)?;
        let spec = folder.path().join("second.json");
        let bootstrap_ms = BOOTSTRAP.as_millis() as u64;
        spec::write_deployed(&deployed, SEQUENCERS, bootstrap_ms, &spec)?;
        // A second longer: everything else is the same.
        let other = folder.path().join("other.json");
        spec::write_deployed(&deployed, SEQUENCERS, bootstrap_ms + 1_000, &other)?;

        with_prepared(prepare(&spec, first), |second| {
            nobody_moves_coins_before_it_opens(second)?;
            register(first, second, &deployed)?;
            burns_reach_the_right_one(first, second)?;
            another_genesis_is_another_chain(second, &other)?;
            it_opens(second)?;
            second.expect_one_chain()?;
            first.expect_one_chain()?;
            Ok(())
        });
        Ok(())
    });
}

/// R32.3
fn nobody_moves_coins_before_it_opens(second: &mut Network) -> Result<()> {
    let early = account(&dev_pair("//Early")?);
    call(second, 1, "//Alice", transfer(&early, u128::from(COIN)))?;
    // So it was closed in the block that holds the transaction.
    assert!(is_closed(second, 1)?, "it opened before anything could be tried");
    for node in 0..SEQUENCERS {
        assert_eq!(burns::balance(second, node, &early)?, 0);
    }
    Ok(())
}

/// R32.1, R1.3, R1.4, R1.5: what five nodes have made, each by itself or from the others'
/// specification, is what L1 binds.
fn register(first: &mut Network, second: &mut Network, deployed: &Value) -> Result<()> {
    let id = &deployed["chainId"];
    let genesis = second.block_hash(0, 0)?;
    for node in 0..SEQUENCERS {
        assert_eq!(second.block_hash(node, 0)?, genesis, "of node {node}");
        let info = second.call(node, "l2_getchaininfo", json!([]))?;
        assert_eq!((&info["chainId"], &info["name"]), (id, &json!(NAME)), "{info}");
        assert_eq!(info["sequencerCount"], SEQUENCERS, "{info}");
    }
    assert_ne!(first.block_hash(0, 0)?, genesis);

    let params = json!([
        NAME,
        1_000,
        deployed["blockTime"],
        deployed["gasLimit"],
        deployed["challengePeriod"],
        genesis,
        deployed["seed"],
        SEQUENCERS
    ]);
    let sent = first.call(0, "l2_registerchain", params)?;
    assert_eq!((&sent["chainId"], &sent["status"]), (id, &json!("BOOTSTRAPPING")), "{sent}");
    first.l1()?.mine(1)?;

    let shown = registered(first, "registered", id, |shown| shown["found"] == true)?;
    assert_eq!((&shown["name"], &shown["status"]), (&json!(NAME), &json!("BOOTSTRAPPING")));
    assert_eq!((&shown["stake"], &shown["stakeLocked"]), (&json!("1000.00000000"), &json!(true)));
    assert_eq!((&shown["deployer"], &shown["definition"]), (&sent["deployer"], &Value::Null));
    assert_eq!(shown["definitionHash"], sent["definitionHash"], "{shown}");
    let by_name = first.call(0, "l2_getregisteredchain", json!([NAME]))?;
    assert_eq!(by_name["chainId"], *id, "{by_name}");
    let listed = first.call(0, "l2_listchains", json!([]))?;
    let own = ChainFacts::of(first, 0)?.chain_id;
    let local = listed["chains"].as_array().and_then(|chains| chains.first()).cloned();
    let local = local.unwrap_or_default();
    assert_eq!((&local["chainId"], &local["isLocal"]), (&json!(own), &json!(true)), "{listed}");
    let entry = json!({ "chainId": id, "name": NAME, "isLocal": false });
    assert_eq!(listed["chains"][1], entry, "{listed}");

    // Anybody shows what it is.
    call(first, 0, "//Ferdie", given(&sent["defineCall"])?)?;
    let shown = registered(first, "defined", id, |shown| shown["definition"].is_object())?;
    let definition = &shown["definition"];
    assert_eq!(definition["genesisHash"], json!(genesis), "{shown}");
    assert_eq!(definition["sequencerCount"], SEQUENCERS, "{shown}");
    assert_eq!(definition["params"]["blockTimeMs"], deployed["blockTime"], "{shown}");

    // Who has the deployer's key opens it, and nobody else.
    let open = first.call(0, "l2_updatechainstatus", json!([id, "ACTIVE"]))?;
    assert_eq!((&open["deployerMay"], &open["deployer"]), (&json!(true), &sent["deployer"]));
    let open = given(&open["call"])?;
    call(first, 0, "//Ferdie", open.clone())?;
    let shown = first.call(0, "l2_getregisteredchain", json!([id]))?;
    assert_eq!(shown["status"], "BOOTSTRAPPING", "{shown}");
    let who = account(&dev_pair("//Eve")?).to_string();
    let message = first.call(0, "l2_getreputation", json!([who]))?["linkMessage"].clone();
    let signed = first.l1()?.call("signmessage", json!([sent["deployer"], message]))?;
    let signed = STANDARD.decode(signed.as_str().unwrap_or_default()).map_err(Error::other)?;
    let signature = signed.try_into().map_err(|_| Error::other("not 65 bytes"))?;
    let link = Reputation::link_l1_address { signature };
    call(first, 0, "//Eve", RuntimeCall::Reputation(link))?;
    call(first, 0, "//Eve", open)?;
    let shown = registered(first, "active", id, |shown| shown["isActive"] == true)?;
    assert_eq!(shown["status"], "ACTIVE", "{shown}");
    let active = first.call(0, "l2_listregisteredchains", json!([true]))?;
    assert_eq!(active["count"], 1, "{active}");
    Ok(())
}

fn burns_reach_the_right_one(first: &mut Network, second: &mut Network) -> Result<()> {
    let recipient = account(&dev_pair("//Everywhere")?);
    let ids = [ChainFacts::of(first, 0)?.chain_id, ChainFacts::of(second, 0)?.chain_id];
    let burn =
        |first: &Network, id, value| first.l1()?.burn(&Burn::to_account(id, &recipient, value));
    let sent = [burn(&*first, ids[0], 2 * COIN)?, burn(&*first, ids[1], 3 * COIN)?];
    first.l1()?.mine(1)?;
    let tip = first.l1()?.height()?;
    for (network, nodes, own, foreign, value) in [
        (&mut *first, 1, &sent[0], &sent[1], 2 * COIN),
        (&mut *second, SEQUENCERS, &sent[1], &sent[0], 3 * COIN),
    ] {
        for node in 0..nodes {
            wait_for_applied(network, node, tip)?;
            burns::minted(network, node, own)?;
            let states = burns::settled(network, node, foreign)?;
            let reasons: Vec<_> = states.iter().map(|state| state.reason.as_deref()).collect();
            assert_eq!(reasons, [Some("WRONG_CHAIN")], "{states:?}");
            assert_eq!(burns::balance(network, node, &recipient)?, u128::from(value));
            let supply = burns::supply(network, node)?;
            assert!(supply.valid);
            assert_eq!((supply.minted, supply.burn_count), (u128::from(value), 1));
        }
    }
    Ok(())
}

/// R32.4
fn another_genesis_is_another_chain(second: &mut Network, spec: &Path) -> Result<()> {
    let bootnodes = second.nodes.iter().map(|node| node.multiaddr()).collect();
    second.add(NodeConfig {
        name: "other-genesis".into(),
        chain: spec.display().to_string(),
        dev_key: None,
        l1: None,
        bootnodes,
        sequencer_peers: Vec::new(),
        extra: Vec::new(),
    })?;
    let other = second.nodes.len() - 1;
    second.nodes[other].start()?;
    second.nodes[other].wait_for_rpc()?;
    assert_ne!(second.block_hash(other, 0)?, second.block_hash(0, 0)?);
    let known: Vec<usize> = (0..other).collect();
    second.wait_for_progress_of(&known, 20)?;
    assert_eq!(second.height(other)?, 0, "it has nothing of the chain");
    until("nobody has it as a peer", PATIENCE, || {
        let health = second.call(other, "system_health", json!([]))?;
        Ok(Seen::when(health["peers"] == 0, health))
    })?;
    second.nodes[other].kill()?;
    second.nodes.pop();
    Ok(())
}

/// R32.3
fn it_opens(second: &mut Network) -> Result<()> {
    for node in 0..SEQUENCERS {
        until("the second chain opens", BOOTSTRAP + 2 * PATIENCE, || {
            let closed = is_closed(second, node)?;
            Ok(Seen::when(!closed, closed))
        })?;
    }
    let late = account(&dev_pair("//Late")?);
    call(second, 2, "//Alice", transfer(&late, u128::from(COIN)))?;
    for node in 0..SEQUENCERS {
        until("the transfer is final", PATIENCE, || {
            let balance = burns::balance(second, node, &late)?;
            Ok(Seen::when(balance == u128::from(COIN), balance))
        })?;
        assert_eq!(burns::balance(second, node, &account(&dev_pair("//Early")?))?, 0);
        assert!(burns::supply(second, node)?.valid);
    }
    Ok(())
}
