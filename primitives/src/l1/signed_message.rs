//! Messages that an L1 wallet signs (`signmessage`), to prove that somebody holds the
//! key of an address.
//!
//! The prefix is Litecoin's, also on Cascoin (spec: cascoin-l1.md 1.3).

use super::L1Hash;
use alloc::{format, string::String, vec::Vec};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

const PREFIX: &[u8] = b"Litecoin Signed Message:\n";
/// First byte of a signature for a compressed key, without the recovery id.
const COMPRESSED: u8 = 31;
/// There are four ways to recover a key.
const RECOVERY_IDS: u8 = 4;

/// What is signed: SHA-256 twice over prefix and message, each behind its length.
pub fn digest(message: &str) -> [u8; 32] {
    let mut data =
        Vec::with_capacity(PREFIX.len().saturating_add(message.len()).saturating_add(10));
    push_with_length(&mut data, PREFIX);
    push_with_length(&mut data, message.as_bytes());
    L1Hash::of(&data).0
}

fn push_with_length(data: &mut Vec<u8>, part: &[u8]) {
    // Bitcoin's compact size. No message here is longer than a u16.
    let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
    match u8::try_from(length) {
        Ok(short) if short < 253 => data.push(short),
        _ => {
            data.push(253);
            data.extend_from_slice(&length.to_le_bytes());
        }
    }
    data.extend_from_slice(part);
}

/// A wallet's signature (65 bytes, first the header) as `r ‖ s ‖ recovery id`. `None`
/// if it is for an uncompressed key or none at all: an L2 account has a compressed one.
pub fn recoverable(signature: &[u8; 65]) -> Option<[u8; 65]> {
    let [header, rest @ ..] = signature;
    let recovery_id = header.checked_sub(COMPRESSED).filter(|id| *id < RECOVERY_IDS)?;
    let mut out = [0; 65];
    let (body, last) = out.split_at_mut(64);
    body.copy_from_slice(rest);
    last.copy_from_slice(&[recovery_id]);
    Some(out)
}

/// HASH160 of a compressed public key: its address on L1.
pub fn key_hash(public: &[u8; 33]) -> [u8; 20] {
    Ripemd160::digest(Sha256::digest(public)).into()
}

/// The text that links an L1 address to an L2 account of one chain.
pub fn link_message(genesis: &[u8; 32], account: &[u8; 32]) -> String {
    format!("Cascoin L2 account 0x{} of chain 0x{}", hex::encode(account), hex::encode(genesis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::{ecdsa, Pair};

    #[test]
    fn lengths_are_compact_sizes() {
        for (length, head) in [(0, vec![0]), (252, vec![252]), (253, vec![253, 253, 0])] {
            let mut data = Vec::new();
            push_with_length(&mut data, &vec![7; length]);
            assert_eq!(data[..head.len()], head);
            assert_eq!(data.len(), head.len() + length);
        }
    }

    /// The key of the burn format's test vector (cascoin-l1.md 2.1).
    #[test]
    fn a_keys_hash_is_its_address() {
        let public: [u8; 33] =
            hex::decode("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
                .expect("hex")
                .try_into()
                .expect("33 bytes");
        assert_eq!(hex::encode(key_hash(&public)), "751e76e8199196d454941c45d1b3a323f1433bd6");
    }

    #[test]
    fn only_signatures_of_compressed_keys_are_taken() {
        let pair = ecdsa::Pair::from_seed(&[5; 32]);
        let digest = digest(&link_message(&[1; 32], &[2; 32]));
        let ours = pair.sign_prehashed(&digest).0;
        let mut wallets = [0; 65];
        wallets[0] = 31 + ours[64];
        wallets[1..].copy_from_slice(&ours[..64]);
        assert_eq!(recoverable(&wallets), Some(ours));
        for header in [0, 27, 30, 35, 255] {
            wallets[0] = header;
            assert_eq!(recoverable(&wallets), None, "{header}");
        }
    }
}
