//! The extension that holds users to the chain's gas.

use crate::{
    limits::share,
    pallet::{Config, Pallet},
    WeightInfo, CHAIN_HALTED, TOO_MUCH_GAS,
};
use cascoin_l2_primitives::chain::{AccountId, PS_PER_GAS};
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::marker::PhantomData;
use frame_support::{
    dispatch::{DispatchClass, DispatchInfo, PostDispatchInfo},
    traits::{Contains, Get},
    weights::Weight,
};
use frame_system::calculate_consumed_extrinsic_weight;
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{
        AsSystemOriginSigner, DispatchInfoOf, Dispatchable, Implication, TransactionExtension,
        ValidateResult,
    },
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
        UnknownTransaction,
    },
};

/// Refuses a transaction of the normal class where the chain's blocks have no gas left
/// for it. MUST stand before the system pallet's `CheckWeight`, which books what is
/// counted here.
///
/// Of its block's gas a chain leaves users the same share as the runtime does of a full
/// block's. What they used is what `CheckWeight` has booked for the transactions before.
///
/// And it refuses what would have a user's transaction counted as something else, where
/// neither this limit nor the price of transactions would see it. The class of a
/// transaction is that of its call, and a proxy's that of the call inside, so anybody
/// could sign one of any class:
/// - *mandatory*: only inherents are, and nobody signs those;
/// - *operational*: only [`Config::Operators`] sign such. Relay votes, pages and
///   evidence carry their own authorisation and no signature.
///
/// What [`Config::Accepted`] does not contain it refuses, too; and while
/// [`Config::SignersWait`], whatever is signed by others than operators.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq, TypeInfo)]
#[scale_info(skip_type_params(T))]
pub struct CheckGas<T: Config>(PhantomData<T>);

impl<T: Config> CheckGas<T> {
    /// The check has nothing to be told.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Config> Default for CheckGas<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Config> core::fmt::Debug for CheckGas<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CheckGas")
    }
}

impl<T: Config> Pallet<T> {
    /// What all transactions of the normal class may take of a block, picoseconds.
    pub fn users_share() -> u64 {
        let weights = T::BlockWeights::get();
        let block = weights.max_block.ref_time();
        let normal = weights.get(DispatchClass::Normal).max_total;
        let normal = normal.map_or(block, |normal| normal.ref_time());
        let chain = T::Parameters::get().block_gas_limit.saturating_mul(PS_PER_GAS);
        share(normal, chain, block)
    }
}

impl<T: Config> CheckGas<T>
where
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
{
    /// What others may have taken of the block's share for users so that this one still
    /// fits; `None` where no limit of users holds.
    ///
    /// # Errors
    /// [`InvalidTransaction::Custom`] with [`TOO_MUCH_GAS`] if it fits into no block.
    pub(crate) fn room(info: &DispatchInfo, len: usize) -> Result<Option<u64>, InvalidTransaction> {
        if info.class != DispatchClass::Normal {
            return Ok(None);
        }
        let weights = T::BlockWeights::get();
        let needed = calculate_consumed_extrinsic_weight::<T::RuntimeCall>(&weights, info, len);
        Pallet::<T>::users_share()
            .checked_sub(needed.ref_time())
            .map(Some)
            .ok_or(InvalidTransaction::Custom(TOO_MUCH_GAS))
    }

    /// # Errors
    /// [`InvalidTransaction::MandatoryValidation`] if the call is an inherent's;
    /// [`InvalidTransaction::BadSigner`] if it is operational and its signer no operator.
    fn check_class(
        info: &DispatchInfo,
        signer: Option<&AccountId>,
    ) -> Result<(), InvalidTransaction> {
        match (info.class, signer) {
            (DispatchClass::Mandatory, _) => Err(InvalidTransaction::MandatoryValidation),
            (DispatchClass::Operational, Some(who)) if !T::Operators::contains(who) => {
                Err(InvalidTransaction::BadSigner)
            }
            _ => Ok(()),
        }
    }

    /// # Errors
    /// [`InvalidTransaction::ExhaustsResources`] if this block has less `room`.
    pub(crate) fn check_block(room: Option<u64>) -> Result<(), InvalidTransaction> {
        let Some(room) = room else { return Ok(()) };
        let taken = *frame_system::Pallet::<T>::block_weight().get(DispatchClass::Normal);
        if taken.ref_time() > room {
            return Err(InvalidTransaction::ExhaustsResources);
        }
        Ok(())
    }
}

impl<T: Config + Send + Sync> TransactionExtension<T::RuntimeCall> for CheckGas<T>
where
    T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
    <T::RuntimeCall as Dispatchable>::RuntimeOrigin: AsSystemOriginSigner<AccountId>,
{
    const IDENTIFIER: &'static str = "CheckGas";
    type Implicit = ();
    /// The room that it needs, see [`CheckGas::room`].
    type Val = Option<u64>;
    type Pre = ();

    fn weight(&self, _: &T::RuntimeCall) -> Weight {
        T::WeightInfo::check_gas()
    }

    fn validate(
        &self,
        origin: T::RuntimeOrigin,
        call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Implication,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, T::RuntimeCall> {
        let signer = origin.as_system_origin_signer();
        Self::check_class(info, signer)?;
        let is_public = || signer.is_some_and(|who| !T::Operators::contains(who));
        if (T::SignersWait::get() && is_public()) || !T::Accepted::contains(call) {
            // Not as *invalid*: pools ban that for half an hour, and the chain may take it in
            // a minute.
            return Err(UnknownTransaction::Custom(CHAIN_HALTED).into());
        }
        let room = Self::room(info, len)?;
        Ok((Default::default(), room, origin))
    }

    fn prepare(
        self,
        room: Self::Val,
        _origin: &T::RuntimeOrigin,
        _call: &T::RuntimeCall,
        _info: &DispatchInfoOf<T::RuntimeCall>,
        _len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        Ok(Self::check_block(room)?)
    }

    fn bare_validate(
        _call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
    ) -> TransactionValidity {
        Self::room(info, len)?;
        Ok(Default::default())
    }

    fn bare_validate_and_prepare(
        _call: &T::RuntimeCall,
        info: &DispatchInfoOf<T::RuntimeCall>,
        len: usize,
    ) -> Result<(), TransactionValidityError> {
        Ok(Self::check_block(Self::room(info, len)?)?)
    }
}
