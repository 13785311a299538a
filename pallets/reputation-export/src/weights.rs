//! Weights of this pallet.
//!
//! These are estimates by hand, not measurements: reads and writes are counted
//! from the code for the worst case and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its
//! output shall replace this file.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the call, the hooks, and what other pallets tell.
pub trait WeightInfo {
    /// Each block.
    fn block() -> Weight;
    /// Making a batch of a full draft, besides.
    fn make_export() -> Weight;
    /// Looking at one address, with a draft that is nearly full.
    fn look_at() -> Weight;
    /// Looking at `n` known addresses in turn.
    fn sweep(n: u32) -> Weight;
    /// Looking at `n` entries of a batch that is superseded; 0 if none is.
    fn retire(n: u32) -> Weight;
    /// Validation of a signature.
    fn authorize_signature() -> Weight;
    /// [`Pallet::sign_export`](crate::Pallet::sign_export).
    fn sign_export() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    // The parameters are read by each block.
    fn block() -> Weight {
        Weight::from_parts(2 * MICROSECOND, 0)
    }

    // 12 KiB are hashed.
    fn make_export() -> Weight {
        Weight::from_parts(150 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(5, 4)
    }

    // Read: what is known, its account, standing and activity, the draft, the last batch.
    // The draft is searched.
    fn look_at() -> Weight {
        Weight::from_parts(40 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(6, 2)
    }

    // As above; draft and last batch are read and written once. Each next key is a read.
    fn sweep(n: u32) -> Weight {
        let n = u64::from(n);
        Weight::from_parts((10 + n * 40) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(4 + 5 * n, 2 + n)
    }

    fn retire(n: u32) -> Weight {
        let n = u64::from(n);
        let some = u64::from(n > 0);
        Weight::from_parts((5 + some * 60 + n * 50) * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(4 + 6 * some + 5 * n, 6 * some + 2 * n)
    }

    // Verifying takes about 60 µs in the host, and several times that in Wasm. Read: set id,
    // last batch, signatures, keys of the set, those that are barred, hash of genesis.
    fn authorize_signature() -> Weight {
        Weight::from_parts(600 * MICROSECOND, 0) + T::DbWeight::get().reads(6)
    }

    fn sign_export() -> Weight {
        Weight::from_parts(40 * MICROSECOND, 0) + T::DbWeight::get().reads_writes(4, 2)
    }
}

impl WeightInfo for () {
    fn block() -> Weight {
        Weight::zero()
    }

    fn make_export() -> Weight {
        Weight::zero()
    }

    fn look_at() -> Weight {
        Weight::zero()
    }

    fn sweep(_: u32) -> Weight {
        Weight::zero()
    }

    fn retire(_: u32) -> Weight {
        Weight::zero()
    }

    fn authorize_signature() -> Weight {
        Weight::zero()
    }

    fn sign_export() -> Weight {
        Weight::zero()
    }
}
