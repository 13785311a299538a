//! What offences and late blocks mean for a seat.

use crate::{
    barred::BarredKey,
    pallet::{
        ActiveSequencers, Banned, Candidates, Clock, Config, EarlyDraw, Elected, Event, KeysKept,
        Pallet, SeatsFreed,
    },
    WeightInfo,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    sequencers::{Offence, OffenceKind, OnLowLiveness, OnOffence},
};
use frame_support::weights::Weight;

impl<T: Config> Pallet<T> {
    /// Who signed twice is out for ever, unless too few would be left: then it stays,
    /// barred already, until there are enough (each session end tries again). Its keys
    /// are in wrong hands, whosever these are: it leads nothing from the next block on
    /// (R30.4).
    fn bar(account: &AccountId) {
        Banned::<T>::insert(account, ());
        KeysKept::<T>::remove(account);
        for one in ActiveSequencers::<T>::get().iter().filter(|one| one.account == *account) {
            let (account, relay) = (account.clone(), one.relay);
            Self::bar_keys(BarredKey { account, relay, revoked: false });
        }
        Self::leave_for_ever(account);
    }

    /// Who censored again and again is out for ever, too, unless too few would be left. Its
    /// keys stay good until then: they are its own, and a whole set can be found to censor
    /// at once, which without relay votes would hear of L1 no more (R17.5).
    fn exclude(account: &AccountId) {
        if !Banned::<T>::contains_key(account) {
            Banned::<T>::insert(account, ());
            KeysKept::<T>::insert(account, ());
        }
        Self::leave_for_ever(account);
    }

    /// Its seat is drawn anew with the others that are free, announced as the session ends: a
    /// whole set can leave within a few blocks, and looking at all candidates for each of them
    /// would make these too heavy. Nobody rolls the dice again by it, as each time costs an
    /// account for ever.
    fn leave_for_ever(account: &AccountId) {
        Self::deposit_event(Event::Barred { account: account.clone() });
        Self::dismiss(account);
        if Self::take_seat(account) {
            Candidates::<T>::remove(account);
        }
        SeatsFreed::<T>::put(true);
    }

    /// A candidate that is not there must be vouched for again. Who was appointed
    /// stays: governance removes it.
    fn unseat(account: &AccountId) {
        let Some(candidate) = Candidates::<T>::get(account) else { return };
        if Self::take_seat(account) {
            Self::ask_again(account, candidate, Clock::<T>::get());
            Self::deposit_event(Event::Removed { account: account.clone() });
        }
    }

    /// Who keeps L1 from being attested makes room for others, as far as enough are left
    /// (R17.6): its seat is drawn anew with the others that are free, announced as the session
    /// ends, and it must be vouched for again. Who was appointed goes, too: what governance
    /// could do about it may be what L1 is to bring.
    fn replace(account: &AccountId) {
        let goes = match Candidates::<T>::get(account) {
            Some(candidate) => {
                // One that is leaving already has no seat to give.
                let had = Elected::<T>::get().iter().any(|seat| seat.account == *account);
                let goes = had && Self::take_seat(account);
                if goes {
                    Self::ask_again(account, candidate, Clock::<T>::get());
                }
                goes
            }
            None => Self::dismiss(account),
        };
        if goes {
            SeatsFreed::<T>::put(true);
            Self::deposit_event(Event::Removed { account: account.clone() });
        }
    }
}

/// R25.5: candidates that led in vain lose their seats, and these are drawn anew before
/// the epoch ends, once in an epoch. All others keep theirs, so that nobody can roll the
/// dice again by failing.
impl<T: Config> OnLowLiveness for Pallet<T> {
    fn on_low_liveness(failed: &[AccountId]) {
        let session = Clock::<T>::get();
        let epoch = session.checked_div(Self::epoch()).unwrap_or(0);
        if EarlyDraw::<T>::get() == Some(epoch) {
            return;
        }
        EarlyDraw::<T>::put(epoch);
        for account in failed {
            if Candidates::<T>::contains_key(account) && Self::take_seat(account) {
                Self::deposit_event(Event::Removed { account: account.clone() });
            }
        }
        Self::schedule_draw(session, false, failed);
    }

    fn max_low_liveness_weight() -> Weight {
        T::WeightInfo::on_low_liveness()
    }
}

impl<T: Config> OnOffence for Pallet<T> {
    fn on_offence(offence: &Offence) {
        match offence.kind {
            OffenceKind::DoubleSign => Self::bar(&offence.offender),
            OffenceKind::Offline => Self::unseat(&offence.offender),
            OffenceKind::RepeatedCensorship => Self::exclude(&offence.offender),
            OffenceKind::Withholding => Self::replace(&offence.offender),
            // These cost stake and reputation, and with them the next election.
            OffenceKind::TimestampManipulation | OffenceKind::Timeout | OffenceKind::Censorship => {
            }
        }
    }

    fn max_offence_weight() -> Weight {
        T::WeightInfo::on_offence()
    }
}
