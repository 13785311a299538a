//! `l2_getreputationexports`.

use super::*;
use cascoin_l2_primitives::{
    apis::OpenExport,
    reputation::{
        export::{
            ExportCertificate, ExportEntry, ExportSignature, ExportedScore, ReputationExport,
            SignedExport,
        },
        rule::Suspicion,
    },
};
use codec::Decode;
use sp_core::{ed25519, H160, H256};

/// Batches 3 to 5 are signed, 6 is not.
pub fn report(from: u32, limit: u32) -> ReputationExports {
    let sequences = from.max(3)..=5;
    ReputationExports {
        oldest: 3,
        last: 6,
        drafted: 2,
        signed: sequences.map(signed).take(limit as usize).collect(),
        in_signing: Some(OpenExport { export: export(6), set_id: 1, signers: vec![2] }),
    }
}

fn export(sequence: u32) -> ReputationExport {
    let entry = |n: u8, score, suspicion| ExportEntry {
        address: H160([n; 20]),
        exported: ExportedScore { score: Score::saturating(score), suspicion },
    };
    let entries = vec![entry(7, 70, None), entry(8, 50, Some(Suspicion::WashActivity))];
    let entries = entries.try_into().expect("few");
    ReputationExport { sequence, oldest: 2, previous: H256([1; 32]), height: 20, entries }
}

fn signed(sequence: u32) -> SignedExport {
    let one = |signer| ExportSignature { signer, signature: ed25519::Signature::default() };
    let signatures = vec![one(0), one(2), one(3)].try_into().expect("few");
    let certificate = ExportCertificate { set_id: 1, signatures };
    SignedExport { export: export(sequence), certificate }
}

#[test]
fn r10_4_exports_are_shown_with_what_proves_them() {
    let shown = call("l2_getreputationexports", json!([4]));
    assert_eq!(
        (&shown["oldest"], &shown["last"], &shown["drafted"]),
        (&json!(3), &json!(6), &json!(2))
    );
    assert_eq!((&shown["count"], &shown["genesis"]), (&json!(2), &json!(TestChain::hash(0))));
    let first = &shown["exports"][0];
    assert_eq!(
        (&first["sequence"], &first["oldest"], &first["setId"], &first["height"]),
        (&json!(4), &json!(2), &json!(1), &json!(20))
    );
    assert_eq!(first["hash"], json!(export(4).hash()));
    let scores = [&first["entries"][0], &first["entries"][1]].map(|entry| &entry["score"]);
    assert_eq!(scores, [&json!(70), &json!(50)]);
    assert_eq!(first["entries"][1]["suspicion"], "WASH_ACTIVITY");
    // The same address as `l2_getreputation` shows.
    let linked = call("l2_getreputation", json!([ALICE]))["l1Address"].clone();
    assert_eq!(first["entries"][0]["address"], linked);
    assert_eq!(first["signatures"][1]["signer"], 2);
    let proof = first["proof"].as_str().expect("hex").trim_start_matches("0x");
    let proof = hex::decode(proof).expect("hex");
    assert_eq!(SignedExport::decode(&mut &proof[..]), Ok(signed(4)));
    assert_eq!(
        (&shown["inSigning"]["sequence"], &shown["inSigning"]["signers"]),
        (&json!(6), &json!([2]))
    );
}

#[test]
fn exports_are_counted_from_a_number_on_and_limited() {
    let count = |params| call("l2_getreputationexports", params)["count"].clone();
    for (params, expected) in
        [(json!([]), 3), (json!([null, 2]), 2), (json!({ "from": "5" }), 1), (json!([9]), 0)]
    {
        assert_eq!(count(params.clone()), expected, "{params}");
    }
    for bad in [json!([0, 0]), json!([0, 17]), json!(["x"])] {
        let (code, message) = error(Setup::default(), "l2_getreputationexports", bad);
        assert_eq!(code, -32_602, "{message}");
    }
}
