//! How a layer 2 chain is registered on L1 (R1.3 to R1.5, R32.1).
//!
//! ```text
//! message  envelope of kind 1 with a body of 57 to 69 bytes:
//!          unlock u32 LE ‖ owner 20 ‖ definition 32 ‖ name of 1 to 13 bytes
//! lock     output 1, a time lock of unlock and owner, as a stake's
//! ```
//! The envelope's chain id is that of the layer 2 whose registry is told. The definition is
//! a hash ([`ChainDefinition::hash`](crate::registry::ChainDefinition::hash)): what it is of
//! does not fit into 80 bytes, and is shown to the registry by whoever wants to. It binds the
//! genesis block, so that the deployment fixes the genesis state.
//!
//! The new chain's id follows from the output that the transaction's first input spends
//! ([`chain_id_of`]). No other transaction can ever spend it, and it is known before the
//! transaction is made: the genesis, whose hash the message binds, holds the id.
//!
//! The first readable registration of a transaction decides.

use super::{
    envelope::{Message, MessageKind, MAX_BODY},
    stake::{TimeLock, MAX_UNLOCK},
    L1Hash, OutPoint,
};
use alloc::vec::Vec;
use sp_core::{bounded::BoundedVec, ConstU32};

/// Bytes of a body before the name.
const FIXED_LEN: usize = 4 + 20 + 32;
/// Most bytes of a name: what is left of a message.
pub const MAX_NAME: u32 = (MAX_BODY - FIXED_LEN) as u32;
/// L1 blocks that the deployer's coins must be locked for, from the block that holds them
/// on: about three months.
pub const MIN_REGISTRATION_BLOCKS: u32 = 52_560;
/// Coins that a deployer must lock (R1.4).
pub const MIN_REGISTRATION_COINS: u32 = 1_000;
/// The smallest id of a registered chain: those below are the presets'.
pub const FIRST_CHAIN_ID: u32 = 1_000;
/// How many ids there are.
const CHAIN_IDS: u64 = 999_998_999;
/// Told apart from everything else that is hashed of an outpoint.
const ID_DOMAIN: &[u8] = b"CASL2 chain id";

/// A chain's name: a letter, then letters, digits, `_` and `-`.
pub type ChainName = BoundedVec<u8, ConstU32<MAX_NAME>>;

/// Reads a name. `None` for one that is empty, too long, or has other characters.
pub fn chain_name(bytes: &[u8]) -> Option<ChainName> {
    let first = bytes.first()?;
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let right = first.is_ascii_alphabetic() && bytes.iter().all(good);
    right.then(|| bytes.to_vec().try_into().ok()).flatten()
}

/// The id of the chain whose registration spends `seed` in its first input.
pub fn chain_id_of(seed: &OutPoint) -> u32 {
    let L1Hash(hash) = L1Hash::of(&[ID_DOMAIN, &seed.txid.0, &seed.vout.to_le_bytes()].concat());
    let [a, b, c, d, e, f, g, h, ..] = hash;
    // Less than a thousand million, so it fits.
    let number = u64::from_le_bytes([a, b, c, d, e, f, g, h]) % CHAIN_IDS;
    FIRST_CHAIN_ID.saturating_add(number as u32)
}

/// What a registration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The lock that the deployer's coins are in. Its owner is the deployer.
    pub lock: TimeLock,
    /// Hash of the chain's definition.
    pub definition: L1Hash,
    /// The chain's name.
    pub name: ChainName,
}

impl Registration {
    /// Reads a body. `None` for one of a wrong length, with an unlock that is no height or
    /// with what is no name.
    pub fn read(body: &[u8]) -> Option<Self> {
        let (unlock, body) = body.split_first_chunk::<4>()?;
        let (owner, body) = body.split_first_chunk::<20>()?;
        let (definition, name) = body.split_first_chunk::<32>()?;
        let unlock = u32::from_le_bytes(*unlock);
        let name = chain_name(name)?;
        (1..=MAX_UNLOCK).contains(&unlock).then_some(Self {
            lock: TimeLock { unlock, owner: *owner },
            definition: L1Hash(*definition),
            name,
        })
    }

    /// The body of the message.
    pub fn body(&self) -> Vec<u8> {
        let TimeLock { unlock, owner } = self.lock;
        [&unlock.to_le_bytes()[..], &owner, &self.definition.0, self.name.as_slice()].concat()
    }

    /// The output script that says it to the registry of the layer 2 `chain_id`.
    pub fn script(&self, chain_id: u32) -> Vec<u8> {
        let body = self.body();
        let message = Message { kind: MessageKind::ChainRegistration, chain_id, body: &body };
        // A body with a name of this length always fits.
        message.script().unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "registration_tests.rs"]
mod tests;
