//! Weights of burn and mint.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation (checking that a key is on the curve dominates) is rounded up
//! generously. `benchmarking.rs` measures the same; its output shall replace
//! this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the call, the hooks and one event.
pub trait WeightInfo {
    /// One burn output, or one deposit, at worst: minted to a new account in part, with the
    /// rest put into the queue.
    fn process_burn() -> Weight;
    /// The turn of one waiting burn.
    fn retry_burn() -> Weight;
    /// Looking for waiting burns.
    fn retry_base() -> Weight;
    /// The check at the end of each block.
    fn check_supply() -> Weight;
    /// [`Pallet::resume`](crate::Pallet::resume).
    fn resume() -> Weight;
    /// [`Pallet::stop`](crate::Pallet::stop).
    fn stop() -> Weight;
    /// [`Pallet::lift_stop`](crate::Pallet::lift_stop).
    fn lift_stop() -> Weight;
    /// [`Pallet::reject_waiting`](crate::Pallet::reject_waiting), of one that is not the
    /// last of the queue.
    fn reject_waiting() -> Weight;
    /// Looking for burns to judge.
    fn judge_base() -> Weight;
    /// Judging one burn, at worst: it waits, a part is minted, and that is taken back.
    fn judge_orphan() -> Weight;
    /// [`Pallet::claw_back`](crate::Pallet::claw_back).
    fn claw_back() -> Weight;
    /// A fork, or its end.
    fn on_fork() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    // Counters and the parameters are read and written once a block and come from
    // the overlay after that, so they are priced as computation. What is new for
    // each burn: its record, two log entries, account and account counter, place in the
    // queue and the way to it, its place among the recent ones and two old places there. Reads
    // more: whether L1 is disputed, minting stopped, burns are being judged, or something
    // was taken back of this one. One that comes again costs less. A deposit costs as much.
    fn process_burn() -> Weight {
        Weight::from_parts(130 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(9, 10)
    }

    // The same, and the place that it leaves. No key is checked.
    fn retry_burn() -> Weight {
        Weight::from_parts(60 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(6, 8)
    }

    // Reads: the range, the round, the parameters, what was minted today, the halt, the
    // stop, the dispute, the sequencers, and the counters of credits, of those for deposits
    // too. Writes: the counters
    // and the round.
    fn retry_base() -> Weight {
        Weight::from_parts(15 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(16, 10)
    }

    fn check_supply() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(6, 2)
    }

    fn resume() -> Weight {
        Weight::from_parts(10 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    fn stop() -> Weight {
        Weight::from_parts(10 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    fn lift_stop() -> Weight {
        Weight::from_parts(10 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    // Reads: the stop, the dispute, the burn and its wait, the range, who is last and its
    // wait, the round, the total and the count. Writes: all of these but the first two,
    // and the last place.
    fn reject_waiting() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(10, 9)
    }

    fn judge_base() -> Weight {
        Weight::from_parts(10 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 1)
    }

    // As `reject_waiting`, and the log, two of L1's hashes, the account, what was taken
    // back and the counters. One that was rejected leaves no queue and costs less.
    fn judge_orphan() -> Weight {
        Weight::from_parts(80 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(21, 17)
    }

    fn claw_back() -> Weight {
        Weight::from_parts(60 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(8, 7)
    }

    fn on_fork() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }
}

impl WeightInfo for () {
    fn process_burn() -> Weight {
        Weight::zero()
    }

    fn retry_burn() -> Weight {
        Weight::zero()
    }

    fn retry_base() -> Weight {
        Weight::zero()
    }

    fn check_supply() -> Weight {
        Weight::zero()
    }

    fn resume() -> Weight {
        Weight::zero()
    }

    fn stop() -> Weight {
        Weight::zero()
    }

    fn lift_stop() -> Weight {
        Weight::zero()
    }

    fn reject_waiting() -> Weight {
        Weight::zero()
    }

    fn judge_base() -> Weight {
        Weight::zero()
    }

    fn judge_orphan() -> Weight {
        Weight::zero()
    }

    fn claw_back() -> Weight {
        Weight::zero()
    }

    fn on_fork() -> Weight {
        Weight::zero()
    }
}
