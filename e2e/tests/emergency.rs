//! Most sequencers are gone for longer than the chain waits for them: an emergency by rule,
//! which begins with the first block after the outage and ends by itself.

use cascoin_e2e::{
    burns::{self, Burn, ChainFacts},
    extrinsic::{self, account, dev_pair, SigningContext},
    network::{with_network, Network, Setup},
    spec,
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use cascoin_l2_runtime::{Runtime, RuntimeEvent};
use codec::Decode;
use frame_system::EventRecord;
use pallet_liveness::Event;
use serde_json::{json, Value};
use sp_core::H256;
use std::time::Duration;
use tempfile::TempDir;

/// Three sequencers, of whom all must vote: where one is away nothing changes.
const SEQUENCERS: usize = 3;
/// Who is left in the outage and sees it.
const LEFT: usize = 0;
/// Who is gone in it.
const GONE: [usize; 2] = [1, 2];
/// Who is restarted in the emergency.
const RESTARTED: usize = 2;
/// The least that a chain can be given.
const DELAY_S: u64 = 60;
/// Beyond the delay. A block that was proposed when the others went may be decided when they
/// are back, and the silence is counted from that.
const MARGIN_S: u64 = 3;
/// Blocks that end it: long enough to look at what waits meanwhile.
const RECOVERY_BLOCKS: u64 = 200;
/// As many of the preset's blocks of 100 ms.
const RECOVERY_S: u64 = RECOVERY_BLOCKS / 10;
/// An outage on a machine that is slow to answer.
const OUTAGE: Duration = Duration::from_secs(2 * DELAY_S);
/// A recovery's blocks on a loaded machine.
const LONG: Duration = Duration::from_secs(180);
const AMOUNT: u128 = 1_000_000;
const COIN: u64 = 100_000_000;
/// What the pool answers when the runtime cannot judge a transaction now.
const UNKNOWN_VALIDITY: i64 = 1011;
/// The reason that docs/operating.md names.
const CHAIN_HALTED: &str = "Custom(3)";
/// `System.Events`, whose storage the system pallet keeps to itself.
const EVENTS: &str = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7";

fn setup() -> (TempDir, Setup) {
    let folder = TempDir::new().expect("a folder for the chain's specification");
    let file = folder.path().join("emergency.json");
    let changes = [("emergencyDelayS", json!(DELAY_S)), ("emergencyRecoveryS", json!(RECOVERY_S))];
    spec::write_with_parameters("regtest", SEQUENCERS, &changes, &file).expect("a specification");
    let chain = file.display().to_string();
    (folder, Setup { chain, sequencers: SEQUENCERS, ..Setup::regtest() })
}

fn chain_info(network: &Network, node: usize) -> Result<Value> {
    network.call(node, "l2_getchaininfo", json!([]))
}

/// A number of the emergency as a node shows it.
fn number(info: &Value, field: &str) -> Result<u64> {
    let found = info["emergency"][field].as_u64();
    found.ok_or_else(|| Error::other(format!("no {field} in {info}")))
}

/// Expects that a node knows of no emergency.
fn expect_none(network: &Network, node: usize) -> Result<()> {
    let info = chain_info(network, node)?;
    let shown = &info["emergency"];
    assert_eq!(info["status"], "ACTIVE", "{info}");
    assert_eq!((&shown["active"], &shown["onChain"]), (&json!(false), &json!(false)), "{shown}");
    assert_eq!((&shown["since"], &shown["recoversInSeconds"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["waitsForL1"], false, "{shown}");
    assert_eq!(shown["delaySeconds"], DELAY_S, "{shown}");
    assert_eq!(info["minting"]["waitsFor"], Value::Null, "{info}");
    Ok(())
}

/// Waits until a node shows that the chain itself says so; since when.
fn emergency_since(network: &Network, node: usize) -> Result<u64> {
    until("the chain is in an emergency", LONG, || {
        let info = chain_info(network, node)?;
        if info["emergency"]["onChain"] != true {
            return Ok(Seen::NotYet(info["emergency"].to_string()));
        }
        assert_eq!(info["status"], "EMERGENCY", "{info}");
        assert_eq!(info["emergency"]["active"], true, "{info}");
        assert_eq!(info["minting"]["waitsFor"], "EMERGENCY", "{info}");
        assert!(number(&info, "outageSeconds")? >= DELAY_S, "{info}");
        assert!((1..=RECOVERY_S).contains(&number(&info, "recoversInSeconds")?), "{info}");
        number(&info, "since").map(Seen::Done)
    })
}

/// Waits until L1 is heard of on a node, and a burn waits for the end of the emergency.
fn burn_waits(network: &Network, node: usize, txid: &str) -> Result<()> {
    until("the burn is applied, and waits", PATIENCE, || {
        let answer = network.call(node, "l2_getburnstatus", json!([txid]))?;
        let burn = &answer["burns"][0];
        let info = chain_info(network, node)?;
        let waits = burn["status"] == "REACHED" && burn["waitsFor"] == "EMERGENCY";
        let heard = info["emergency"]["waitsForL1"] == false;
        Ok(Seen::when(waits && heard, (burn.to_string(), info["emergency"].to_string())))
    })
    .map(drop)
}

/// What blocks told of the chain's life, with their heights: above `from`, up to `to`.
fn told(network: &Network, node: usize, from: u32, to: u32) -> Result<Vec<(u32, Event<Runtime>)>> {
    let mut told = Vec::new();
    for height in from + 1..=to {
        let at = network.block_hash(node, height)?;
        let value = network.call(node, "state_getStorage", json!([EVENTS, at]))?;
        let text = value.as_str().ok_or_else(|| Error::other(format!("no events of {height}")))?;
        let bytes = hex::decode(text.trim_start_matches("0x")).map_err(Error::other)?;
        let records = Vec::<EventRecord<RuntimeEvent, H256>>::decode(&mut &bytes[..]);
        for record in records.map_err(Error::other)? {
            if let RuntimeEvent::Liveness(event) = record.event {
                told.push((height, event));
            }
        }
    }
    Ok(told)
}

#[test]
fn r12_1_an_outage_is_an_emergency_that_begins_and_ends_by_rule() {
    let (_folder, setup) = setup();
    with_network(&setup, |network| {
        let facts = ChainFacts::of(network, LEFT)?;
        let context = SigningContext::of(&network.nodes[LEFT].rpc())?;
        let (eve, ferdie) = (dev_pair("//Eve")?, dev_pair("//Ferdie")?);
        let to = account(&dev_pair("//Patient")?);
        let paid = account(&dev_pair("//Paid")?);
        let transfer = || extrinsic::transfer(&paid, AMOUNT);
        for node in 0..SEQUENCERS {
            expect_none(network, node)?;
        }
        network.expect_no_equivocations()?;

        // The outage, in which L1 goes on.
        for node in GONE {
            network.nodes[node].kill()?;
        }
        let burn = Burn::to_account(facts.chain_id, &to, COIN);
        let txid = network.l1()?.burn(&burn)?;
        network.l1()?.mine(facts.l1_confirmations)?;
        let alone = until("who is left has seen no block for the delay", OUTAGE, || {
            let info = chain_info(network, LEFT)?;
            let silent = number(&info, "silentSeconds")?;
            Ok(Seen::when(silent >= DELAY_S + MARGIN_S, info))
        })?;
        let stood = network.finalized_height(LEFT)?;
        let last_block = number(&alone, "lastBlock")?;
        assert_eq!(alone["status"], "EMERGENCY", "{alone}");
        let shown = &alone["emergency"];
        assert_eq!((&shown["active"], &shown["onChain"]), (&json!(true), &json!(false)), "{shown}");
        assert_eq!(number(&alone, "since")?, last_block + 1_000 * DELAY_S);
        // The chain itself knows nothing yet. Later than any block that was proposed when the
        // others went, which is still to be decided and must not have it.
        let waiting = context.sign(transfer(), &eve, 0);
        extrinsic::submit(&network.nodes[LEFT].rpc(), &waiting)?;

        // With the first block the chain knows it, and all agree since when.
        network.start_nodes()?;
        let since = emergency_since(network, LEFT)?;
        assert!(since >= last_block + 1_000 * DELAY_S, "{since} and {last_block}");
        for node in GONE {
            assert_eq!(emergency_since(network, node)?, since);
        }

        // It makes blocks and votes about L1; what L1 brings waits, and so do users.
        for node in 0..SEQUENCERS {
            burn_waits(network, node, &txid)?;
        }
        network.wait_for_progress(5)?;
        let refused = context.sign(transfer(), &ferdie, 0);
        for node in 0..SEQUENCERS {
            let answer = extrinsic::submit(&network.nodes[node].rpc(), &refused);
            let Err(Error::Rpc { code, data, .. }) = &answer else { panic!("{node}: {answer:?}") };
            assert_eq!(*code, UNKNOWN_VALIDITY, "{node}: {answer:?}");
            let reason = data.as_deref().unwrap_or_default();
            assert!(reason.contains(CHAIN_HALTED), "{node}: {answer:?}");
        }
        let sent = json!(extrinsic::hex(&waiting));
        until("what waited in a pool is dropped", PATIENCE, || {
            let pending = network.call(LEFT, "author_pendingExtrinsics", json!([]))?;
            let pending = pending.as_array().cloned().unwrap_or_default();
            Ok(Seen::when(!pending.contains(&sent), pending.len()))
        })?;

        // A node that is away for a moment sees the same when it is back.
        network.expect_no_equivocations()?;
        network.nodes[RESTARTED].kill()?;
        assert_eq!(emergency_since(network, LEFT)?, since);
        for who in [&eve, &ferdie] {
            assert_eq!(burns::transaction_count(network, LEFT, &account(who))?, 0);
        }
        for nobody in [&to, &paid] {
            assert_eq!(burns::balance(network, LEFT, nobody)?, 0);
        }
        network.nodes[RESTARTED].start()?;
        network.nodes[RESTARTED].wait_for_rpc()?;
        assert_eq!(emergency_since(network, RESTARTED)?, since);

        // It has lived for long enough: nobody ended it.
        for node in 0..SEQUENCERS {
            until("the emergency is over", LONG, || {
                let info = chain_info(network, node)?;
                let over = info["emergency"]["active"] == false;
                Ok(Seen::when(over, info["emergency"].to_string()))
            })?;
            expect_none(network, node)?;
        }
        let over = network.finalized_height(LEFT)?;
        let events = told(network, LEFT, stood, over)?;
        let [(began, Event::EmergencyBegan { last_sign, silent_ms }), (ended, Event::EmergencyEnded { since: ended_since })] =
            &events[..]
        else {
            panic!("one beginning and one end are expected: {events:?}")
        };
        assert_eq!((last_sign + silent_ms, *ended_since), (since, since));
        assert!(*last_sign >= last_block && *silent_ms >= 1_000 * DELAY_S, "{events:?}");
        assert!(u64::from(ended - began) >= RECOVERY_BLOCKS, "{events:?}");

        // What waited is there, and what was refused is good as it was.
        for node in 0..SEQUENCERS {
            let state = burns::minted(network, node, &txid)?;
            assert!(state.mint_block >= Some(u64::from(*ended)), "{state:?}, {events:?}");
            assert_eq!(burns::balance(network, node, &to)?, u128::from(COIN));
        }
        extrinsic::submit(&network.nodes[RESTARTED].rpc(), &refused)?;
        for node in 0..SEQUENCERS {
            until("the transfer is in a block", PATIENCE, || {
                let count = burns::transaction_count(network, node, &account(&ferdie))?;
                Ok(Seen::when(count == 1, count))
            })?;
            assert!(burns::balance(network, node, &paid)? >= AMOUNT);
            assert!(burns::supply(network, node)?.valid);
        }
        network.wait_for_progress(5)?;
        network.expect_one_chain()?;
        network.expect_no_equivocations()?;
        Ok(())
    });
}
