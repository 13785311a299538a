//! What had been minted before a recovery let the state go back is minted again at once
//! (ADR 0033).
//!
//! A burn that L1 brings again waits like any other. Were it to wait for a limit of the day,
//! or for root, payments that were made of it would fall when they are repeated, though L1 has
//! it. So what each burn had brought is kept beside the state that goes back, and so much of
//! it, and no more, is minted as soon as L1 is settled. It counts for the day: what is new
//! waits the longer.
//!
//! That neither a stop nor an emergency keeps it waiting brings nobody what was not there
//! before. While the supply does not add up, or L1 is disputed, nothing is minted all the same.

use crate::{
    limits::Today,
    pallet::{
        Burns, Config, DeferredTotal, Halted, MintedBefore, MintedBeforeRange, Pallet, Sweep,
        Waits, MAX_RETRIES,
    },
    types::Before,
    WeightInfo,
};
use cascoin_l2_primitives::l1::OutPoint;
use frame_support::{
    traits::{Get, Time as _},
    weights::Weight,
};

impl<T: Config> Pallet<T> {
    /// The state goes back, and this burn had brought so much more than it has there.
    pub fn note_minted_before(outpoint: OutPoint, minted: u64) {
        let (start, end) = MintedBeforeRange::<T>::get();
        MintedBefore::<T>::insert(end, Before { outpoint, minted });
        MintedBeforeRange::<T>::put((start, end.saturating_add(1)));
    }

    /// Whether a burn that had been minted before the state went back may still be due.
    pub fn mints_again() -> bool {
        let (start, end) = MintedBeforeRange::<T>::get();
        start < end
    }

    /// How many burns have had their turn to be minted again, ever.
    pub fn minted_again() -> u64 {
        MintedBeforeRange::<T>::get().0
    }

    /// Gives burns that had been minted their turn, as many as there is weight for. Who does
    /// not wait has none: L1 dropped it, or has not brought it in time.
    pub(crate) fn mint_again(remaining: Weight) -> Weight {
        let mut used = T::DbWeight::get().reads(1);
        if !used.all_lte(remaining) {
            return Weight::zero();
        }
        let (mut place, end) = MintedBeforeRange::<T>::get();
        if place >= end {
            return used;
        }
        let looking = used.saturating_add(T::WeightInfo::retry_base());
        if !looking.all_lte(remaining) {
            return used;
        }
        used = looking;
        if Halted::<T>::get() || T::L1Disputed::get() || Sweep::<T>::exists() {
            return used;
        }
        let today = Today::new(&T::Parameters::get(), T::Time::now());
        let turn = T::WeightInfo::retry_burn().saturating_add(T::WeightInfo::reject_waiting());
        for _ in 0..MAX_RETRIES {
            let after = used.saturating_add(turn);
            if place >= end || !after.all_lte(remaining) {
                break;
            }
            used = after;
            if let Some(before) = MintedBefore::<T>::take(place) {
                Self::mint_as_before(before, &today);
            }
            place = place.saturating_add(1);
        }
        MintedBeforeRange::<T>::put((place, end));
        used
    }

    fn mint_as_before(before: Before, today: &Today) {
        let OutPoint { txid, vout } = before.outpoint;
        let known = Burns::<T>::get(txid, vout).zip(Waits::<T>::get(txid, vout));
        let Some((mut record, mut waiting)) = known else { return };
        let Some(recipient) = record.recipient.clone() else { return };
        let due = before.minted.min(record.value).saturating_sub(record.minted);
        if due == 0 {
            return;
        }
        let waited = record.clone();
        let spent = &mut waiting.spent;
        if !Self::mint_to(&mut record, &recipient, spent, due.into(), today.day) {
            // It goes on waiting.
            return;
        }
        if Self::complete(&mut record) {
            if Self::take_out_of_queue(&waited).is_err() {
                // It waits, so it is in the queue (`try_state`).
                log::error!(target: "burn-mint", "{:?} waits without a place", before.outpoint);
            }
        } else {
            DeferredTotal::<T>::mutate(|total| *total = total.saturating_sub(due.into()));
            Waits::<T>::insert(txid, vout, waiting);
        }
        Burns::<T>::insert(txid, vout, record);
    }
}
