//! Weights of this pallet.
//!
//! Estimates by hand, not measurements: reads and writes are counted from the code and
//! priced by the runtime's `DbWeight`; computation is rounded up generously.
//! `benchmarking.rs` measures the same; its output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// [`Pallet::set_parameter`](crate::Pallet::set_parameter), without its write:
    /// benchmarks count no access to the table.
    fn set_parameter() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn set_parameter() -> Weight {
        Weight::from_parts(15 * MICROSECOND, 0) + T::DbWeight::get().reads(1)
    }
}

impl WeightInfo for () {
    fn set_parameter() -> Weight {
        Weight::zero()
    }
}
