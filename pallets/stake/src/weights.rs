//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and of a slash.
pub trait WeightInfo {
    /// Bonding.
    fn bond() -> Weight;
    /// Unbonding, or bonding again.
    fn unbond() -> Weight;
    /// Withdrawing all chunks there can be.
    fn withdraw() -> Weight;
    /// A slash that takes from each chunk there can be.
    fn slash() -> Weight;
    /// What a reporter gets, besides.
    fn reward() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

// Beside the ledger: the account, and what of it is on hold.
impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn bond() -> Weight {
        Weight::from_parts(60 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 3)
    }

    fn unbond() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(8, 1)
    }

    fn withdraw() -> Weight {
        Weight::from_parts(70 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 3)
    }

    // The fund's account, too.
    fn slash() -> Weight {
        Weight::from_parts(100 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(7, 6)
    }

    fn reward() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }
}

impl WeightInfo for () {
    fn bond() -> Weight {
        Weight::zero()
    }

    fn unbond() -> Weight {
        Weight::zero()
    }

    fn withdraw() -> Weight {
        Weight::zero()
    }

    fn slash() -> Weight {
        Weight::zero()
    }

    fn reward() -> Weight {
        Weight::zero()
    }
}
