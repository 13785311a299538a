//! Messages that people send on a real L1, with keys of their own: L2 executes them for the
//! accounts of these keys.

use cascoin_e2e::{
    burns::{self, ChainFacts},
    extrinsic::{self, account, dev_pair, key_account, transfer, SigningContext},
    network::{with_network, Network, Setup},
    set_changes::{call, set_parameters},
    trust::{Form, Speaker},
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    l1::{
        envelope::{Message, MessageKind},
        params::LITECOIN_REGTEST,
        OutPoint,
    },
    messages::{MessageRecord, MessageState},
};
use cascoin_l2_runtime::RuntimeCall;
use codec::{Decode, Encode};
use pallet_chain_parameters::ParameterChange::{MaxDailyDeposit, MaxDeposit};
use serde_json::{json, Value};
use sp_core::H256;
use sp_runtime::{traits::BlakeTwo256, MultiAddress};
use sp_state_machine::{read_proof_check, StorageProof};
use std::time::Duration;

const COIN: u64 = LITECOIN_REGTEST.coin;
/// As much as a message's call may be worth.
const GAS: u32 = 500_000;
/// What fails is tried again for 720 blocks, which are 72 s if nothing else runs here.
const ALL_TRIES: Duration = Duration::from_secs(360);

fn coins(value: u64) -> Balance {
    Balance::from(value)
}

/// The call that sends coins and leaves the sender's account alive.
fn keep_alive(to: &AccountId, units: u64) -> RuntimeCall {
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
        dest: MultiAddress::Id(to.clone()),
        value: coins(units),
    })
}

/// The output script that sends a call, as a node gives it.
fn script_of(network: &Network, call: &[u8], gas: u32) -> Result<Vec<u8>> {
    let made = network.call(0, "l2_createmessagetx", json!([hex::encode(call), gas]))?;
    bytes(&made["script"])
}

fn script(network: &Network, call: &RuntimeCall) -> Result<Vec<u8>> {
    script_of(network, &call.encode(), GAS)
}

fn bytes(hex: &Value) -> Result<Vec<u8>> {
    let digits = hex.as_str().ok_or_else(|| Error::other(format!("not a text: {hex}")))?;
    hex::decode(digits.trim_start_matches("0x")).map_err(Error::other)
}

/// The message of output `vout` in an answer of `l2_getmessage`; null if it is not there.
fn of_output(shown: &Value, vout: u32) -> Value {
    let messages = shown["messages"].as_array().cloned().unwrap_or_default();
    messages.into_iter().find(|message| message["vout"] == vout).unwrap_or_default()
}

/// Waits until a node shows a message with this status; the whole answer.
fn reaches(
    network: &Network,
    node: usize,
    (txid, vout): (&str, u32),
    status: &str,
    limit: Duration,
) -> Result<Value> {
    let what = format!("message {txid}:{vout} is {status} for {}", network.nodes[node].name());
    until(&what, limit, || {
        let shown = network.call(node, "l2_getmessage", json!([txid]))?;
        Ok(Seen::when(of_output(&shown, vout)["status"] == status, shown))
    })
}

/// Waits until a node has applied all L1 blocks that there are.
fn wait_for_applied(network: &Network, node: usize) -> Result<()> {
    let tip = network.l1()?.height()?;
    until("L1's blocks are applied", PATIENCE, || {
        let info = network.call(node, "l2_getchaininfo", json!([]))?;
        let applied = info["l1"]["appliedHeight"].clone();
        Ok(Seen::when(applied.as_u64() >= Some(tip.into()), applied))
    })
    .map(drop)
}

/// Mines a block with one transaction of a speaker, with several messages in one order; its
/// id. L1's nodes would not relay it.
fn mine_together(network: &Network, by: &Speaker, outputs: &[(u64, Vec<u8>)]) -> Result<String> {
    let l1 = network.l1()?;
    let raw = by.sign(l1, outputs)?;
    let txid = l1.txid(&raw)?;
    // What gives it the coins waits in the mempool.
    l1.mine(1)?;
    l1.mine_only(&[raw])?;
    Ok(txid)
}

/// What is on record of a message, proven against the state root of the block that the
/// answer names, and nothing else of the node believed.
fn proven(network: &Network, node: usize, shown: &Value, vout: u32) -> Result<MessageRecord> {
    let (key, block) = (of_output(shown, vout)["storageKey"].clone(), shown["blockHash"].clone());
    let header = network.call(node, "chain_getHeader", json!([block]))?;
    let root = extrinsic::hash(&header["stateRoot"])?;
    let answer = network.call(node, "state_getReadProof", json!([[key], block]))?;
    let nodes = answer["proof"].as_array().cloned().unwrap_or_default();
    let nodes = nodes.iter().map(bytes).collect::<Result<Vec<_>>>()?;
    let proof = StorageProof::new(nodes);
    let key = bytes(&key)?;
    let elsewhere = H256::repeat_byte(7);
    assert!(read_proof_check::<BlakeTwo256, _>(elsewhere, proof.clone(), [&key]).is_err());
    let read = read_proof_check::<BlakeTwo256, _>(root, proof, [&key]).map_err(Error::other)?;
    let value = read.get(&key).cloned().flatten();
    let value = value.ok_or_else(|| Error::other(format!("no record is proven: {shown}")))?;
    MessageRecord::decode(&mut &value[..]).map_err(Error::other)
}

/// Keys of both forms that prove who spends them.
#[test]
fn r9_1_p9_a_message_brings_its_value_and_its_call_is_executed_for_who_signed_it() {
    with_network(&Setup::regtest(), |network| {
        let facts = ChainFacts::of(network, 0)?;
        let third = account(&dev_pair("//Third")?);
        let before = burns::supply(network, 0)?;
        let remark = frame_system::Call::remark_with_event { remark: b"from L1".to_vec() };
        let sends = [
            (Speaker::new([0x61; 32], Form::PublicKeyHash), keep_alive(&third, 2 * COIN)),
            (Speaker::new([0x62; 32], Form::NestedWitness), RuntimeCall::System(remark)),
        ];
        let mut sent = Vec::new();
        for (sender, call) in &sends {
            let output = (5 * COIN, script(network, call)?);
            sent.push(sender.send(network.l1()?, &[output])?);
        }
        for txid in &sent {
            let shown = network.call(0, "l2_getmessage", json!([txid]))?;
            assert_eq!((&shown["found"], &shown["count"]), (&json!(false), &json!(0)), "{shown}");
        }
        network.l1()?.mine(facts.l1_confirmations)?;

        for node in 0..network.nodes.len() {
            for ((sender, call), txid) in sends.iter().zip(&sent) {
                let who = key_account(&sender.pair());
                let shown = reaches(network, node, (txid, 0), "EXECUTED", PATIENCE)?;
                let message = of_output(&shown, 0);
                assert_eq!(shown["found"], true, "{shown}");
                assert_eq!(message["sender"], who.to_string(), "{shown}");
                assert_eq!(message["value"], "5.00000000", "{shown}");
                assert_eq!(message["gas"], GAS, "{shown}");
                let call = call.encode();
                assert_eq!(message["call"], format!("0x{}", hex::encode(&call)), "{shown}");
                assert_eq!((&message["tries"], &message["reason"]), (&json!(1), &Value::Null));
                // R9.5, R28.2: in the next block, never in the one that applied it.
                let (applied, done) =
                    (message["appliedBlock"].as_u64(), message["doneBlock"].as_u64());
                assert!(done.is_some() && done == applied.map(|block| block + 1), "{shown}");

                // R9.4
                let record = proven(network, node, &shown, 0)?;
                let outpoint = OutPoint { txid: txid.parse().map_err(Error::other)?, vout: 0 };
                assert_eq!((record.outpoint, &record.sender), (outpoint, &who));
                assert_eq!(record.value, 5 * COIN);
                let body = [&[0u8][..], &GAS.to_le_bytes(), &call].concat();
                assert_eq!(record.body.to_vec(), body, "every byte as it was sent");
                assert!(
                    matches!(record.state, MessageState::Executed { block } if Some(u64::from(block)) == done)
                );
            }
            assert_eq!(burns::balance(network, node, &third)?, coins(2 * COIN));
            // Each paid a fee, and no more than that.
            for ((sender, _), spent) in sends.iter().zip([2 * COIN, 0]) {
                let left = burns::balance(network, node, &key_account(&sender.pair()))?;
                let most = coins(5 * COIN - spent);
                assert!((most - coins(COIN / 100)..most).contains(&left), "{left}");
            }
            let supply = burns::supply(network, node)?;
            assert!(supply.valid);
            assert_eq!(supply.minted - before.minted, coins(10 * COIN));
        }
        network.expect_one_chain()?;
        Ok(())
    });
}

#[test]
fn r9_1_r36_a_message_waits_for_its_value_and_what_its_sender_sent_later_waits_behind_it() {
    with_network(&Setup::regtest(), |network| {
        let coin = coins(COIN);
        let (first, second) = (account(&dev_pair("//First")?), account(&dev_pair("//Second")?));
        set_parameters(network, &[MaxDeposit(coin), MaxDailyDeposit(coin)])?;

        // More than a few days' limits: it waits also if this day ends meanwhile.
        let sender = Speaker::new([0x63; 32], Form::PublicKeyHash);
        let outputs = [
            (9 * COIN, script(network, &keep_alive(&first, 5 * COIN))?),
            (0, script(network, &keep_alive(&second, COIN / 2))?),
        ];
        let txid = mine_together(network, &sender, &outputs)?;
        for node in 0..network.nodes.len() {
            let shown = reaches(network, node, (&txid, 0), "AWAITS_VALUE", PATIENCE)?;
            // It could pay for it already.
            assert_eq!(of_output(&shown, 1)["status"], "QUEUED", "{shown}");
            let states = [proven(network, node, &shown, 0)?, proven(network, node, &shown, 1)?]
                .map(|record| record.state);
            assert_eq!(states, [MessageState::Queued(None); 2]);
        }
        // Longer than it takes to look again whether a value is there.
        network.wait_for_progress(50)?;
        for node in 0..network.nodes.len() {
            let shown = network.call(node, "l2_getmessage", json!([txid]))?;
            assert_eq!(of_output(&shown, 0)["status"], "AWAITS_VALUE", "{shown}");
            assert_eq!(of_output(&shown, 1)["status"], "QUEUED", "{shown}");
            assert_eq!(burns::balance(network, node, &first)?, 0);
            assert_eq!(burns::balance(network, node, &second)?, 0);
        }

        set_parameters(network, &[MaxDailyDeposit(1_000 * coin), MaxDeposit(100 * coin)])?;
        for node in 0..network.nodes.len() {
            let shown = reaches(network, node, (&txid, 1), "EXECUTED", PATIENCE)?;
            assert_eq!(of_output(&shown, 0)["status"], "EXECUTED", "{shown}");
            let done = [0, 1].map(|vout| of_output(&shown, vout)["doneBlock"].as_u64());
            assert!(done[0].is_some() && done[0] < done[1], "in their order: {shown}");
            assert_eq!(burns::balance(network, node, &first)?, 5 * coin);
            assert_eq!(burns::balance(network, node, &second)?, coin / 2);
            assert!(burns::supply(network, node)?.valid);
        }
        network.expect_one_chain()?;
        Ok(())
    });
}

/// It sends more than it has, so it fails each time, and what comes behind it waits for that.
#[test]
fn r9_1_a_message_that_fails_is_tried_again_and_then_its_senders_to_claim() {
    with_network(&Setup::regtest(), |network| {
        let (first, second) = (account(&dev_pair("//First")?), account(&dev_pair("//Second")?));
        let sender = Speaker::new([0x64; 32], Form::NestedWitness);
        let who = key_account(&sender.pair());
        let outputs = [
            (COIN, script(network, &keep_alive(&first, 5 * COIN))?),
            (0, script(network, &keep_alive(&second, COIN / 2))?),
        ];
        let txid = mine_together(network, &sender, &outputs)?;
        let shown = reaches(network, 0, (&txid, 0), "DELAYED", PATIENCE)?;
        let delayed = of_output(&shown, 0);
        assert_eq!(delayed["reason"], "CALL_FAILED", "{shown}");
        assert!(delayed["error"].is_string() && delayed["doneBlock"].is_null(), "{shown}");
        assert_eq!(of_output(&shown, 1)["status"], "QUEUED", "{shown}");

        let shown = reaches(network, 0, (&txid, 1), "EXECUTED", ALL_TRIES)?;
        let (failed, behind) = (of_output(&shown, 0), of_output(&shown, 1));
        assert_eq!(failed["status"], "FAILED", "{shown}");
        assert_eq!((&failed["tries"], &failed["reason"]), (&json!(4), &json!("CALL_FAILED")));
        assert!(failed["doneBlock"].as_u64() < behind["doneBlock"].as_u64(), "{shown}");
        assert!(matches!(proven(network, 0, &shown, 0)?.state, MessageState::Failed { .. }));
        assert_eq!(burns::balance(network, 0, &first)?, 0);
        assert_eq!(burns::balance(network, 0, &second)?, coins(COIN / 2));

        // Now it could succeed. Nobody else may try it.
        call(network, 0, "//Eve", transfer(&who, coins(10 * COIN)))?;
        let outpoint = OutPoint { txid: txid.parse().map_err(Error::other)?, vout: 0 };
        let claim = RuntimeCall::Messages(pallet_messages::Call::claim { outpoint });
        call(network, 0, "//Eve", claim.clone())?;
        let shown = network.call(0, "l2_getmessage", json!([txid]))?;
        assert_eq!(of_output(&shown, 0)["status"], "FAILED", "{shown}");
        assert_eq!(burns::balance(network, 0, &first)?, 0);

        let rpc = network.nodes[1].rpc();
        let signed = SigningContext::of(&rpc)?.sign_with_key(claim.clone(), &sender.pair(), 0);
        extrinsic::submit(&rpc, &signed)?;
        for node in 0..network.nodes.len() {
            let shown = reaches(network, node, (&txid, 0), "EXECUTED", PATIENCE)?;
            let done = of_output(&shown, 0)["doneBlock"].as_u64();
            assert!(done > behind["doneBlock"].as_u64(), "{shown}");
            assert_eq!(burns::balance(network, node, &first)?, coins(5 * COIN));
            assert!(burns::supply(network, node)?.valid);
        }
        // Nor a second time.
        let again = SigningContext::of(&rpc)?.sign_with_key(claim, &sender.pair(), 1);
        extrinsic::submit(&rpc, &again)?;
        until("the second claim is in a block", PATIENCE, || {
            let count = burns::transaction_count(network, 0, &who)?;
            Ok(Seen::when(count == 2, count))
        })?;
        assert_eq!(burns::balance(network, 0, &first)?, coins(5 * COIN));
        network.expect_one_chain()?;
        Ok(())
    });
}

#[test]
fn r9_1_what_cannot_be_executed_is_told_and_loses_its_sender_nothing() {
    with_network(&Setup::regtest(), |network| {
        let facts = ChainFacts::of(network, 0)?;
        let third = account(&dev_pair("//Third")?);
        let sender = Speaker::new([0x65; 32], Form::PublicKeyHash);
        let who = key_account(&sender.pair());
        let l1 = network.l1()?;

        let call = keep_alive(&third, COIN);
        let unknown = script_of(network, &[0xff, 0xff], GAS)?;
        let unknown = sender.send(l1, &[(COIN, unknown)])?;
        let cheap = script_of(network, &call.encode(), 1)?;
        let cheap = sender.send(l1, &[(COIN, cheap)])?;
        // Of an origin that there is not.
        let body = [&[1u8][..], &GAS.to_le_bytes(), &call.encode()].concat();
        let malformed =
            Message { kind: MessageKind::CrossLayer, chain_id: facts.chain_id, body: &body };
        let malformed = malformed.script().ok_or_else(|| Error::other("it is too long"))?;
        let malformed = sender.send(l1, &[(COIN, malformed)])?;
        // The wallet's own inputs are native witnesses, which prove nobody.
        let nobodys = l1.litecoind().burn_raw(&script(network, &call)?, 0)?.to_string();
        l1.mine(facts.l1_confirmations)?;

        for node in 0..network.nodes.len() {
            for (txid, reason) in [(&unknown, "UNKNOWN_CALL"), (&cheap, "OUT_OF_GAS")] {
                let shown = reaches(network, node, (txid, 0), "FAILED", PATIENCE)?;
                let message = of_output(&shown, 0);
                assert_eq!(message["reason"], reason, "{shown}");
                // What cannot succeed is not tried again.
                assert_eq!((&message["tries"], &message["error"]), (&json!(1), &Value::Null));
            }
            wait_for_applied(network, node)?;
            for txid in [&malformed, &nobodys] {
                let shown = network.call(node, "l2_getmessage", json!([txid]))?;
                assert_eq!(shown["found"], false, "{shown}");
            }
            burns::reaches(network, node, &malformed, "MINTED", PATIENCE)?;
            // All three values, and nothing was worth a fee.
            assert_eq!(burns::balance(network, node, &who)?, coins(3 * COIN));
            assert_eq!(burns::balance(network, node, &third)?, 0);
            assert!(burns::supply(network, node)?.valid);
        }
        network.expect_one_chain()?;

        // What is no call at all no node makes a message of.
        for (call, gas) in [("", json!(1)), ("zz", json!(1)), ("00", json!(-1))] {
            let refused = network.call(0, "l2_createmessagetx", json!([call, gas]));
            assert!(matches!(refused, Err(Error::Rpc { code: -32_602, .. })), "{refused:?}");
        }
        let long = hex::encode([0; 65]);
        let refused = network.call(0, "l2_createmessagetx", json!([long, GAS]));
        assert!(matches!(refused, Err(Error::Rpc { code: -32_602, .. })), "{refused:?}");
        Ok(())
    });
}
