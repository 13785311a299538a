//! Weights of this pallet: an estimate by hand. Reads and writes are counted from
//! the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of what the pallet does in each block.
pub trait WeightInfo {
    /// The beginning of a block in which an emergency begins and L1 goes on.
    fn block() -> Weight;
}

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    // Read: the life, both L1 heights, both times and the parameters.
    fn block() -> Weight {
        Weight::from_parts(15_000_000, 0) + T::DbWeight::get().reads_writes(6, 2)
    }
}

impl WeightInfo for () {
    fn block() -> Weight {
        Weight::zero()
    }
}
