//! What a transaction costs and who gets it.
//!
//! Each signed transaction pays at least the chain's minimum fee (ledger O8).
//! It buys [`INCLUDED_LENGTH`] bytes and [`INCLUDED_REF_TIME`] of execution,
//! enough for a transfer; each further such amount of either costs the minimum
//! fee again, in proportion and rounded up. So a full block costs its users
//! about the same whatever fills it. Fees and tips go to the block's author.

use crate::{AccountId, Authorship, Balance, Balances, Runtime};
use frame_support::{
    traits::{fungible::Balanced, fungible::Credit, Get, OnUnbalanced},
    weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight, WeightToFee as FeeOf},
};
use pallet_chain_parameters::MinFee;

/// Bytes that the minimum fee includes.
pub const INCLUDED_LENGTH: u64 = 512;
/// Execution that the minimum fee includes: 500 µs or 50,000 gas, in ps.
pub const INCLUDED_REF_TIME: u64 = 500 * WEIGHT_REF_TIME_PER_MICROS;

/// The price of execution beyond what the minimum fee includes.
pub struct WeightToFee;

impl FeeOf for WeightToFee {
    type Balance = Balance;

    fn weight_to_fee(weight: &Weight) -> Balance {
        beyond(weight.ref_time(), INCLUDED_REF_TIME)
    }
}

/// The minimum fee, and the price of length beyond what it includes.
pub struct LengthToFee;

impl FeeOf for LengthToFee {
    type Balance = Balance;

    // The payment pallet passes the length where a weight has its time.
    fn weight_to_fee(length: &Weight) -> Balance {
        MinFee::<Runtime>::get().saturating_add(beyond(length.ref_time(), INCLUDED_LENGTH))
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

/// Pays fees and tips to the author of the block; without one (a block that no
/// sequencer made, as tests have them) they are burned.
pub struct FeesToAuthor;

impl OnUnbalanced<Credit<AccountId, Balances>> for FeesToAuthor {
    fn on_nonzero_unbalanced(amount: Credit<AccountId, Balances>) {
        match Authorship::author() {
            // What cannot be credited is burned with the credit it comes back as.
            Some(author) => drop(Balances::resolve(&author, amount)),
            None => drop(amount),
        }
    }
}
