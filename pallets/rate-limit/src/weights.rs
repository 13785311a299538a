//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.
//!
//! What lives within a block only (counts, the block's weight) and what each block has
//! read before (the chain's parameters) is in memory and costs computation. Only the
//! score is read from the database.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the extensions and the hooks.
pub trait WeightInfo {
    /// Counting the first transaction of an account in a block.
    fn count_first() -> Weight;
    /// Counting one more of it.
    fn count_next() -> Weight;
    /// Forgetting the counts of `n` accounts at the block's end, the removal of what is
    /// in no trie from the trie included.
    fn clear(n: u32) -> Weight;
    /// Comparing with the chain's gas.
    fn check_gas() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn count_first() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads(1)
    }

    fn count_next() -> Weight {
        Weight::from_parts(2 * MICROSECOND, 0)
    }

    // Finds its keys among all that the block changed, ten or so a transaction.
    fn clear(n: u32) -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0)
            + Weight::from_parts(u64::from(n) * 4 * MICROSECOND, 0)
            + T::DbWeight::get().reads(1)
    }

    fn check_gas() -> Weight {
        Weight::from_parts(3 * MICROSECOND, 0)
    }
}

impl WeightInfo for () {
    fn count_first() -> Weight {
        Weight::zero()
    }

    fn count_next() -> Weight {
        Weight::zero()
    }

    fn clear(_: u32) -> Weight {
        Weight::zero()
    }

    fn check_gas() -> Weight {
        Weight::zero()
    }
}
