//! `l2_getmessage`.

use super::*;
use cascoin_l2_primitives::{
    l1::cross_layer::CrossLayerPayload,
    messages::{MessageFailure, MessageRecord, MessageState},
};
use sp_runtime::DispatchError;

const TXID: L1Hash = L1Hash([0x77; 32]);

/// One transaction of Alice's with a message in each state.
pub fn reports(txid: L1Hash) -> Vec<MessageReport> {
    if txid != TXID {
        return Vec::new();
    }
    let payload = CrossLayerPayload { gas: 50_000, call: vec![1, 2] };
    let report = |vout, state, awaits_value| MessageReport {
        record: MessageRecord {
            outpoint: OutPoint { txid, vout },
            unsigned_txid: L1Hash([8; 32]),
            sender: alice(),
            value: 1_000,
            body: payload.body().try_into().expect("it fits"),
            l1_height: 90,
            l1_hash: L1Hash([9; 32]),
            applied: 20,
            tries: 1,
            state,
        },
        awaits_value,
        storage_key: vec![0xab, 0xcd],
    };
    let call = MessageFailure::Call(DispatchError::BadOrigin);
    let failed = MessageState::Failed { block: 24, reason: MessageFailure::OutOfGas };
    vec![
        report(0, MessageState::Queued(None), true),
        report(1, MessageState::Queued(None), false),
        report(2, MessageState::Queued(Some(call)), false),
        report(3, MessageState::Executed { block: 21 }, false),
        report(4, failed, false),
    ]
}

#[test]
fn r9_4_a_message_is_shown_with_what_proves_its_delivery() {
    let answer = call("l2_getmessage", json!([TXID.to_string()]));
    assert_eq!((&answer["found"], &answer["count"]), (&json!(true), &json!(5)));
    assert_eq!(answer["blockNumber"], HEAD);
    let messages = answer["messages"].as_array().expect("a list");
    let status: Vec<_> = messages.iter().map(|message| message["status"].clone()).collect();
    assert_eq!(status, ["AWAITS_VALUE", "QUEUED", "DELAYED", "EXECUTED", "FAILED"]);
    let executed = &messages[3];
    assert_eq!((&executed["vout"], &executed["doneBlock"]), (&json!(3), &json!(21)));
    assert_eq!((&executed["sender"], &executed["value"]), (&json!(ALICE), &json!("0.00001000")));
    assert_eq!(executed["body"], "0x0050c300000102");
    assert_eq!((&executed["gas"], &executed["call"]), (&json!(50_000), &json!("0x0102")));
    assert_eq!(executed["storageKey"], "0xabcd");
    assert_eq!(executed["reason"], Value::Null);
    assert_eq!(
        (&messages[2]["reason"], &messages[2]["error"]),
        (&json!("CALL_FAILED"), &json!("BadOrigin"))
    );
    assert_eq!(
        (&messages[4]["reason"], &messages[4]["error"]),
        (&json!("OUT_OF_GAS"), &Value::Null)
    );
}

#[test]
fn messages_are_asked_for_by_their_transaction() {
    let nothing = call("l2_getmessage", json!(["00".repeat(32)]));
    assert_eq!((&nothing["found"], &nothing["messages"]), (&json!(false), &json!([])));
    for bad in [json!([]), json!(["rubbish"]), json!([TXID.to_string(), 1])] {
        let (code, message) = error(Setup::default(), "l2_getmessage", bad);
        assert_eq!(code, -32_602, "{message}");
    }
}

/// The bytes are those of docs/l1-formats.md.
#[test]
fn r9_1_what_sends_a_message_is_given_to_whoever_holds_the_key() {
    for call_hex in ["0x000004aa", "000004aa"] {
        let answer = call("l2_createmessagetx", json!([call_hex, 50_000]));
        assert_eq!(answer["script"], "6a144341534c320104030000000050c30000000004aa");
        assert_eq!(answer["data"], "4341534c320104030000000050c30000000004aa");
        assert_eq!((&answer["chainId"], &answer["gas"]), (&json!(3), &json!(50_000)));
        let advice = answer["message"].as_str().expect("text");
        assert!(advice.contains("From a plain address (P2PKH) send no value"), "{advice}");
    }
    // The longest has a longer push.
    let answer = call("l2_createmessagetx", json!(["07".repeat(64), 1]));
    let data = answer["data"].as_str().expect("text");
    assert_eq!(data.len(), 2 * 80);
    assert_eq!(answer["script"], format!("6a4c50{data}"));
    let too_long = "07".repeat(65);
    let bad = [json!(["", 1]), json!(["xx", 1]), json!([too_long, 1]), json!(["00"])];
    for bad in bad.into_iter().chain([json!(["00", -1]), json!(["00", "4294967296"])]) {
        let (code, message) = error(Setup::default(), "l2_createmessagetx", bad);
        assert_eq!(code, -32_602, "{message}");
    }
}
