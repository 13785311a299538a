//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use crate::types::{MAX_RECORDS, PAGE_RECORDS};
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the inherent and the hooks.
pub trait WeightInfo {
    /// Each block: its end, where nothing changed.
    fn block() -> Weight;
    /// Once per change of the set, besides.
    fn note_set() -> Weight;
    /// The inherent within a session.
    fn note() -> Weight;
    /// The inherent that ends a session of `n` sequencers, without what others make of
    /// it.
    fn note_last(n: u32) -> Weight;
    /// Once per change of the set, besides: the records of absences follow it.
    fn follow_set() -> Weight;
    /// [`Pallet::report_correlation`](crate::Pallet::report_correlation), without what
    /// others make of it; that of a node, too, and to authorise one.
    fn report_correlation() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;
/// Pages of records.
const PAGES: u64 = (MAX_RECORDS / PAGE_RECORDS) as u64;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn block() -> Weight {
        Weight::from_parts(10 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(6, 2)
    }

    // The account of each of 64 indices is read from the list of all.
    fn note_set() -> Weight {
        Weight::from_parts(500 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(2, 3)
    }

    // Once a term a page of records and the tenures, too.
    fn note() -> Weight {
        Weight::from_parts(35 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(11, 5)
    }

    fn note_last(n: u32) -> Weight {
        let n = u64::from(n);
        Self::note()
            + Weight::from_parts(n * 5 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(n + 2, n + 3)
    }

    // Of 1,024 records the bits of 64, and the tenures.
    fn follow_set() -> Weight {
        Weight::from_parts(500 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(PAGES + 1, PAGES + 1)
    }

    // 1,024 records, looked through twice, the tenures, and whether the set changed.
    fn report_correlation() -> Weight {
        Weight::from_parts(200 * MICROSECOND, 0) + T::DbWeight::get().reads(PAGES + 4)
    }
}

impl WeightInfo for () {
    fn block() -> Weight {
        Weight::zero()
    }

    fn note_set() -> Weight {
        Weight::zero()
    }

    fn note() -> Weight {
        Weight::zero()
    }

    fn note_last(_: u32) -> Weight {
        Weight::zero()
    }

    fn follow_set() -> Weight {
        Weight::zero()
    }

    fn report_correlation() -> Weight {
        Weight::zero()
    }
}
