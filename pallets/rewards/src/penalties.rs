//! Who committed an offence earns half for 24 hours (R38.4).

use crate::{
    pallet::{Config, Event, Pallet, Penalties},
    types::PenaltyList,
    weights::WeightInfo,
};
use cascoin_l2_primitives::{
    chain::BlockNumber,
    sequencers::{Offence, OnOffence},
};
use frame_support::{traits::Get, weights::Weight};
use sp_runtime::SaturatedConversion;

/// How long rewards are halved.
pub const PENALTY_MS: u64 = 24 * 60 * 60 * 1_000;

impl<T: Config> Pallet<T> {
    /// Who is penalised now, with the last height at which it is.
    pub(crate) fn penalties() -> PenaltyList {
        let now = Self::now();
        let mut penalties = Penalties::<T>::get();
        penalties.retain(|(_, until)| *until >= now);
        penalties
    }

    /// As many blocks as [`PENALTY_MS`] has, if each comes in time.
    fn penalty_blocks() -> BlockNumber {
        let block_time_ms = T::Parameters::get().block_time_ms;
        PENALTY_MS.checked_div(block_time_ms).unwrap_or(0).saturated_into()
    }
}

impl<T: Config> OnOffence for Pallet<T> {
    /// Whatever the offence: from now on, and anew if there was one already.
    fn on_offence(offence: &Offence) {
        let sequencer = offence.offender.clone();
        let until = Self::now().saturating_add(Self::penalty_blocks());
        let mut penalties = Self::penalties();
        penalties.retain(|(account, _)| *account != sequencer);
        if penalties.is_full() {
            penalties.remove(0);
        }
        let _ = penalties.try_push((sequencer.clone(), until));
        Penalties::<T>::put(penalties);
        Self::deposit_event(Event::Penalised { sequencer, until });
    }

    fn max_offence_weight() -> Weight {
        T::WeightInfo::on_offence()
    }
}
