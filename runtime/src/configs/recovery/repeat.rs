//! A user's transaction once more: its call with its fee, or nothing. That a call succeeded
//! which makes others is not enough: each of these has to ([`outcomes`]).
//!
//! Its signature is not looked at, nor how long it was valid, nor its nonce: that it stands in
//! a certified block proves it. Nor does it count again in what accounts may take of a block,
//! or in what they did. The calls that are refused while a recovery runs, or in an emergency,
//! are not refused to it.
//!
//! A call to a pallet whose state did not go back ([`goes_back`]) is in force as it was, and
//! something newer may be, too: session keys, say. So it is not made again; its fee is paid
//! again. Inside another call it is refused: what goes back of such a batch falls.
//!
//! Two things hold once only. Who approves a multisig's call names the block of its first
//! approval, which is another when it is repeated, so that the later ones fall. And what L1
//! forced into blocks is dropped when L1 brings it again, as its nonce is used.

use super::outcomes::{wraps, Told};
use crate::{
    transactions::{extension, tip_of},
    AccountId, Balance, ChargeFees, Nonce, Runtime, RuntimeCall, RuntimeOrigin, UncheckedExtrinsic,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::recovery::Fall;
use codec::DecodeLimit;
use frame_support::{
    dispatch::{DispatchInfo, GetDispatchInfo},
    pallet_prelude::ValueQuery,
    storage::{transactional::with_transaction_opaque_err, TransactionOutcome},
    storage_alias,
    weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight},
    MAX_EXTRINSIC_DEPTH,
};
use sp_runtime::{
    generic::Preamble,
    traits::{DispatchTransaction, StaticLookup, TransactionExtension},
    transaction_validity::InvalidTransaction,
};

/// The version of the extensions of a signed transaction.
const EXTENSION_VERSION: u8 = 0;

/// Reading one transaction, generously.
const READ_MICROS: u64 = 30;

/// Set while a transaction is repeated.
#[storage_alias]
type Repeating = StorageValue<RecoveryBooks, bool, ValueQuery>;

/// Whether what is dispatched stood in a block before.
pub(crate) fn is_repeating() -> bool {
    Repeating::get()
}

/// Whether the state that a call is to goes back, so that the call has to be made again. Those
/// that wrap others do, since what they wrap is asked for by itself. A list of what does: a
/// pallet added later does not, until somebody thought about it.
pub(crate) fn goes_back(call: &RuntimeCall) -> bool {
    matches!(
        call,
        RuntimeCall::Balances(_)
            | RuntimeCall::Utility(_)
            | RuntimeCall::Multisig(_)
            | RuntimeCall::Proxy(_)
            | RuntimeCall::BurnMint(_)
            | RuntimeCall::Messages(_)
            | RuntimeCall::L2Registry(_)
            | RuntimeCall::Stake(_)
            | RuntimeCall::Rewards(_)
            | RuntimeCall::Compensation(_)
            // Of these users can only make remarks.
            | RuntimeCall::System(_)
    )
}

/// What of a past transaction counts.
struct Past {
    signer: AccountId,
    nonce: Nonce,
    tip: Balance,
    call: RuntimeCall,
}

/// A transaction as its block has it; `None` if nobody signed it or nobody can read it.
fn read(mut encoded: &[u8]) -> Option<Past> {
    let decoded =
        UncheckedExtrinsic::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut encoded);
    let transaction = decoded.ok()?;
    let Preamble::Signed(address, _, signed) = transaction.preamble else { return None };
    let signer = <Runtime as frame_system::Config>::Lookup::lookup(address).ok()?;
    let (nonce, tip) = (signed.6.nonce(), tip_of(&signed));
    Some(Past { signer, nonce, tip, call: transaction.function })
}

/// As a block weighs it, so that the fee is by the same rule.
fn info(past: &Past) -> DispatchInfo {
    let mut info = past.call.get_dispatch_info();
    info.extension_weight = extension(past.nonce, past.tip).weight(&past.call);
    info
}

/// The flag that it is repeated, and the account's nonce.
fn own_weight() -> Weight {
    <Runtime as frame_system::Config>::DbWeight::get().reads_writes(2, 2)
}

/// Who signed a transaction.
pub(super) fn signer(encoded: &[u8]) -> Option<AccountId> {
    read(encoded).map(|past| past.signer)
}

/// The most that repeating a transaction weighs; zero if it is unreadable.
pub(super) fn weight(encoded: &[u8]) -> Weight {
    read(encoded).map_or(Weight::zero(), |past| {
        let weight = info(&past).total_weight().saturating_add(own_weight());
        if !wraps(&past.call) {
            return weight;
        }
        // It is looked at what it tells. How much that will be nobody knows yet; reading an
        // event takes far less than a quarter of what comes to it.
        weight.saturating_add(weight.saturating_div(4)).saturating_add(Told::so_far().weight())
    })
}

/// A transaction that is not repeated: its nonce is used all the same.
pub(super) fn pass_over(encoded: &[u8]) {
    if let Some(past) = read(encoded) {
        use_up(&past.signer, past.nonce);
    }
}

/// The most that [`pass_over`] weighs: it is read, and its account is written.
pub(super) fn pass_over_weight() -> Weight {
    Weight::from_parts(READ_MICROS.saturating_mul(WEIGHT_REF_TIME_PER_MICROS), 0)
        .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1))
}

/// Applies a transaction with its fee, or changes nothing but for a nonce that it is ahead of.
///
/// # Errors
/// Why it does not hold.
pub(super) fn repeat(encoded: &[u8]) -> Result<Weight, Fall> {
    let past = read(encoded).ok_or(Fall::Unreadable)?;
    let (signer, nonce) = (past.signer.clone(), past.nonce);
    Repeating::put(true);
    let applied = with_transaction_opaque_err(|| match apply(past, encoded.len()) {
        Ok(weight) => TransactionOutcome::Commit(Ok(weight)),
        Err(fall) => TransactionOutcome::Rollback(Err(fall)),
    });
    Repeating::kill();
    // As at the end of a transaction.
    frame_system::ExtrinsicWeightReclaimed::<Runtime>::kill();
    use_up(&signer, nonce);
    // Too many layers of storage transactions, which neither a block nor a query begins with.
    applied.unwrap_or(Err(Fall::Refused(InvalidTransaction::ExhaustsResources.into())))
}

fn apply(past: Past, len: usize) -> Result<Weight, Fall> {
    let info = info(&past);
    let Past { signer, tip, mut call, .. } = past;
    if !goes_back(&call) {
        call = RuntimeCall::System(frame_system::Call::remark { remark: Vec::new() });
    }
    let told = wraps(&call).then(Told::so_far);
    let origin = RuntimeOrigin::from(Some(signer));
    let result = ChargeFees::from(tip)
        .dispatch_transaction(origin, call, &info, len, EXTENSION_VERSION)
        .map_err(Fall::Refused)?;
    let done = result.map_err(|failed| Fall::Failed(failed.error))?;
    let weight = done.calc_actual_weight(&info).saturating_add(own_weight());
    let Some(told) = told else { return Ok(weight) };
    // It had succeeded with all that it made, and is in force with all of it or not at all.
    match told.failed_since() {
        (Some(error), _) => Err(Fall::Failed(error)),
        (None, looked) => Ok(weight.saturating_add(looked)),
    }
}

// Nonces did not go back, so they are beyond what is repeated, but for an account that was
// reaped since: its nonce is that of the old state, or it is not there at all. What it signed
// since must not be sent in once more either, whether it held, fell or had failed. In a
// rehearsal, on the old state, it is so with all.
fn use_up(who: &AccountId, nonce: Nonce) {
    frame_system::Account::<Runtime>::mutate(who, |account| {
        account.nonce = account.nonce.max(nonce.saturating_add(1));
        // It is not there: nothing but its nonce is to be remembered, for ever.
        if account.providers == 0 && account.sufficients == 0 {
            account.providers = 1;
        }
    });
}
