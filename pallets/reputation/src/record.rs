//! Notes what accounts do.

use crate::{
    pallet::{Config, Pallet},
    types::{Transfer, TransferOf},
    WeightInfo,
};
use cascoin_l2_primitives::chain::AccountId;
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::{fmt, marker::PhantomData};
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    pallet_prelude::{TransactionSource, ValidTransaction},
    traits::StoredMap,
    weights::Weight,
};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, Dispatchable, PostDispatchInfoOf,
        TransactionExtension, ValidateResult,
    },
    transaction_validity::TransactionValidityError,
    DispatchResult,
};

/// Notes each signed transaction after it ran: that it was, whether it succeeded, and
/// what it transferred to somebody else. A transfer within a batch or through a proxy
/// or multisig is not looked for: it counts as a transaction, not as volume.
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
    signer: AccountId,
    transfer: Option<Transfer>,
}

impl<T: Config> Pallet<T> {
    fn note(noted: Noted, succeeded: bool) {
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
        _: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        Ok((ValidTransaction::default(), (), origin))
    }

    fn prepare(
        self,
        (): Self::Val,
        origin: &T::RuntimeOrigin,
        call: &T::RuntimeCall,
        _: &DispatchInfoOf<T::RuntimeCall>,
        _: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
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
