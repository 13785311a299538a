//! Which key a transaction proves to have signed it.
//!
//! A block does not contain the outputs that its transactions spend, so that a key
//! stands in an input proves nothing by itself: an output that anybody can spend lets
//! its spender write whatever it likes there. Two forms of the first input are proofs
//! all the same, and only these count:
//!
//! - **Pay to public-key hash.** The legacy digest needs nothing but the transaction,
//!   so the signature is verified *here*. Whatever output is spent, the key has signed
//!   this transaction.
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

use crate::sighash::legacy_digest_of_type;
use bitcoin::{
    consensus::deserialize,
    script::Instruction,
    secp256k1::{ecdsa::Signature, Message, PublicKey, Secp256k1},
    Script, ScriptBuf, Transaction, TxIn,
};
use cascoin_l2_primitives::l1::{address::L1Address, signed_message::key_hash};
use sp_core::H160;

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
    if input.witness.is_empty() {
        public_key(&transaction, input)
    } else {
        nested_witness(input)
    }
}

fn public_key(transaction: &Transaction, input: &TxIn) -> Option<[u8; 33]> {
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
    let spent = ScriptBuf::from(L1Address::PublicKeyHash(key_hash(&compressed)).script());
    let digest =
        legacy_digest_of_type(transaction, 0, Script::from_bytes(spent.as_bytes()), hash_type)
            .ok()?;
    let mut signature = Signature::from_der(der).ok()?;
    // Consensus takes either form of S, the library only the low one.
    signature.normalize_s();
    let key = PublicKey::from_slice(key).ok()?;
    Secp256k1::verification_only()
        .verify_ecdsa(&Message::from_digest(digest), &signature, &key)
        .ok()?;
    Some(compressed)
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
    use crate::block::builder::{nested, signer, trust, Form};
    use proptest::prelude::*;

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
