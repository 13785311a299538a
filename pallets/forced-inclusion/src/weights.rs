//! Weights of forced inclusion: estimates by hand. Reads and writes are counted from the
//! code for the worst case and priced by the runtime's `DbWeight`; computation is rounded
//! up generously. `benchmarking.rs` measures the same; its output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the hook, and of what the relay tells.
pub trait WeightInfo {
    /// A block in which nothing is overdue.
    fn idle() -> Weight;
    /// Taking a transaction off the queue, without checking or applying it.
    fn settle() -> Weight;
    /// Hearing of the longest transaction.
    fn hear() -> Weight;
}

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn idle() -> Weight {
        Weight::from_parts(5_000_000, 0) + T::DbWeight::get().reads(3)
    }

    fn settle() -> Weight {
        Weight::from_parts(50_000_000, 0) + T::DbWeight::get().reads_writes(6, 6)
    }

    fn hear() -> Weight {
        Weight::from_parts(30_000_000, 0) + T::DbWeight::get().reads_writes(4, 4)
    }
}

impl WeightInfo for () {
    fn idle() -> Weight {
        Weight::zero()
    }

    fn settle() -> Weight {
        Weight::zero()
    }

    fn hear() -> Weight {
        Weight::zero()
    }
}
