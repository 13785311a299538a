//! The L1 clock: what the applied blocks and the last votes say of L1's time.

use crate::pallet::{Applied, Config, Pallet, TipTimes, VotesSetId};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::Moment,
    sequencers::SequencerSetProvider,
    time::{median, L1Clock, L1Time, FRESH_MS},
};

/// L1 counts seconds.
const MS: Moment = 1_000;

impl<T: Config> L1Clock for Pallet<T> {
    fn l1_time(now: Moment) -> L1Time {
        let applied = Moment::from(Applied::<T>::get().median_time).saturating_mul(MS);
        L1Time {
            // The block that the relay starts from is known by its hash alone.
            median_time_past: (applied > 0).then_some(applied),
            fresh_tip_median: Self::fresh_tip_median(now),
        }
    }
}

impl<T: Config> Pallet<T> {
    fn fresh_tip_median(now: Moment) -> Option<Moment> {
        if VotesSetId::<T>::get() != T::Sequencers::set_id() {
            return None;
        }
        let fresh: Vec<Moment> = TipTimes::<T>::get()
            .0
            .iter()
            .filter(|tip| tip.taken.saturating_add(FRESH_MS) >= now)
            .map(|tip| Moment::from(tip.time).saturating_mul(MS))
            .collect();
        (fresh.len() >= T::Sequencers::quorum()).then(|| median(fresh))?
    }
}
