//! The extension that knows who signs and with which nonce.

use crate::{
    pallet::{Config, Pallet},
    WeightInfo, POOL_BLOCKS, POOL_BYTES, TOO_FAR_AHEAD,
};
use cascoin_l2_primitives::chain::AccountId;
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    weights::Weight,
};
use frame_system::CheckNonce;
use scale_info::{Type, TypeInfo};
use sp_runtime::{
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, Dispatchable, Implication, PostDispatchInfoOf,
        TransactionExtension, ValidateResult,
    },
    transaction_validity::{TransactionSource, TransactionValidityError, UnknownTransaction},
    DispatchResult, SaturatedConversion, Saturating,
};

/// The system pallet's [`CheckNonce`], to wallets nothing else; and the account's share
/// of the block and of the pool (see the crate's page).
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq)]
pub struct CheckRate<T: Config>(CheckNonce<T>);

impl<T: Config> CheckRate<T> {
    /// Of a transaction with this nonce.
    pub fn from(nonce: T::Nonce) -> Self {
        Self(CheckNonce::from(nonce))
    }

    /// The nonce.
    pub fn nonce(&self) -> T::Nonce {
        self.0 .0
    }

    /// Refuses a nonce that is too far ahead: by more than [`POOL_BLOCKS`] blocks'
    /// limits, or for a transaction of `len` bytes by more than [`POOL_BYTES`]. Not as
    /// *invalid*: pools ban for half an hour what is invalid when it is submitted, and
    /// this will be good as soon as the account's other transactions are in blocks.
    fn check_distance(&self, who: &AccountId, len: usize) -> Result<(), TransactionValidityError> {
        let ahead = self.0 .0.saturating_sub(frame_system::Pallet::<T>::account_nonce(who));
        let by_count = u64::from(Pallet::<T>::limit(who)).saturating_mul(POOL_BLOCKS.into());
        let by_length = u64::from(POOL_BYTES).checked_div(len as u64).unwrap_or(u64::MAX);
        // The account's next transaction is never too far.
        let places = by_count.min(by_length).max(1);
        if ahead.saturated_into::<u64>() >= places {
            return Err(UnknownTransaction::Custom(TOO_FAR_AHEAD).into());
        }
        Ok(())
    }
}

/// Clients that read types see the system pallet's.
impl<T: Config> TypeInfo for CheckRate<T> {
    type Identity = <CheckNonce<T> as TypeInfo>::Identity;

    fn type_info() -> Type {
        CheckNonce::<T>::type_info()
    }
}

impl<T: Config> core::fmt::Debug for CheckRate<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Config> TransactionExtension<T::RuntimeCall> for CheckRate<T>
where
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
    <T::RuntimeCall as Dispatchable>::RuntimeOrigin: AsSystemOriginSigner<AccountId> + Clone,
{
    const IDENTIFIER: &'static str =
        <CheckNonce<T> as TransactionExtension<T::RuntimeCall>>::IDENTIFIER;
    type Implicit = ();
    /// What the nonce's check hands on, and who signs.
    type Val = (<CheckNonce<T> as TransactionExtension<T::RuntimeCall>>::Val, Option<AccountId>);
    /// What the nonce's check hands on, and the weight that counting did not need.
    type Pre = (<CheckNonce<T> as TransactionExtension<T::RuntimeCall>>::Pre, Weight);

    fn weight(&self, call: &T::RuntimeCall) -> Weight {
        self.0.weight(call).saturating_add(Pallet::<T>::first_weight())
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
        self_implicit: Self::Implicit,
        inherited_implication: &impl Implication,
        source: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        let signer = origin.as_system_origin_signer().cloned();
        let (validity, nonce, origin) = self.0.validate(
            origin,
            call,
            info,
            len,
            self_implicit,
            inherited_implication,
            source,
        )?;
        // What stands in a block is bounded by the block.
        if let Some(who) = signer.as_ref().filter(|_| source != TransactionSource::InBlock) {
            self.check_distance(who, len)?;
        }
        Ok((validity, (nonce, signer), origin))
    }

    fn prepare(
        self,
        (nonce, signer): Self::Val,
        origin: &T::RuntimeOrigin,
        call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        let nonce = self.0.prepare(nonce, origin, call, info, len)?;
        let first = Pallet::<T>::first_weight();
        let needed = match signer {
            Some(who) if Pallet::<T>::count(&who)? => first,
            Some(_) => T::WeightInfo::count_next(),
            None => Weight::zero(),
        };
        Ok((nonce, first.saturating_sub(needed)))
    }

    fn post_dispatch_details(
        (nonce, unspent): Self::Pre,
        info: &DispatchInfoOf<T::RuntimeCall>,
        post_info: &PostDispatchInfoOf<T::RuntimeCall>,
        len: usize,
        result: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        <CheckNonce<T> as TransactionExtension<T::RuntimeCall>>::post_dispatch_details(
            nonce, info, post_info, len, result,
        )
        .map(|of_nonce| of_nonce.saturating_add(unspent))
    }
}
