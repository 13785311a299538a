//! Transactions of the layer 2 that stand on L1, where no sequencer can leave them out
//! (R17).
//!
//! ```text
//! message  envelope of kind 3 with a body of 34 bytes: SHA-256 32 ‖ length u16 LE
//! data     in the script of a P2WSH input of the same transaction:
//!          00 63 ‖ pushes of the data ‖ 68 ‖ anything
//! ```
//! The data is the signed transaction as `author_submitExtrinsic` takes it, its own length
//! in front. The script is `FALSE IF <data> ENDIF` and then what lets the owner of the key
//! spend the output; the data is never executed. It stands in the witness, so it costs a
//! quarter of what an output would, and relay policy lets it through: of a P2WSH input Core
//! relays scripts up to 3,600 bytes (`MAX_STANDARD_P2WSH_SCRIPT_SIZE`), and consensus
//! pushes up to 520.
//!
//! The message names the data by its hash, so it makes no difference which input shows it
//! or who could spend that. Nobody proves anything on L1: the signature that counts is
//! the one inside.

use super::{
    address::L1Address,
    envelope::{Message, MessageKind, MAX_BODY},
};
use alloc::vec::Vec;
use sha2::{Digest, Sha256};

/// Length of a message's body.
pub const BODY_LEN: usize = 32 + 2;
/// Most bytes of a transaction. With its pushes and what spends it it is a standard
/// script.
pub const MAX_FORCED_BYTES: usize = 3_072;
/// Most bytes of a script that Core relays in a P2WSH input.
pub const MAX_STANDARD_SCRIPT: usize = 3_600;
/// Most bytes of a push.
const MAX_PUSH: usize = 520;

const _: () = assert!(BODY_LEN <= MAX_BODY);
// Four bytes around the data and three before each push; a key and CHECKSIG.
const _: () = assert!(
    3 + MAX_FORCED_BYTES + 3 * MAX_FORCED_BYTES.div_ceil(MAX_PUSH) + 35 <= MAX_STANDARD_SCRIPT
);

const OP_FALSE: u8 = 0x00;
const OP_PUSHDATA1: u8 = 0x4c;
const OP_PUSHDATA2: u8 = 0x4d;
const OP_IF: u8 = 0x63;
const OP_ENDIF: u8 = 0x68;
const OP_CHECKSIG: u8 = 0xac;

/// Which data a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForcedPayload {
    /// SHA-256 of the data.
    pub digest: [u8; 32],
    /// Its length, from 1 to [`MAX_FORCED_BYTES`].
    pub length: u16,
}

impl ForcedPayload {
    /// That names `data`. `None` where it is empty or too long.
    pub fn of(data: &[u8]) -> Option<Self> {
        let length = u16::try_from(data.len()).ok()?;
        is_length(length).then(|| Self { digest: Sha256::digest(data).into(), length })
    }

    /// Reads a body. `None` for one of another length, or that names no possible data.
    pub fn read(body: &[u8]) -> Option<Self> {
        let body: &[u8; BODY_LEN] = body.try_into().ok()?;
        let (digest, length) = body.split_first_chunk::<32>()?;
        let length = u16::from_le_bytes(length.try_into().ok()?);
        is_length(length).then_some(Self { digest: *digest, length })
    }

    /// Whether this is the data.
    pub fn names(&self, data: &[u8]) -> bool {
        // The length first: it costs no hash.
        data.len() == usize::from(self.length)
            && self.digest == <[u8; 32]>::from(Sha256::digest(data))
    }

    /// The output script that names the data to the layer 2 `chain_id`.
    pub fn script(&self, chain_id: u32) -> Vec<u8> {
        let body = [&self.digest[..], &self.length.to_le_bytes()].concat();
        let message = Message { kind: MessageKind::ForcedTransaction, chain_id, body: &body };
        // A body of this length always fits.
        message.script().unwrap_or_default()
    }
}

fn is_length(length: u16) -> bool {
    (1..=MAX_FORCED_BYTES).contains(&usize::from(length))
}

/// The script that shows `data` and lets the owner of the compressed `key` spend: what
/// stands last in the witness. `None` where the data is empty or too long.
pub fn data_script(data: &[u8], key: &[u8; 33]) -> Option<Vec<u8>> {
    if data.is_empty() || data.len() > MAX_FORCED_BYTES {
        return None;
    }
    let mut script = Vec::from([OP_FALSE, OP_IF]);
    for push in data.chunks(MAX_PUSH) {
        let length = push.len() as u16;
        match length {
            0..=75 => script.push(length as u8),
            76..=255 => script.extend([OP_PUSHDATA1, length as u8]),
            _ => {
                script.push(OP_PUSHDATA2);
                script.extend(length.to_le_bytes());
            }
        }
        script.extend(push);
    }
    script.extend([OP_ENDIF, key.len() as u8]);
    script.extend(key);
    script.push(OP_CHECKSIG);
    Some(script)
}

/// The address of outputs that `script` spends (P2WSH).
pub fn script_address(script: &[u8]) -> L1Address {
    L1Address::WitnessScriptHash(Sha256::digest(script).into())
}

/// What a script shows: the pushes between `FALSE IF` and `ENDIF`, joined. `None` for
/// one of another form, or with more than [`MAX_FORCED_BYTES`].
pub fn shown_data(script: &[u8]) -> Option<Vec<u8>> {
    let mut rest = script.strip_prefix(&[OP_FALSE, OP_IF])?;
    let mut data = Vec::new();
    loop {
        let (&code, behind) = rest.split_first()?;
        let (length, behind) = match code {
            OP_ENDIF => return Some(data),
            1..=75 => (usize::from(code), behind),
            OP_PUSHDATA1 => {
                let (&[length], behind) = behind.split_first_chunk::<1>()?;
                (usize::from(length), behind)
            }
            OP_PUSHDATA2 => {
                let (&length, behind) = behind.split_first_chunk::<2>()?;
                (usize::from(u16::from_le_bytes(length)), behind)
            }
            _ => return None,
        };
        let (push, behind) = behind.split_at_checked(length)?;
        if data.len().saturating_add(length) > MAX_FORCED_BYTES {
            return None;
        }
        data.extend(push);
        rest = behind;
    }
}

#[cfg(test)]
#[path = "forced_tests.rs"]
mod tests;
