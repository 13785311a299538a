//! Transactions are read as they stand, and inputs say which key signed them.

use super::{
    hash::L1Hash,
    testing::{address, der, key, pays, recover, Spend},
    transaction::StrippedTransaction,
};
use k256::{elliptic_curve::PrimeField, Scalar};
use proptest::prelude::*;
use sp_core::Pair;

/// Whether input `index` is signed by the key that `seed` stands for.
fn is_signed_by(raw: &[u8], index: usize, seed: u8) -> bool {
    let transaction = StrippedTransaction::read(raw).expect("a transaction");
    let spend = transaction.key_spend(index);
    spend.is_some_and(|spend| spend.address() == address(seed) && spend.is_signed(recover))
}

/// `r ‖ −s`, which is as good as `r ‖ s`.
fn other_form(signature: &[u8; 65]) -> Vec<u8> {
    let s: [u8; 32] = signature[32..64].try_into().expect("32 bytes");
    let s = Option::<Scalar>::from(Scalar::from_repr(s.into())).expect("below the order");
    [&signature[..32], &(-s).to_repr()[..]].concat()
}

#[test]
fn what_is_written_is_read() {
    let spend = Spend::of(&[1, 2, 3]);
    let raw = spend.signed();
    let read = StrippedTransaction::read(&raw).expect("a transaction");
    assert_eq!(read.inputs.len(), 3);
    assert_eq!((read.inputs[1].outpoint.txid.0, read.inputs[1].outpoint.vout), ([2; 32], 2));
    let outputs: Vec<_> =
        read.outputs.iter().map(|output| (output.value, output.script.to_vec())).collect();
    assert_eq!(outputs, spend.outputs);
    assert!(!read.is_coinbase());
    for input in 0..3 {
        let digest = read.legacy_digest(input, &pays(spend.keys[input]), 1);
        assert_eq!(digest, Some(spend.digest(input)));
    }
    assert_eq!(read.legacy_digest(3, &pays(1), 1), None);
}

/// Strangers can write the same signature and key in other ways, as far as L1 cares.
#[test]
fn r19_scripts_of_inputs_change_the_txid_but_not_what_it_is_without_them() {
    let spend = Spend::of(&[1, 2]);
    let raw = spend.signed();
    let read = StrippedTransaction::read(&raw).expect("a transaction");
    let unsigned = read.unsigned_txid();
    assert_eq!(unsigned, L1Hash::of(&spend.with_scripts(&[Vec::new(), Vec::new()])));
    let script = read.inputs[0].script;
    let at = raw.windows(script.len()).position(|bytes| bytes == script).expect("it is there");
    // `OP_NOP` behind it.
    let mut longer = raw.clone();
    longer.insert(at + script.len(), 0x61);
    longer[at - 1] += 1;
    let rewritten = StrippedTransaction::read(&longer).expect("a transaction");
    assert_ne!(L1Hash::of(&longer), L1Hash::of(&raw));
    assert_eq!(rewritten.unsigned_txid(), unsigned);
    // All else is a part of it.
    let outputs = [spend.outputs.clone(), vec![(1, vec![])]].concat();
    for other in [Spend { outputs, ..Spend::of(&[1, 2]) }, Spend::of(&[1])] {
        let raw = other.signed();
        let read = StrippedTransaction::read(&raw).expect("a transaction");
        assert_ne!(read.unsigned_txid(), unsigned);
    }
}

#[test]
fn a_signature_over_all_names_its_key_with_and_without_the_fork_flag() {
    for hash_type in [0x01, 0x41] {
        let raw = Spend { hash_type, ..Spend::of(&[1, 2]) }.signed();
        assert!(is_signed_by(&raw, 0, 1) && is_signed_by(&raw, 1, 2));
        assert!(!is_signed_by(&raw, 0, 2) && !is_signed_by(&raw, 2, 1));
        let read = StrippedTransaction::read(&raw).expect("a transaction");
        assert_eq!(read.key_spend(0).map(|spend| spend.key), Some(key(1).public()));
    }
    for hash_type in [0x00, 0x02, 0x03, 0x81, 0xc1, 0x42] {
        let raw = Spend { hash_type, ..Spend::of(&[1, 2]) }.signed();
        assert!(!is_signed_by(&raw, 0, 1), "{hash_type}");
    }
}

/// Consensus takes both, and so must whoever reads what it took.
#[test]
fn either_form_of_s_is_taken() {
    let spend = Spend::of(&[1, 2]);
    let ours = key(1).sign_prehashed(&spend.digest(0));
    let high = other_form(&ours.0);
    assert_ne!(high, ours.0[..64]);
    let other = key(2).sign_prehashed(&spend.digest(1));
    let raw = spend.with_scripts(&[spend.script(0, &high), spend.script(1, &other.0)]);
    assert!(is_signed_by(&raw, 0, 1) && is_signed_by(&raw, 1, 2));
}

#[test]
fn a_signature_of_something_else_is_nobodys() {
    let spend = Spend::of(&[1, 2]);
    let elsewhere = Spend { outputs: vec![(1, pays(9))], ..spend.clone() };
    let signature = key(1).sign_prehashed(&elsewhere.digest(0));
    let other = key(2).sign_prehashed(&spend.digest(1));
    let raw = spend.with_scripts(&[spend.script(0, &signature.0), spend.script(1, &other.0)]);
    assert!(!is_signed_by(&raw, 0, 1) && is_signed_by(&raw, 1, 2));
}

/// Whatever else stands in an input's script proves nothing.
#[test]
fn only_one_form_of_script_is_taken() {
    let spend = Spend::of(&[1, 2]);
    let signature = key(1).sign_prehashed(&spend.digest(0));
    let good = spend.script(0, &signature.0);
    let der_bytes = der(&signature.0[..64]);
    let public = key(1).public().0;
    let scripts: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("something before", [&[0x00][..], &good].concat()),
        ("something behind", [&good[..], &[0x51]].concat()),
        ("PUSHDATA1", [&[0x4c][..], &good].concat()),
        ("the key alone", [&[33][..], &public].concat()),
        ("the signature alone", good[..good.len() - 34].to_vec()),
        ("an uncompressed key", {
            let mut script = good[..good.len() - 34].to_vec();
            script.push(65);
            script.extend([4; 65]);
            script
        }),
        ("a key of no form", {
            let mut script = good.clone();
            let at = script.len() - 33;
            script[at] = 5;
            script
        }),
        ("a needless zero in r", {
            // 30 len 02 rlen r…: one more zero in front of r.
            let mut long = der_bytes.clone();
            long[1] += 1;
            long[3] += 1;
            long.insert(4, 0);
            let length = u8::try_from(long.len() + 1).expect("short");
            [&[length][..], &long, &[1], &[33], &public].concat()
        }),
        ("a byte behind s", {
            let mut long = der_bytes.clone();
            long[1] += 1;
            long.push(0);
            let length = u8::try_from(long.len() + 1).expect("short");
            [&[length][..], &long, &[1], &[33], &public].concat()
        }),
        ("no signature but its type", [&[1, 1][..], &[33], &public].concat()),
    ];
    let other = spend.script(1, &key(2).sign_prehashed(&spend.digest(1)).0);
    assert!(is_signed_by(&spend.with_scripts(&[good, other.clone()]), 0, 1));
    for (what, script) in scripts {
        let raw = spend.with_scripts(&[script, other.clone()]);
        assert!(!is_signed_by(&raw, 0, 1), "{what}");
        assert!(is_signed_by(&raw, 1, 2), "{what}: the other input is as it was");
    }
}

#[test]
fn a_transaction_is_read_to_the_last_byte_or_not_at_all() {
    let raw = Spend::of(&[1, 2]).signed();
    for length in 0..raw.len() {
        assert_eq!(StrippedTransaction::read(&raw[..length]), None, "{length}");
    }
    assert_eq!(StrippedTransaction::read(&[&raw[..], &[0]].concat()), None);
    // With a witness marker, and with a length that is longer than it need be.
    let mut marked = raw.clone();
    drop(marked.splice(4..4, [0, 1]));
    assert_eq!(StrippedTransaction::read(&marked), None);
    let mut long = raw.clone();
    drop(long.splice(4..5, [0xfd, 2, 0]));
    assert_eq!(StrippedTransaction::read(&long), None);
    let mut many = raw;
    drop(many.splice(4..5, [0xfe, 0xff, 0xff, 0xff, 0xff]));
    assert_eq!(StrippedTransaction::read(&many), None, "a count beyond what is left");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(read) = StrippedTransaction::read(&bytes) {
            for index in 0..=read.inputs.len() {
                let _ = read.key_spend(index);
            }
        }
    }

    /// Damage names nobody, or still the one who signed.
    #[test]
    fn damage_never_names_somebody_else(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut raw = Spend::of(&[1, 2]).signed();
        let at = at.index(raw.len());
        raw[at] ^= 1 << bit;
        if let Some(read) = StrippedTransaction::read(&raw) {
            for (index, seed) in [(0, 1), (1, 2)] {
                if let Some(spend) = read.key_spend(index).filter(|one| one.is_signed(recover)) {
                    prop_assert_eq!(spend.address(), address(seed));
                }
            }
        }
    }
}
