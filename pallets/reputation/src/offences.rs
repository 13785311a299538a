//! What offences cost (R2b.6, R17.5, R25, R27.4).

use crate::{
    pallet::{Config, Event, Pallet},
    WeightInfo,
};
use cascoin_l2_primitives::{
    reputation::export::{OnLinkedScore, ScoreCause},
    sequencers::{Offence, OffenceKind, OnOffence},
};
use frame_support::weights::Weight;

/// Points of an offence. A double sign takes all there is.
pub const fn points(offence: OffenceKind) -> u8 {
    match offence {
        OffenceKind::DoubleSign => 100,
        // The L1 prototype's figure (cascoin-l1.md 6.11).
        OffenceKind::TimestampManipulation => 10,
        OffenceKind::Offline | OffenceKind::Withholding => 5,
        // Happens to an honest sequencer that restarts while it leads.
        OffenceKind::Timeout => 1,
        OffenceKind::Censorship => 10,
        OffenceKind::RepeatedCensorship => 50,
    }
}

impl<T: Config> OnOffence for Pallet<T> {
    fn on_offence(offence: &Offence) {
        let today = Self::today();
        let account = offence.offender.clone();
        let penalty = Self::change(&account, |standing| {
            standing.punish(today, points(offence.kind));
            standing.penalty.get()
        });
        Self::tell_of(&account, ScoreCause::Offence);
        Self::deposit_event(Event::Penalised { account, offence: offence.kind, penalty });
    }

    fn max_offence_weight() -> Weight {
        T::WeightInfo::on_offence().saturating_add(T::OnLinkedScore::weight())
    }
}
