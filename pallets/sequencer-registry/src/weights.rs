//! Weights of the registry's calls.
//!
//! Estimates by hand, not measurements: reads and writes are counted from the
//! code, for 64 members, and priced by the runtime's `DbWeight`; computation is
//! rounded up generously. `benchmarking.rs` measures the same; its output shall
//! replace this file.

use crate::{candidates::MAX_CANDIDATES, clusters::MAX_CLUSTERED, links::MAX_LINKS};
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
    /// [`Pallet::announce`](crate::Pallet::announce) where there is a free place.
    fn announce() -> Weight;
    /// Besides, where there is none: looking at all candidates, and removing one.
    fn displace() -> Weight;
    /// [`Pallet::resign`](crate::Pallet::resign).
    fn resign() -> Weight;
    /// [`Pallet::attest`](crate::Pallet::attest).
    fn attest() -> Weight;
    /// Checking an [answer of a node](crate::Pallet::attest_with_key).
    fn authorize_attestation() -> Weight;
    /// [`Pallet::pardon`](crate::Pallet::pardon).
    fn pardon() -> Weight;
    /// [`Pallet::accept`](crate::Pallet::accept).
    fn accept() -> Weight;
    /// [`Pallet::set_revocation_key`](crate::Pallet::set_revocation_key).
    fn set_revocation_key() -> Weight;
    /// A revocation of keys on L1.
    fn on_revocation() -> Weight;
    /// What an offence means for a seat.
    fn on_offence() -> Weight;
    /// What a session with late blocks means for seats.
    fn on_low_liveness() -> Weight;
    /// Whether two accounts are one entity's.
    fn are_one() -> Weight;
    /// Noting that two sequencers are correlated.
    fn on_correlation() -> Weight;
    /// [`Pallet::report_common_inputs`](crate::Pallet::report_common_inputs) with a
    /// transaction of `n` bytes.
    fn report_common_inputs(n: u32) -> Weight;
    /// [`Pallet::lift_common_inputs`](crate::Pallet::lift_common_inputs).
    fn lift_common_inputs() -> Weight;
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

    fn announce() -> Weight {
        Weight::from_parts(50 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(12, 3)
    }

    // Of each candidate its key, account, standing, stake and locks on L1; and L1's height.
    fn displace() -> Weight {
        let all = u64::from(MAX_CANDIDATES);
        Weight::from_parts(10 * all * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(2 + 5 * all, 2)
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
        Weight::from_parts(25 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 3)
    }

    fn set_revocation_key() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 1)
    }

    // Of one without a seat its four keys are unregistered at once, which is the most.
    // Others are barred; what the next session's end does has a block of its own.
    fn on_revocation() -> Weight {
        Weight::from_parts(80 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(16, 11)
    }

    fn accept() -> Weight {
        Weight::from_parts(20 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(1, 1)
    }

    // Twice, for members and for the elected.
    fn on_offence() -> Weight {
        Weight::from_parts(200 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(8 + 2 * u64::from(MAX_SEQUENCERS), 8)
    }

    // Of each that led in vain its candidacy, and whether all that are left have keys; of
    // each candidate its key, candidacy, account, standing, stake, locks on L1 and ban; and
    // who is one entity, as in `are_one`.
    fn on_low_liveness() -> Weight {
        let (seats, all) = (u64::from(MAX_SEQUENCERS), u64::from(MAX_CANDIDATES));
        Weight::from_parts((100 * seats + 20 * all) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(6 + 2 * seats + 7 * all, 3)
            + Self::are_one()
    }

    // The links, the clusters, the clock, and the candidacies of the two, of both sides of
    // each link and of everybody in a cluster.
    fn are_one() -> Weight {
        Weight::from_parts(2_500 * MICROSECOND, 0)
            + T::DbWeight::get().reads(5 + 2 * u64::from(MAX_LINKS) + u64::from(MAX_CLUSTERED))
    }

    fn on_correlation() -> Weight {
        Weight::from_parts(30 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 1)
    }

    // Each of two signatures is tried four times, at 100 µs; the transaction is read, and
    // hashed three times, in the runtime. Where clusters are full, who of them is a
    // candidate is looked up until one is not.
    fn report_common_inputs(n: u32) -> Weight {
        Weight::from_parts((1_200 * MICROSECOND).saturating_add(200_000 * u64::from(n)), 0)
            + T::DbWeight::get().reads_writes(12 + u64::from(MAX_CANDIDATES), 1)
    }

    fn lift_common_inputs() -> Weight {
        Weight::from_parts(100 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 2)
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

    fn announce() -> Weight {
        Weight::zero()
    }

    fn displace() -> Weight {
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

    fn accept() -> Weight {
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

    fn on_low_liveness() -> Weight {
        Weight::zero()
    }

    fn are_one() -> Weight {
        Weight::zero()
    }

    fn on_correlation() -> Weight {
        Weight::zero()
    }

    fn report_common_inputs(_: u32) -> Weight {
        Weight::zero()
    }

    fn lift_common_inputs() -> Weight {
        Weight::zero()
    }
}
