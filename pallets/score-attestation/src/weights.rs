//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use cascoin_l2_primitives::reputation::attestation::MAX_SCORED;
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the call and of the hooks.
pub trait WeightInfo {
    /// Each block.
    fn block() -> Weight;
    /// Counting the votes of as many sequencers as there can be, and asking for as many
    /// addresses, besides.
    fn next_round() -> Weight;
    /// Taking medians, but for who is told.
    fn tell() -> Weight;
    /// Validation of a vote.
    fn authorize_vote() -> Weight;
    /// [`Pallet::attest`](crate::Pallet::attest), of the last of as many sequencers.
    fn attest() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    // The parameters are read by each block.
    fn block() -> Weight {
        Weight::from_parts(2 * MICROSECOND, 0)
    }

    // The votes are 9 KB; of each address those of 64 sequencers are sorted. Each next key
    // of the addresses is a read, and the end of a turn is one more.
    fn next_round() -> Weight {
        let addresses = u64::from(MAX_SCORED);
        Weight::from_parts((100 + 15 * addresses) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(6 + addresses, 4)
    }

    fn tell() -> Weight {
        Weight::from_parts(10 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    // Verifying takes about 60 µs in the host. Read: set id, round, votes, keys of the set,
    // those that are barred, hash of genesis.
    fn authorize_vote() -> Weight {
        Weight::from_parts(150 * MICROSECOND, 0) + T::DbWeight::get().reads(6)
    }

    // Read: set id, members, round, votes.
    fn attest() -> Weight {
        Weight::from_parts(80 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(4, 1)
    }
}

impl WeightInfo for () {
    fn block() -> Weight {
        Weight::zero()
    }

    fn next_round() -> Weight {
        Weight::zero()
    }

    fn tell() -> Weight {
        Weight::zero()
    }

    fn authorize_vote() -> Weight {
        Weight::zero()
    }

    fn attest() -> Weight {
        Weight::zero()
    }
}
