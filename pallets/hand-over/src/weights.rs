//! Weights of hand-overs: estimates by hand. Reads and writes are counted from the code for a
//! set of 64 that takes over from another one of 64, and priced by the runtime's `DbWeight`;
//! computation is rounded up generously. `benchmarking.rs` measures the same; its output shall
//! replace this file.

use cascoin_l2_primitives::chain::MAX_SEQUENCERS;
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the hook.
pub trait WeightInfo {
    /// A block whose header carries no hand-over, with what others ask of this pallet in it.
    fn idle() -> Weight;
    /// A block in which a set of the largest size takes over.
    fn hand_over() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;

/// The estimates, priced by the runtime's `DbWeight`.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
    // The digest stands in the overlay. When sessions end, and who answers for a block's time,
    // is asked of the last hand-over in every block.
    fn idle() -> Weight {
        Weight::from_parts(2 * MICROSECOND, 0) + T::DbWeight::get().reads(2)
    }

    // Of each account that goes on its ban, its keys, its candidacy, its account, standing,
    // stake and locks on L1; of each that goes its ban and its keys, with the owners of four of
    // them. Of all candidates, four times as many as a set has, the candidacy and a ban.
    // Besides the lists of seats, sets, keys and sessions. A signature takes less than a tenth
    // of a millisecond, and a decoded list of 64 as much.
    fn hand_over() -> Weight {
        let all = u64::from(MAX_SEQUENCERS);
        Weight::from_parts(all * 1_000 * MICROSECOND, 0)
            + T::DbWeight::get().reads_writes(40 + 28 * all, 40 + 12 * all)
    }
}

impl WeightInfo for () {
    fn idle() -> Weight {
        Weight::zero()
    }

    fn hand_over() -> Weight {
        Weight::from_parts(1, 0)
    }
}
