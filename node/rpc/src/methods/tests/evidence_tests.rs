//! `l2_getevidence`.

use super::*;
use cascoin_consensus::evidence::Conflict;
use cascoin_l2_primitives::{
    chain::OpaqueBlock,
    consensus::{
        Certificate, DoubleSignEvidence, GrandpaRound, MessageKind, SignedStatement, Statement,
    },
};
use codec::Decode;
use sc_client_api::in_mem::Blockchain;
use sp_core::{ed25519, H256};

/// A store of a node that found nothing.
pub fn no_evidence() -> EvidenceStore {
    EvidenceStore::open(Arc::new(Blockchain::<OpaqueBlock>::new())).expect("an empty database")
}

fn key(index: u8) -> ed25519::Public {
    ed25519::Public::from_raw([index; 32])
}

/// Nobody checks these signatures here.
fn unchecked() -> ed25519::Signature {
    ed25519::Signature::from_raw([7; 64])
}

fn double_sign(index: u8, set_id: u64) -> DoubleSignEvidence {
    let at = GrandpaRound { epoch: 0, height: 20, round: 2 };
    let prevote =
        |block| SignedStatement { statement: Statement::Prevote { block }, signature: unchecked() };
    let (one, other) = (prevote(None), prevote(Some(H256::repeat_byte(9))));
    DoubleSignEvidence::new(set_id, key(index), at, one, other).expect("they contradict each other")
}

/// A certificate of height 20, from its encoding.
fn certificate(block: H256, round: u16, signers: &[u8]) -> Certificate {
    let height = 20u32;
    let precommits: Vec<_> =
        signers.iter().map(|signer| (block, height, unchecked(), key(*signer))).collect();
    let round = u64::from(GrandpaRound { epoch: 0, height, round });
    let encoded = (round, (block, height, precommits), Vec::<Header>::new()).encode();
    Certificate::decode(&mut &encoded[..]).expect("the encoding of a certificate")
}

#[test]
fn without_evidence_it_says_so() {
    let shown = call("l2_getevidence", json!([]));
    for list in ["doubleSigns", "pendingDoubleSigns", "conflictingCertificates"] {
        assert_eq!(shown[list], json!([]), "{list}");
    }
    assert_eq!(shown["message"], "nothing found");
}

#[test]
fn double_signs_are_shown_pending_and_on_chain() {
    let evidence = no_evidence();
    assert!(evidence.add_double_sign(double_sign(2, 1)));
    assert!(evidence.add_double_sign(double_sign(2, 0)), "of a set before");
    let record = DoubleSignRecord {
        offender: alice(),
        key: key(1),
        set_id: 1,
        height: 19,
        round: 0,
        kind: MessageKind::Proposal,
        id: H256::repeat_byte(3),
        block: 21,
    };
    let setup = Setup { evidence, double_signs: vec![record], ..Setup::default() };
    let shown = setup.call("l2_getevidence", json!([])).expect("an answer");

    let on_chain = &shown["doubleSigns"][0];
    assert_eq!(
        (&on_chain["code"], &on_chain["address"]),
        (&json!("SEQ_DOUBLE_SIGN"), &json!(ALICE))
    );
    assert_eq!((&on_chain["height"], &on_chain["block"]), (&json!(19), &json!(21)));
    assert_eq!(on_chain["kind"], "proposal");

    let pending = &shown["pendingDoubleSigns"][0];
    assert_eq!((&pending["code"], &pending["height"]), (&json!("SEQ_DOUBLE_SIGN"), &json!(20)));
    assert_eq!(pending["key"], format!("0x{}", "02".repeat(32)));
    assert_eq!(pending["address"], crate::address::show_account(&[2; 32].into()));
    assert_eq!(pending["statements"][0], json!({ "kind": "prevote", "block": null }));
    let proof = format!("0x{}", hex::encode(double_sign(2, 1).encode()));
    assert_eq!(pending["proof"], proof);
    let before = &shown["pendingDoubleSigns"][1];
    assert_eq!((&before["setId"], &before["address"]), (&json!(0), &Value::Null));
    assert_eq!(shown["message"], "sequencers signed twice");
}

#[test]
fn two_certificates_of_a_height_are_shown_with_who_signed_both() {
    let evidence = no_evidence();
    let (ours, other) = (H256::repeat_byte(4), H256::repeat_byte(5));
    assert!(evidence.add_conflict(Conflict {
        height: 20,
        set_id: 1,
        final_block: ours,
        final_certificate: Some(certificate(ours, 0, &[0, 1, 2])),
        other_block: other,
        other_certificate: certificate(other, 3, &[1, 2, 3]),
    }));
    let setup = Setup { evidence, ..Setup::default() };
    let shown = setup.call("l2_getevidence", json!(["5"])).expect("an answer");
    let conflict = &shown["conflictingCertificates"][0];
    assert_eq!(conflict["code"], "CONSENSUS_CONFLICTING");
    assert_eq!((&conflict["height"], &conflict["setId"]), (&json!(20), &json!(1)));
    assert_eq!(
        (&conflict["finalHere"]["round"], &conflict["other"]["round"]),
        (&json!(0), &json!(3))
    );
    assert_eq!(conflict["other"]["block"], json!(other));
    let text = conflict["finalHere"]["certificate"].as_str().expect("hex");
    assert_eq!(text, format!("0x{}", hex::encode(certificate(ours, 0, &[0, 1, 2]).encode())));
    let both = conflict["signersOfBoth"].as_array().expect("a list");
    let keys: Vec<_> = both.iter().map(|signer| signer["key"].clone()).collect();
    let expected = [1u8, 2].map(|index| json!(format!("0x{}", hex::encode([index; 32]))));
    assert_eq!(keys, expected);
    let message = shown["message"].as_str().expect("a message");
    assert!(message.contains("more than a third"), "{message}");
}

#[test]
fn the_limit_bounds_what_is_read_of_the_chain() {
    let record = |height| DoubleSignRecord {
        offender: alice(),
        key: key(1),
        set_id: 1,
        height,
        round: 0,
        kind: MessageKind::Prevote,
        id: H256::repeat_byte(3),
        block: 21,
    };
    let shown = |params| {
        let double_signs = (1..=200).map(record).collect();
        let setup = Setup { double_signs, ..Setup::default() };
        let shown = setup.call("l2_getevidence", params).expect("an answer");
        shown["doubleSigns"].as_array().map(Vec::len)
    };
    assert_eq!(shown(json!([])), Some(100));
    assert_eq!(shown(json!({ "limit": "3" })), Some(3));
    assert_eq!(shown(json!([1024])), Some(200));
    for bad in [json!([0]), json!([1025]), json!(["x"]), json!([1.5]), json!([1, 2])] {
        assert_eq!(error(Setup::default(), "l2_getevidence", bad).0, -32_602);
    }
}
