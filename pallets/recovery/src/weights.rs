//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use crate::MAX_SCANNED;
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls, the hooks and the extension, without what the runtime does in them.
pub trait WeightInfo {
    /// Each block's hooks while nothing runs.
    fn block() -> Weight;
    /// Each block's hooks while a recovery runs.
    fn running() -> Weight;
    /// The end of a block in which a recovery begins.
    fn begin() -> Weight;
    /// Passing over as many blocks without transactions as one block may.
    fn scan() -> Weight;
    /// Noting that a transaction was a user's.
    fn note_outcome() -> Weight;
    /// Validation of a vote.
    fn authorize_vote() -> Weight;
    /// [`Pallet::vote`](crate::Pallet::vote).
    fn vote() -> Weight;
    /// [`Pallet::force`](crate::Pallet::force).
    fn force() -> Weight;
    /// [`Pallet::advance`](crate::Pallet::advance) with a header.
    fn point() -> Weight;
    /// The same with the largest page, of which so many keys are looked at, without merging
    /// them.
    fn page(keys: u32) -> Weight;
    /// [`Pallet::advance`](crate::Pallet::advance) with the largest block, but for repeating
    /// its transactions.
    fn body() -> Weight;
    /// Reading so many bytes of a past block's events from what shows them, without
    /// understanding them.
    fn events(bytes: u32) -> Weight;
    /// Telling what became of a transaction.
    fn tell() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    // Read: whether there were users, and in the last block, what runs (twice), what Root or
    // votes began (twice), whether an L1 block is delivered in part, what is pruned, from when
    // on L1 is heard again. Written: the last block, two heights of a map that are pruned and
    // up to where, and once, however many transactions note it, that there were users, there
    // and for the next block.
    fn block() -> Weight {
        Weight::from_parts(10 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(11, 8)
    }

    // And how far L1 is: what is applied, burns' turns, what is due or being judged.
    fn running() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(12, 7)
    }

    // Read: votes, set id, set, what runs, the last one, height of L1.
    fn begin() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(8, 4)
    }

    fn scan() -> Weight {
        Weight::from_parts(2 * u64::from(MAX_SCANNED) * MICROSECOND, 0)
            + T::DbWeight::get().reads(u64::from(MAX_SCANNED) + 2)
    }

    // The flag. The database is accessed for it once in a block, which `block` has.
    fn note_outcome() -> Weight {
        Weight::from_parts(4 * MICROSECOND, 0)
    }

    // Verifying takes about 60 µs in the host. Read: set id, what runs, the last one, its
    // count, threshold, votes, keys of the set, those that are barred, hash of genesis.
    fn authorize_vote() -> Weight {
        Weight::from_parts(160 * MICROSECOND, 0) + T::DbWeight::get().reads(9)
    }

    fn vote() -> Weight {
        Weight::from_parts(40 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(7, 1)
    }

    fn force() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(4, 1)
    }

    fn point() -> Weight {
        Weight::from_parts(40 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 2)
    }

    // Every node is hashed (1 MiB takes about a millisecond), put into a map and decoded. A
    // key is found, compared, read for what it gets, and written.
    fn page(keys: u32) -> Weight {
        let keys = u64::from(keys);
        Weight::from_parts(60_000 * MICROSECOND, 0)
            .saturating_add(Weight::from_parts(5 * MICROSECOND, 0).saturating_mul(keys))
            .saturating_add(T::DbWeight::get().reads_writes(2, 2))
            .saturating_add(T::DbWeight::get().reads_writes(3, 1).saturating_mul(keys))
    }

    // The trie of a body of five megabytes, and who signed each of its transactions.
    fn body() -> Weight {
        Weight::from_parts(60_000 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(4, 2)
    }

    // At most 128 nodes are put into a map and decoded, and every byte is hashed and copied:
    // two nanoseconds.
    fn events(bytes: u32) -> Weight {
        Weight::from_parts(400 * MICROSECOND, 0)
            .saturating_add(Weight::from_parts(2_000, 0).saturating_mul(bytes.into()))
    }

    // An event and an entry; the transaction is hashed.
    fn tell() -> Weight {
        Weight::from_parts(15 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(0, 1)
    }
}

impl WeightInfo for () {
    fn block() -> Weight {
        Weight::zero()
    }

    fn running() -> Weight {
        Weight::zero()
    }

    fn begin() -> Weight {
        Weight::zero()
    }

    fn scan() -> Weight {
        Weight::zero()
    }

    fn note_outcome() -> Weight {
        Weight::zero()
    }

    fn authorize_vote() -> Weight {
        Weight::zero()
    }

    fn vote() -> Weight {
        Weight::zero()
    }

    fn force() -> Weight {
        Weight::zero()
    }

    fn point() -> Weight {
        Weight::zero()
    }

    fn page(_: u32) -> Weight {
        Weight::zero()
    }

    fn body() -> Weight {
        Weight::zero()
    }

    fn events(_: u32) -> Weight {
        Weight::zero()
    }

    fn tell() -> Weight {
        Weight::zero()
    }
}
