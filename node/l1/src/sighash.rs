//! Signature digests with the L1's own hash type.
//!
//! Cascoin wants `SIGHASH_FORKID`: the hash type is 0x41 instead of 0x01, in the
//! digest and behind the signature. The algorithms stay as they are: the legacy
//! digest for legacy inputs, BIP 143 for segwit v0, and no fork value is mixed in
//! (Cascoin's `src/script/interpreter.h`). Library types know no such hash type, so the
//! data to sign is encoded by the library for `ALL` and its last four bytes, the
//! hash type, are set here.
//!
//! Always `ALL`: whatever else we sign later must say so explicitly.

use bitcoin::{
    hashes::{sha256d, Hash},
    secp256k1::ecdsa::Signature,
    sighash::{EcdsaSighashType, SighashCache},
    Amount, Script, Transaction,
};
use cascoin_l2_primitives::l1::params::L1Params;
use thiserror::Error;

/// The transaction has no such input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the transaction has no input {0}")]
pub struct NoSuchInput(pub usize);

/// The hash type of our signatures on the L1 of `params`: 0x41 where
/// `SIGHASH_FORKID` holds, else 0x01.
pub fn hash_type(params: &L1Params) -> u8 {
    EcdsaSighashType::All as u8 | params.sighash_flag
}

/// The BIP 143 digest of input `index`, which spends `value` base units under
/// `script_code` (for P2WPKH the P2PKH script of the key, for P2WSH the witness
/// script).
///
/// # Errors
/// [`NoSuchInput`].
pub fn segwit_v0_digest(
    transaction: &Transaction,
    index: usize,
    script_code: &Script,
    value: u64,
    params: &L1Params,
) -> Result<[u8; 32], NoSuchInput> {
    let mut data = Vec::new();
    SighashCache::new(transaction)
        .segwit_v0_encode_signing_data_to(
            &mut data,
            index,
            script_code,
            Amount::from_sat(value),
            EcdsaSighashType::All,
        )
        // Writing to memory does not fail, so only the index can be wrong.
        .map_err(|_| NoSuchInput(index))?;
    Ok(digest(data, hash_type(params)))
}

/// The legacy digest of input `index`, which spends an output with
/// `script_pubkey` (for P2SH: the redeem script).
///
/// # Errors
/// [`NoSuchInput`].
pub fn legacy_digest(
    transaction: &Transaction,
    index: usize,
    script_pubkey: &Script,
    params: &L1Params,
) -> Result<[u8; 32], NoSuchInput> {
    legacy_digest_of_type(transaction, index, script_pubkey, hash_type(params))
}

/// The same for a hash type that a signature carries: 0x01 or 0x41.
///
/// # Errors
/// [`NoSuchInput`].
pub(crate) fn legacy_digest_of_type(
    transaction: &Transaction,
    index: usize,
    script_pubkey: &Script,
    hash_type: u8,
) -> Result<[u8; 32], NoSuchInput> {
    let mut data = Vec::new();
    SighashCache::new(transaction)
        .legacy_encode_signing_data_to(
            &mut data,
            index,
            script_pubkey,
            EcdsaSighashType::All.to_u32(),
        )
        // The other outcome, a misused `SINGLE`, cannot come of `ALL`.
        .is_sighash_single_bug()
        .map_err(|_| NoSuchInput(index))?;
    Ok(digest(data, hash_type))
}

/// A signature as it stands in a script or witness: DER and the hash type.
pub fn script_signature(signature: &Signature, params: &L1Params) -> Vec<u8> {
    let mut bytes = signature.serialize_der().to_vec();
    bytes.push(hash_type(params));
    bytes
}

/// Sets the hash type at the end of encoded signing data and hashes it.
fn digest(mut data: Vec<u8>, hash_type: u8) -> [u8; 32] {
    let end = data.len().saturating_sub(4);
    data.truncate(end);
    data.extend(u32::from(hash_type).to_le_bytes());
    sha256d::Hash::hash(&data).to_byte_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::{
        absolute::LockTime,
        secp256k1::{ecdsa, Message, PublicKey, Secp256k1, SecretKey},
        transaction::Version,
        OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness,
    };
    use cascoin_l2_primitives::l1::{
        params::{CASCOIN_MAINNET, LITECOIN_REGTEST},
        L1Hash,
    };

    const VALUE: u64 = 1_000_000_000;

    fn key() -> (SecretKey, PublicKey) {
        let secret = SecretKey::from_slice(&[0x11; 32]).expect("in range");
        (secret, secret.public_key(&Secp256k1::new()))
    }

    /// `DUP HASH160 <key hash> EQUALVERIFY CHECKSIG`.
    fn script_code() -> ScriptBuf {
        let hash = bitcoin::PublicKey::new(key().1).pubkey_hash();
        ScriptBuf::new_p2pkh(&hash)
    }

    fn transaction() -> Transaction {
        let input = |byte, vout| TxIn {
            previous_output: OutPoint::new(Txid::from_byte_array([byte; 32]), vout),
            script_sig: ScriptBuf::new(),
            sequence: Sequence(0xffff_fffd),
            witness: Witness::new(),
        };
        let burn = [&[0x6a, 51][..], b"L2BURN", &[1; 45]].concat();
        Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(325_000),
            input: vec![input(0xaa, 0), input(0xbb, 7)],
            output: vec![
                TxOut { value: Amount::from_sat(5), script_pubkey: ScriptBuf::from(burn) },
                TxOut { value: Amount::from_sat(VALUE), script_pubkey: script_code() },
            ],
        }
    }

    /// BIP 143, written out by hand from its text for the transaction above.
    fn digest_by_hand(index: usize, hash_type: u32) -> [u8; 32] {
        let double = |bytes: &[u8]| L1Hash::of(bytes).0;
        let outpoints = [
            [&[0xaa; 32][..], &0u32.to_le_bytes()].concat(),
            [&[0xbb; 32][..], &7u32.to_le_bytes()].concat(),
        ];
        let sequence = 0xffff_fffdu32.to_le_bytes();
        let code = script_code().to_bytes();
        let mut outputs = Vec::new();
        for output in &transaction().output {
            let script = output.script_pubkey.as_bytes();
            outputs.extend(output.value.to_sat().to_le_bytes());
            outputs.push(script.len() as u8);
            outputs.extend(script);
        }
        let mut data = Vec::new();
        data.extend(2u32.to_le_bytes());
        data.extend(double(&outpoints.concat()));
        data.extend(double(&[sequence, sequence].concat()));
        data.extend(&outpoints[index]);
        data.push(code.len() as u8);
        data.extend(&code);
        data.extend(VALUE.to_le_bytes());
        data.extend(sequence);
        data.extend(double(&outputs));
        data.extend(325_000u32.to_le_bytes());
        data.extend(hash_type.to_le_bytes());
        double(&data)
    }

    /// The legacy digest, written out by hand: the signed input carries the
    /// script, the others are empty.
    fn legacy_by_hand(index: usize, hash_type: u32) -> [u8; 32] {
        let code = script_code().to_bytes();
        let mut data = 2u32.to_le_bytes().to_vec();
        data.push(2);
        for (n, (byte, vout)) in [(0xaau8, 0u32), (0xbb, 7)].into_iter().enumerate() {
            data.extend([byte; 32]);
            data.extend(vout.to_le_bytes());
            let script: &[u8] = if n == index { &code } else { &[] };
            data.push(script.len() as u8);
            data.extend(script);
            data.extend(0xffff_fffdu32.to_le_bytes());
        }
        data.push(2);
        for output in &transaction().output {
            let script = output.script_pubkey.as_bytes();
            data.extend(output.value.to_sat().to_le_bytes());
            data.push(script.len() as u8);
            data.extend(script);
        }
        data.extend(325_000u32.to_le_bytes());
        data.extend(hash_type.to_le_bytes());
        L1Hash::of(&data).0
    }

    #[test]
    fn digests_carry_the_l1s_hash_type() {
        let transaction = transaction();
        for (params, hash_type) in [(&CASCOIN_MAINNET, 0x41), (&LITECOIN_REGTEST, 0x01)] {
            for index in 0..2 {
                let script = script_code();
                let segwit = segwit_v0_digest(&transaction, index, &script, VALUE, params);
                assert_eq!(segwit, Ok(digest_by_hand(index, hash_type)));
                let legacy = legacy_digest(&transaction, index, &script, params);
                assert_eq!(legacy, Ok(legacy_by_hand(index, hash_type)));
            }
        }
        let none = segwit_v0_digest(&transaction, 2, &script_code(), VALUE, &CASCOIN_MAINNET);
        assert_eq!(none, Err(NoSuchInput(2)));
        let none = legacy_digest(&transaction, 2, &script_code(), &CASCOIN_MAINNET);
        assert_eq!(none, Err(NoSuchInput(2)));
    }

    #[test]
    fn a_forkid_signature_is_the_known_vector_and_verifies() {
        let secp = Secp256k1::new();
        let (secret, public) = key();
        let digest = segwit_v0_digest(&transaction(), 1, &script_code(), VALUE, &CASCOIN_MAINNET)
            .expect("input 1 is there");
        // RFC 6979 with low S: the same signature on every machine.
        let signature = secp.sign_ecdsa(&Message::from_digest(digest), &secret);
        let bytes = script_signature(&signature, &CASCOIN_MAINNET);
        assert_eq!(hex::encode(&bytes), VECTOR);

        let (&hash_type, der) = bytes.split_last().expect("not empty");
        assert_eq!(hash_type, 0x41);
        let read = ecdsa::Signature::from_der(der).expect("DER");
        let by_hand = Message::from_digest(digest_by_hand(1, 0x41));
        assert_eq!(secp.verify_ecdsa(&by_hand, &read, &public), Ok(()));
        let without_forkid = Message::from_digest(digest_by_hand(1, 0x01));
        assert!(secp.verify_ecdsa(&without_forkid, &read, &public).is_err());
    }

    /// Computed by this test itself the first time; fixed since, so that a change
    /// of any library shows.
    const VECTOR: &str = "30440220691d4a8c6ab116d58cd0a72f9b71841626b6e9bd3a96cd52bb18c1c90f30ca2c\
                          02202b619add6ab9c767d0cf6885e9c2d20f9cbf8c42daa121bb89dcac58d564448d41";
}
