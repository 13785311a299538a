//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the call and of what else this pallet does.
pub trait WeightInfo {
    /// Importing a score.
    fn set_l1_score() -> Weight;
    /// Linking an L1 address, instead of another.
    fn link() -> Weight;
    /// Ending a link.
    fn unlink() -> Weight;
    /// Noting a transaction.
    fn record() -> Weight;
    /// Punishing an offence.
    fn on_offence() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn set_l1_score() -> Weight {
        Weight::from_parts(15 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 1)
    }

    // Recovering a key takes about 100 µs.
    fn link() -> Weight {
        Weight::from_parts(180 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 3)
    }

    fn unlink() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 2)
    }

    // The signer's account is in memory, and written for its nonce in any case; the
    // block's time is read by each block.
    fn record() -> Weight {
        Weight::from_parts(8 * MICROSECOND, 0)
    }

    fn on_offence() -> Weight {
        Weight::from_parts(15 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 1)
    }
}

impl WeightInfo for () {
    fn set_l1_score() -> Weight {
        Weight::zero()
    }

    fn link() -> Weight {
        Weight::zero()
    }

    fn unlink() -> Weight {
        Weight::zero()
    }

    fn record() -> Weight {
        Weight::zero()
    }

    fn on_offence() -> Weight {
        Weight::zero()
    }
}
