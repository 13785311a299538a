//! Weights of the registry's calls.
//!
//! Estimates by hand, not measurements: reads and writes are counted from the
//! code, for 64 members, and priced by the runtime's `DbWeight`; computation is
//! rounded up generously. `benchmarking.rs` measures the same; its output shall
//! replace this file.

use cascoin_l2_primitives::chain::MAX_SEQUENCERS;
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// [`Pallet::add_member`](crate::Pallet::add_member).
    fn add_member() -> Weight;
    /// [`Pallet::remove_member`](crate::Pallet::remove_member).
    fn remove_member() -> Weight;
    /// [`Pallet::set_weight`](crate::Pallet::set_weight).
    fn set_weight() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn add_member() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    // Looks whether each member that is left has keys.
    fn remove_member() -> Weight {
        Weight::from_parts(100 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(2 + u64::from(MAX_SEQUENCERS), 1)
    }

    fn set_weight() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }
}

impl WeightInfo for () {
    fn add_member() -> Weight {
        Weight::zero()
    }

    fn remove_member() -> Weight {
        Weight::zero()
    }

    fn set_weight() -> Weight {
        Weight::zero()
    }
}
