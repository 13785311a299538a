//! Measures what `weights.rs` estimates.

use crate::pallet::{Common, Config, InDoubt, Newest, Pallet, Points};
use cascoin_l2_primitives::{
    l1::{L1Hash, OutPoint},
    recovery::{Doubt, PointLog, RecoveryPoint, MAX_POINTS},
    relay::{L1BlockContext, L1Event, OnL1Event, OnL1Fork},
};
use frame_benchmarking::v2::*;
use frame_support::traits::Hooks;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::One;

/// A log with as many points as there can be, of the L1 blocks up to the last.
fn fill<T: Config>() {
    let mut points = PointLog::default();
    for l1_height in 1..=MAX_POINTS {
        points.note(RecoveryPoint { l1_height, ..Default::default() });
    }
    Newest::<T>::put(MAX_POINTS);
    Points::<T>::put(points);
}

fn l1_block(height: u32) -> L1BlockContext {
    L1BlockContext { height, ..Default::default() }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn idle() {
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::one());
        }
        assert!(!InDoubt::<T>::exists());
    }

    #[benchmark]
    fn settle() {
        InDoubt::<T>::put(Doubt::of(Some(RecoveryPoint::default())));
        Common::<T>::put(l1_block(1));
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::one());
        }
        // Nothing is disputed here, and nothing is owed.
        assert!(!InDoubt::<T>::exists());
    }

    #[benchmark]
    fn note() {
        fill::<T>();
        let outpoint = OutPoint { txid: L1Hash([1; 32]), vout: 0 };
        let event = L1Event::Burn { outpoint, value: 1, payload: Default::default() };
        #[block]
        {
            Pallet::<T>::on_event(&event, &l1_block(MAX_POINTS + 1));
        }
        assert_eq!(Newest::<T>::get(), MAX_POINTS + 1);
    }

    #[benchmark]
    fn on_fork() {
        fill::<T>();
        InDoubt::<T>::put(Doubt::of(Some(RecoveryPoint::default())));
        Common::<T>::put(l1_block(2));
        #[block]
        {
            Pallet::<T>::on_fork(&l1_block(1));
        }
        assert_eq!(Newest::<T>::get(), 1);
    }
}
