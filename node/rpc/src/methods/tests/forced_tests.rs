//! `l2_forceinclusion`.

use super::*;
use sp_core::blake2_256;

#[test]
fn r17_4_a_transaction_is_put_on_l1() {
    for transaction in ["080102", "0x080102"] {
        let answer = call("l2_forceinclusion", json!([transaction]));
        let hash = format!("0x{}", hex::encode(blake2_256(&[8, 1, 2])));
        assert_eq!(answer["hash"], hash);
        assert_eq!(answer["funding"], json!(L1Hash([5; 32])));
        assert_eq!(answer["txid"], json!(L1Hash([6; 32])));
        assert_eq!(answer["fee"], "0.00000007");
        assert_eq!(answer["burn"], "0.00000000");
        assert_eq!((&answer["chainId"], &answer["confirmationsNeeded"]), (&json!(3), &json!(6)));
    }
    let answer = call("l2_forceinclusion", json!(["080102", "0.5"]));
    assert_eq!(answer["burn"], "0.50000000");
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
