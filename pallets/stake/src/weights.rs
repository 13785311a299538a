//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and of a slash.
pub trait WeightInfo {
    /// Bonding.
    fn bond() -> Weight;
    /// Unbonding, or bonding again.
    fn unbond() -> Weight;
    /// Withdrawing all chunks there can be.
    fn withdraw() -> Weight;
    /// A slash that takes from each chunk there can be.
    fn slash() -> Weight;
    /// What a reporter gets, besides.
    fn reward() -> Weight;
    /// A lock on L1 that displaces another one.
    fn hear_lock() -> Weight;
    /// [`Pallet::claim_lock`](crate::Pallet::claim_lock), with a transaction of `n` bytes,
    /// of one that displaces another one.
    fn claim_lock(n: u32) -> Weight;
    /// Looking for locks that have ended.
    fn sweep_base() -> Weight;
    /// Clearing one away, or going on to the next height.
    fn sweep() -> Weight;
    /// Looking for locks to judge after L1 forked.
    fn judge_base() -> Weight;
    /// Judging one, which L1 dropped.
    fn judge_lock() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

// Beside the ledger: the account, and what of it is on hold.
impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn bond() -> Weight {
        Weight::from_parts(60 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 3)
    }

    fn unbond() -> Weight {
        Weight::from_parts(40 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(10, 1)
    }

    fn withdraw() -> Weight {
        Weight::from_parts(70 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 3)
    }

    // The fund's account, too, and the locks on L1.
    fn slash() -> Weight {
        Weight::from_parts(120 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(10, 7)
    }

    fn reward() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    fn hear_lock() -> Weight {
        Weight::from_parts(50 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(5, 3)
    }

    // The transaction is hashed twice, in the runtime, and a path is. Of one that is known:
    // the block that it is known from, the queue of the relay and what is applied.
    fn claim_lock(n: u32) -> Weight {
        Self::hear_lock()
            + Weight::from_parts((300 * MICROSECOND).saturating_add(200_000 * u64::from(n)), 0)
            + T::DbWeight::get().reads(6)
    }

    fn sweep_base() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 1)
    }

    fn sweep() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 3)
    }

    fn judge_base() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    // Reads: the next end, the outpoint, L1's block, the queue of the relay and its hash,
    // and the locks.
    fn judge_lock() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(6, 1)
    }
}

impl WeightInfo for () {
    fn bond() -> Weight {
        Weight::zero()
    }

    fn unbond() -> Weight {
        Weight::zero()
    }

    fn withdraw() -> Weight {
        Weight::zero()
    }

    fn slash() -> Weight {
        Weight::zero()
    }

    fn reward() -> Weight {
        Weight::zero()
    }

    fn hear_lock() -> Weight {
        Weight::zero()
    }

    fn claim_lock(_: u32) -> Weight {
        Weight::zero()
    }

    fn sweep_base() -> Weight {
        Weight::zero()
    }

    fn sweep() -> Weight {
        Weight::zero()
    }

    fn judge_base() -> Weight {
        Weight::zero()
    }

    fn judge_lock() -> Weight {
        Weight::zero()
    }
}
