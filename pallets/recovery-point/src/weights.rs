//! Weights of recovery points: estimates by hand. Reads and writes are counted from the
//! code for the worst case and priced by the runtime's `DbWeight`; computation is rounded
//! up generously, for a log of 512 points (22 KiB). `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the hook, and of what the relay tells.
pub trait WeightInfo {
    /// A block while nothing is in doubt.
    fn idle() -> Weight;
    /// A block while something is.
    fn settle() -> Weight;
    /// An event of an L1 block that is not noted yet.
    fn note() -> Weight;
    /// A fork of L1.
    fn on_fork() -> Weight;
}

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn idle() -> Weight {
        Weight::from_parts(2_000_000, 0) + T::DbWeight::get().reads(1)
    }

    // The doubt, whether it is settled (twice), the deficit; the L1 block below is removed.
    fn settle() -> Weight {
        Weight::from_parts(15_000_000, 0) + T::DbWeight::get().reads_writes(4, 2)
    }

    fn note() -> Weight {
        Weight::from_parts(60_000_000, 0) + T::DbWeight::get().reads_writes(4, 2)
    }

    fn on_fork() -> Weight {
        Weight::from_parts(60_000_000, 0) + T::DbWeight::get().reads_writes(3, 4)
    }
}

impl WeightInfo for () {
    fn idle() -> Weight {
        Weight::zero()
    }

    fn settle() -> Weight {
        Weight::zero()
    }

    fn note() -> Weight {
        Weight::zero()
    }

    fn on_fork() -> Weight {
        Weight::zero()
    }
}
