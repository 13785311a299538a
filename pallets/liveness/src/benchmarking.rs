//! Measures what `weights.rs` estimates.
//!
//! The times of blocks are others' to set, and a genesis to measure with has none: so what
//! follows from them is measured beside the hook.

use crate::pallet::{Config, Life, Pallet, SeenL1Height};
use cascoin_l2_primitives::{
    chain::Moment,
    liveness::{ChainLife, LivenessRules},
};
use frame_benchmarking::v2::*;
use frame_support::traits::{Get, Hooks};
use frame_system::pallet_prelude::BlockNumberFor;

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The end of an emergency, with news of an L1 that was stalled.
    #[benchmark]
    fn block() {
        let rules = LivenessRules::of(&T::Parameters::get());
        SeenL1Height::<T>::put(T::L1Height::get().wrapping_add(1));
        let life = ChainLife {
            emergency_since: Some(1),
            last_sign: Some(1),
            silent_ms: rules.emergency_delay_ms,
            lived_ms: Moment::MAX / 2,
            l1_quiet_ms: rules.l1_stall_ms,
            l1_stalled: true,
            ..Default::default()
        };
        Life::<T>::put(life);
        #[block]
        {
            Pallet::<T>::on_initialize(BlockNumberFor::<T>::default());
            Pallet::<T>::look(1, 1 + rules.block_time_ms, true);
        }
        assert_eq!(SeenL1Height::<T>::get(), T::L1Height::get());
        assert!(!Pallet::<T>::is_emergency());
    }
}
