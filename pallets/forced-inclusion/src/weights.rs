//! Weights of forced inclusion: estimates by hand. Reads and writes are counted from the
//! code for the worst case and priced by the runtime's `DbWeight`; computation is rounded
//! up generously. `benchmarking.rs` measures the same; its output shall replace this file.

use crate::{censors::MAX_LEADERS, SCANNED};
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the call and the hooks, and of what the relay tells.
pub trait WeightInfo {
    /// A block in which nothing is overdue.
    fn idle() -> Weight;
    /// Looking for what to ask a leader for, and noting behind the inherents that it left it
    /// out.
    fn ask() -> Weight;
    /// Taking a transaction off the queue, without checking or applying it, and noting all
    /// that left it out, without punishing them.
    fn settle() -> Weight;
    /// Taking those that one block punishes off the list, without punishing them.
    fn punish() -> Weight;
    /// Including what a leader is asked for, without checking or applying it.
    fn include() -> Weight;
    /// Hearing of the longest transaction, without looking into it.
    fn hear() -> Weight;
}

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn idle() -> Weight {
        Weight::from_parts(5_000_000, 0) + T::DbWeight::get().reads(4)
    }

    // Of each that is looked at its entry, its ticket and its account; that none of them is
    // ready any more is three writes each. Besides the price and the parameters for its fee,
    // twice; who makes the block; and behind the inherents what it weighs, and who left it out.
    fn ask() -> Weight {
        Weight::from_parts(60_000_000, 0)
            + T::DbWeight::get().reads_writes(9 + 3 * SCANNED, 2 + 3 * SCANNED)
    }

    // Each leader that is to blame is looked for among all records.
    fn settle() -> Weight {
        Weight::from_parts(50_000_000 + 10_000_000 * u64::from(MAX_LEADERS), 0)
            + T::DbWeight::get().reads_writes(12, 11)
    }

    fn punish() -> Weight {
        Weight::from_parts(30_000_000, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    fn include() -> Weight {
        Weight::from_parts(40_000_000, 0) + T::DbWeight::get().reads_writes(6, 5)
    }

    fn hear() -> Weight {
        Weight::from_parts(60_000_000, 0) + T::DbWeight::get().reads_writes(6, 6)
    }
}

impl WeightInfo for () {
    fn idle() -> Weight {
        Weight::zero()
    }

    fn ask() -> Weight {
        Weight::zero()
    }

    fn settle() -> Weight {
        Weight::zero()
    }

    fn punish() -> Weight {
        Weight::zero()
    }

    fn include() -> Weight {
        Weight::zero()
    }

    fn hear() -> Weight {
        Weight::zero()
    }
}
