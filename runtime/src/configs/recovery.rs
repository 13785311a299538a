//! A rehearsal of a recovery (ADR 0033): what users did since a past block is repeated on
//! that block's state, by the rule of `cascoin_l2_primitives::recovery::replay`, and what
//! became of each is told. It runs as a query, so nothing of it stays.
//!
//! It is what the last phase of a recovery would do, as near as a query comes to it: fees
//! and time are those of the past block, and what the chain did by itself (messages from
//! L1, rewards, slashes) is not repeated.

use crate::{
    transactions::{extension, tip_of},
    AccountId, Balance, Balances, Runtime, RuntimeCall, RuntimeOrigin, System, TxExtension,
    UncheckedExtrinsic,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::recovery::{Fall, Ledger, Past, Replay, Verdict};
use codec::DecodeLimit;
use frame_support::{
    dispatch::GetDispatchInfo,
    storage::{transactional::with_transaction_opaque_err, TransactionOutcome},
    traits::fungible::Mutate,
    MAX_EXTRINSIC_DEPTH,
};
use sp_runtime::{
    generic::Preamble,
    traits::{DispatchTransaction, StaticLookup, TransactionExtension},
    transaction_validity::InvalidTransaction,
};

/// The version of the extensions of a signed transaction.
const EXTENSION_VERSION: u8 = 0;

/// What would become of the users' transactions of `blocks`, in their order, each as it
/// stands in its block, after `credits`.
pub fn rehearse(
    credits: Vec<(AccountId, Balance)>,
    blocks: &[Vec<Past<Vec<u8>>>],
) -> Vec<Vec<Verdict<Fall>>> {
    for (account, amount) in credits {
        // Refused only where it would overflow.
        let _ = Balances::mint_into(&account, amount);
    }
    let mut verdicts = Vec::new();
    // Blocks without users' transactions need not be there, so places are counted anew.
    let mut replay = Replay::between(0, u32::try_from(blocks.len()).unwrap_or(u32::MAX));
    for block in blocks {
        begin_block();
        let mut told = Vec::new();
        let done = replay.step(&mut Users, block, u32::MAX, |_, _, verdict| told.push(verdict));
        if done.is_err() {
            break;
        }
        verdicts.push(told);
    }
    verdicts
}

// What counts by the block begins anew, as far as users' transactions meet it.
fn begin_block() {
    frame_system::BlockWeight::<Runtime>::kill();
    frame_system::BlockSize::<Runtime>::kill();
    let _ = pallet_rate_limit::Remaining::<Runtime>::clear(u32::MAX, None);
    System::reset_events();
}

/// The state, and users' transactions on it.
struct Users;

impl Ledger for Users {
    type Transaction = Vec<u8>;
    type Refusal = Fall;

    fn apply(&mut self, encoded: &Vec<u8>) -> Result<(), Fall> {
        let decoded =
            UncheckedExtrinsic::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut &encoded[..]);
        let transaction = decoded.map_err(|_| Fall::Unreadable)?;
        let call = transaction.function;
        let Preamble::Signed(address, _, signed) = transaction.preamble else {
            return Err(Fall::Unreadable);
        };
        let signer = <Runtime as frame_system::Config>::Lookup::lookup(address)
            .map_err(|_| Fall::Unreadable)?;
        let applied =
            with_transaction_opaque_err(|| match repeat(signer, call, &signed, encoded.len()) {
                Ok(()) => TransactionOutcome::Commit(Ok(())),
                Err(fall) => TransactionOutcome::Rollback(Err(fall)),
            });
        // As at the end of a transaction.
        frame_system::ExtrinsicWeightReclaimed::<Runtime>::kill();
        // Too many layers of storage transactions, which a query does not begin with.
        applied.unwrap_or(Err(Fall::Refused(InvalidTransaction::ExhaustsResources.into())))
    }
}

// The signature is not looked at, nor how long it was valid, nor the nonce: that the
// transaction stands in a certified block proves it.
fn repeat(
    signer: AccountId,
    call: RuntimeCall,
    signed: &TxExtension,
    len: usize,
) -> Result<(), Fall> {
    let extension = extension(System::account_nonce(&signer), tip_of(signed));
    let mut info = call.get_dispatch_info();
    info.extension_weight = extension.weight(&call);
    let origin = RuntimeOrigin::from(Some(signer));
    let result = extension
        .dispatch_transaction(origin, call, &info, len, EXTENSION_VERSION)
        .map_err(Fall::Refused)?;
    result.map(|_| ()).map_err(|failed| Fall::Failed(failed.error))
}
