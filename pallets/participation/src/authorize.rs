//! Reports of pairs that sequencers' nodes make by themselves: when the pool and the block
//! take one.
//!
//! They are free, and to judge one takes some work. So a pool takes only what its own node
//! found and tells nobody of it: each sequencer puts its own reports into the blocks that it
//! makes. Once one of them has, all others are stale.

use crate::pallet::{Call, Config, Error, Pallet};
use cascoin_l2_primitives::chain::AccountId;
use codec::Encode;
use frame_support::{
    pallet_prelude::{InvalidTransaction, Weight},
    traits::Get,
};
use sp_runtime::transaction_validity::{
    TransactionPriority, TransactionSource, TransactionValidityError,
    TransactionValidityWithRefund, ValidTransaction,
};

/// Above what users send, below what the relay needs.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 4;

impl<T: Config> From<Error<T>> for TransactionValidityError {
    fn from(error: Error<T>) -> Self {
        match error {
            Error::KnownAlready => InvalidTransaction::Stale.into(),
            _ => InvalidTransaction::Call.into(),
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn authorize_correlation(
        source: TransactionSource,
        first: &AccountId,
        second: &AccountId,
    ) -> TransactionValidityWithRefund {
        if source == TransactionSource::External {
            return Err(InvalidTransaction::Call.into());
        }
        Self::find_correlation(first, second)?;
        let validity = ValidTransaction {
            priority: PRIORITY,
            requires: Default::default(),
            provides: alloc::vec![(b"corr", first, second).encode()],
            // Until it is looked again; in an epoch everybody leads.
            longevity: T::ReportInterval::get().into(),
            propagate: false,
        };
        Ok((validity, Weight::zero()))
    }

    /// The transaction with which a node reports a pair.
    pub(crate) fn correlation_extrinsic(first: AccountId, second: AccountId) -> T::Extrinsic {
        let call = Call::<T>::report_correlation_unsigned { first, second };
        T::create_authorized_transaction(call.into())
    }
}
