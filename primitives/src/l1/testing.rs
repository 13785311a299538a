//! An L1 wallet and a miner that exist in tests only.
//!
//! They write what they make by hand and use nothing of what reads it.
//!
//! # Panics
//! Whatever is asked for that a test has no business asking for.

use super::{
    address::L1Address,
    common_inputs::CommonInputsProof,
    inclusion::{path_to, InclusionProof, HEADER_LEN},
    signed_message::key_hash,
    L1Hash,
};
use codec::Encode;
use sp_core::{ecdsa, Pair, H160};

/// The key that a number stands for.
pub fn key(seed: u8) -> ecdsa::Pair {
    ecdsa::Pair::from_seed(&[seed; 32])
}

/// HASH160 of its public key.
pub fn address(seed: u8) -> H160 {
    H160(key_hash(&key(seed).public().0))
}

/// The script that pays to it.
pub fn pays(seed: u8) -> Vec<u8> {
    L1Address::PublicKeyHash(address(seed).0).script()
}

/// The key of a recoverable signature over a digest.
pub fn recover(signature: &[u8; 65], digest: &[u8; 32]) -> Option<[u8; 33]> {
    ecdsa::Signature::from_raw(*signature).recover_prehashed(digest).map(|key| key.0)
}

/// A transaction to be signed: each input spends a coin of its own.
#[derive(Clone, Debug)]
pub struct Spend {
    /// Whose coins are spent.
    pub keys: Vec<u8>,
    /// Values and scripts of the outputs.
    pub outputs: Vec<(u64, Vec<u8>)>,
    /// The hash type of all signatures.
    pub hash_type: u8,
}

impl Spend {
    /// Coins of these keys are sent to somebody else, with change.
    pub fn of(keys: &[u8]) -> Self {
        let outputs = vec![(700, pays(200)), (299, pays(201))];
        Self { keys: keys.to_vec(), outputs, hash_type: 1 }
    }

    /// The transaction with these scripts in its inputs.
    pub fn with_scripts(&self, scripts: &[Vec<u8>]) -> Vec<u8> {
        let short = |length: usize| {
            let length = u8::try_from(length).expect("a length of one byte");
            assert!(length < 0xfd, "a length of one byte");
            length
        };
        let mut raw = vec![2, 0, 0, 0, short(scripts.len())];
        for (n, script) in (1u8..).zip(scripts) {
            raw.extend([n; 32]);
            raw.extend(u32::from(n).to_le_bytes());
            raw.push(short(script.len()));
            raw.extend(script);
            raw.extend(0xffff_fffdu32.to_le_bytes());
        }
        raw.push(short(self.outputs.len()));
        for (value, script) in &self.outputs {
            raw.extend(value.to_le_bytes());
            raw.push(short(script.len()));
            raw.extend(script);
        }
        raw.extend(325_000u32.to_le_bytes());
        raw
    }

    /// The digest that the key of an input signs.
    pub fn digest(&self, input: usize) -> [u8; 32] {
        let mut scripts = vec![Vec::new(); self.keys.len()];
        scripts[input] = pays(self.keys[input]);
        let mut data = self.with_scripts(&scripts);
        data.extend(u32::from(self.hash_type).to_le_bytes());
        L1Hash::of(&data).0
    }

    /// The script of an input with a signature, `r ‖ s`, of its key.
    pub fn script(&self, input: usize, signature: &[u8]) -> Vec<u8> {
        let mut der = der(&signature[..64]);
        der.push(self.hash_type);
        let length = u8::try_from(der.len()).expect("a short one");
        [&[length][..], &der, &[33], &key(self.keys[input]).public().0].concat()
    }

    /// The transaction, signed.
    pub fn signed(&self) -> Vec<u8> {
        let script = |input: usize| {
            let signature = key(self.keys[input]).sign_prehashed(&self.digest(input));
            self.script(input, &signature.0)
        };
        self.with_scripts(&(0..self.keys.len()).map(script).collect::<Vec<_>>())
    }

    /// The proof that the keys of its first two inputs signed it, in a block at a height.
    pub fn proof(&self, height: u32) -> CommonInputsProof {
        CommonInputsProof { inclusion: mined(self.signed(), height, 3, 7), first: 0, second: 1 }
    }
}

/// `r ‖ s` as consensus wants it.
pub fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let digits: Vec<u8> = number.iter().copied().skip_while(|digit| *digit == 0).collect();
        let sign: &[u8] =
            if digits.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
        let length = u8::try_from(sign.len() + digits.len()).expect("a short one");
        [&[2, length][..], sign, &digits].concat()
    };
    let both = [integer(&signature[..32]), integer(&signature[32..])].concat();
    [&[0x30, u8::try_from(both.len()).expect("a short one")][..], &both].concat()
}

/// A block at a height with `count` transactions, of which this is one.
pub fn mined(transaction: Vec<u8>, height: u32, position: usize, count: usize) -> InclusionProof {
    let other = |n: usize| L1Hash::of(&(height, n as u64, "another").encode());
    let mut txids: Vec<L1Hash> = (0..count).map(other).collect();
    txids[position] = L1Hash::of(&transaction);
    let path = path_to(&txids, position).expect("it has the position");
    let mut header = [0; HEADER_LEN];
    header[..4].copy_from_slice(&height.to_le_bytes());
    header[36..68].copy_from_slice(&merkle_root(&txids).0);
    InclusionProof {
        height,
        header,
        transaction: transaction.try_into().expect("a transaction of the allowed length"),
        position: position as u32,
        path: path.try_into().expect("a path of the allowed length"),
    }
}

/// The root over identifiers, from above.
pub fn merkle_root(txids: &[L1Hash]) -> L1Hash {
    if let [one] = txids {
        return *one;
    }
    // All subtrees on the left are full, and an odd one on the right is repeated.
    let half = txids.len().next_power_of_two() / 2;
    let (left, right) = txids.split_at(half);
    let mut right = right.to_vec();
    while right.len() < half {
        let width = 1 << right.len().trailing_zeros();
        right.extend_from_within(right.len() - width..);
    }
    L1Hash::of(&[merkle_root(left).0, merkle_root(&right).0].concat())
}
