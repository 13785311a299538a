//! Notes which blocks have transactions of users.

use crate::{
    pallet::{Config, HadUsers, Pallet},
    WeightInfo,
};
use cascoin_l2_primitives::chain::AccountId;
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::{fmt, marker::PhantomData};
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    pallet_prelude::{TransactionSource, ValidTransaction},
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

/// Notes of each signed transaction after it ran that it was: a recovery looks for blocks
/// with such. What came of it the block's events say.
///
/// It has no payload and changes nothing about what is valid, so wallets need not know it.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, PartialEq, Eq, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct NoteOutcome<T>(PhantomData<T>);

impl<T> NoteOutcome<T> {
    /// The extension; there is only one.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for NoteOutcome<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for NoteOutcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoteOutcome")
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn note_outcome() {
        HadUsers::<T>::put(true);
    }
}

impl<T> TransactionExtension<<T as frame_system::Config>::RuntimeCall> for NoteOutcome<T>
where
    T: Config + Send + Sync,
    <T as frame_system::Config>::RuntimeCall:
        Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
    T::RuntimeOrigin: AsSystemOriginSigner<AccountId> + Clone,
{
    const IDENTIFIER: &'static str = "NoteOutcome";
    type Implicit = ();
    type Val = ();
    /// Whether somebody signed it.
    type Pre = bool;

    fn weight(&self, _: &<T as frame_system::Config>::RuntimeCall) -> Weight {
        T::WeightInfo::note_outcome()
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        _: &<T as frame_system::Config>::RuntimeCall,
        _: &DispatchInfoOf<<T as frame_system::Config>::RuntimeCall>,
        _: usize,
        (): Self::Implicit,
        _: &impl Encode,
        _: TransactionSource,
    ) -> ValidateResult<Self::Val, <T as frame_system::Config>::RuntimeCall> {
        Ok((ValidTransaction::default(), (), origin))
    }

    fn prepare(
        self,
        (): Self::Val,
        origin: &T::RuntimeOrigin,
        _: &<T as frame_system::Config>::RuntimeCall,
        _: &DispatchInfoOf<<T as frame_system::Config>::RuntimeCall>,
        _: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        Ok(origin.as_system_origin_signer().is_some())
    }

    fn post_dispatch_details(
        is_signed: Self::Pre,
        _: &DispatchInfoOf<<T as frame_system::Config>::RuntimeCall>,
        _: &PostDispatchInfoOf<<T as frame_system::Config>::RuntimeCall>,
        _: usize,
        _: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        if !is_signed {
            return Ok(T::WeightInfo::note_outcome());
        }
        Pallet::<T>::note_outcome();
        Ok(Weight::zero())
    }
}
