//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the call, the hooks, and what other pallets tell.
pub trait WeightInfo {
    /// Each block: whether there was an outage, and whether a window is open.
    fn block() -> Weight;
    /// Once per outage, besides: its window opens.
    fn open() -> Weight;
    /// Once per outage, besides: its window is over.
    fn settle() -> Weight;
    /// Each transaction: whether a window is open.
    fn look() -> Weight;
    /// Each transaction of a window, besides.
    fn note_fee() -> Weight;
    /// Removing `n` claims that have lapsed.
    fn remove(n: u32) -> Weight;
    /// [`Pallet::claim`](crate::Pallet::claim) and
    /// [`Pallet::claim_for`](crate::Pallet::claim_for).
    fn claim() -> Weight;
    /// Validation of a claim that nobody signs.
    fn authorize_claim() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn block() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads(3)
    }

    fn open() -> Weight {
        Weight::from_parts(15 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 2)
    }

    // The fund's account, too.
    fn settle() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 2)
    }

    fn look() -> Weight {
        Weight::from_parts(MICROSECOND, 0) + T::DbWeight::get().reads(1)
    }

    // The block's split, too.
    fn note_fee() -> Weight {
        Weight::from_parts(15 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 2)
    }

    fn remove(n: u32) -> Weight {
        let n = u64::from(n);
        let some = u64::from(n > 0);
        Weight::from_parts((5 + n * 5) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(1 + n, n + some)
    }

    // The accounts of both.
    fn claim() -> Weight {
        Weight::from_parts(80 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(4, 4)
    }

    // The outages, the claim, the account.
    fn authorize_claim() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads(3)
    }
}

impl WeightInfo for () {
    fn block() -> Weight {
        Weight::zero()
    }

    fn open() -> Weight {
        Weight::zero()
    }

    fn settle() -> Weight {
        Weight::zero()
    }

    fn look() -> Weight {
        Weight::zero()
    }

    fn note_fee() -> Weight {
        Weight::zero()
    }

    fn remove(_: u32) -> Weight {
        Weight::zero()
    }

    fn claim() -> Weight {
        Weight::zero()
    }

    fn authorize_claim() -> Weight {
        Weight::zero()
    }
}
