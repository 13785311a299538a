//! Coins that are locked on L1 as a sequencer's stake (R2.3).
//!
//! ```text
//! message  envelope of kind 6 with a body of 56 bytes:
//!          account 32 ‖ unlock u32 LE ‖ owner 20
//! lock     output 1, pay-to-script-hash of
//!          push of unlock ‖ b1 75 76 a9 14 ‖ owner 20 ‖ 88 ac
//! ```
//! The script is `<unlock> CHECKLOCKTIMEVERIFY DROP DUP HASH160 <owner> EQUALVERIFY
//! CHECKSIG`: L1 lets nobody spend the output at the height `unlock` or below, and above it
//! only the key with the hash `owner`. It is known in full from the message, so that one hash
//! shows from a block alone whether the coins are locked. The first readable stake
//! message of a transaction decides, whatever it says, so one output is never two
//! accounts' stake.
//!
//! Anybody may lock coins for anybody's account. The owner proves nothing and is only
//! who gets them back.

use super::{
    address::L1Address,
    cvm::{hash160, push_number, script_hash},
    envelope::{Message, MessageKind},
    transaction::StrippedTransaction,
};
use crate::chain::AccountId;
use alloc::vec::Vec;

/// Length of a message's body.
pub const BODY_LEN: usize = 32 + 4 + 20;
/// Position of the output that holds the coins.
pub const LOCK_VOUT: usize = 1;
/// L1 blocks that coins must be locked for, from the block that holds them on: a week.
/// What is locked for less could be made and undone again and again to crowd others out.
pub const MIN_LOCK_BLOCKS: u32 = 4_032;
/// L1 blocks that a lock ranks by at most: a year. Otherwise few coins that are locked
/// for ever would outrank many.
pub const MAX_RANKED_BLOCKS: u32 = 210_240;
/// Lock times from 500 million on are no heights (BIP 65).
pub const MAX_UNLOCK: u32 = 499_999_999;

/// What a stake message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StakePayload {
    /// Whose stake the coins are.
    pub account: AccountId,
    /// The height that no L1 transaction can spend them at or below.
    pub unlock: u32,
    /// HASH160 of the key that can spend them then.
    pub owner: [u8; 20],
}

impl StakePayload {
    /// Reads a body. `None` for one of another length, or with an unlock that is no height.
    pub fn read(body: &[u8]) -> Option<Self> {
        let body: &[u8; BODY_LEN] = body.try_into().ok()?;
        let (account, body) = body.split_first_chunk::<32>()?;
        let (unlock, owner) = body.split_first_chunk::<4>()?;
        let unlock = u32::from_le_bytes(*unlock);
        (1..=MAX_UNLOCK).contains(&unlock).then_some(Self {
            account: AccountId::new(*account),
            unlock,
            owner: owner.try_into().ok()?,
        })
    }

    /// The body of the message.
    pub fn body(&self) -> Vec<u8> {
        [AsRef::<[u8]>::as_ref(&self.account), &self.unlock.to_le_bytes(), &self.owner].concat()
    }

    /// The output script that says it to the layer 2 `chain_id`.
    pub fn script(&self, chain_id: u32) -> Vec<u8> {
        let message = Message { kind: MessageKind::Stake, chain_id, body: &self.body() };
        // A body of this length always fits.
        message.script().unwrap_or_default()
    }

    /// The lock that the coins are in.
    pub const fn time_lock(&self) -> TimeLock {
        TimeLock { unlock: self.unlock, owner: self.owner }
    }

    /// The script that spending the coins must show.
    pub fn redeem_script(&self) -> Vec<u8> {
        self.time_lock().redeem_script()
    }

    /// The script of the output that locks the coins.
    pub fn lock_script(&self) -> Vec<u8> {
        self.time_lock().script()
    }
}

/// A lock that only its owner can open, and not before a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLock {
    /// The height that no L1 transaction can spend the coins at or below.
    pub unlock: u32,
    /// HASH160 of the key that can spend them then.
    pub owner: [u8; 20],
}

impl TimeLock {
    /// The script that spending the coins must show.
    pub fn redeem_script(&self) -> Vec<u8> {
        let mut redeem = Vec::with_capacity(32);
        push_number(&mut redeem, self.unlock);
        // CHECKLOCKTIMEVERIFY DROP DUP HASH160
        redeem.extend([0xb1, 0x75, 0x76, 0xa9, 20]);
        redeem.extend(self.owner);
        // EQUALVERIFY CHECKSIG
        redeem.extend([0x88, 0xac]);
        redeem
    }

    /// The script of the output that locks the coins.
    pub fn script(&self) -> Vec<u8> {
        L1Address::ScriptHash(hash160(&self.redeem_script())).script()
    }
}

/// Whether a script pays to a script hash: what is no such script locks nothing, and
/// costs no hash to find out.
pub fn pays_to_script_hash(script: &[u8]) -> bool {
    script_hash(script).is_some()
}

/// Coins that a transaction locks, for however long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// The layer 2 that is told.
    pub chain_id: u32,
    /// What it is told.
    pub payload: StakePayload,
    /// How many, in base units.
    pub value: u64,
}

impl Locked {
    /// What a transaction with these output scripts locks in its output [`LOCK_VOUT`], which
    /// has this value and script.
    ///
    /// No hash is computed where that output does not pay to one.
    pub fn read<'a>(
        value: u64,
        script: &[u8],
        mut scripts: impl Iterator<Item = &'a [u8]>,
    ) -> Option<Self> {
        if value == 0 || !pays_to_script_hash(script) {
            return None;
        }
        let is_stake = |message: &Message<'_>| message.kind == MessageKind::Stake;
        let message =
            scripts.find_map(|script| Message::read(script)?.ok().filter(|read| is_stake(read)))?;
        let payload = StakePayload::read(message.body)?;
        let locks = payload.lock_script() == script;
        locks.then_some(Self { chain_id: message.chain_id, payload, value })
    }

    /// What a transaction locks.
    pub fn in_transaction(transaction: &StrippedTransaction<'_>) -> Option<Self> {
        let output = transaction.outputs.get(LOCK_VOUT)?;
        let scripts = transaction.outputs.iter().map(|output| output.script);
        Self::read(output.value, output.script, scripts)
    }

    /// Whether it is stake if it stands in the block at `height`: it is for long enough.
    pub const fn lasts_from(&self, height: u32) -> bool {
        self.payload.unlock >= height.saturating_add(MIN_LOCK_BLOCKS)
    }
}

/// How much is locked for how long, at the L1 height `now`: base units × blocks, a year's
/// at most. Where not all locks can be kept, those with the most stay.
pub fn coin_blocks(value: u64, unlock: u32, now: u32) -> u128 {
    let blocks = unlock.saturating_sub(now).min(MAX_RANKED_BLOCKS);
    u128::from(value).saturating_mul(blocks.into())
}

#[cfg(test)]
#[path = "stake_tests.rs"]
mod tests;
