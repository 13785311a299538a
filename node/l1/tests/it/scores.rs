//! Scores of L1 addresses: a real node, which serves none, and one before which something
//! stands that does.

use crate::{
    eventually, funded,
    proxy::{client, proxy},
};
use cascoin_l1::{
    client::code, follower::LocalStore, scores::ScoreReader, testing::MemoryStore, L1Error,
};
use cascoin_l2_primitives::{
    l1::{address::L1Address, params::LITECOIN_REGTEST},
    reputation::{
        attestation::{LocalScores, ScoreRound, ScoredAddresses, LOCAL_SCORES_KEY},
        Score,
    },
};
use codec::Decode;
use serde_json::{json, Value};
use sp_core::H160;
use std::sync::Arc;

fn address(n: u8) -> H160 {
    H160([n; 20])
}

fn text(n: u8) -> String {
    L1Address::PublicKeyHash([n; 20]).encode(&LITECOIN_REGTEST)
}

/// Gives the address 1 the score 15, 2 one that is none, and does not know 3.
fn serve(request: &str, answer: Vec<u8>) -> Option<Vec<u8>> {
    let request: Value = serde_json::from_str(request).ok()?;
    if request["method"] != "getsecuretrust" {
        return Some(answer);
    }
    let target = request["params"][0].as_str()?;
    let found = |score: Value| json!({ "target": target, "viewer": target, "trust_score": score });
    let (result, error) = if target == text(1) {
        (found(json!(15)), Value::Null)
    } else if target == text(2) {
        (found(json!(101)), Value::Null)
    } else {
        (Value::Null, json!({ "code": -5, "message": "Invalid address" }))
    };
    Some(json!({ "result": result, "error": error, "id": request["id"] }).to_string().into_bytes())
}

#[test]
fn r10_1_litecoind_serves_no_scores_and_says_so() {
    let node = funded();
    let answer = node.client().secure_trust(&text(1));
    assert!(matches!(answer, Err(L1Error::Rpc { code: code::METHOD_NOT_FOUND, .. })), "{answer:?}");
}

#[test]
fn r10_1_what_an_l1_node_says_is_left_for_the_worker() {
    let node = funded();
    let client = client(&node, proxy(&node, Arc::new(serve)));
    assert_eq!(client.secure_trust(&text(1)), Ok(Score::saturating(15)));
    assert!(matches!(client.secure_trust(&text(2)), Err(L1Error::BadReply { .. })));

    let addresses = ScoredAddresses::truncate_from([3, 1, 2].map(address).to_vec());
    let round = ScoreRound { number: 4, addresses };
    let (asked_for, store) = (round.clone(), Arc::new(MemoryStore::default()));
    let reader =
        ScoreReader::spawn(&client, store.clone(), Arc::new(move || Some(asked_for.clone())));
    let _reader = reader.expect("a thread");
    let local = eventually("the scores", || store.get(LOCAL_SCORES_KEY));
    let local = LocalScores::decode(&mut &local[..]).expect("it is whole");
    assert_eq!(local.round, round);
    assert_eq!(local.scores[..], [None, Some(Score::saturating(15)), None]);
}
