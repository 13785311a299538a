//! Trust edges and bonded votes of Cascoin's `CVM1` container (spec: cascoin-l1.md
//! 2.2), and the output that locks their bond.
//!
//! ```text
//! script   6a ‖ 04 "CVM1" ‖ 01 type ‖ 36 payload of 54 bytes
//! type     04 trust edge, 05 bonded vote
//! payload  from 20 ‖ to 20 ‖ weight i16 ‖ bond i64 ‖ timestamp u32      (all LE)
//! bond     output 1, pay-to-script-hash of
//!          63 ‖ push of a height ‖ b1 75 76 a9 14 ‖ from 20 ‖ 88 ac 67 6a 68
//! ```
//! L1 enforces nothing of this (0, 4.8), so what a payload says is only what its writer
//! says. Read strictly: one form, the one that L1's own wallet writes. *from* is whom
//! the bond goes back to; it is **no** proof of who speaks, since anybody can write it,
//! and L1's wallet takes a fresh key for it that signs nothing (5.2). Who speaks is
//! what the transaction's signatures prove, which the reader of blocks finds out.

use super::address::L1Address;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use ripemd::Ripemd160;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How the script of every CVM output begins: `OP_RETURN`, push of `CVM1`.
const CONTAINER: [u8; 6] = *b"\x6a\x04CVM1";
/// Length of a payload.
pub const PAYLOAD_LEN: usize = 54;
/// Length of the whole script.
const SCRIPT_LEN: usize = CONTAINER.len() + 3 + PAYLOAD_LEN;
/// No weight or vote is larger, either way.
pub const MAX_WEIGHT: i16 = 100;
/// Position of the output that locks the bond.
pub const BOND_VOUT: usize = 1;
/// L1 blocks that a bond is locked for, from the block its wallet knew.
pub const BOND_BLOCKS: u32 = 1_440;
/// How many L1 blocks a transaction may have waited until it was mined. Each costs a
/// hash to look for, and takes a block from the bond's time.
pub const MAX_WAIT: u32 = 144;

/// Room for a bond's redeem script: 31 bytes and the push of a height.
const REDEEM_CAPACITY: usize = 40;

/// What is said of somebody.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum TrustKind {
    /// How far its speaker trusts it: trust is passed on along it.
    Edge,
    /// What its speaker thinks of it.
    Vote,
}

impl TrustKind {
    const fn op_type(self) -> u8 {
        match self {
            Self::Edge => 4,
            Self::Vote => 5,
        }
    }
}

/// A well-formed payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustPayload {
    /// Edge or vote.
    pub kind: TrustKind,
    /// HASH160 of the key that the bond goes back to.
    pub from: [u8; 20],
    /// Of whom it is said: HASH160 of a key.
    pub to: [u8; 20],
    /// From −[`MAX_WEIGHT`] to [`MAX_WEIGHT`].
    pub weight: i8,
    /// The bond it claims to carry, in L1 units. Only compared.
    pub bond: u64,
    /// When it says it was written, seconds since 1970. Not checked by anything.
    pub timestamp: u32,
}

impl TrustPayload {
    /// The output script that carries the payload.
    pub fn script(&self) -> Vec<u8> {
        let mut script = Vec::with_capacity(SCRIPT_LEN);
        script.extend(CONTAINER);
        script.extend([1, self.kind.op_type(), PAYLOAD_LEN as u8]);
        script.extend(self.from);
        script.extend(self.to);
        script.extend(i16::from(self.weight).to_le_bytes());
        script.extend(self.bond.to_le_bytes());
        script.extend(self.timestamp.to_le_bytes());
        script
    }

    /// Reads an output script. `None` for any other than [`script`](Self::script)
    /// writes: another type, length or form of push, a weight beyond
    /// [`MAX_WEIGHT`], a negative bond.
    pub fn read(script: &[u8]) -> Option<Self> {
        let script: &[u8; SCRIPT_LEN] = script.try_into().ok()?;
        let [push, op_type, length, payload @ ..] = script.strip_prefix(&CONTAINER)? else {
            return None;
        };
        if (*push, usize::from(*length)) != (1, PAYLOAD_LEN) {
            return None;
        }
        let kind = [TrustKind::Edge, TrustKind::Vote]
            .into_iter()
            .find(|kind| kind.op_type() == *op_type)?;
        let (from, payload) = payload.split_first_chunk::<20>()?;
        let (to, payload) = payload.split_first_chunk::<20>()?;
        let (weight, payload) = payload.split_first_chunk::<2>()?;
        let (bond, payload) = payload.split_first_chunk::<8>()?;
        let timestamp: [u8; 4] = payload.try_into().ok()?;
        let weight = i16::from_le_bytes(*weight);
        if weight.unsigned_abs() > MAX_WEIGHT.unsigned_abs() {
            return None;
        }
        Some(Self {
            kind,
            from: *from,
            to: *to,
            weight: i8::try_from(weight).ok()?,
            bond: u64::try_from(i64::from_le_bytes(*bond)).ok()?,
            timestamp: u32::from_le_bytes(timestamp),
        })
    }

    /// Whether `script`, of an output of a block at `height`, locks the bond: nobody
    /// can spend it before the height in its redeem script, which is one that L1's
    /// wallet sets for a transaction that waited at most [`MAX_WAIT`] blocks. The
    /// script itself is not on L1 until it is spent, so the few it can be are tried.
    pub fn locks_bond(&self, script: &[u8], height: u32) -> bool {
        self.locks_bond_by(script, height, hash160)
    }

    fn locks_bond_by(
        &self,
        script: &[u8],
        height: u32,
        mut hash: impl FnMut(&[u8]) -> [u8; 20],
    ) -> bool {
        // Nothing is hashed for an output of another form.
        let Some(locked) = script_hash(script) else { return false };
        // At `height` it can stand if its wallet saw the block before, at the latest.
        let last = height.saturating_sub(1);
        let mut redeem = Vec::with_capacity(REDEEM_CAPACITY);
        (last.saturating_sub(MAX_WAIT)..=last).rev().any(|seen| {
            redeem.clear();
            write_redeem(&mut redeem, &self.from, seen.saturating_add(BOND_BLOCKS));
            hash(&redeem) == *locked
        })
    }
}

/// Whether a script is a CVM output of whatever type. Only the first of a transaction
/// counts.
pub fn is_container(script: &[u8]) -> bool {
    script.starts_with(&CONTAINER)
}

/// The script of an output that nobody can spend before L1 block `unlock`, and then the
/// key with the hash `owner`.
pub fn bond_script(owner: &[u8; 20], unlock: u32) -> Vec<u8> {
    let mut redeem = Vec::with_capacity(REDEEM_CAPACITY);
    write_redeem(&mut redeem, owner, unlock);
    L1Address::ScriptHash(hash160(&redeem)).script()
}

fn write_redeem(script: &mut Vec<u8>, owner: &[u8; 20], unlock: u32) {
    script.push(0x63); // IF
    push_number(script, unlock);
    script.extend([0xb1, 0x75, 0x76, 0xa9, 20]); // CHECKLOCKTIMEVERIFY DROP DUP HASH160
    script.extend(owner);
    script.extend([0x88, 0xac, 0x67, 0x6a, 0x68]); // EQUALVERIFY CHECKSIG ELSE RETURN ENDIF
}

pub(super) fn hash160(bytes: &[u8]) -> [u8; 20] {
    Ripemd160::digest(Sha256::digest(bytes)).into()
}

/// Of the script whose hash an output pays to; `None` for an output of another form.
pub(super) fn script_hash(script: &[u8]) -> Option<&[u8; 20]> {
    script.strip_prefix(&[0xa9, 20])?.strip_suffix(&[0x87])?.try_into().ok()
}

/// A number as scripts have it: little-endian, as short as it can be, without a sign.
pub(super) fn push_number(script: &mut Vec<u8>, number: u32) {
    match u8::try_from(number) {
        Ok(0) => script.push(0),
        Ok(small @ 1..=16) => script.push(small.saturating_add(0x50)),
        _ => {
            let bytes = u64::from(number).to_le_bytes();
            // The highest bit would be the sign.
            let used = (bytes.len() as u32)
                .saturating_sub((u64::from(number) << 1).leading_zeros() / 8)
                as usize;
            script.push(used as u8);
            script.extend(bytes.iter().take(used));
        }
    }
}

#[cfg(test)]
#[path = "cvm_tests.rs"]
mod tests;
