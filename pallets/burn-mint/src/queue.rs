//! The queue of burns that wait (ADR 0024).
//!
//! Turns go round: who had one and has something left goes to the end, so that no
//! large burn keeps small ones waiting. A round begins with each day and each change
//! of the limits; when everybody had a turn, nothing is looked at until the next one.
//! Only where the limit of all together is used up does the burn at the head keep its
//! place: whoever is behind it could get nothing either.

use crate::{
    limits::{Spent, Today},
    pallet::{
        Burns, Config, Deferred, DeferredRange, DeferredTotal, Error, Event, MintedOnDay, Pallet,
        RejectedWaitingCount, RoundOfTurns, Waits, MAX_RETRIES,
    },
    types::Waiting,
    WeightInfo,
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnRecord, WaitCause},
    chain::{Balance, ChainParameters},
    l1::{burn::BurnRejection, OutPoint},
};
use frame_support::{
    dispatch::DispatchResult,
    traits::{Get, Time as _},
    weights::Weight,
};

impl<T: Config> Pallet<T> {
    /// The day and its limits. Begins a round of turns if they are new.
    pub(crate) fn today(parameters: &ChainParameters) -> Today {
        let today = Today::new(parameters, T::Time::now());
        let mut round = RoundOfTurns::<T>::get();
        if (round.day, round.limits) != (today.day, today.limits) {
            (round.day, round.limits) = (today.day, today.limits);
            round.until = DeferredRange::<T>::get().1;
            RoundOfTurns::<T>::put(round);
        }
        today
    }

    /// Why a burn that has just come must wait before anything of it is minted; `None`
    /// if it need not. While others wait for their turn it takes nothing that they
    /// could get today.
    pub(crate) fn must_wait(value: u64, today: &Today) -> Option<WaitCause> {
        if let Some(cause) = Self::closed(today) {
            return Some(cause);
        }
        let all_had_turns = DeferredRange::<T>::get().0 >= RoundOfTurns::<T>::get().until;
        if all_had_turns {
            return None;
        }
        let left = MintedOnDay::<T>::get().left(today.limits.chain, today.day);
        let wanted = Balance::from(value).min(today.limits.burn);
        if DeferredTotal::<T>::get().saturating_add(wanted) <= left {
            return None;
        }
        Some(if left == 0 { WaitCause::ChainLimit } else { WaitCause::Turn })
    }

    /// Puts a new burn, or what the limits left of it, into the queue.
    pub(crate) fn defer(record: &BurnRecord, spent: Spent, cause: WaitCause) {
        let rest = record.value.saturating_sub(record.minted);
        DeferredTotal::<T>::mutate(|total| *total = total.saturating_add(rest.into()));
        Self::enqueue(record.outpoint, spent, cause);
        Self::deposit_event(Event::BurnDeferred { outpoint: record.outpoint, rest, cause });
    }

    fn enqueue(outpoint: OutPoint, spent: Spent, cause: WaitCause) {
        let (start, place) = DeferredRange::<T>::get();
        let end = place.saturating_add(1);
        Deferred::<T>::insert(place, outpoint);
        Waits::<T>::insert(outpoint.txid, outpoint.vout, Waiting { place, spent });
        DeferredRange::<T>::put((start, end));
        let had_its_turn = matches!(
            cause,
            WaitCause::TransactionLimit | WaitCause::AddressLimit | WaitCause::CreditFailed
        );
        if !had_its_turn {
            RoundOfTurns::<T>::mutate(|round| round.until = end);
        }
    }

    /// Gives turns, the longest waiting first, as many as there is weight for.
    pub(crate) fn retry_deferred(remaining: Weight) -> Weight {
        let mut used = T::WeightInfo::retry_base();
        let (start, end) = DeferredRange::<T>::get();
        if start == end || !used.all_lte(remaining) {
            return used.min(remaining);
        }
        let today = Self::today(&T::Parameters::get());
        if Self::closed(&today).is_some() {
            return used;
        }
        let until = RoundOfTurns::<T>::get().until.min(end);
        for place in start..until.min(start.saturating_add(u64::from(MAX_RETRIES))) {
            let after = used.saturating_add(T::WeightInfo::retry_burn());
            let left = MintedOnDay::<T>::get().left(today.limits.chain, today.day);
            if left == 0 || !after.all_lte(remaining) {
                break;
            }
            used = after;
            if !Self::take_turn(place, &today) {
                break;
            }
        }
        used
    }

    // The turn of the burn at the head of the queue; `false` if it keeps its place.
    fn take_turn(place: u64, today: &Today) -> bool {
        let known = Deferred::<T>::get(place).and_then(|OutPoint { txid, vout }| {
            Some((Burns::<T>::get(txid, vout)?, Waits::<T>::get(txid, vout)?))
        });
        // None is ever missing (`try_state`); one that were must not stop the others.
        let Some((mut record, mut waiting)) = known else {
            Self::leave(place);
            return true;
        };
        let OutPoint { txid, vout } = record.outpoint;
        let before = record.minted;
        let waits = Self::mint(&mut record, &mut waiting.spent, today);
        let minted = record.minted.saturating_sub(before);
        if minted > 0 {
            DeferredTotal::<T>::mutate(|total| *total = total.saturating_sub(minted.into()));
            Burns::<T>::insert(txid, vout, &record);
        }
        match waits {
            Some(WaitCause::ChainLimit) => {
                Waits::<T>::insert(txid, vout, waiting);
                return false;
            }
            Some(cause) => {
                Self::leave(place);
                Self::enqueue(record.outpoint, waiting.spent, cause);
            }
            None => {
                Self::leave(place);
                Waits::<T>::remove(txid, vout);
            }
        }
        true
    }

    /// Takes a burn out of the queue for good. Its record stays, so that it is never
    /// minted again, and says what was minted of it.
    pub(crate) fn reject(outpoint: OutPoint) -> DispatchResult {
        let OutPoint { txid, vout } = outpoint;
        let mut record = Burns::<T>::get(txid, vout).ok_or(Error::<T>::NotWaiting)?;
        Self::take_out_of_queue(&record)?;
        let rest = record.value.saturating_sub(record.minted);
        let reason = BurnRejection::ByGovernance;
        record.outcome = BurnOutcome::Rejected(reason);
        Self::deposit_event(Event::WaitingRejected { outpoint, minted: record.minted, rest });
        Burns::<T>::insert(txid, vout, record);
        RejectedWaitingCount::<T>::mutate(|count| *count = count.saturating_add(1));
        Ok(())
    }

    /// Takes a burn out of the queue, wherever it stands. The caller says in its record
    /// why.
    ///
    /// The last of the queue gets its place: that leaves no gap, whatever the length, and
    /// puts nobody further back.
    pub(crate) fn take_out_of_queue(record: &BurnRecord) -> DispatchResult {
        let OutPoint { txid, vout } = record.outpoint;
        let Waiting { place, .. } = Waits::<T>::get(txid, vout).ok_or(Error::<T>::NotWaiting)?;
        let (start, end) = DeferredRange::<T>::get();
        let last = end.saturating_sub(1);
        if place != last {
            // None is ever missing (`try_state`).
            let moved = Deferred::<T>::get(last).ok_or(Error::<T>::NotWaiting)?;
            Deferred::<T>::insert(place, moved);
            Waits::<T>::mutate(moved.txid, moved.vout, |waiting| {
                if let Some(waiting) = waiting {
                    waiting.place = place;
                }
            });
        }
        Deferred::<T>::remove(last);
        Waits::<T>::remove(txid, vout);
        DeferredRange::<T>::put((start, last));
        RoundOfTurns::<T>::mutate(|round| round.until = round.until.min(last));
        let rest = record.value.saturating_sub(record.minted);
        DeferredTotal::<T>::mutate(|total| *total = total.saturating_sub(rest.into()));
        Ok(())
    }

    fn leave(place: u64) {
        Deferred::<T>::remove(place);
        DeferredRange::<T>::mutate(|(start, _)| *start = place.saturating_add(1));
    }
}
