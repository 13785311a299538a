//! The burn: an `OP_RETURN` output whose own value is destroyed on L1 and minted
//! on L2.
//!
//! ```text
//! script   6a ‖ push of 51 bytes        (any push form is read; `33` is written)
//! payload  "L2BURN" ‖ chain id u32 LE ‖ recipient 33 ‖ amount u64 LE
//! ```
//! The recipient is a compressed secp256k1 key (`02`/`03` ‖ x), whose account is
//! Substrate's ecdsa account, or `00 ‖ AccountId32`, so that sr25519 and ed25519
//! wallets can receive. What is minted is the value of the output itself; the
//! encoded amount is only compared (spec: cascoin-l1.md 2.1, architecture.md
//! "L1 relay").

use crate::chain::AccountId;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::ecdsa;
use sp_runtime::traits::IdentifyAccount;
use sp_runtime::MultiSigner;

/// The six bytes that mark a burn.
pub const MARKER: [u8; 6] = *b"L2BURN";
/// Length of a well-formed payload.
pub const PAYLOAD_LEN: usize = 51;
/// Bytes of a payload that are kept when it is malformed: what standard relay
/// policy lets through in one output.
pub const MAX_KEPT_PAYLOAD: u32 = 80;

/// Who gets what was burned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A compressed secp256k1 key, checked to be on the curve.
    Key(ecdsa::Public),
    /// An account of any key type.
    Account(AccountId),
}

impl Recipient {
    /// The L2 account to credit.
    pub fn account(&self) -> AccountId {
        match self {
            Self::Key(key) => MultiSigner::Ecdsa(*key).into_account(),
            Self::Account(account) => account.clone(),
        }
    }

    pub(super) fn encode(&self) -> [u8; 33] {
        let mut bytes = [0; 33];
        match self {
            Self::Key(key) => bytes.copy_from_slice(&key.0),
            Self::Account(account) => bytes[1..].copy_from_slice(account.as_ref()),
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8; 33]) -> Option<Self> {
        match bytes[0] {
            0 => {
                let mut account = [0; 32];
                account.copy_from_slice(&bytes[1..]);
                Some(Self::Account(account.into()))
            }
            2 | 3 => {
                k256::PublicKey::from_sec1_bytes(bytes).ok()?;
                Some(Self::Key(ecdsa::Public::from_raw(*bytes)))
            }
            _ => None,
        }
    }
}

/// A well-formed burn payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BurnPayload {
    /// The L2 chain that shall mint; never 0.
    pub chain_id: u32,
    /// Who gets it.
    pub recipient: Recipient,
    /// What the sender says to burn, in L1 units. Only compared.
    pub amount: u64,
}

/// Why a burn or a deposit is not minted (ledger O6, names as RPC shows them).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BurnRejection {
    /// The output carries no value: nothing was destroyed.
    ZeroValue,
    /// It names another chain.
    WrongChain,
    /// The recipient is no key on the curve and no account.
    BadKey,
    /// The payload is not 51 bytes, or its chain id is 0.
    Malformed,
    /// Governance took it out of the queue in which it waited, so that no more of it is
    /// minted. [`judge`] never says so.
    ByGovernance,
    /// A deposit, and the chain has no vault ([`deposit::judge`](super::deposit::judge)).
    NoVault,
    /// A deposit whose coins are not in the chain's vault.
    WrongVault,
}

impl BurnPayload {
    /// The 51 bytes.
    pub fn encode(&self) -> [u8; PAYLOAD_LEN] {
        let mut bytes = [0; PAYLOAD_LEN];
        bytes[..6].copy_from_slice(&MARKER);
        bytes[6..10].copy_from_slice(&self.chain_id.to_le_bytes());
        bytes[10..43].copy_from_slice(&self.recipient.encode());
        bytes[43..].copy_from_slice(&self.amount.to_le_bytes());
        bytes
    }

    /// Reads a payload that begins with [`MARKER`].
    ///
    /// # Errors
    /// [`BurnRejection::Malformed`] for a wrong length, marker or chain id 0,
    /// [`BurnRejection::BadKey`] for a recipient that nobody could spend for.
    pub fn decode(payload: &[u8]) -> Result<Self, BurnRejection> {
        let payload: &[u8; PAYLOAD_LEN] =
            payload.try_into().map_err(|_| BurnRejection::Malformed)?;
        if payload[..6] != MARKER {
            return Err(BurnRejection::Malformed);
        }
        let chain_id = u32::from_le_bytes([payload[6], payload[7], payload[8], payload[9]]);
        if chain_id == 0 {
            return Err(BurnRejection::Malformed);
        }
        let mut key = [0; 33];
        key.copy_from_slice(&payload[10..43]);
        let mut amount = [0; 8];
        amount.copy_from_slice(&payload[43..]);
        Ok(Self {
            chain_id,
            recipient: Recipient::decode(&key).ok_or(BurnRejection::BadKey)?,
            amount: u64::from_le_bytes(amount),
        })
    }

    /// The output script that carries the payload.
    pub fn script(&self) -> Vec<u8> {
        let mut script = Vec::with_capacity(PAYLOAD_LEN + 2);
        script.extend([OP_RETURN, PAYLOAD_LEN as u8]);
        script.extend(self.encode());
        script
    }
}

/// Judges one marked output of `value` L1 units for the chain `chain_id`.
///
/// The checks come in a fixed order, so that every node gives the same reason.
///
/// # Errors
/// The first [`BurnRejection`] that applies.
pub fn judge(payload: &[u8], value: u64, chain_id: u32) -> Result<BurnPayload, BurnRejection> {
    let burn = BurnPayload::decode(payload)?;
    if burn.chain_id != chain_id {
        return Err(BurnRejection::WrongChain);
    }
    if value == 0 {
        return Err(BurnRejection::ZeroValue);
    }
    Ok(burn)
}

const OP_RETURN: u8 = 0x6a;
const OP_PUSHDATA1: u8 = 0x4c;
const OP_PUSHDATA2: u8 = 0x4d;
const OP_PUSHDATA4: u8 = 0x4e;

/// The payload of a script that is `OP_RETURN` followed by one push of data that
/// begins with [`MARKER`]; `None` for every other script.
pub fn marked_payload(script: &[u8]) -> Option<&[u8]> {
    return_payload(script).filter(|payload| payload.starts_with(&MARKER))
}

/// The data of a script that is `OP_RETURN` followed by one push; `None` for every other
/// script. Bytes after that push are ignored, as L1's own parser does.
pub(super) fn return_payload(script: &[u8]) -> Option<&[u8]> {
    let (&op, rest) = script.split_first()?;
    if op != OP_RETURN {
        return None;
    }
    let (&push, rest) = rest.split_first()?;
    let (length, rest) = match push {
        1..=75 => (push as usize, rest),
        OP_PUSHDATA1 => (*rest.first()? as usize, rest.get(1..)?),
        OP_PUSHDATA2 => {
            (u16::from_le_bytes([*rest.first()?, *rest.get(1)?]) as usize, rest.get(2..)?)
        }
        OP_PUSHDATA4 => {
            let length: [u8; 4] = rest.get(..4)?.try_into().ok()?;
            (usize::try_from(u32::from_le_bytes(length)).ok()?, rest.get(4..)?)
        }
        _ => return None,
    };
    rest.get(..length)
}
