//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use crate::types::{MAX_HEARD, MAX_SAID, MAX_SEEDS};
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
    /// Naming other seeds.
    fn set_trust_seeds() -> Weight;
    /// Taking note of a statement on L1, and forgetting two others.
    fn hear() -> Weight;
    /// Noting that a linked address signed something on L1.
    fn note_act() -> Weight;
    /// Noting what an account has locked on L1.
    fn on_l1_stake() -> Weight;
    /// Noting what is attested of a linked address.
    fn on_attested_score() -> Weight;
    /// Looking into the queue of addresses.
    fn spread_base() -> Weight;
    /// Computing the trust of an address that hears and speaks of as many as can be.
    fn spread() -> Weight;
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
        Weight::from_parts(200 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(9, 6)
    }

    fn unlink() -> Weight {
        Weight::from_parts(25 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 3)
    }

    // The signer's account is in memory, and written for its nonce in any case; the
    // block's time is read by each block.
    fn record() -> Weight {
        Weight::from_parts(8 * MICROSECOND, 0)
    }

    fn on_offence() -> Weight {
        Weight::from_parts(15 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 1)
    }

    // The seeds before and after, each with its place in the queue.
    fn set_trust_seeds() -> Weight {
        let seeds = 2 * u64::from(MAX_SEEDS);
        Weight::from_parts((20 + 10 * seeds) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(2 + seeds, 2 + 2 * seeds)
    }

    // Speaker, subject, and the other ends of two statements that go, each with its place
    // in the queue. The queue's range and the parameters come from memory but once a
    // block. A vertex is up to 2.5 KB and is decoded and encoded a few times.
    fn hear() -> Weight {
        Weight::from_parts(150 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(4, 8)
    }

    // History, account, standing.
    fn note_act() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 2)
    }

    fn on_l1_stake() -> Weight {
        Weight::from_parts(15 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    fn on_attested_score() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 2)
    }

    fn spread_base() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 1)
    }

    // Itself, its place, everybody who speaks of it; everybody it speaks of with a place
    // in the queue; and the account that is linked to it.
    fn spread() -> Weight {
        let (heard, said) = (u64::from(MAX_HEARD), u64::from(MAX_SAID));
        Weight::from_parts((30 + 10 * heard + 20 * said) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(4 + heard + said, 3 + 2 * said)
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

    fn set_trust_seeds() -> Weight {
        Weight::zero()
    }

    fn hear() -> Weight {
        Weight::zero()
    }

    fn note_act() -> Weight {
        Weight::zero()
    }

    fn on_l1_stake() -> Weight {
        Weight::zero()
    }

    fn on_attested_score() -> Weight {
        Weight::zero()
    }

    fn spread_base() -> Weight {
        Weight::zero()
    }

    fn spread() -> Weight {
        Weight::zero()
    }
}
