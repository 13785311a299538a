//! One wallet holds two keys that sign one transaction.

use super::{
    common_inputs::{CommonInputsProof, NotProven},
    testing::{address, key, mined, pays, recover, Spend},
    transaction::KeySpend,
};
use codec::{Decode, Encode};
use proptest::prelude::*;

const HEIGHT: u32 = 90;

/// An output that nobody can spend.
fn data(value: u64) -> (u64, Vec<u8>) {
    (value, vec![0x6a, 2, 1, 1])
}

fn check(proof: &CommonInputsProof) -> Result<[KeySpend; 2], NotProven> {
    proof.check(recover)
}

fn outcome(spend: &Spend) -> Result<(), NotProven> {
    check(&spend.proof(HEIGHT)).map(drop)
}

#[test]
fn r22_2_two_keys_that_sign_one_transaction_are_one_wallets() {
    for hash_type in [0x01, 0x41] {
        let spend = Spend { hash_type, ..Spend::of(&[1, 2, 3]) };
        for (first, second) in [(0, 1), (1, 0), (0, 2), (2, 1)] {
            let proof = CommonInputsProof { first, second, ..spend.proof(HEIGHT) };
            let addresses = check(&proof).map(|keys| keys.map(|key| key.address()));
            let expected = [first, second].map(|input| address(spend.keys[input as usize]));
            assert_eq!(addresses, Ok(expected));
        }
    }
}

#[test]
fn r22_2_what_several_people_may_have_made_proves_nothing() {
    let with = |outputs: Vec<(u64, Vec<u8>)>| Spend { outputs, ..Spend::of(&[1, 2]) };
    // All of it to one, or with change, and whatever is said or destroyed besides.
    for outputs in [
        vec![(999, pays(9))],
        vec![(700, pays(9)), (299, pays(8))],
        vec![data(0), (700, pays(9)), (299, pays(8))],
        vec![data(700), (299, pays(8))],
        vec![data(1), data(1), (1, pays(8))],
        vec![data(999)],
    ] {
        assert_eq!(outcome(&with(outputs)), Ok(()));
    }
    for outputs in [
        // A mix: equal parts.
        vec![(500, pays(9)), (500, pays(8))],
        vec![(500, pays(9)), (500, pays(8)), (3, pays(7)), (4, pays(6))],
        // Each has its change.
        vec![(700, pays(9)), (200, pays(8)), (99, pays(7))],
        vec![data(0), (0, pays(9)), (0, pays(8))],
    ] {
        assert_eq!(outcome(&with(outputs)), Err(NotProven::Joint));
    }
}

#[test]
fn r22_2_one_key_is_no_two() {
    let twice = Spend::of(&[1, 1, 2]);
    assert_eq!(outcome(&twice), Err(NotProven::OneKey));
    let same_input = CommonInputsProof { second: 0, ..Spend::of(&[1, 2]).proof(HEIGHT) };
    assert_eq!(check(&same_input), Err(NotProven::OneKey));
    let none = CommonInputsProof { second: 2, ..Spend::of(&[1, 2]).proof(HEIGHT) };
    assert_eq!(check(&none), Err(NotProven::NoKeySpend));
    let far = CommonInputsProof { first: u32::MAX, ..Spend::of(&[1, 2]).proof(HEIGHT) };
    assert_eq!(check(&far), Err(NotProven::NoKeySpend));
}

/// Attack: the victim's address is named in an input that somebody else fills.
#[test]
fn r22_2_nobody_signs_for_a_victim() {
    let (attacker, victim) = (1, 2);
    let spend = Spend::of(&[attacker, victim]);
    let own = key(attacker).sign_prehashed(&spend.digest(0)).0;
    let mined_with = |script: Vec<u8>| {
        let raw = spend.with_scripts(&[spend.script(0, &own), script]);
        CommonInputsProof { inclusion: mined(raw, HEIGHT, 3, 7), first: 0, second: 1 }
    };
    // With the attacker's signature, with its own input's, and with what the victim signed
    // elsewhere.
    let forged = key(attacker).sign_prehashed(&spend.digest(1)).0;
    let elsewhere = Spend { outputs: vec![(5, pays(3))], ..spend.clone() };
    let borrowed = key(victim).sign_prehashed(&elsewhere.digest(1)).0;
    for signature in [forged, own, borrowed] {
        let proof = mined_with(spend.script(1, &signature));
        assert_eq!(check(&proof), Err(NotProven::BadSignature));
    }
    assert_eq!(check(&mined_with(vec![])), Err(NotProven::NoKeySpend));
    // What the victim signs itself is a proof.
    let willing = key(victim).sign_prehashed(&spend.digest(1));
    assert!(check(&mined_with(spend.script(1, &willing.0))).is_ok());
}

#[test]
fn a_coinbase_proves_nothing() {
    let spend = Spend::of(&[1, 2]);
    let mut raw = spend.signed();
    // What its first input spends: 32 zero bytes, and the last position.
    raw[5..37].fill(0);
    raw[37..41].fill(0xff);
    let inclusion = mined(raw, HEIGHT, 0, 7);
    let proof = CommonInputsProof { inclusion, first: 0, second: 1 };
    assert_eq!(check(&proof), Err(NotProven::Coinbase));
}

#[test]
fn a_transaction_that_was_not_mined_proves_nothing() {
    let mut proof = Spend::of(&[1, 2]).proof(HEIGHT);
    let other = Spend { outputs: vec![(999, pays(9))], ..Spend::of(&[1, 2]) };
    proof.inclusion.transaction = other.signed().try_into().expect("short");
    assert_eq!(check(&proof), Err(NotProven::NotIncluded));
}

#[test]
fn the_largest_proof_has_its_bound() {
    use codec::MaxEncodedLen;
    // A transaction and its path, with what stands around them.
    assert_eq!(CommonInputsProof::max_encoded_len(), 32_768 + 4 + 15 * 32 + 1 + 80 + 4 * 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// Whatever bit is changed, it is no proof any more, or one of another block. (The
    /// height says where the block is looked for, and proves nothing itself.)
    #[test]
    fn r22_2_a_changed_proof_is_none(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let honest = Spend::of(&[1, 2]).proof(HEIGHT);
        let mut bytes = honest.encode();
        let at = 4 + at.index(bytes.len() - 4);
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = CommonInputsProof::decode(&mut &bytes[..]) {
            let same_block = changed.inclusion.block() == honest.inclusion.block();
            prop_assert!(!same_block || check(&changed).is_err(), "bit {bit} of byte {at}");
        }
    }
}
