//! Transactions that stand on L1 are included, whatever sequencers want.

use crate::{ChainParameters, Moment, Runtime, RuntimeOrigin, Timestamp, UncheckedExtrinsic};
use alloc::vec::Vec;
use cascoin_l2_primitives::apis::{ForcedEntry, ForcedStatus};
use codec::DecodeLimit;
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    parameter_types,
    storage::{transactional::with_transaction_opaque_err, TransactionOutcome},
    traits::Get,
    weights::{constants::ExtrinsicBaseWeight, Weight},
    MAX_EXTRINSIC_DEPTH,
};
use pallet_forced_inclusion::{ApplyTransaction, Counts, Entries, Outcome, Queue};
use sp_runtime::{
    generic::ExtrinsicFormat,
    traits::{Checkable, DispatchTransaction},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    DispatchResult,
};

/// The version of the extensions of a signed transaction.
const EXTENSION_VERSION: u8 = 0;
/// What the extensions read of the state before they refuse a transaction, generously.
const CHECK_READS: u64 = 16;

/// Most entries of one answer.
const MAX_LISTED: u32 = 100;

parameter_types! {
    pub Deadline: Moment = ChainParameters::get().forced_inclusion_s.saturating_mul(1_000);
}

/// Applies a signed transaction as a block does: all that is checked of it there is
/// checked here, and of one that is refused nothing stays.
pub struct ApplySigned;

impl ApplyTransaction for ApplySigned {
    fn apply(encoded: &[u8]) -> Outcome {
        let decoded =
            UncheckedExtrinsic::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut &*encoded);
        let Ok(transaction) = decoded else { return Outcome::Invalid };
        let applied = with_transaction_opaque_err(|| match dispatch(transaction, encoded.len()) {
            Ok(result) => TransactionOutcome::Commit(Ok(result)),
            Err(refusal) => TransactionOutcome::Rollback(Err(refusal)),
        });
        // As at the end of a transaction: the next one begins with none of its weight given
        // back.
        frame_system::ExtrinsicWeightReclaimed::<Runtime>::kill();
        match applied {
            Ok(Ok(result)) => Outcome::Applied(result),
            Ok(Err(refusal)) => refused(refusal),
            // Too many layers of storage transactions, which a block does not begin with.
            Err(()) => Outcome::NoRoom,
        }
    }

    fn max_check_weight() -> Weight {
        ExtrinsicBaseWeight::get()
            .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads(CHECK_READS))
    }
}

fn dispatch(
    transaction: UncheckedExtrinsic,
    len: usize,
) -> Result<DispatchResult, TransactionValidityError> {
    let checked = transaction.check(&frame_system::ChainContext::<Runtime>::default())?;
    let info = checked.get_dispatch_info();
    let ExtrinsicFormat::Signed(signer, extension) = checked.format else {
        // What nobody signed brings its own authorisation, and the pool takes it from
        // anybody.
        return Err(InvalidTransaction::UnknownOrigin.into());
    };
    if info.class != DispatchClass::Normal {
        return Err(InvalidTransaction::Call.into());
    }
    let origin = RuntimeOrigin::from(Some(signer));
    let result =
        extension.dispatch_transaction(origin, checked.function, &info, len, EXTENSION_VERSION)?;
    Ok(result.map(|_| ()).map_err(|failed| failed.error))
}

fn refused(refusal: TransactionValidityError) -> Outcome {
    match refusal {
        TransactionValidityError::Invalid(InvalidTransaction::Stale) => Outcome::NonceUsed,
        TransactionValidityError::Invalid(InvalidTransaction::Payment) => Outcome::Unpayable,
        TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources) => Outcome::NoRoom,
        _ => Outcome::Invalid,
    }
}

/// What became of transactions that stood on L1, and at most `limit` of those that wait,
/// from a place on.
pub(crate) fn status(from: u64, limit: u32) -> ForcedStatus {
    let totals = Counts::<Runtime>::get();
    let places = Queue::<Runtime>::get();
    let begin = from.max(places.first);
    let end = begin.saturating_add(limit.min(MAX_LISTED).into()).min(places.next);
    let entry = |place: u64| {
        let waiting = Entries::<Runtime>::get(place)?;
        Some(ForcedEntry { place, hash: waiting.hash, due: waiting.due })
    };
    ForcedStatus {
        heard: totals.heard,
        included: totals.included,
        applied: totals.applied,
        dropped: totals.dropped,
        first: places.first,
        waiting: (begin..end).filter_map(entry).collect::<Vec<_>>(),
    }
}

impl pallet_forced_inclusion::Config for Runtime {
    type Time = Timestamp;
    type ChainId = super::stake::ChainId;
    type Deadline = Deadline;
    type Halted = super::liveness::Emergency;
    type Apply = ApplySigned;
    type WeightInfo = crate::weights::pallet_forced_inclusion::WeightInfo<Runtime>;
}
