//! Notes what accounts do.

use crate::{
    pallet::{Config, Pallet},
    types::{Transfer, TransferOf},
    WeightInfo,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    reputation::{rule::INSTANT_FINALITY_SCORE, ReputationProvider},
};
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::{fmt, marker::PhantomData};
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    pallet_prelude::{TransactionSource, ValidTransaction},
    traits::{Contains, Get, StoredMap},
    weights::Weight,
};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, Dispatchable, PostDispatchInfoOf,
        TransactionExtension, ValidateResult,
    },
    transaction_validity::{TransactionPriority, TransactionValidityError},
    DispatchResult,
};

/// Notes each signed transaction of a user after it ran: that it was, whether it succeeded, and
/// what it transferred to somebody else. A transfer within a batch or through a proxy
/// or multisig is not looked for: it counts as a transaction, not as volume.
///
/// In the pool, transactions of accounts whose score is above
/// [`INSTANT_FINALITY_SCORE`] come before others that tip no more than about the minimum
/// fee (R6.1).
///
/// It has no payload and changes nothing about what is valid, so wallets need not know
/// it.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, PartialEq, Eq, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct RecordActivity<T>(PhantomData<T>);

impl<T> RecordActivity<T> {
    /// The extension; there is only one.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for RecordActivity<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for RecordActivity<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordActivity")
    }
}

/// Who signed, and what is transferred if the call succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub(crate) signer: AccountId,
    pub(crate) transfer: Option<Transfer>,
}

/// Transfers that fit into a block, about: pallet-transaction-payment multiplies a tip by
/// it to get a priority.
const TRANSFERS_IN_A_BLOCK: u64 = 1_000;

impl<T: Config> Pallet<T> {
    /// What a tip of the minimum fee would give.
    fn priority() -> TransactionPriority {
        let fee = u64::try_from(T::Parameters::get().min_fee).unwrap_or(u64::MAX);
        fee.saturating_mul(TRANSFERS_IN_A_BLOCK)
    }

    pub(crate) fn note(noted: Noted, succeeded: bool) {
        let Noted { signer, transfer } = noted;
        let today = Self::today();
        // An account that is gone by now has no record to write to.
        let _ = T::Activities::mutate(&signer, |activity| {
            activity.note_transaction(today, succeeded);
            if let Some(transfer) = transfer.filter(|_| succeeded) {
                activity.note_transfer(transfer.recipient.as_ref(), transfer.amount);
            }
        });
    }
}

impl<T> TransactionExtension<T::RuntimeCall> for RecordActivity<T>
where
    T: Config + Send + Sync,
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
    T::RuntimeOrigin: AsSystemOriginSigner<AccountId> + Clone,
{
    const IDENTIFIER: &'static str = "RecordActivity";
    type Implicit = ();
    type Val = ();
    type Pre = Option<Noted>;

    fn weight(&self, _: &T::RuntimeCall) -> Weight {
        T::WeightInfo::record()
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        _: &T::RuntimeCall,
        _: &DispatchInfoOf<T::RuntimeCall>,
        _: usize,
        (): Self::Implicit,
        _: &impl Encode,
        source: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        // A block has its order already.
        let pooled = source != TransactionSource::InBlock;
        let trusted = |signer: &AccountId| Pallet::<T>::score(signer) > INSTANT_FINALITY_SCORE;
        let first = pooled && origin.as_system_origin_signer().is_some_and(trusted);
        let priority = if first { Pallet::<T>::priority() } else { 0 };
        Ok((ValidTransaction { priority, ..ValidTransaction::default() }, (), origin))
    }

    fn prepare(
        self,
        (): Self::Val,
        origin: &T::RuntimeOrigin,
        call: &T::RuntimeCall,
        _: &DispatchInfoOf<T::RuntimeCall>,
        _: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        if !T::Noted::contains(call) {
            return Ok(None);
        }
        Ok(origin.as_system_origin_signer().map(|signer| Noted {
            signer: signer.clone(),
            transfer: T::Transfers::transfer_of(call)
                .filter(|transfer| transfer.recipient != *signer),
        }))
    }

    fn post_dispatch_details(
        noted: Self::Pre,
        _: &DispatchInfoOf<T::RuntimeCall>,
        _: &PostDispatchInfoOf<T::RuntimeCall>,
        _: usize,
        result: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        match noted {
            Some(noted) => Pallet::<T>::note(noted, result.is_ok()),
            None => return Ok(T::WeightInfo::record()),
        }
        Ok(Weight::zero())
    }
}
