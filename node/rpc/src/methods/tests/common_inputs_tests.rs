//! Reports that one wallet spent coins of two accounts.

use super::{alice, error, stake_proof_tests, Setup, ALICE};
use cascoin_l1::{inclusion::InclusionError, L1Error};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        common_inputs::CommonInputsProof,
        inclusion::InclusionProof,
        testing::{mined, pays, Spend},
        L1Hash,
    },
};
use codec::Decode;
use sc_rpc_api::DenyUnsafe;
use serde_json::{json, Value};

const METHOD: &str = "l2_createcommoninputsproof";

/// What the L1 node has, by height: a transaction of both and of somebody else, one of one
/// of them, one that may be several people's; deeper, one that L2 has not applied; three
/// with coins of a key that both have proven, beside one of either, and alone; and those that
/// lock stake.
fn transactions() -> Vec<(u32, Vec<u8>)> {
    let mix = Spend { outputs: vec![(5, pays(7)), (5, pays(8))], ..Spend::of(&[1, 2]) };
    [
        (90, Spend::of(&[3, 2, 1]).signed()),
        (91, Spend::of(&[1, 3]).signed()),
        (92, mix.signed()),
        (101, Spend::of(&[1, 2]).signed()),
        (93, Spend::of(&[4, 2]).signed()),
        (94, Spend::of(&[4, 4, 3, 1]).signed()),
        (95, Spend::of(&[4, 4]).signed()),
    ]
    .into_iter()
    .chain(stake_proof_tests::transactions())
    .collect()
}

pub(super) fn proofs() -> Vec<InclusionProof> {
    transactions().into_iter().map(|(height, raw)| mined(raw, height, 2, 5)).collect()
}

pub(super) fn inclusion(txid: &L1Hash, block: &L1Hash) -> Result<InclusionProof, InclusionError> {
    if *block == L1Hash([1; 32]) {
        return Err(L1Error::WarmingUp { message: "Loading".into() }.into());
    }
    let proof = proofs().into_iter().find(|proof| proof.block() == *block);
    let proof = proof.ok_or(InclusionError::NotOnBestChain)?;
    Some(proof).filter(|proof| proof.txid() == *txid).ok_or(InclusionError::NotInBlock)
}

/// The arguments for the transaction at a place.
fn arguments(place: usize) -> Value {
    let proof = &proofs()[place];
    let nine = format!("0x{}", "09".repeat(32));
    json!([ALICE, nine, proof.txid().to_string(), proof.block().to_string()])
}

#[test]
fn r22_2_the_call_that_proves_it_is_made_from_the_l1_node() {
    let answer = super::call(METHOD, arguments(0));
    assert_eq!(answer["first"], ALICE);
    assert_eq!((&answer["l1Height"], &answer["isApplied"]), (&json!(90), &json!(true)));
    // The inputs of keys 1 and 2.
    assert_eq!(answer["inputs"], json!([2, 1]));
    let call = answer["call"].as_str().expect("hex").trim_start_matches("0x");
    let call = hex::decode(call).expect("hex");
    let (first, second, proof) =
        <(AccountId, AccountId, CommonInputsProof)>::decode(&mut &call[..]).expect("as made");
    assert_eq!((first, second), (alice(), [9; 32].into()));
    assert_eq!((proof.first, proof.second), (2, 1));
    assert_eq!(proof.inclusion, proofs()[0]);
    // The chain applies it later.
    assert_eq!(super::call(METHOD, arguments(3))["isApplied"], false);
}

/// A key that both have proven proves nothing with itself, but with another one.
#[test]
fn r22_2_a_key_of_both_does_not_hide_what_another_proves() {
    assert_eq!(super::call(METHOD, arguments(4))["inputs"], json!([0, 1]));
    assert_eq!(super::call(METHOD, arguments(5))["inputs"], json!([3, 0]));
    let (code, message) = error(Setup::default(), METHOD, arguments(6));
    assert_eq!(code, -32_602);
    assert!(message.contains("one key"), "{message}");
}

#[test]
fn what_proves_nothing_is_told_with_the_reason() {
    let refused = |arguments: Value| error(Setup::default(), METHOD, arguments);
    let (code, message) = refused(arguments(1));
    assert_eq!(code, -32_602);
    assert!(message.contains("no input is spent"), "{message}");
    let (code, message) = refused(arguments(2));
    assert_eq!(code, -32_602);
    assert!(message.contains("several people"), "{message}");
    let with = |place: usize, value: Value| {
        let mut changed = arguments(0);
        changed[place] = value;
        changed
    };
    let text = |byte: &str| json!(byte.repeat(32));
    for (arguments, expected) in [
        (with(0, json!("rubbish")), "first"),
        (with(1, json!("rubbish")), "second"),
        (with(2, json!("rubbish")), "txid"),
        (with(3, json!("rubbish")), "blockhash"),
        (with(2, text("07")), "no such transaction"),
        (with(3, text("07")), "best chain"),
        (json!([ALICE]), "is missing"),
    ] {
        let (code, message) = refused(arguments);
        assert_eq!(code, -32_602, "{message}");
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(refused(with(3, text("01"))).0, -32_061, "L1 does not answer");
    let without_l1 = Setup { l1: None, ..Setup::default() };
    assert_eq!(error(without_l1, METHOD, arguments(0)).0, -32_060);
}

/// It makes the L1 node read a block, so it is not for everybody.
#[test]
fn only_whom_the_operator_trusts_may_ask() {
    for deny in [Some(DenyUnsafe::Yes), None] {
        let setup = Setup { deny, ..Setup::default() };
        let (_, message) = error(setup, METHOD, arguments(0));
        assert!(message.contains("unsafe"), "{message}");
    }
}
