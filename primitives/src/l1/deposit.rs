//! A deposit in the vault (R4.1): coins that are not destroyed but locked with the
//! sequencers, in the [envelope](super::envelope).
//!
//! ```text
//! message  envelope of kind 2 with a body of 33 bytes: the recipient, as a burn's
//! coins    output 1, pay-to-witness-script-hash:
//!          00 20 ‖ SHA-256 of the vault's script
//! ```
//! The vault's script changes with the sequencers, which L1 knows nothing of. So the reader
//! of blocks hands over every such output with the hash that it pays to, and whether that is
//! the vault is L2's to judge ([`judge`]). The reading of L1 need not change when a chain
//! gets its vault, nor when the vault moves.
//!
//! What is credited is the value of the output itself. The first readable deposit message
//! of a transaction decides, whatever it says, so one output is never two people's deposit.

use super::{
    burn::{BurnRejection, Recipient},
    envelope::{Message, MessageKind, MAX_BODY},
};
use alloc::vec::Vec;

/// Length of a body.
pub const BODY_LEN: usize = 33;
/// Position of the output that holds the coins.
pub const DEPOSIT_VOUT: usize = 1;

const _: () = assert!(BODY_LEN <= MAX_BODY);

/// To whom the coins are credited.
///
/// # Errors
/// [`BurnRejection::Malformed`] for a body of another length, [`BurnRejection::BadKey`]
/// for a recipient that nobody could spend for.
pub fn read(body: &[u8]) -> Result<Recipient, BurnRejection> {
    let body: &[u8; BODY_LEN] = body.try_into().map_err(|_| BurnRejection::Malformed)?;
    Recipient::decode(body).ok_or(BurnRejection::BadKey)
}

/// The body of the message.
pub fn body(recipient: &Recipient) -> [u8; BODY_LEN] {
    recipient.encode()
}

/// The output script that says it to the layer 2 `chain_id`.
pub fn script(recipient: &Recipient, chain_id: u32) -> Vec<u8> {
    let message = Message { kind: MessageKind::VaultDeposit, chain_id, body: &body(recipient) };
    // A body of this length always fits.
    message.script().unwrap_or_default()
}

/// SHA-256 of the script that an output pays to; `None` for an output of another form.
pub fn witness_script_hash(script: &[u8]) -> Option<[u8; 32]> {
    script.strip_prefix(&[0x00, 0x20])?.try_into().ok()
}

/// A deposit as a block shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit<'a> {
    /// The layer 2 that the message names.
    pub chain_id: u32,
    /// Coins in the output, in L1 units.
    pub value: u64,
    /// SHA-256 of the script that the output pays to.
    pub script: &'a [u8; 32],
    /// The message's body.
    pub body: &'a [u8],
}

/// Judges a deposit for the chain `chain_id`, whose vault's script has the SHA-256 `vault`;
/// `None` for a chain without a vault.
///
/// The checks come in a fixed order, so that every node gives the same reason.
///
/// # Errors
/// The first [`BurnRejection`] that applies.
pub fn judge(
    deposit: &Deposit<'_>,
    chain_id: u32,
    vault: Option<&[u8; 32]>,
) -> Result<Recipient, BurnRejection> {
    let recipient = read(deposit.body)?;
    if deposit.chain_id != chain_id {
        return Err(BurnRejection::WrongChain);
    }
    if deposit.value == 0 {
        return Err(BurnRejection::ZeroValue);
    }
    let vault = vault.ok_or(BurnRejection::NoVault)?;
    (deposit.script == vault).then_some(recipient).ok_or(BurnRejection::WrongVault)
}

#[cfg(test)]
#[path = "deposit_tests.rs"]
mod tests;
