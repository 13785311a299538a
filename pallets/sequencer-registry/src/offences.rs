//! What offences mean for a seat.

use crate::{
    candidates::Attestation,
    pallet::{Banned, Candidates, Config, ElectionDue, Event, Members, Pallet},
    session::{can_form_a_set, seated},
    WeightInfo,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    sequencers::{Offence, OffenceKind, OnLowLiveness, OnOffence},
};
use frame_support::weights::Weight;

impl<T: Config> Pallet<T> {
    /// Who signed twice is out for ever, unless too few would be left: then it stays
    /// until somebody comes, banned already.
    fn bar(account: &AccountId) {
        Banned::<T>::insert(account, ());
        Self::deposit_event(Event::Barred { account: account.clone() });
        Members::<T>::mutate(|members| {
            let mut left = members.clone();
            left.retain(|member| member.account != *account);
            if can_form_a_set::<T>(&seated::<T>(&left)) {
                *members = left;
            }
        });
        if Self::take_seat(account) {
            Candidates::<T>::remove(account);
        }
    }

    /// A candidate that is not there must be vouched for again. Who was appointed
    /// stays: governance removes it.
    fn unseat(account: &AccountId) {
        let Some(mut candidate) = Candidates::<T>::get(account) else { return };
        if !Self::take_seat(account) {
            return;
        }
        candidate.attestation = Attestation::Open(Default::default());
        Candidates::<T>::insert(account, candidate);
        Self::deposit_event(Event::Removed { account: account.clone() });
    }
}

impl<T: Config> OnLowLiveness for Pallet<T> {
    fn on_low_liveness() {
        ElectionDue::<T>::put(true);
    }
}

impl<T: Config> OnOffence for Pallet<T> {
    fn on_offence(offence: &Offence) {
        match offence.kind {
            OffenceKind::DoubleSign => Self::bar(&offence.offender),
            OffenceKind::Offline => Self::unseat(&offence.offender),
            // These cost stake and reputation, and with them the next election.
            OffenceKind::TimestampManipulation | OffenceKind::Timeout => {}
        }
    }

    fn max_offence_weight() -> Weight {
        T::WeightInfo::on_offence()
    }
}
