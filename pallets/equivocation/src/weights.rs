//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is priced from published figures for one core (ed25519
//! verification in WASM 50 µs as a host call) and rounded up generously.
//! `benchmarking.rs` measures the same; its output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the call and the hooks.
pub trait WeightInfo {
    /// Each block: whether the set changed, asked twice.
    fn on_initialize() -> Weight;
    /// Once per set change, besides.
    fn note_set() -> Weight;
    /// Validation of a report.
    fn authorize_report() -> Weight;
    /// A report, without what it causes.
    fn report() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    fn on_initialize() -> Weight {
        Weight::from_parts(5 * MICROSECOND, 0) + T::DbWeight::get().reads(2)
    }

    // The account of each of 64 indices is read from the list of all. Two are forgotten, each
    // with its end.
    fn note_set() -> Weight {
        Weight::from_parts(500 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(7, 8)
    }

    fn authorize_report() -> Weight {
        Weight::from_parts(200 * MICROSECOND, 0) + T::DbWeight::get().reads(3)
    }

    fn report() -> Weight {
        Weight::from_parts(100 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(3, 4)
    }
}

impl WeightInfo for () {
    fn on_initialize() -> Weight {
        Weight::zero()
    }

    fn note_set() -> Weight {
        Weight::zero()
    }

    fn authorize_report() -> Weight {
        Weight::zero()
    }

    fn report() -> Weight {
        Weight::zero()
    }
}
