//! Claims of locks that were crowded out of their L1 block.

use super::{alice, common_inputs_tests::proofs, error, Setup, ALICE};
use cascoin_l2_primitives::l1::{
    inclusion::InclusionProof,
    stake::{StakePayload, MIN_LOCK_BLOCKS},
    testing::{pays, Spend},
};
use codec::Decode;
use sc_rpc_api::DenyUnsafe;
use serde_json::{json, Value};

const METHOD: &str = "l2_createstakeproof";
/// Id of the chain.
const CHAIN: u32 = 3;

/// What the L1 node has, by height: a lock; one that L2 has not applied; one for less than a
/// week, and one of another chain.
pub(super) fn transactions() -> Vec<(u32, Vec<u8>)> {
    let lock = |height: u32, key: u8, blocks: u32, chain_id: u32| {
        let said = StakePayload { account: alice(), unlock: height + blocks, owner: [9; 20] };
        let outputs = vec![(0, said.script(chain_id)), (700, said.lock_script()), (5, pays(7))];
        (height, Spend { outputs, ..Spend::of(&[key]) }.signed())
    };
    vec![
        lock(80, 1, MIN_LOCK_BLOCKS, CHAIN),
        lock(102, 2, MIN_LOCK_BLOCKS, CHAIN),
        lock(81, 3, MIN_LOCK_BLOCKS - 1, CHAIN),
        lock(82, 4, MIN_LOCK_BLOCKS, CHAIN + 1),
    ]
}

/// The proof of the one at this height.
fn proof(height: u32) -> InclusionProof {
    proofs().into_iter().find(|proof| proof.height == height).expect("it is there")
}

fn arguments(height: u32) -> Value {
    let proof = proof(height);
    json!([proof.txid().to_string(), proof.block().to_string()])
}

#[test]
fn r2_3_the_call_that_claims_a_lock_is_made_from_the_l1_node() {
    let answer = super::call(METHOD, arguments(80));
    assert_eq!(answer["address"], ALICE);
    assert_eq!(answer["unlockHeight"], 80 + MIN_LOCK_BLOCKS);
    assert_eq!((&answer["l1Height"], &answer["isApplied"]), (&json!(80), &json!(true)));
    let call = answer["call"].as_str().expect("hex").trim_start_matches("0x");
    let call = hex::decode(call).expect("hex");
    assert_eq!(InclusionProof::decode(&mut &call[..]), Ok(proof(80)));
    // The chain applies it later.
    assert_eq!(super::call(METHOD, arguments(102))["isApplied"], false);
}

#[test]
fn what_locks_no_stake_of_the_chain_is_told_with_the_reason() {
    let mut elsewhere = arguments(80);
    elsewhere[1] = json!("07".repeat(32));
    for (arguments, expected) in [
        (arguments(90), "locks nothing"),
        (arguments(81), "less than 4032 blocks"),
        (arguments(82), "of the chain 4"),
        (elsewhere, "best chain"),
        (json!(["rubbish", "rubbish"]), "txid"),
        (json!(["07".repeat(32)]), "is missing"),
    ] {
        let (code, message) = error(Setup::default(), METHOD, arguments);
        assert_eq!(code, -32_602, "{message}");
        assert!(message.contains(expected), "{message}");
    }
    let without_l1 = Setup { l1: None, ..Setup::default() };
    assert_eq!(error(without_l1, METHOD, arguments(80)).0, -32_060);
}

/// It makes the L1 node read a block, so it is not for everybody.
#[test]
fn only_whom_the_operator_trusts_may_ask() {
    for deny in [Some(DenyUnsafe::Yes), None] {
        let setup = Setup { deny, ..Setup::default() };
        let (_, message) = error(setup, METHOD, arguments(80));
        assert!(message.contains("unsafe"), "{message}");
    }
}
