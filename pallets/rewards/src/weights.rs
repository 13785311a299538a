//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls, the hooks, and what other pallets tell.
pub trait WeightInfo {
    /// Each block: its beginning and its end, and the new price.
    fn block() -> Weight;
    /// Once per session, besides: the next one begins.
    fn end_session() -> Weight;
    /// Settling a session of `n` sequencers, all of whom are paid.
    fn settle(n: u32) -> Weight;
    /// Noting an offence.
    fn on_offence() -> Weight;
    /// Looking up whether a transaction's signer has the discount.
    fn discount() -> Weight;
    /// [`Pallet::set_payout`](crate::Pallet::set_payout).
    fn set_payout() -> Weight;
    /// [`Pallet::claim`](crate::Pallet::claim).
    fn claim() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    // Read: the set and its id, the tallies, the parameters, the average, the term that
    // was told of, the pot, the issuance. Written: tallies, average, term, pot, issuance.
    fn block() -> Weight {
        Weight::from_parts(50 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(8, 5)
    }

    // Read: the set with its id, the appointed, the elected, and the candidacy of each
    // member that is neither any more. Each of 64 is looked for among 128.
    fn end_session() -> Weight {
        Weight::from_parts(300 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(8 + 64, 3)
    }

    // Of each sequencer: what it earned, where it wants it, the account that is paid. It
    // also gets a share of each other one's blocks: up to 63 divisions of 128 bits. What
    // is withheld is burned: the pot and the issuance.
    fn settle(n: u32) -> Weight {
        let n = u64::from(n);
        Weight::from_parts((50 + n * 60) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(7 + 3 * n, 6 + 2 * n)
    }

    fn on_offence() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 1)
    }

    fn discount() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads(2)
    }

    fn set_payout() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 1)
    }

    fn claim() -> Weight {
        Weight::from_parts(80 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(4, 3)
    }
}

impl WeightInfo for () {
    fn block() -> Weight {
        Weight::zero()
    }

    fn end_session() -> Weight {
        Weight::zero()
    }

    fn settle(_: u32) -> Weight {
        Weight::zero()
    }

    fn on_offence() -> Weight {
        Weight::zero()
    }

    fn discount() -> Weight {
        Weight::zero()
    }

    fn set_payout() -> Weight {
        Weight::zero()
    }

    fn claim() -> Weight {
        Weight::zero()
    }
}
