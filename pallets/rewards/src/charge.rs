//! Charges a transaction's fee, with the discount.
//!
//! This is `pallet_transaction_payment::ChargeTransactionPayment` step by step, with
//! the inclusion fee halved for who has the discount: in what must be there before the
//! transaction is taken, in what is withdrawn, in what the fee is corrected to after
//! the dispatch, and in the event. Whether it is halved is decided once, when the
//! transaction is validated, so a score that changes meanwhile changes nothing.
//!
//! What nobody pays for is noted besides: it says nothing of demand, and so does not raise
//! the price ([`price`](crate::price)).
//!
//! On the wire and in the metadata it *is* that extension: the same identifier, the
//! same encoding, the same type. Wallets know nothing of the difference.

use crate::{
    discount::half,
    pallet::{Config, Pallet},
    weights::WeightInfo,
};
use cascoin_l2_primitives::{chain::AccountId, rewards::OnFeePaid};
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::fmt;
use frame_support::{
    dispatch::{DispatchInfo, DispatchResult, Pays, PostDispatchInfo},
    pallet_prelude::TransactionSource,
    weights::Weight,
};
use frame_system::ensure_signed;
use pallet_transaction_payment::{
    ChargeTransactionPayment, OnChargeTransaction, Pallet as Payment, WeightInfo as _,
};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{
        DispatchInfoOf, DispatchOriginOf, Dispatchable, PostDispatchInfoOf, Saturating,
        TransactionExtension, Zero,
    },
    transaction_validity::{TransactionValidityError, ValidTransaction},
    SaturatedConversion,
};

type Adapter<T> = <T as pallet_transaction_payment::Config>::OnChargeTransaction;
type BalanceOf<T> = <Adapter<T> as OnChargeTransaction<T>>::Balance;
type LiquidityInfoOf<T> = <Adapter<T> as OnChargeTransaction<T>>::LiquidityInfo;
type CallOf<T> = <T as frame_system::Config>::RuntimeCall;

/// The extension: a tip, and the fee that the transaction costs.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, PartialEq, Eq)]
pub struct ChargeFees<T: pallet_transaction_payment::Config>(ChargeTransactionPayment<T>);

impl<T: pallet_transaction_payment::Config> ChargeFees<T>
where
    CallOf<T>: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
{
    /// With a tip.
    pub fn from(tip: BalanceOf<T>) -> Self {
        Self(ChargeTransactionPayment::from(tip))
    }

    /// The tip.
    pub fn tip(&self) -> BalanceOf<T> {
        self.0.tip()
    }
}

impl<T: pallet_transaction_payment::Config> fmt::Debug for ChargeFees<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The type that wallets know.
impl<T> TypeInfo for ChargeFees<T>
where
    T: pallet_transaction_payment::Config,
    ChargeTransactionPayment<T>: TypeInfo,
{
    type Identity = <ChargeTransactionPayment<T> as TypeInfo>::Identity;

    fn type_info() -> scale_info::Type {
        ChargeTransactionPayment::<T>::type_info()
    }
}

/// What validation found out.
pub enum Val<T: pallet_transaction_payment::Config> {
    /// Somebody pays.
    Charge {
        /// Who.
        who: AccountId,
        /// Whether half the inclusion fee.
        discounted: bool,
        /// How much is withdrawn before the dispatch.
        fee_with_tip: BalanceOf<T>,
    },
    /// Nobody signed.
    NoCharge,
}

/// What is known after the dispatch.
pub enum Pre<T: pallet_transaction_payment::Config> {
    /// Somebody paid.
    Charge {
        /// Who.
        who: AccountId,
        /// Whether half the inclusion fee.
        discounted: bool,
        /// The tip.
        tip: BalanceOf<T>,
        /// What the adapter that withdrew it keeps until then.
        liquidity_info: LiquidityInfoOf<T>,
    },
    /// Nobody did.
    NoCharge {
        /// The extension's weight, which was not used.
        refund: Weight,
    },
}

impl<T> TransactionExtension<CallOf<T>> for ChargeFees<T>
where
    T: Config + pallet_transaction_payment::Config,
    CallOf<T>: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
{
    const IDENTIFIER: &'static str =
        <ChargeTransactionPayment<T> as TransactionExtension<CallOf<T>>>::IDENTIFIER;
    type Implicit = ();
    type Val = Val<T>;
    type Pre = Pre<T>;

    fn weight(&self, _: &CallOf<T>) -> Weight {
        <T as pallet_transaction_payment::Config>::WeightInfo::charge_transaction_payment()
            .saturating_add(<T as Config>::WeightInfo::discount())
            .saturating_add(T::OnFeePaid::weight())
    }

    fn validate(
        &self,
        origin: DispatchOriginOf<CallOf<T>>,
        call: &CallOf<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        len: usize,
        (): (),
        _: &impl Encode,
        _: TransactionSource,
    ) -> Result<(ValidTransaction, Val<T>, DispatchOriginOf<CallOf<T>>), TransactionValidityError>
    {
        let Ok(who) = ensure_signed(origin.clone()) else {
            return Ok((ValidTransaction::default(), Val::NoCharge, origin));
        };
        let tip = self.tip();
        let full = Payment::<T>::compute_fee(length(len), info, Zero::zero());
        let discounted = Pallet::<T>::has_discount(&who);
        let fee_with_tip = charged(full, discounted).saturating_add(tip);
        Adapter::<T>::can_withdraw_fee(&who, call, info, fee_with_tip, tip)?;
        // A discount does not put a transaction behind those who pay in full.
        let priority =
            ChargeTransactionPayment::<T>::get_priority(info, len, tip, full.saturating_add(tip));
        let valid = ValidTransaction { priority, ..Default::default() };
        Ok((valid, Val::Charge { who, discounted, fee_with_tip }, origin))
    }

    fn prepare(
        self,
        val: Val<T>,
        _: &DispatchOriginOf<CallOf<T>>,
        call: &CallOf<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        _: usize,
    ) -> Result<Pre<T>, TransactionValidityError> {
        let Val::Charge { who, discounted, fee_with_tip } = val else {
            return Ok(Pre::NoCharge { refund: self.weight(call) });
        };
        let tip = self.tip();
        let liquidity_info = Adapter::<T>::withdraw_fee(&who, call, info, fee_with_tip, tip)?;
        Ok(Pre::Charge { who, discounted, tip, liquidity_info })
    }

    fn post_dispatch_details(
        pre: Pre<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        post_info: &PostDispatchInfoOf<CallOf<T>>,
        len: usize,
        _: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        let (who, discounted, tip, liquidity_info) = match pre {
            Pre::Charge { who, discounted, tip, liquidity_info } => {
                (who, discounted, tip, liquidity_info)
            }
            Pre::NoCharge { refund } => {
                Pallet::<T>::note_free(info, post_info, refund, len);
                return Ok(refund);
            }
        };
        if post_info.pays_fee(info) == Pays::No {
            Pallet::<T>::note_free(info, post_info, Weight::zero(), len);
        }
        let full = Payment::<T>::compute_actual_fee(length(len), info, post_info, Zero::zero());
        let base_fee = charged(full, discounted);
        let actual = base_fee.saturating_add(tip);
        Adapter::<T>::correct_and_deposit_fee(&who, info, post_info, actual, tip, liquidity_info)?;
        T::OnFeePaid::on_fee_paid(&who, base_fee.saturated_into());
        Payment::<T>::deposit_fee_paid_event(who, actual, tip);
        Ok(Weight::zero())
    }
}

fn charged<B: frame_support::traits::tokens::Balance>(full: B, discounted: bool) -> B {
    if discounted {
        half(full)
    } else {
        full
    }
}

// A block's length is a `u32`.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
