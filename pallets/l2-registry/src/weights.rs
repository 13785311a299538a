//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls, of an event of L1 and of a block.
pub trait WeightInfo {
    /// A registration to which another chain gives way, without the reads that find out
    /// whether that one stands on L1.
    fn hear() -> Weight;
    /// Showing a definition.
    fn define() -> Weight;
    /// The first opening of a mainnet, without the reads that find out who signed and whether
    /// the registration stands on L1.
    fn set_status() -> Weight;
    /// The end of a block while the bootstrap lasts.
    fn block() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    // The list of all chains has 8 KB, those of two names together 4. Read: all three, both
    // chains, the chain's parameters and the time.
    fn hear() -> Weight {
        Weight::from_parts(120 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(8, 5)
    }

    fn define() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    // The chain, its rehearsal, the rules, L1's height and the time.
    fn set_status() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(5, 1)
    }

    fn block() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 1)
    }
}

impl WeightInfo for () {
    fn hear() -> Weight {
        Weight::zero()
    }

    fn define() -> Weight {
        Weight::zero()
    }

    fn set_status() -> Weight {
        Weight::zero()
    }

    fn block() -> Weight {
        Weight::zero()
    }
}
