//! Claims that nobody signs: when the pool and the block take one.
//!
//! They are free, so each must pay something, which the chain pays once. A node's state may
//! lag behind the sender's, therefore an outage that is not settled here answers *unknown*.

use crate::pallet::{Call, Config, OutageCount, Outages, Pallet};
use cascoin_l2_primitives::chain::AccountId;
use codec::Encode;
use frame_support::{
    pallet_prelude::{InvalidTransaction, Weight},
    traits::{
        fungible::Inspect,
        tokens::{DepositConsequence, Provenance},
    },
};
use sp_runtime::transaction_validity::{
    TransactionSource, TransactionValidityError, TransactionValidityWithRefund, UnknownTransaction,
    ValidTransaction,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn authorize_claim(
        _: TransactionSource,
        outage: &u32,
        account: &AccountId,
    ) -> TransactionValidityWithRefund {
        let Some((amount, until)) = Self::claimable(*outage, account) else {
            return Err(Self::why_not(*outage));
        };
        // Nothing is free that fails.
        let deposit = T::Currency::can_deposit(account, amount, Provenance::Extant);
        if deposit != DepositConsequence::Success {
            return Err(InvalidTransaction::Call.into());
        }
        let validity = ValidTransaction {
            // Behind those who pay.
            priority: 0,
            requires: Default::default(),
            provides: alloc::vec![(b"comp", outage, account).encode()],
            longevity: u64::from(until.saturating_sub(Self::now())).saturating_add(1),
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }

    // An outage is settled some blocks after it was counted.
    fn why_not(outage: u32) -> TransactionValidityError {
        let settled = Outages::<T>::get().iter().any(|known| known.outage == outage);
        let open = crate::pallet::Open::<T>::get().is_some_and(|window| window.outage == outage);
        if !settled && (open || outage >= OutageCount::<T>::get()) {
            UnknownTransaction::CannotLookup.into()
        } else {
            InvalidTransaction::Stale.into()
        }
    }

    /// The transaction that has an account's part paid.
    pub fn claim_extrinsic(outage: u32, account: AccountId) -> T::Extrinsic {
        T::create_authorized_transaction(Call::<T>::claim_for { outage, account }.into())
    }
}
