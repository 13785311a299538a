//! Weights of the registry's calls.
//!
//! Estimates by hand, not measurements: reads and writes are counted from the
//! code, for 64 members, and priced by the runtime's `DbWeight`; computation is
//! rounded up generously. `benchmarking.rs` measures the same; its output shall
//! replace this file.

use crate::links::MAX_LINKS;
use cascoin_l2_primitives::chain::MAX_SEQUENCERS;
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// [`Pallet::add_member`](crate::Pallet::add_member).
    fn add_member() -> Weight;
    /// [`Pallet::remove_member`](crate::Pallet::remove_member).
    fn remove_member() -> Weight;
    /// [`Pallet::set_weight`](crate::Pallet::set_weight).
    fn set_weight() -> Weight;
    /// [`Pallet::announce`](crate::Pallet::announce) that compares `n` candidates.
    fn announce(n: u32) -> Weight;
    /// [`Pallet::resign`](crate::Pallet::resign).
    fn resign() -> Weight;
    /// [`Pallet::attest`](crate::Pallet::attest).
    fn attest() -> Weight;
    /// Checking an [answer of a node](crate::Pallet::attest_with_key).
    fn authorize_attestation() -> Weight;
    /// [`Pallet::pardon`](crate::Pallet::pardon).
    fn pardon() -> Weight;
    /// [`Pallet::set_revocation_key`](crate::Pallet::set_revocation_key).
    fn set_revocation_key() -> Weight;
    /// A revocation of keys on L1.
    fn on_revocation() -> Weight;
    /// What an offence means for a seat.
    fn on_offence() -> Weight;
    /// Whether two accounts are one entity's.
    fn are_one() -> Weight;
    /// Whether it is known that two sequencers are correlated.
    fn is_known() -> Weight;
    /// Noting that two sequencers are correlated.
    fn on_correlation() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn add_member() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    // Looks whether each member that is left has keys.
    fn remove_member() -> Weight {
        Weight::from_parts(100 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(2 + u64::from(MAX_SEQUENCERS), 1)
    }

    fn set_weight() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    // Of each candidate its key, account, standing, stake and locks on L1; and L1's height.
    fn announce(n: u32) -> Weight {
        let n = u64::from(n);
        Weight::from_parts((50 + 10 * n) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(12 + 5 * n, 5)
    }

    // Looks whether everybody that is left has keys.
    fn resign() -> Weight {
        Weight::from_parts(100 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(5 + u64::from(MAX_SEQUENCERS), 3)
    }

    fn attest() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(7, 4)
    }

    fn authorize_attestation() -> Weight {
        Weight::from_parts(90 * MICROSECOND, 0) + T::DbWeight::get().reads(5)
    }

    fn pardon() -> Weight {
        Weight::from_parts(25 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 2)
    }

    fn set_revocation_key() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 1)
    }

    // Of one without a seat its four keys are unregistered at once, which is the most.
    // Others are barred; what the next session's end does has a block of its own.
    fn on_revocation() -> Weight {
        Weight::from_parts(80 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(16, 11)
    }

    // Twice, for members and for the elected.
    fn on_offence() -> Weight {
        Weight::from_parts(200 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(8 + 2 * u64::from(MAX_SEQUENCERS), 6)
    }

    // The links, the clock, and the candidacies of the two and of both sides of each link.
    fn are_one() -> Weight {
        Weight::from_parts(400 * MICROSECOND, 0)
            + T::DbWeight::get().reads(4 + 2 * u64::from(MAX_LINKS))
    }

    // The links, the clock, and both candidacies.
    fn is_known() -> Weight {
        Weight::from_parts(40 * MICROSECOND, 0) + T::DbWeight::get().reads(4)
    }

    fn on_correlation() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 1)
    }
}

impl WeightInfo for () {
    fn add_member() -> Weight {
        Weight::zero()
    }

    fn remove_member() -> Weight {
        Weight::zero()
    }

    fn set_weight() -> Weight {
        Weight::zero()
    }

    fn announce(_: u32) -> Weight {
        Weight::zero()
    }

    fn resign() -> Weight {
        Weight::zero()
    }

    fn attest() -> Weight {
        Weight::zero()
    }

    fn authorize_attestation() -> Weight {
        Weight::zero()
    }

    fn pardon() -> Weight {
        Weight::zero()
    }

    fn set_revocation_key() -> Weight {
        Weight::zero()
    }

    fn on_revocation() -> Weight {
        Weight::zero()
    }

    fn on_offence() -> Weight {
        Weight::zero()
    }

    fn are_one() -> Weight {
        Weight::zero()
    }

    fn is_known() -> Weight {
        Weight::zero()
    }

    fn on_correlation() -> Weight {
        Weight::zero()
    }
}
