//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the call, the hook, and what the relay tells. A message's own call comes on
/// top.
pub trait WeightInfo {
    /// A message of a new sender, without its value's credit.
    fn hear() -> Weight;
    /// Each block: whether there is anything to do.
    fn block() -> Weight;
    /// Looking at `n` senders that pause.
    fn wake(n: u32) -> Weight;
    /// Removing `n` records.
    fn remove(n: u32) -> Weight;
    /// A turn of a sender, its fee included.
    fn turn() -> Weight;
    /// [`Pallet::claim`](crate::Pallet::claim).
    fn claim() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    // Reads: the chain id, the record, the queue, the lane, the fee's price and parameters,
    // the sender's account. Writes: the record, the queue and its place, the lane and its
    // place. One that comes again costs less: it reads the record and three times of L1's
    // branch, and writes the record.
    fn hear() -> Weight {
        Weight::from_parts(40 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(7, 5)
    }

    // The dispute, the recovery, burns that are judged, the halt, both lanes, and the records
    // that are done.
    fn block() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(8, 0)
    }

    // Each leaves its place and takes another one. Reads: its turn, its queue and the place
    // at its head, the record, the burn's record.
    fn wake(n: u32) -> Weight {
        let n = u64::from(n);
        let lanes = if n > 0 { 2 } else { 0 };
        Weight::from_parts(n * 20 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(5 * n, 2 * n + lanes)
    }

    // Reads: the place, the record, as which output it was executed. Writes: all three.
    fn remove(n: u32) -> Weight {
        let n = u64::from(n);
        let range = u64::from(n > 0);
        Weight::from_parts(n * 10 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(3 * n, 3 * n + range)
    }

    // Reads: the turn, the queue, its place, the record, what is applied and attested of L1
    // and a hash of it, as which output it was executed, the burn's record, the fee's price
    // and parameters, the score, the sender's account and the pot. Writes: the lane and two
    // places, the queue and its place, the record, as which output it is executed, what is
    // done and its range, both accounts, the fees.
    fn turn() -> Weight {
        Weight::from_parts(150 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(15, 12)
    }

    // Reads: the guard, the record, the burn's record, three times of L1's branch, as which
    // output it was executed. Writes: the record and the latter.
    fn claim() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(7, 2)
    }
}

impl WeightInfo for () {
    fn hear() -> Weight {
        Weight::zero()
    }

    fn block() -> Weight {
        Weight::zero()
    }

    fn wake(_: u32) -> Weight {
        Weight::zero()
    }

    fn remove(_: u32) -> Weight {
        Weight::zero()
    }

    fn turn() -> Weight {
        Weight::zero()
    }

    fn claim() -> Weight {
        Weight::zero()
    }
}
