//! Which key a transaction proves to have signed it.
//!
//! A block does not contain the outputs that its transactions spend, so that a key
//! stands in an input proves nothing by itself: an output that anybody can spend lets
//! its spender write whatever it likes there. Two forms of the first input are proofs
//! all the same, and only these count:
//!
//! - **Pay to public-key hash.** The legacy digest needs nothing but the transaction,
//!   so the signature is verified *here*, by the rule that L2 proves common inputs by
//!   ([`StrippedTransaction::key_spend`]). Whatever output is spent, the key has signed this
//!   transaction.
//! - **Pay to witness public-key hash in a script hash**, which L1's wallets make unless
//!   told otherwise. Its digest needs the value spent, which we do not know, but L1
//!   verified the signature: consensus refuses a witness that no witness program asked
//!   for, and where the input's script is not empty the program is the one in it
//!   (BIP 141, from the first block on: spec, cascoin-l1.md 1.4). That the witness
//!   before us is the one that L1 verified is proven by the block
//!   ([`block`](crate::block)): no node can leave it out for us.
//!
//! A native witness program shows nothing of itself in its input. The same witness
//! satisfies later versions, which anybody can spend today, so it proves nothing.
//!
//! The signature must commit to all outputs and inputs (`ALL`, with or without
//! `SIGHASH_FORKID`): another type would let strangers change what is said.

use crate::inclusion::without_witnesses;
use bitcoin::{consensus::deserialize, Transaction, TxIn};
use cascoin_l2_primitives::l1::{
    address::L1Address, signed_message::key_hash, transaction::StrippedTransaction,
};
use sp_core::{ecdsa, H160};

/// `ALL`, and `ALL` with `SIGHASH_FORKID`.
const COMMITS_TO_ALL: [u8; 2] = [0x01, 0x41];

/// HASH160 of the compressed key that signed the first input of `raw` over the whole
/// transaction; `None` where that is not proven.
pub fn first_signer(raw: &[u8]) -> Option<H160> {
    first_signing_key(raw).map(|key| H160(key_hash(&key)))
}

/// That compressed key itself.
pub fn first_signing_key(raw: &[u8]) -> Option<[u8; 33]> {
    let transaction: Transaction = deserialize(raw).ok()?;
    let input = transaction.input.first()?;
    if !input.witness.is_empty() {
        return nested_witness(input);
    }
    let stripped = without_witnesses(transaction);
    let spend = StrippedTransaction::read(&stripped)?.key_spend(0)?;
    spend.is_signed(recover).then_some(spend.key.0)
}

fn recover(signature: &[u8; 65], digest: &[u8; 32]) -> Option<[u8; 33]> {
    ecdsa::Signature::from_raw(*signature).recover_prehashed(digest).map(|key| key.0)
}

fn nested_witness(input: &TxIn) -> Option<[u8; 33]> {
    let mut items = input.witness.iter();
    let (Some(signature), Some(key), None) = (items.next(), items.next(), items.next()) else {
        return None;
    };
    split(signature)?;
    let compressed = compressed(key)?;
    let program = L1Address::WitnessPublicKeyHash(key_hash(&compressed)).script();
    let push = [&[program.len() as u8][..], &program].concat();
    (input.script_sig.as_bytes() == push).then_some(compressed)
}

/// The hash type of a signature that commits to everything, and the signature.
fn split(signature: &[u8]) -> Option<(u8, &[u8])> {
    let (hash_type, der) = signature.split_last()?;
    COMMITS_TO_ALL.contains(hash_type).then_some((*hash_type, der))
}

/// `None` unless it has the form of a compressed key.
fn compressed(key: &[u8]) -> Option<[u8; 33]> {
    let key: [u8; 33] = key.try_into().ok()?;
    matches!(key[0], 2 | 3).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        block::builder::{nested, signer, trust, Form},
        sighash::legacy_digest_of_type,
    };
    use bitcoin::{
        consensus::serialize,
        script::Instruction,
        secp256k1::{constants::CURVE_ORDER, ecdsa::Signature, Message, PublicKey, Secp256k1},
        Script, ScriptBuf, Witness,
    };
    use proptest::prelude::*;

    /// What the library's script, signature and key types say of the first input, which has
    /// no witness: how it was read before there was one rule for nodes and L2.
    fn by_the_library(raw: &[u8]) -> Option<[u8; 33]> {
        let transaction: Transaction = deserialize(raw).ok()?;
        let input = transaction.input.first()?;
        let mut pushes = input.script_sig.instructions_minimal();
        let mut next = || match pushes.next() {
            Some(Ok(Instruction::PushBytes(bytes))) => Some(bytes.as_bytes()),
            _ => None,
        };
        let (signature, key) = (next()?, next()?);
        if pushes.next().is_some() {
            return None;
        }
        let (hash_type, der) = split(signature)?;
        let compressed = compressed(key)?;
        let spent = L1Address::PublicKeyHash(key_hash(&compressed)).script();
        let digest =
            legacy_digest_of_type(&transaction, 0, Script::from_bytes(&spent), hash_type).ok()?;
        let mut signature = Signature::from_der(der).ok()?;
        // Consensus takes either form of S, the library only the low one.
        signature.normalize_s();
        let key = PublicKey::from_slice(key).ok()?;
        Secp256k1::verification_only()
            .verify_ecdsa(&Message::from_digest(digest), &signature, &key)
            .ok()?;
        Some(compressed)
    }

    /// The order of the curve less a number below it.
    fn negative(number: &[u8]) -> [u8; 32] {
        let mut result = [0; 32];
        let mut borrow = 0;
        for place in (0..32).rev() {
            let digit = i16::from(CURVE_ORDER[place]) - i16::from(number[place]) - borrow;
            borrow = i16::from(digit < 0);
            result[place] = digit.rem_euclid(256) as u8;
        }
        result
    }

    /// Ways to write a script that signs an input. The first two are good.
    const FORMS: usize = 19;

    /// The script of `signature`, `r ‖ s`, and a key, written in one of the ways.
    fn script(form: usize, signature: &[u8; 64], hash_type: u8, mut key: [u8; 33]) -> Vec<u8> {
        let shortest = |number: &[u8]| {
            let mut digits: Vec<u8> =
                number.iter().copied().skip_while(|digit| *digit == 0).collect();
            if digits.first().is_some_and(|first| *first >= 0x80) {
                digits.insert(0, 0);
            }
            digits
        };
        let (mut r, mut s) = (shortest(&signature[..32]), shortest(&signature[32..]));
        match form {
            1 => s = shortest(&negative(&signature[32..])),
            2 => r.insert(0, 0),
            3 => s.insert(0, 0),
            4 => r = vec![0x80 | r[r.len() - 1], 1],
            5 => r.clear(),
            6 => r = vec![0],
            7 => s = shortest(&CURVE_ORDER),
            8 => r = [&[1][..], &signature[..32]].concat(),
            9 => s = vec![0xff; 32],
            _ => (),
        }
        let mut body = [&[2, r.len() as u8][..], &r, &[2, s.len() as u8], &s].concat();
        if form == 10 {
            body.push(0);
        }
        let mut der = [&[0x30, body.len() as u8][..], &body].concat();
        match form {
            11 => der[1] += 1,
            12 => der.insert(1, 0x81),
            13 => der.push(0),
            14 => key[0] = 4,
            _ => (),
        }
        der.push(hash_type);
        let signature = match form {
            15 => [&[0x4c, der.len() as u8][..], &der].concat(),
            16 => vec![0],
            _ => [&[der.len() as u8][..], &der].concat(),
        };
        let key = match form {
            17 => [&[0x4c, 33][..], &key].concat(),
            18 => [&[33][..], &key, &[0x51]].concat(),
            _ => [&[33][..], &key].concat(),
        };
        [signature, key].concat()
    }

    /// A transaction whose first input is signed and has a script of this form; a second one
    /// may have a witness.
    fn spends(form: usize, hash_type: u8, beside: bool) -> Transaction {
        let unsigned = trust(1, 5, &signer()).unsigned();
        let mut transaction: Transaction = deserialize(&unsigned).expect("built right");
        if beside {
            let witness = Witness::from_slice(&[vec![7u8; 3]]);
            transaction.input.push(TxIn { witness, ..TxIn::default() });
        }
        let secp = Secp256k1::new();
        let key = signer().public_key(&secp).serialize();
        let spent = L1Address::PublicKeyHash(key_hash(&key)).script();
        let spent = Script::from_bytes(&spent);
        let digest = legacy_digest_of_type(&transaction, 0, spent, hash_type);
        let digest = Message::from_digest(digest.expect("it has an input"));
        let signature = secp.sign_ecdsa(&digest, &signer()).serialize_compact();
        let script = script(form, &signature, hash_type, key);
        transaction.input[0].script_sig = ScriptBuf::from(script);
        transaction
    }

    /// One rule reads what nodes see in blocks and what L2 is proven; and it is the
    /// library's.
    #[test]
    fn the_rule_of_the_primitives_is_the_librarys() {
        let key = signer().public_key(&Secp256k1::new()).serialize();
        for form in 0..FORMS {
            for hash_type in [0x01, 0x41, 0x00, 0x02, 0x03, 0x81, 0xc1] {
                for beside in [false, true] {
                    let raw = serialize(&spends(form, hash_type, beside));
                    let read = first_signing_key(&raw);
                    assert_eq!(read, by_the_library(&raw), "{form}, {hash_type}, {beside}");
                    let good = form < 2 && COMMITS_TO_ALL.contains(&hash_type);
                    assert_eq!(read, good.then_some(key), "{form}, {hash_type}, {beside}");
                }
            }
        }
    }

    #[test]
    fn both_forms_name_the_key_that_signed() {
        let key = H160(key_hash(&signer().public_key(&Secp256k1::new()).serialize()));
        for hash_type in COMMITS_TO_ALL {
            let said = trust(1, 5, &signer());
            assert_eq!(first_signer(&said.signed_as(Form::Legacy, hash_type)), Some(key));
            assert_eq!(first_signer(&said.signed_as(Form::Nested, hash_type)), Some(key));
        }
    }

    #[test]
    fn other_hash_types_prove_nothing() {
        let said = trust(1, 5, &signer());
        for hash_type in [0x00, 0x02, 0x03, 0x81, 0xc1, 0x42] {
            for form in [Form::Legacy, Form::Nested] {
                assert_eq!(first_signer(&said.signed_as(form, hash_type)), None, "{hash_type}");
            }
        }
    }

    #[test]
    fn native_programs_and_unsigned_inputs_prove_nothing() {
        let said = trust(1, 5, &signer());
        assert_eq!(first_signer(&said.signed_as(Form::Native, 1)), None);
        assert_eq!(first_signer(&said.unsigned()), None);
        // A program of another key than the witness has.
        let other = nested(&said.unsigned(), &signer(), [7; 20], 1);
        assert_eq!(first_signer(&other), None);
    }

    #[test]
    fn a_signature_of_another_transaction_proves_nothing() {
        let raw = trust(1, 5, &signer()).signed();
        // Lock time, output value, sequence: all are signed.
        for at in [raw.len() - 1, raw.len() - 70] {
            let mut changed = raw.clone();
            changed[at] ^= 1;
            assert_eq!(first_signer(&changed), None, "byte {at}");
        }
    }

    proptest! {
        /// The same of damaged scripts.
        #[test]
        fn damage_is_read_as_the_library_reads_it(
            form in 0..FORMS, at in any::<prop::sample::Index>(), bit in 0u8..8, beside: bool,
        ) {
            let mut transaction = spends(form, 0x01, beside);
            let mut script = transaction.input[0].script_sig.to_bytes();
            let at = at.index(script.len());
            script[at] ^= 1 << bit;
            transaction.input[0].script_sig = ScriptBuf::from(script);
            let raw = serialize(&transaction);
            prop_assert_eq!(first_signing_key(&raw), by_the_library(&raw));
        }

        #[test]
        fn damage_never_panics_nor_names_somebody_else(
            at in any::<prop::sample::Index>(), bit in 0u8..8, legacy: bool,
        ) {
            let form = if legacy { Form::Legacy } else { Form::Nested };
            let mut raw = trust(1, 5, &signer()).signed_as(form, 1);
            let honest = first_signer(&raw);
            let at = at.index(raw.len());
            raw[at] ^= 1 << bit;
            let read = first_signer(&raw);
            prop_assert!(read.is_none() || read == honest);
        }
    }
}
