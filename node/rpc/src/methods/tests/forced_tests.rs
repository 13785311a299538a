//! `l2_forceinclusion` and `l2_getforcedtransactions`.

use super::*;
use crate::address::show_account;
use cascoin_l2_primitives::apis::{ForcedCensor, ForcedEntry};
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    transaction_validity::InvalidTransaction,
};

/// Places 4 to 6 wait.
pub fn report(from: u64, limit: u32) -> ForcedStatus {
    let entry = |place| ForcedEntry { place, hash: H256([place as u8; 32]), due: NOW + place };
    let waiting = (from.max(4)..7).take(limit as usize).map(entry).collect();
    let account = AccountId::new([3; 32]);
    let censors = vec![ForcedCensor { account, transactions: 2, occasions: vec![NOW] }];
    ForcedStatus { heard: 7, included: 2, applied: 1, dropped: 1, first: 4, waiting, censors }
}

#[test]
fn r17_5_what_waits_and_what_became_of_all_is_shown() {
    let shown = call("l2_getforcedtransactions", json!([]));
    assert_eq!(shown["blockNumber"], HEAD);
    let totals = ["heard", "included", "applied", "dropped", "waiting"].map(|name| &shown[name]);
    assert_eq!(totals, [7, 2, 1, 1, 3]);
    let first = json!({"place": 4, "hash": H256([4; 32]), "due": NOW + 4});
    assert_eq!(shown["transactions"][0], first);
    assert_eq!(shown["transactions"].as_array().map(Vec::len), Some(3));
    let address = show_account(&AccountId::new([3; 32]));
    let censor = json!({"address": address, "transactions": 2, "occasions": [NOW]});
    assert_eq!(shown["censors"], json!([censor]));
    let shown = call("l2_getforcedtransactions", json!(["5", 1]));
    assert_eq!(shown["transactions"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["transactions"][0]["place"], 5);
    for bad in [json!(["x"]), json!([0, 0]), json!([0, 101]), json!([0, 1, 2])] {
        assert_eq!(error(Setup::default(), "l2_getforcedtransactions", bad).0, -32_602);
    }
}

#[test]
fn r17_4_a_transaction_is_put_on_l1() {
    for transaction in ["080102", "0x080102"] {
        let answer = call("l2_forceinclusion", json!([transaction]));
        assert_eq!(answer["hash"], json!(BlakeTwo256::hash(&[8, 1, 2])));
        assert_eq!(answer["funding"], json!(L1Hash([5; 32])));
        assert_eq!(answer["txid"], json!(L1Hash([6; 32])));
        assert_eq!(answer["fee"], "0.00000007");
        assert_eq!(answer["burn"], "0.00000000");
        assert_eq!((&answer["chainId"], &answer["confirmationsNeeded"]), (&json!(3), &json!(6)));
    }
    let answer = call("l2_forceinclusion", json!(["080102", "0.5"]));
    assert_eq!(answer["burn"], "0.50000000");
}

/// What begins with 9 has a used nonce.
pub fn validity(transaction: &OpaqueExtrinsic) -> TransactionValidity {
    match transaction.encode()[..] {
        [_, 9, ..] => Err(InvalidTransaction::Stale.into()),
        _ => Ok(Default::default()),
    }
}

#[test]
fn what_the_chain_would_not_include_is_posted_only_if_asked_for() {
    let invalid = i64::from(Named::TransactionInvalid.code());
    for args in [json!(["080902"]), json!(["080902", "0.5"]), json!(["080902", "0", "false"])] {
        let (code, message) = error(Setup::default(), "l2_forceinclusion", args);
        assert_eq!(code, invalid);
        assert!(message.contains("outdated") && message.contains("unchecked"), "{message}");
    }
    // L1 has something against it, so L1 was asked.
    let (code, _) = error(Setup::default(), "l2_forceinclusion", json!(["080902", "0", "true"]));
    assert_eq!(code, i64::from(Named::L1Refused.code()));
    let bad = json!(["080902", "0", "yes"]);
    assert_eq!(error(Setup::default(), "l2_forceinclusion", bad).0, -32_602);
}

#[test]
fn what_is_no_transaction_is_refused_before_l1_is_asked() {
    let long = hex::encode(vec![0u8; 4_000].encode());
    for bad in ["", "xy", "0801", "08010203", long.as_str()] {
        assert_eq!(error(Setup::default(), "l2_forceinclusion", json!([bad])).0, -32_602, "{bad}");
    }
    let bad = json!(["080102", "-1"]);
    assert_eq!(error(Setup::default(), "l2_forceinclusion", bad).0, -32_602);
}

#[test]
fn what_l1_refuses_is_said_with_what_can_be_sent_again() {
    let refused = i64::from(Named::L1Refused.code());
    let (code, message) = error(Setup::default(), "l2_forceinclusion", json!(["0401"]));
    assert_eq!(code, refused);
    assert!(message.contains("Insufficient funds"), "{message}");
    let (code, message) = error(Setup::default(), "l2_forceinclusion", json!(["0402"]));
    assert_eq!(code, refused);
    assert!(message.contains("abcd"), "{message}");
}
