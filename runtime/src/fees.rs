//! What a transaction costs.
//!
//! Each signed transaction pays a base fee of at least the chain's minimum (ledger O8),
//! or half of it with the reputation for that (R18.5), and the tip that it names. The
//! minimum buys [`INCLUDED_LENGTH`] bytes and [`INCLUDED_REF_TIME`] of execution,
//! enough for a transfer; each further such amount of either costs the minimum again,
//! in proportion and rounded up. So a full block costs its users about the same
//! whatever fills it. All of that is multiplied by the price, which follows demand
//! (`pallet_rewards::price`). Who gets it: `pallet_rewards`.

use crate::{AccountId, Balance, Rewards, Runtime, TransactionPayment, UncheckedExtrinsic};
use frame_support::{
    traits::Get,
    weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight, WeightToFee as FeeOf},
};
use pallet_chain_parameters::MinFee;
use pallet_rewards::discount::{half, half_details};
use pallet_transaction_payment::{FeeDetails, RuntimeDispatchInfo};
use sp_runtime::{generic::Preamble, traits::StaticLookup, FixedPointNumber};

/// Bytes that the minimum fee includes.
pub const INCLUDED_LENGTH: u64 = 512;
/// Execution that the minimum fee includes: 500 µs or 50,000 gas, in ps. What each
/// transaction costs besides its call, which the payment pallet does not multiply by the
/// price, is less.
pub const INCLUDED_REF_TIME: u64 = 500 * WEIGHT_REF_TIME_PER_MICROS;

/// The price of execution beyond what the minimum fee includes. The payment pallet
/// multiplies it.
pub struct WeightToFee;

impl FeeOf for WeightToFee {
    type Balance = Balance;

    fn weight_to_fee(weight: &Weight) -> Balance {
        beyond(weight.ref_time(), INCLUDED_REF_TIME)
    }
}

/// The minimum fee, and the price of length beyond what it includes, multiplied: the
/// payment pallet would not.
pub struct LengthToFee;

impl FeeOf for LengthToFee {
    type Balance = Balance;

    // The payment pallet passes the length where a weight has its time.
    fn weight_to_fee(length: &Weight) -> Balance {
        let extra = beyond(length.ref_time(), INCLUDED_LENGTH);
        let fee = MinFee::<Runtime>::get().saturating_add(extra);
        TransactionPayment::next_fee_multiplier().saturating_mul_int(fee)
    }
}

/// The minimum fee for each `included` beyond the first, in proportion.
fn beyond(used: u64, included: u64) -> Balance {
    match used.saturating_sub(included) {
        // The usual case needs no look at the parameters.
        0 => 0,
        extra => MinFee::<Runtime>::get()
            .saturating_mul(Balance::from(extra))
            .div_ceil(Balance::from(included)),
    }
}

/// What wallets ask before they sign: the fee that will be charged, without the tip.
/// They ask with their address and a signature that is none.
pub fn query_info(transaction: UncheckedExtrinsic, len: u32) -> RuntimeDispatchInfo<Balance> {
    let discounted = pays_half(&transaction);
    let mut info = TransactionPayment::query_info(transaction, len);
    if discounted {
        info.partial_fee = half(info.partial_fee);
    }
    info
}

/// The same, in its parts.
pub fn query_fee_details(transaction: UncheckedExtrinsic, len: u32) -> FeeDetails<Balance> {
    let discounted = pays_half(&transaction);
    let details = TransactionPayment::query_fee_details(transaction, len);
    if discounted {
        half_details(details)
    } else {
        details
    }
}

fn pays_half(transaction: &UncheckedExtrinsic) -> bool {
    signer(transaction).is_some_and(|account| Rewards::has_discount(&account))
}

fn signer(transaction: &UncheckedExtrinsic) -> Option<AccountId> {
    match &transaction.preamble {
        Preamble::Signed(address, ..) => {
            <Runtime as frame_system::Config>::Lookup::lookup(address.clone()).ok()
        }
        Preamble::Bare(_) | Preamble::General(_) => None,
    }
}
