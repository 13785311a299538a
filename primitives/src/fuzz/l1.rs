//! L1's own forms: transactions without witnesses, proofs that they were mined, addresses.

use super::scale;
use crate::l1::{
    address::L1Address,
    common_inputs::CommonInputsProof,
    inclusion::InclusionProof,
    params::{L1Params, CASCOIN_MAINNET, CASCOIN_REGTEST, CASCOIN_TESTNET, LITECOIN_REGTEST},
    testing::{recover, Spend},
    transaction::StrippedTransaction,
    L1Hash, OutPoint,
};
use cascoin_fuzz::fuzz;
use codec::{Encode, MaxEncodedLen};

/// Where a header has its Merkle root.
const ROOT: core::ops::Range<usize> = 36..68;

/// A transaction of one input that nobody signed.
fn plain() -> Vec<u8> {
    let outputs = vec![(5, vec![0x51]), (u64::MAX, vec![0x6a, 1, 9])];
    Spend { outputs, ..Spend::of(&[1]) }.with_scripts(&[vec![0x51, 0x52]])
}

#[test]
fn stripped_transaction() {
    let transactions = [Spend::of(&[1]).signed(), Spend::of(&[1, 2, 3]).signed(), plain()];
    fuzz(&transactions, |raw| {
        let Some(read) = StrippedTransaction::read(raw) else { return false };
        let (inputs, outputs) = (read.inputs.len(), read.outputs.len());
        assert!(inputs > 0 && outputs > 0);
        // Nothing is made of fewer bytes than it takes: no input makes a reader allocate
        // more than a few times its size.
        let scripts: usize = read
            .inputs
            .iter()
            .map(|input| input.script.len())
            .chain(read.outputs.iter().map(|output| output.script.len()))
            .sum();
        assert!(41 * inputs + 9 * outputs + scripts + 10 <= raw.len());
        // With its own script in its place the digest of the only input is over the bytes
        // as they are: nothing is left out, added or written in another form.
        if let [only] = &read.inputs[..] {
            let signed = [raw, &0x41u32.to_le_bytes()].concat();
            assert_eq!(read.legacy_digest(0, only.script, 0x41), Some(L1Hash::of(&signed).0));
        }
        assert_eq!(read.legacy_digest(inputs, &[], 1), None);
        for index in 0..inputs.min(3) {
            if let Some(spend) = read.key_spend(index) {
                assert!(matches!(spend.key.0[0], 2 | 3));
            }
        }
        let null = OutPoint { txid: L1Hash([0; 32]), vout: u32::MAX };
        let makes_coins = read.inputs.iter().any(|input| input.outpoint == null);
        assert_eq!(read.is_coinbase(), makes_coins);
        true
    });
}

#[test]
fn inclusion_proof() {
    let right = Spend::of(&[1, 2]).proof(7).inclusion;
    let (encoded, txid, root) = (right.encode(), right.txid(), right.header);
    let place = right.position;
    fuzz(&[encoded], |bytes| {
        let Some(proof) = scale::<InclusionProof>(bytes) else { return false };
        assert!(bytes.len() <= InclusionProof::max_encoded_len());
        let included = proof.included().is_some();
        // Under the same root nothing else was mined, and it was mined in one place.
        if included && proof.header[ROOT] == root[ROOT] {
            assert_eq!((proof.txid(), proof.position), (txid, place));
        }
        included
    });
}

#[test]
fn common_inputs_proof() {
    let right = Spend::of(&[1, 2]).proof(7);
    let keys = |proof: &CommonInputsProof| {
        let mut keys = proof.check(recover).ok()?.map(|spend| spend.key.0);
        keys.sort_unstable();
        Some(keys)
    };
    let expected = keys(&right);
    fuzz(&[right.encode()], |bytes| {
        let Some(proof) = scale::<CommonInputsProof>(bytes) else { return false };
        assert!(bytes.len() <= CommonInputsProof::max_encoded_len());
        let proven = keys(&proof);
        // Nobody else's keys can be shown to be one person's by damaging a proof.
        assert!(proven.is_none() || proven == expected);
        proven.is_some()
    });
}

/// Addresses that people paste.
#[test]
fn address() {
    let networks: [&L1Params; 4] =
        [&CASCOIN_MAINNET, &CASCOIN_TESTNET, &CASCOIN_REGTEST, &LITECOIN_REGTEST];
    let kinds = [
        L1Address::PublicKeyHash([1; 20]),
        L1Address::ScriptHash([2; 20]),
        L1Address::WitnessPublicKeyHash([3; 20]),
        L1Address::WitnessScriptHash([4; 32]),
    ];
    let texts = networks.into_iter().flat_map(|params| kinds.map(|kind| kind.encode(params)));
    let texts: Vec<Vec<u8>> = texts.map(String::into_bytes).collect();
    fuzz(&texts, |bytes| {
        let Ok(text) = core::str::from_utf8(bytes) else { return false };
        let read = networks.map(|params| L1Address::parse(text, params).ok());
        for (params, address) in networks.into_iter().zip(read) {
            let Some(address) = address else { continue };
            let again = address.encode(params);
            assert_eq!(L1Address::parse(&again, params), Ok(address));
            // A checksum allows no other spelling but that of old script hashes.
            let same = again.eq_ignore_ascii_case(text);
            assert!(same || matches!(address, L1Address::ScriptHash(_)), "{text} is {again}");
        }
        read.iter().any(Option::is_some)
    });
}
